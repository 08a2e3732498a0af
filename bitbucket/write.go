package bitbucket

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"windlass"
	"windlass/connector"
	"windlass/internal/jsonscan"
)

// writer makes the requests that write one object. Each object's writer knows
// what its endpoints expect beyond a plain POST, PUT and DELETE.
type writer interface {
	create(ctx context.Context, w *writing) (answer, error)
	update(ctx context.Context, w *writing) (answer, error)
	erase(ctx context.Context, w *writing) error
	// find returns the id of the record that a create would have made; empty for
	// none.
	find(ctx context.Context, f *finding) (string, error)
}

// writing is one write under way.
type writing struct {
	c      *Connector
	o      *object
	op     string
	id     string
	record map[string]json.RawMessage
}

// Write creates a record, or updates the one that req.ID names and changes only
// what req.Record names. Unknown and read-only fields are refused before
// anything is sent. The result's ID is the one that updates and deletes take.
func (c *Connector) Write(ctx context.Context, req connector.WriteRequest) (connector.WriteResult, error) {
	op := "create " + req.Object
	if req.ID != "" {
		op = "update " + req.Object
	}
	w, err := c.newWriting(op, req.Object, req.ID)
	if err != nil {
		return connector.WriteResult{}, inOp(op, err)
	}
	if err := w.parse(req.Record); err != nil {
		return connector.WriteResult{}, inOp(op, err)
	}
	var a answer
	if req.ID == "" {
		a, err = w.o.writes.create(ctx, w)
	} else {
		a, err = w.o.writes.update(ctx, w)
	}
	if err != nil {
		return connector.WriteResult{}, inOp(op, w.mask(err))
	}
	record, err := parseRecord(w.o, a.body)
	if err == nil && strings.HasPrefix(record.ID, madeUpID) {
		err = errors.New("it has no " + strings.Join(w.o.id, " and "))
	}
	if err != nil {
		bad := &connector.Error{
			Kind: windlass.Malformed, Op: op, Status: a.status, RequestID: requestID(a.header),
			Message: "Bitbucket took the write, but its answer is not the record: " + err.Error(),
			Remedy:  "look before writing again",
			Err:     err,
		}
		return connector.WriteResult{}, bad
	}
	return connector.WriteResult{ID: record.ID, Raw: record.Raw}, nil
}

// Delete removes one record.
func (c *Connector) Delete(ctx context.Context, req connector.DeleteRequest) error {
	op := "delete " + req.Object
	w, err := c.newWriting(op, req.Object, req.ID)
	if err != nil {
		return inOp(op, err)
	}
	if req.ID == "" {
		return &connector.Error{
			Kind: windlass.Invalid, Op: op,
			Message: "no record was named",
			Remedy:  "give the id of the record to delete",
		}
	}
	return inOp(op, w.o.writes.erase(ctx, w))
}

func (c *Connector) newWriting(op, name, id string) (*writing, error) {
	o, err := lookup(name)
	if err != nil {
		return nil, err
	}
	if o.writes == nil {
		return nil, &connector.Error{
			Kind:    windlass.Invalid,
			Message: "Bitbucket has no way to write " + o.name,
			Remedy:  "these can be written: " + strings.Join(writableObjects(), ", "),
		}
	}
	return &writing{c: c, o: o, op: op, id: id}, nil
}

// writableObjects lists the objects that can be written.
func writableObjects() []string {
	var names []string
	for i := range objects {
		if objects[i].writes != nil {
			names = append(names, objects[i].name)
		}
	}
	return names
}

// parse reads the record to write and refuses what the object does not have,
// what nobody can set, and a create that lacks what it needs.
func (w *writing) parse(raw json.RawMessage) error {
	if err := json.Unmarshal(raw, &w.record); err != nil || w.record == nil {
		return &connector.Error{
			Kind:    windlass.Invalid,
			Message: "the record is not a JSON object",
			Remedy:  `it looks like {"name": "value"}`,
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.record)) {
		if err := w.check(name); err != nil {
			return err
		}
	}
	if w.id != "" {
		if len(w.record) == 0 {
			return &connector.Error{
				Kind:    windlass.Invalid,
				Message: "the record sets no field",
				Remedy:  "give at least one field to change",
			}
		}
		return nil
	}
	var missing []string
	for _, f := range w.o.fields {
		if f.use == required && isNull(w.record[f.name]) {
			missing = append(missing, f.name)
		}
	}
	if len(missing) > 0 {
		return &connector.Error{
			Kind:    windlass.Invalid,
			Message: "the record lacks " + strings.Join(missing, ", "),
			Remedy:  "a new record needs " + strings.Join(w.o.fieldNames(func(f field) bool { return f.use == required }), ", "),
		}
	}
	return nil
}

func (w *writing) check(name string) error {
	f, ok := w.o.field(name)
	if !ok || strings.Contains(name, ".") {
		names := w.o.fieldNames(func(f field) bool { return f.use != readOnly && !strings.Contains(f.name, ".") })
		return &connector.Error{
			Kind:    windlass.Invalid,
			Message: w.o.name + " have no field " + quote(name),
			Remedy:  suggest(name, names),
		}
	}
	switch {
	case f.use == readOnly:
		return &connector.Error{
			Kind:    windlass.Invalid,
			Message: quote(name) + " of " + w.o.name + " is set by Bitbucket",
			Remedy:  "leave it out of the record",
		}
	case f.use == createOnly && w.id != "":
		return &connector.Error{
			Kind:    windlass.Invalid,
			Message: quote(name) + " of " + w.o.name + " can be set only when it is created",
			Remedy:  "leave it out of the record",
		}
	default:
		return nil
	}
}

func isNull(raw json.RawMessage) bool {
	return len(raw) == 0 || bytes.Equal(bytes.TrimSpace(raw), []byte("null"))
}

// send makes one request with a JSON body; a nil body sends none.
func (w *writing) send(ctx context.Context, method, path string, body any) (answer, error) {
	call := call{op: w.op, method: method, uri: path, object: w.o}
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return answer{}, &connector.Error{Kind: windlass.Invalid, Op: w.op, Message: "the record is not JSON", Err: err}
		}
		call.body = data
	}
	return w.c.do(ctx, call)
}

// list and item are the paths of the table, filled in.
func (w *writing) list() (string, error) { return w.c.path(w.o.list, "") }

func (w *writing) item(id string) (string, error) { return w.c.path(w.o.item, id) }

// get gets one record as it is.
func (w *writing) get(ctx context.Context, id string) (connector.Record, error) {
	path, err := w.item(id)
	if err != nil {
		return connector.Record{}, err
	}
	a, err := w.send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return connector.Record{}, err
	}
	record, err := parseRecord(w.o, a.body)
	if err != nil {
		return connector.Record{}, malformed(w.op, a, err)
	}
	return record, nil
}

// current gets the members of the record to update, so that a PUT cannot create
// one and what the caller did not name can be kept.
func (w *writing) current(ctx context.Context, id string) (map[string]json.RawMessage, error) {
	record, err := w.get(ctx, id)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(record.Raw, &members); err != nil {
		return nil, fmt.Errorf("take the record apart: %w", err)
	}
	return members, nil
}

// same makes sure that a PUT answered with the record it was meant for, since
// Bitbucket's PUT creates what it does not find.
func (w *writing) same(before map[string]json.RawMessage, a answer) error {
	var after map[string]json.RawMessage
	if err := json.Unmarshal(a.body, &after); err != nil {
		return malformed(w.op, a, err)
	}
	if was, is := jsonscan.Plain(before["uuid"]), jsonscan.Plain(after["uuid"]); was != "" && is != "" && was != is {
		return &connector.Error{
			Kind: windlass.Conflict, Op: w.op, Status: a.status,
			Message: "the record was deleted meanwhile, and Bitbucket created another one in its place: " + is,
			Remedy:  "delete the new one if it is not wanted",
		}
	}
	return nil
}

// plainErase deletes by the path of the table.
func plainErase(ctx context.Context, w *writing, id string) error {
	path, err := w.item(id)
	if err != nil {
		return err
	}
	_, err = w.send(ctx, http.MethodDelete, path, nil)
	return err
}

// mask takes the values of secret fields out of an error, in case Bitbucket
// repeats what it was sent (invariant 5).
func (w *writing) mask(err error) error {
	var known *connector.Error
	if !errors.As(err, &known) {
		return err
	}
	var secrets []string
	for _, name := range SecretFields(w.o.name) {
		secrets = append(secrets, jsonscan.Plain(w.record[name]))
	}
	return masked(known, secrets...)
}
