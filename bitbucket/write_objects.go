package bitbucket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"unicode"

	"windlass"
	"windlass/connector"
	"windlass/internal/jsonscan"
)

// hookWriter writes webhooks. A PUT names every field that can change, since no
// document says that one left out stays; the secret is left out unless given,
// which keeps it.
type hookWriter struct{}

func (hookWriter) create(ctx context.Context, w *writing) (answer, error) {
	path, err := w.list()
	if err != nil {
		return answer{}, err
	}
	record := maps.Clone(w.record)
	if _, ok := record["active"]; !ok {
		record["active"] = json.RawMessage("true") // a hook made without saying otherwise is meant to fire
	}
	return w.send(ctx, http.MethodPost, path, record)
}

func (hookWriter) update(ctx context.Context, w *writing) (answer, error) {
	before, err := w.current(ctx, w.id)
	if err != nil {
		return answer{}, err
	}
	return mergedUpdate(ctx, w, before, "description", "url", "active", "events", "skip_cert_verification")
}

func (hookWriter) erase(ctx context.Context, w *writing) error { return plainErase(ctx, w, w.id) }

// mergedUpdate puts the caller's fields over the named ones of the record as it
// was before, for endpoints whose PUT may replace the whole.
func mergedUpdate(ctx context.Context, w *writing, before map[string]json.RawMessage, keep ...string) (answer, error) {
	record := map[string]json.RawMessage{}
	for _, name := range keep {
		if value, ok := before[name]; ok {
			record[name] = value
		}
	}
	maps.Copy(record, w.record)
	path, err := w.item(w.id)
	if err != nil {
		return answer{}, err
	}
	a, err := w.send(ctx, http.MethodPut, path, record)
	if err != nil {
		return answer{}, err
	}
	return a, w.same(before, a)
}

// variableWriter writes the variables of the workspace's pipelines.
type variableWriter struct{}

func (variableWriter) create(ctx context.Context, w *writing) (answer, error) {
	path, err := w.list()
	if err != nil {
		return answer{}, err
	}
	return w.send(ctx, http.MethodPost, path, w.record)
}

// update refuses to touch a secured variable without its value: Bitbucket does
// not return the value, so that a PUT without it would empty the variable.
func (variableWriter) update(ctx context.Context, w *writing) (answer, error) {
	before, err := w.current(ctx, w.id)
	if err != nil {
		return answer{}, err
	}
	if isNull(w.record["value"]) && string(before["secured"]) == "true" {
		return answer{}, &connector.Error{
			Kind:    windlass.Invalid,
			Message: "the variable is secured, and changing it without its value would empty it",
			Remedy:  "give its value too",
		}
	}
	return mergedUpdate(ctx, w, before, "key", "value", "secured")
}

func (variableWriter) erase(ctx context.Context, w *writing) error { return plainErase(ctx, w, w.id) }

// projectWriter writes projects. A record's id is the project's UUID, and the
// paths take its key, which can change: so the key is looked up first.
type projectWriter struct{}

func (projectWriter) create(ctx context.Context, w *writing) (answer, error) {
	path, err := w.list()
	if err != nil {
		return answer{}, err
	}
	return w.send(ctx, http.MethodPost, path, w.record)
}

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

// repositoryWriter writes repositories. An update goes by UUID, which a PUT
// cannot create.
type repositoryWriter struct{}

func (repositoryWriter) create(ctx context.Context, w *writing) (answer, error) {
	slug := slugFor(w.record)
	if slug == "" {
		return answer{}, &connector.Error{
			Kind:    windlass.Invalid,
			Message: "the record lacks a name",
			Remedy:  "a new repository needs a name with letters or digits in it, or a slug",
		}
	}
	path, err := w.item(slug)
	if err != nil {
		return answer{}, err
	}
	record := maps.Clone(w.record)
	delete(record, "slug") // it is in the path
	if _, ok := record["scm"]; !ok {
		record["scm"] = json.RawMessage(`"git"`)
	}
	return w.send(ctx, http.MethodPost, path, record)
}

func (repositoryWriter) update(ctx context.Context, w *writing) (answer, error) {
	before, err := w.current(ctx, w.id)
	if err != nil {
		return answer{}, err
	}
	id := jsonscan.Plain(before["uuid"])
	if id == "" {
		id = w.id
	}
	path, err := w.item(id)
	if err != nil {
		return answer{}, err
	}
	a, err := w.send(ctx, http.MethodPut, path, w.record)
	if err != nil {
		return answer{}, err
	}
	return a, w.same(before, a)
}

func (repositoryWriter) erase(ctx context.Context, w *writing) error {
	return plainErase(ctx, w, w.id)
}

// slugOf derives a slug from a name as Bitbucket does: lower case, and a dash
// for whatever is not a letter, a digit, a dot, a dash or an underscore.
func slugOf(name string) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(name) {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' || r == '_'):
			b.WriteRune(r)
			dash = false
		case !dash && b.Len() > 0:
			b.WriteByte('-')
			dash = true
		}
	}
	return strings.Trim(b.String(), "-.")
}
