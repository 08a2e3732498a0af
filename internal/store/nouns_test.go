package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"windlass"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

func TestProjects(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		p := windlass.Project{ID: newID(t), Name: "acme", AppName: "Acme", OrgID: "org", Origins: []string{"https://app.example.com"}, Created: noon, Updated: noon}
		must(t, s.CreateProject(ctx, p))
		wantSame(t, got(s.Project(ctx, p.ID))(t), p)
		wantSame(t, got(s.Project(ctx, "acme"))(t), p)

		second := p
		second.ID = newID(t)
		wantKind(t, s.CreateProject(ctx, second), windlass.Conflict)
		// A project may be named like another one's id without getting in its way.
		second.Name = p.ID
		must(t, s.CreateProject(ctx, second))
		wantSame(t, got(s.Project(ctx, p.ID))(t), p)
		wantSame(t, got(s.Projects(ctx, windlass.Page{}))(t), []windlass.Project{p, second})

		p.AppName, p.Updated = "Acme & Co", noon.Add(time.Hour)
		must(t, s.UpdateProject(ctx, p))
		wantSame(t, got(s.Project(ctx, "acme"))(t), p)
		second.Name = "acme"
		wantKind(t, s.UpdateProject(ctx, second), windlass.Conflict)
		wantKind(t, s.UpdateProject(ctx, windlass.Project{ID: "none", Name: "none"}), windlass.NotFound)
		_, err := s.Project(ctx, "none")
		wantKind(t, err, windlass.NotFound)
	})
}

// A project goes with the names of its customers, and with nothing else in it.
func TestDeleteProject(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s)
		wantKind(t, s.DeleteProject(ctx, w.project.ID), windlass.Conflict)
		wantSame(t, len(got(s.Groups(ctx, w.project.ID))(t)), 1) // all of it was undone

		bare := windlass.Project{ID: newID(t), Name: "bare", AppName: "Bare", OrgID: "org", Created: noon, Updated: noon}
		must(t, s.CreateProject(ctx, bare))
		got(s.KeepGroup(ctx, windlass.Group{ProjectID: bare.ID, Ref: "g", Updated: noon}))(t)
		got(s.KeepConsumer(ctx, windlass.Consumer{ProjectID: bare.ID, Ref: "c", Updated: noon}))(t)
		must(t, s.CreateUpload(ctx, windlass.Upload{ID: newID(t), ProjectID: bare.ID, TokenHash: "h", Expires: noon}))
		must(t, s.DeleteProject(ctx, bare.ID))
		wantKind(t, s.DeleteProject(ctx, bare.ID), windlass.NotFound)
		wantSame(t, len(got(s.Groups(ctx, bare.ID))(t)), 0)
		wantSame(t, len(got(s.Projects(ctx, windlass.Page{}))(t)), 1)
	})
}

func TestKeepCustomers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		p := windlass.Project{ID: newID(t), Name: "acme", AppName: "Acme", OrgID: "org", Created: noon, Updated: noon}
		must(t, s.CreateProject(ctx, p))
		later := noon.Add(time.Hour)
		g := windlass.Group{ProjectID: p.ID, Ref: "g", Name: "Group", Created: noon, Updated: noon}
		c := windlass.Consumer{ProjectID: p.ID, Ref: "c", Name: "Person", Created: noon, Updated: noon}
		wantSame(t, got(s.KeepGroup(ctx, windlass.Group{ProjectID: p.ID, Ref: "g", Name: "Group", Updated: noon}))(t), g)
		wantSame(t, got(s.KeepConsumer(ctx, windlass.Consumer{ProjectID: p.ID, Ref: "c", Name: "Person", Updated: noon}))(t), c)
		wantSame(t, got(s.KeepGroup(ctx, windlass.Group{ProjectID: p.ID, Ref: "g", Updated: later}))(t), g) // without a name nothing changes
		g.Name, g.Updated = "Other", later
		wantSame(t, got(s.KeepGroup(ctx, windlass.Group{ProjectID: p.ID, Ref: "g", Name: "Other", Updated: later}))(t), g)
		c.Name, c.Updated = "Other", later
		wantSame(t, got(s.KeepConsumer(ctx, windlass.Consumer{ProjectID: p.ID, Ref: "c", Name: "Other", Updated: later}))(t), c)
		_, err := s.KeepGroup(ctx, windlass.Group{ProjectID: "none", Ref: "g", Updated: noon})
		wantKind(t, err, windlass.NotFound)

		for _, ref := range []string{"h", "i", "j"} {
			got(s.KeepGroup(ctx, windlass.Group{ProjectID: p.ID, Ref: ref, Updated: later}))(t)
		}
		count := func(since time.Time, limit, wantGroups, wantConsumers int) {
			t.Helper()
			groups, consumers, err := s.CountCustomers(ctx, p.ID, since, limit)
			must(t, err)
			wantSame(t, []int{groups, consumers}, []int{wantGroups, wantConsumers})
		}
		count(noon, 10, 4, 1)
		count(later, 10, 3, 0)
		count(noon, 2, 2, 1)
	})
}

func TestProviderApps(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s)
		a := w.app
		wantSame(t, got(s.ProviderApp(ctx, w.project.ID, a.ID))(t), a)
		wantSame(t, got(s.ProviderApp(ctx, w.project.ID, "bitbucket"))(t), a)
		wantSame(t, got(s.ProviderApps(ctx, w.project.ID, windlass.Page{}))(t), []windlass.ProviderApp{a})
		_, err := s.ProviderApp(ctx, "another project", a.ID)
		wantKind(t, err, windlass.NotFound)

		twin := a
		twin.ID = newID(t)
		wantKind(t, s.CreateProviderApp(ctx, twin), windlass.Conflict)
		twin.ClientID = "another"
		must(t, s.CreateProviderApp(ctx, twin))
		_, err = s.ProviderApp(ctx, w.project.ID, "bitbucket")
		wantKind(t, err, windlass.Conflict)
		wantSame(t, got(s.ProviderApp(ctx, w.project.ID, a.ID))(t), a)

		a.ClientSecret, a.Scopes, a.AuthParams, a.Updated = windlass.NewSecret("newer"), nil, nil, noon.Add(time.Hour)
		must(t, s.UpdateProviderApp(ctx, a))
		wantSame(t, got(s.ProviderApp(ctx, w.project.ID, a.ID))(t), a)

		wantKind(t, s.DeleteProviderApp(ctx, w.project.ID, a.ID), windlass.Conflict) // a connection uses it
		must(t, s.DeleteProviderApp(ctx, w.project.ID, twin.ID))
		wantKind(t, s.DeleteProviderApp(ctx, w.project.ID, twin.ID), windlass.NotFound)
		twin.ProjectID = "none"
		wantKind(t, s.CreateProviderApp(ctx, twin), windlass.NotFound)
	})
}

func TestIntegrations(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s)
		first := w.integration
		wantSame(t, got(s.Integration(ctx, w.project.ID, first.ID))(t), first)
		wantSame(t, got(s.Integration(ctx, w.project.ID, "repos"))(t), first)

		// A deploy of the same name keeps the integration and adds a revision.
		again := first
		again.ID, again.Updated = newID(t), noon.Add(time.Hour)
		again.Latest = windlass.Revision{ID: newID(t), SpecVersion: "1.0.0", Content: json.RawMessage(`{}`), Created: noon.Add(time.Hour)}
		other := again
		other.ID, other.Name = newID(t), "issues"
		other.Latest.ID, other.Latest.IntegrationID = newID(t), other.ID
		must(t, s.SaveIntegrations(ctx, w.project.ID, []windlass.Integration{again, other}))
		again.ID, again.Created, again.Latest.IntegrationID = first.ID, first.Created, first.ID
		wantSame(t, got(s.Integration(ctx, w.project.ID, "repos"))(t), again)
		wantSame(t, got(s.Integrations(ctx, w.project.ID, windlass.Page{}))(t), []windlass.Integration{again, other})
		wantSame(t, got(s.Revisions(ctx, first.ID, "", 0))(t), []windlass.Revision{again.Latest, first.Latest})
		wantSame(t, got(s.Revision(ctx, first.ID, first.Latest.ID))(t), first.Latest)

		// Unchanged: the revision is there already, and never changes.
		must(t, s.SaveIntegrations(ctx, w.project.ID, []windlass.Integration{again}))
		wantSame(t, len(got(s.Revisions(ctx, first.ID, "", 0))(t)), 2)
		wantSame(t, got(s.Revisions(ctx, first.ID, again.Latest.ID, 1))(t), []windlass.Revision{first.Latest})

		// All or none.
		stolen := other
		stolen.Latest = first.Latest
		fresh := other
		fresh.ID, fresh.Name, fresh.Latest.ID = newID(t), "fresh", newID(t)
		wantKind(t, s.SaveIntegrations(ctx, w.project.ID, []windlass.Integration{fresh, stolen}), windlass.Conflict)
		wantSame(t, len(got(s.Integrations(ctx, w.project.ID, windlass.Page{}))(t)), 2)

		wantKind(t, s.DeleteIntegration(ctx, w.project.ID, first.ID), windlass.Conflict) // it is installed
		must(t, s.DeleteIntegration(ctx, w.project.ID, other.ID))
		_, err := s.Revision(ctx, other.ID, other.Latest.ID)
		wantKind(t, err, windlass.NotFound)
		wantKind(t, s.SaveIntegrations(ctx, "none", []windlass.Integration{fresh}), windlass.NotFound)
	})
}

func TestConnections(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s)
		c := w.connection
		wantSame(t, got(s.Connection(ctx, w.project.ID, c.ID))(t), c)
		wantSame(t, got(s.Credentials(ctx, c.ID))(t), w.credentials)
		_, err := s.Connection(ctx, "another project", c.ID)
		wantKind(t, err, windlass.NotFound)
		_, err = s.Credentials(ctx, "none")
		wantKind(t, err, windlass.NotFound)

		// A second one of the same customer, who has another name by now; the
		// consumer is not named, and the scheme needs no provider app.
		second := c
		second.ID, second.ProviderAppID, second.Scheme = newID(t), "", windlass.AuthAPIKey
		second.Group.Name, second.Consumer, second.Created = "Renamed", windlass.Consumer{}, noon.Add(time.Hour)
		must(t, s.CreateConnection(ctx, second, windlass.Credentials{APIKey: windlass.NewSecret("k")}))
		second.Group.Updated = noon.Add(time.Hour)
		c.Group = second.Group
		wantSame(t, got(s.Connection(ctx, w.project.ID, second.ID))(t), second)
		wantSame(t, got(s.Groups(ctx, w.project.ID))(t), []windlass.Group{second.Group})

		for _, test := range []struct {
			name   string
			filter windlass.ConnectionFilter
			want   []windlass.Connection
		}{
			{"no filter finds all", windlass.ConnectionFilter{}, []windlass.Connection{c, second}},
			{"a project finds its own", windlass.ConnectionFilter{ProjectID: w.project.ID}, []windlass.Connection{c, second}},
			{"another project finds none", windlass.ConnectionFilter{ProjectID: "none"}, nil},
			{"a consumer finds one", windlass.ConnectionFilter{ProjectID: w.project.ID, ConsumerRef: "person-1"}, []windlass.Connection{c}},
			{"a group finds both", windlass.ConnectionFilter{GroupRef: "group-1", Provider: "bitbucket"}, []windlass.Connection{c, second}},
		} {
			t.Run(test.name, func(t *testing.T) { wantSame(t, got(s.Connections(ctx, test.filter))(t), test.want) })
		}

		c.Workspace, c.Status, c.Used, c.Updated = "other", windlass.ConnectionWorking, noon.Add(time.Hour), noon.Add(time.Hour)
		must(t, s.UpdateConnection(ctx, c))
		wantSame(t, got(s.Connection(ctx, w.project.ID, c.ID))(t), c)

		wantKind(t, s.DeleteConnection(ctx, w.project.ID, c.ID), windlass.Conflict) // it is installed
		must(t, s.DeleteConnection(ctx, w.project.ID, second.ID))
		_, err = s.Credentials(ctx, second.ID)
		wantKind(t, err, windlass.NotFound)
		second.ProviderAppID = "none"
		wantKind(t, s.CreateConnection(ctx, second, windlass.Credentials{}), windlass.NotFound)
	})
}
