package store

import (
	"context"

	"windlass"
)

const projectColumns = `p.id, p.name, p.app_name, p.org_id, p.origins, p.created, p.updated`

func scanProject(r row) (p windlass.Project, err error) {
	err = r.Scan(&p.ID, &p.Name, &p.AppName, &p.OrgID, fromText{&p.Origins}, when{&p.Created}, when{&p.Updated})
	return p, err
}

var projectSays = says{Missing: "there is no such project", Taken: "a project of that name exists already" + inAnyCase}

// inAnyCase ends the error text for a name that is taken.
const inAnyCase = " (capitals make no difference)"

// keyOf sets the key of a name, which is unique, to that of another name. One that
// stays as it is keeps its key: it may be one of several that were there before.
func keyOf(name string) string {
	return `name_key = CASE WHEN name = ` + name + ` THEN name_key ELSE lower(` + name + `) END`
}

// CreateProject adds a project; Conflict when its name is taken.
func (s *Store) CreateProject(ctx context.Context, p windlass.Project) error {
	_, err := s.exec(ctx, `INSERT INTO projects (id, name, app_name, org_id, origins, created, updated, name_key) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, lower(?2))`,
		p.ID, p.Name, p.AppName, p.OrgID, text(p.Origins), micros(p.Created), micros(p.Updated))
	return s.fail("create the project "+p.Name, err, projectSays)
}

// Project finds a project by its id or its name. It does not lock it, unlike the
// other nouns: every transaction reads its project.
func (s *Store) Project(ctx context.Context, idOrName string) (windlass.Project, error) {
	p, err := first(ctx, s, scanProject, `SELECT `+projectColumns+` FROM projects p
		WHERE p.id = ?1 OR p.name = ?1 ORDER BY (p.id = ?1) DESC LIMIT 1`, idOrName)
	return p, s.fail("find the project "+idOrName, err, projectSays)
}

// ProjectNamed finds a project by its name, in capitals or not.
func (s *Store) ProjectNamed(ctx context.Context, name string) (windlass.Project, error) {
	p, err := first(ctx, s, scanProject, `SELECT `+projectColumns+` FROM projects p WHERE lower(p.name) = lower(?1) ORDER BY p.id LIMIT 1`, name)
	return p, s.fail("find the project "+name, err, projectSays)
}

// Projects lists all projects, the oldest first.
func (s *Store) Projects(ctx context.Context, p windlass.Page) ([]windlass.Project, error) {
	var f filter
	query := `SELECT ` + projectColumns + ` FROM projects p` + f.page("p.id", p)
	all, err := list(ctx, s, scanProject, query, f.args...)
	return all, s.fail("list the projects", err, projectSays)
}

// UpdateProject replaces the names of a project.
func (s *Store) UpdateProject(ctx context.Context, p windlass.Project) error {
	return s.update(ctx, "update the project "+p.Name, projectSays,
		`UPDATE projects SET `+keyOf("?2")+`, name = ?2, app_name = ?3, org_id = ?4, origins = ?5, updated = ?6 WHERE id = ?1`,
		p.ID, p.Name, p.AppName, p.OrgID, text(p.Origins), micros(p.Updated))
}

// DeleteProject removes a project with what is left of its customers, consents and
// uploads; Conflict while it holds anything else. Its history stays until retention
// removes it.
func (s *Store) DeleteProject(ctx context.Context, id string) error {
	words := projectSays
	words.Dangling = "something belongs to it"
	err := s.In(ctx, func(ctx context.Context) error {
		for _, of := range []string{"connect_states", "uploads", "consumers", "groups"} {
			if _, err := s.exec(ctx, `DELETE FROM `+of+` WHERE project_id = ?1`, id); err != nil {
				return err
			}
		}
		n, err := s.exec(ctx, `DELETE FROM projects WHERE id = ?1`, id)
		if err == nil && n == 0 {
			err = errNone
		}
		return err
	})
	return s.fail("delete the project "+id, err, words)
}

// update runs a statement that is to change a row that exists.
func (s *Store) update(ctx context.Context, op string, words says, query string, args ...any) error {
	n, err := s.exec(ctx, query, args...)
	if err == nil && n == 0 {
		err = errNone
	}
	return s.fail(op, err, words)
}
