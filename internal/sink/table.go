package sink

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"windlass"
	"windlass/internal/ids"
)

// A Type is one row of a [Table].
type Type struct {
	Name string // what destinations of it say as their type
	Sink Sink
	// Settings is a value of the struct that its settings are, with their names in
	// JSON: what may be set, and what the API's document says of it.
	Settings any
	// Address says where settings lead, for people; nil says nothing.
	Address func(d windlass.Destination) string
	// NewSecret makes a secret that batches are signed with; nil if none are.
	NewSecret func() windlass.Secret
}

// Fields are the fields of the settings.
func (t *Type) Fields() []reflect.StructField {
	return reflect.VisibleFields(reflect.TypeOf(t.Settings))
}

// Keys are the names of the settings.
func (t *Type) Keys() []string {
	var keys []string
	for _, field := range t.Fields() {
		key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		keys = append(keys, key)
	}
	return keys
}

// Normalize returns settings as they are kept: in the order of the struct, without
// what is empty and may be left out. Its error says what cannot be read.
func (t *Type) Normalize(settings json.RawMessage) (json.RawMessage, error) {
	value := reflect.New(reflect.TypeOf(t.Settings)).Interface()
	if len(settings) > 0 {
		decoder := json.NewDecoder(bytes.NewReader(settings))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(value); err != nil {
			return nil, err
		}
	}
	return json.Marshal(value)
}

// A Table has the types of destinations that a server knows. A nil one has none.
type Table struct{ types []Type }

// NewTable makes a table of these types. The first is the usual one.
func NewTable(types ...Type) (*Table, error) {
	const op = "set up the types of destinations"
	if len(types) == 0 {
		return nil, &windlass.Error{Kind: windlass.Invalid, Op: op, Message: "there is none: name one at least"}
	}
	for i, t := range types {
		switch {
		case t.Name == "" || t.Sink == nil:
			return nil, &windlass.Error{Kind: windlass.Invalid, Op: op, Message: fmt.Sprintf("type %d lacks a name or a sink", i+1)}
		case reflect.TypeOf(t.Settings) == nil || reflect.TypeOf(t.Settings).Kind() != reflect.Struct || slices.Contains(t.Keys(), ""):
			return nil, &windlass.Error{
				Kind: windlass.Invalid, Op: op, Message: "the settings of type " + t.Name + " are not a struct whose fields have names in JSON",
			}
		case slices.ContainsFunc(types[:i], func(other Type) bool { return other.Name == t.Name }):
			return nil, &windlass.Error{Kind: windlass.Invalid, Op: op, Message: "type " + t.Name + " is there twice"}
		}
	}
	return &Table{types}, nil
}

// Types are the rows of the table.
func (t *Table) Types() []Type {
	if t == nil {
		return nil
	}
	return t.types
}

// Names are the names of the types.
func (t *Table) Names() []string {
	names := make([]string, len(t.Types()))
	for i := range names {
		names[i] = t.types[i].Name
	}
	return names
}

// Of finds a type by its name.
func (t *Table) Of(name string) (*Type, error) {
	if i := slices.Index(t.Names(), name); i >= 0 {
		return &t.types[i], nil
	}
	return nil, &windlass.Error{
		Kind: windlass.Invalid, Op: "find the type of the destination",
		Message: fmt.Sprintf("this server has no destinations of type %q", name),
		Remedy:  "send to one of type " + strings.Join(t.Names(), " or "),
	}
}

// Batches makes the batches that hold the entries, to be added in the transaction
// of what they tell of.
func (t *Table) Batches(d windlass.Destination, of Stream, entries []Entry, now time.Time) ([]windlass.Batch, error) {
	known, err := t.Of(d.Type)
	if err != nil {
		return nil, err
	}
	made, err := known.Sink.Encode(d, of, entries)
	if err != nil {
		return nil, err
	}
	batches := make([]windlass.Batch, len(made))
	for i := range made {
		n := made[i].Entries
		if n < 1 || n > len(entries) {
			return nil, miscounted(d.Type)
		}
		batches[i] = of.batch(d, &made[i], entries[:n], now)
		entries = entries[n:]
	}
	if len(entries) > 0 {
		return nil, miscounted(d.Type)
	}
	return batches, nil
}

// miscounted is the error of a sink whose batches do not hold what it was given:
// delivering them would lose records without a word.
func miscounted(name string) error {
	return &windlass.Error{
		Kind: windlass.Internal, Op: "make batches", Message: "the batches of type " + name + " do not hold each entry once",
	}
}

func (of *Stream) batch(d windlass.Destination, made *Batch, entries []Entry, now time.Time) windlass.Batch {
	b := windlass.Batch{
		ID: ids.New(), ProjectID: of.ProjectID, DestinationID: d.ID, InstallationID: of.InstallationID,
		OperationID: of.OperationID, Object: of.Object, Kind: of.Kind, Lane: of.Lane, Body: made.Body,
		Status: windlass.BatchPending, NextAttempt: now, Created: now, Updated: now,
	}
	if of.Kind == windlass.BatchRead {
		b.Records = len(entries)
		for i := range entries {
			b.RecordKeys = append(b.RecordKeys, windlass.KeyOf(entries[i].ID))
		}
	}
	if made.Aside != nil {
		aside := *made.Aside
		aside.ProjectID, aside.BatchID, aside.Created = b.ProjectID, b.ID, now
		b.Aside = &aside
	}
	return b
}

// Send makes one attempt, through the destination's sink.
func (t *Table) Send(ctx context.Context, d windlass.Destination, b windlass.Batch) Result {
	known, err := t.Of(d.Type)
	if err != nil {
		return Result{Error: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	return known.Sink.Send(ctx, d, b)
}
