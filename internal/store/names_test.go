package store_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"windlass"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// Names that differ in capitals alone are the same: of several that are given out
// at once one is.
func TestNamesInAnyCase(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s)
		other := windlass.Project{ID: newID(t), Name: "other", AppName: "Other", OrgID: "org", Created: noon, Updated: noon}
		must(t, s.CreateProject(ctx, other))
		for what, create := range map[string]func(project, name string) error{
			"project": func(_, name string) error {
				return s.CreateProject(ctx, windlass.Project{ID: newID(t), Name: name, AppName: "a", OrgID: "org", Created: noon, Updated: noon})
			},
			"destination": func(project, name string) error {
				return s.CreateDestination(ctx, windlass.Destination{ID: newID(t), ProjectID: project, Name: name, Type: "webhook", Created: noon, Updated: noon})
			},
			"topic": func(project, name string) error {
				return s.CreateTopic(ctx, windlass.Topic{ID: newID(t), ProjectID: project, Name: name, Created: noon, Updated: noon})
			},
		} {
			errs := make([]error, 4)
			var all sync.WaitGroup
			for i, name := range []string{"name", "Name", "NAME", "nAmE"} {
				all.Go(func() { errs[i] = create(w.project.ID, name) })
			}
			all.Wait()
			made := 0
			for _, err := range errs {
				if err == nil {
					made++
					continue
				}
				wantKind(t, err, windlass.Conflict)
				if !strings.Contains(err.Error(), "a "+what+" of that name exists already (capitals make no difference)") {
					t.Errorf("%v", err)
				}
			}
			if made != 1 {
				t.Errorf("of 4 names of a %s that are the same %d were given out", what, made)
			}
			if what != "project" {
				must(t, create(other.ID, "Name"))
			}
		}
		// A name may change its own capitals, and no name may become another one's.
		other.Name = "OTHER"
		must(t, s.UpdateProject(ctx, other))
		other.Name = "NaMe"
		wantKind(t, s.UpdateProject(ctx, other), windlass.Conflict)
		d := got(s.Destinations(ctx, w.project.ID, windlass.Page{}))(t)
		d[0].Name = strings.ToUpper(d[0].Name)
		must(t, s.UpdateDestination(ctx, d[0]))
		d[0].Name = strings.ToUpper(d[1].Name)
		wantKind(t, s.UpdateDestination(ctx, d[0]), windlass.Conflict)
		topic := windlass.Topic{ID: newID(t), ProjectID: w.project.ID, Name: "second", Created: noon, Updated: noon}
		must(t, s.CreateTopic(ctx, topic))
		topic.Name = "SECOND"
		must(t, s.UpdateTopic(ctx, topic))
		topic.Name = "NAME"
		wantKind(t, s.UpdateTopic(ctx, topic), windlass.Conflict)
	})
}

// Names that were there when capitals still made a difference stay, and may be used
// and changed; only new ones may not be like them.
func TestNamesOfBefore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		// Back to before the migrations.
		for _, table := range []string{"projects", "destinations", "topics"} {
			for _, statement := range []string{`DROP INDEX %s_by_name_key`, `ALTER TABLE %s DROP COLUMN name_key`} {
				_, err := s.DB().ExecContext(ctx, fmt.Sprintf(statement, table))
				must(t, err)
			}
		}
		_, err := s.DB().ExecContext(ctx, `DELETE FROM windlass_migrations WHERE version IN (23, 301)`)
		must(t, err)
		const project = `INSERT INTO projects (id, name, app_name, org_id, origins, created, updated) VALUES ('%s', '%s', 'a', 'o', 'null', 1, 1)`
		for id, name := range map[string]string{"1": "acme", "2": "Acme", "3": "ACME", "4": "other"} {
			_, err := s.DB().ExecContext(ctx, fmt.Sprintf(project, id, name))
			must(t, err)
		}
		must(t, s.Close())

		s = open()
		for _, name := range []string{"acme", "Acme", "ACME", "other"} {
			p := got(s.Project(ctx, name))(t)
			p.AppName = "changed"
			must(t, s.UpdateProject(ctx, p))
		}
		wantKind(t, s.CreateProject(ctx, windlass.Project{ID: newID(t), Name: "aCME", AppName: "a", OrgID: "org", Created: noon, Updated: noon}), windlass.Conflict)
		wantKind(t, s.CreateProject(ctx, windlass.Project{ID: newID(t), Name: "Other", AppName: "a", OrgID: "org", Created: noon, Updated: noon}), windlass.Conflict)
		// Given another name, one is like any other.
		p := got(s.Project(ctx, "Acme"))(t)
		p.Name = "Second"
		must(t, s.UpdateProject(ctx, p))
		wantKind(t, s.CreateProject(ctx, windlass.Project{ID: newID(t), Name: "second", AppName: "a", OrgID: "org", Created: noon, Updated: noon}), windlass.Conflict)
	})
}
