package bitbucket

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"

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
	get(ctx context.Context, w *writing) (connector.Record, error)
	// find returns the id of the record that a create would have made; empty for
	// none.
	find(ctx context.Context, f *finding) (string, error)
}

// plainWriter is for what a plain POST to the list, and a plain GET and DELETE of
// the item, are enough for. The objects' writers embed it.
type plainWriter struct{}

func (plainWriter) create(ctx context.Context, w *writing) (answer, error) {
	path, err := w.list()
	if err != nil {
		return answer{}, err
	}
	return w.send(ctx, http.MethodPost, path, w.record)
}

func (plainWriter) erase(ctx context.Context, w *writing) error {
	path, err := w.item(w.id)
	if err != nil {
		return err
	}
	_, err = w.send(ctx, http.MethodDelete, path, nil)
	return err
}

func (plainWriter) get(ctx context.Context, w *writing) (connector.Record, error) {
	return w.get(ctx, w.id)
}

// send makes one request with a JSON body; a nil body sends none.
func (w *writing) send(ctx context.Context, method, path string, body any) (answer, error) {
	call := call{op: w.op, method: method, uri: path, object: w.o}
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return answer{}, &windlass.Error{Kind: windlass.Invalid, Op: w.op, Message: "the record is not JSON", Err: err, Provider: &windlass.ProviderDetails{}}
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
		return &windlass.Error{
			Kind: windlass.Conflict, Op: w.op, Provider: &windlass.ProviderDetails{Status: a.status},
			Message: "the record was deleted meanwhile, and Bitbucket created another one in its place: " + is,
			Remedy:  "delete the new one if it is not wanted",
		}
	}
	return nil
}

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
