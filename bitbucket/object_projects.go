package bitbucket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"windlass"
	"windlass/connector"
	"windlass/internal/jsonscan"
)

var objectProjects = object{
	name: "projects", display: "Projects",
	about: "The workspace's projects. Filtering by time is not documented: it is tried first. A project that still has repositories cannot be deleted.",
	list:  "/workspaces/{workspace}/projects", item: "/workspaces/{workspace}/projects/{id}",
	id:    []string{"uuid"},
	moved: "updated_on", filter: probedFilter, home: "workspace.slug",
	read: scopes{"project"}, write: scopes{"project:admin"}, erase: scopes{"project:admin"},
	remedies: remedies{undeletable: "a project that still has repositories cannot be deleted: move or delete them first"},
	writes:   projectWriter{},
	fields:   projectFields,
}

var projectFields = slices.Concat(
	[]field{
		text("type"),
		text("uuid"),
		text("key").with(required),
		text("name").with(required),
		text("description").with(writable),
		flag("is_private").with(writable),
		flag("has_publicly_visible_repos"),
		moment("created_on"),
		moment("updated_on"),
		tree("links").with(writable),
		link("links.self.href"),
		link("links.html.href"),
		link("links.avatar.href").with(writable),
	},
	account("owner"),
	itsWorkspace(),
)

// projectWriter writes projects. A record's id is the project's UUID, and the
// paths take its key, which can change: so the key is looked up first.
type projectWriter struct{ plainWriter }

func (p projectWriter) update(ctx context.Context, w *writing) (answer, error) {
	before, path, err := p.resolve(ctx, w)
	if err != nil {
		return answer{}, err
	}
	a, err := w.send(ctx, http.MethodPut, path, w.record)
	if err != nil {
		return answer{}, err
	}
	return a, w.same(before, a)
}

func (p projectWriter) erase(ctx context.Context, w *writing) error {
	_, path, err := p.resolve(ctx, w)
	if err != nil {
		return err
	}
	_, err = w.send(ctx, http.MethodDelete, path, nil)
	return err
}

func (p projectWriter) get(ctx context.Context, w *writing) (connector.Record, error) {
	record, err := w.get(ctx, w.id)
	if !p.byKeyOnly(w, err) {
		return record, err
	}
	found, err := p.search(ctx, w, err)
	if err != nil {
		return connector.Record{}, err
	}
	return w.get(ctx, jsonscan.Plain(found["key"]))
}

// resolve gets a project by UUID or key, and the path of its key. Whether the path
// takes a UUID is not documented for projects: where it does not, the list is
// looked through.
func (p projectWriter) resolve(ctx context.Context, w *writing) (map[string]json.RawMessage, string, error) {
	project, err := w.current(ctx, w.id)
	if p.byKeyOnly(w, err) {
		project, err = p.search(ctx, w, err)
	}
	if err != nil {
		return nil, "", err
	}
	path, err := w.item(jsonscan.Plain(project["key"]))
	return project, path, err
}

// byKeyOnly reports whether a project was not found and may be there all the same:
// under a path that takes only its key.
func (projectWriter) byKeyOnly(w *writing, err error) bool {
	return errors.Is(err, windlass.NotFound) && strings.HasPrefix(w.id, "{")
}

// search looks through the list for the project with the UUID.
func (projectWriter) search(ctx context.Context, w *writing, notFound error) (map[string]json.RawMessage, error) {
	req := connector.ReadRequest{Object: w.o.name, Fields: []string{"uuid", "key"}}
	for record, err := range connector.All(ctx, w.c, req) {
		if err != nil && !errors.Is(err, windlass.Incomplete) {
			return nil, err
		}
		if record.ID != w.id {
			continue
		}
		var project map[string]json.RawMessage
		if err := json.Unmarshal(record.Raw, &project); err != nil {
			return nil, fmt.Errorf("read the project found: %w", err)
		}
		return project, nil
	}
	return nil, notFound
}

func (projectWriter) find(ctx context.Context, f *finding) (string, error) {
	return f.at(ctx, jsonscan.Plain(f.record["key"]))
}
