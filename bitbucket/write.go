package bitbucket

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"windlass"
	"windlass/connector"
	"windlass/internal/jsonscan"
)

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
		bad := &windlass.Error{
			Kind: windlass.Malformed, Op: op, Provider: &windlass.ProviderDetails{Status: a.status, RequestID: requestID(a.header)},
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
		return &windlass.Error{
			Kind: windlass.Invalid, Op: op,
			Message: "no record was named",
			Remedy:  "give the id of the record to delete", Provider: &windlass.ProviderDetails{},
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
		return nil, &windlass.Error{
			Kind:    windlass.Invalid,
			Message: "Bitbucket has no way to write " + o.name,
			Remedy:  "these can be written: " + strings.Join(writableObjects(), ", "), Provider: &windlass.ProviderDetails{},
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
// what cannot be set, and a create that lacks what it needs.
func (w *writing) parse(raw json.RawMessage) error {
	if err := json.Unmarshal(raw, &w.record); err != nil || w.record == nil {
		return &windlass.Error{
			Kind:    windlass.Invalid,
			Message: "the record is not a JSON object",
			Remedy:  `it looks like {"name": "value"}`, Provider: &windlass.ProviderDetails{},
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.record)) {
		if err := w.check(name); err != nil {
			return err
		}
	}
	if w.id != "" {
		if len(w.record) == 0 {
			return &windlass.Error{
				Kind:    windlass.Invalid,
				Message: "the record sets no field",
				Remedy:  "give at least one field to change", Provider: &windlass.ProviderDetails{},
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
		return &windlass.Error{
			Kind:    windlass.Invalid,
			Message: "the record lacks " + strings.Join(missing, ", "),
			Remedy:  "a new record needs " + strings.Join(w.o.fieldNames(func(f field) bool { return f.use == required }), ", "), Provider: &windlass.ProviderDetails{},
		}
	}
	return nil
}

func (w *writing) check(name string) error {
	f, ok := w.o.field(name)
	if !ok || strings.Contains(name, ".") {
		names := w.o.fieldNames(func(f field) bool { return f.use != readOnly && !strings.Contains(f.name, ".") })
		return &windlass.Error{
			Kind:    windlass.Invalid,
			Message: w.o.name + " have no field " + quote(name),
			Remedy:  suggest(name, names), Provider: &windlass.ProviderDetails{},
		}
	}
	switch {
	case f.use == readOnly:
		return &windlass.Error{
			Kind:    windlass.Invalid,
			Message: quote(name) + " of " + w.o.name + " is set by Bitbucket",
			Remedy:  "leave it out of the record", Provider: &windlass.ProviderDetails{},
		}
	case f.use == createOnly && w.id != "":
		return &windlass.Error{
			Kind:    windlass.Invalid,
			Message: quote(name) + " of " + w.o.name + " can be set only when it is created",
			Remedy:  "leave it out of the record", Provider: &windlass.ProviderDetails{},
		}
	default:
		return nil
	}
}

func isNull(raw json.RawMessage) bool {
	return len(raw) == 0 || bytes.Equal(bytes.TrimSpace(raw), []byte("null"))
}

// mask takes the values of secret fields out of an error, in case Bitbucket
// repeats what it was sent (invariant 5).
func (w *writing) mask(err error) error {
	known, ok := windlass.FromProvider(err)
	if !ok {
		return err
	}
	var secrets []string
	for _, name := range w.o.fieldNames(func(f field) bool { return f.secret }) {
		secrets = append(secrets, jsonscan.Plain(w.record[name]))
	}
	return masked(known, secrets...)
}
