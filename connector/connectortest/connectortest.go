// Package connectortest is what every connector must do, as a suite of tests.
//
// A connector's own tests call [Run] with a [Subject]: the connector, set up
// against a provider or a faithful mock server that may be written to. The suite
// then holds it to the promises of windlass/connector: complete and repeatable
// reads, cursors that reveal nothing, writes that return the id that
// updates and deletes take, and one type of error for everything that fails.
// Objects below others are read below each of their first parents, one by one.
package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"windlass"
	"windlass/connector"
)

// Connector is all that a connector can do.
type Connector interface {
	connector.Reader
	connector.Writer
	connector.Deleter
	connector.Describer
}

// Subject is a connector under test.
type Subject struct {
	// Connector is set up so that every object can be read, and those in Writes
	// be written.
	Connector Connector
	// MinRecords says for every object how many records a read returns at least. An
	// object that is missing here fails the suite. For one below another it counts
	// the records below the first 20 parents, of which two or more must have some.
	MinRecords map[string]int
	// Writes says for every object that can be written what to write.
	Writes map[string]Write
}

// Write is a record to create, and a change to make to it.
type Write struct {
	// Create is the record, Change what to change of it.
	Create, Change string
	// Stays is a top-level field that Create sets, that Change does not name,
	// and that a read returns: it has to keep its value.
	Stays string
	// Unknown is a well-formed id that no record has.
	Unknown string
}

// Run runs the suite.
func Run(t *testing.T, subject Subject) {
	t.Helper()
	if !t.Run("describes", func(t *testing.T) { describes(t, subject) }) {
		return // what is read below what has to be known
	}
	for _, object := range subject.Connector.Objects() {
		t.Run("reads "+object.Name, func(t *testing.T) { reads(t, subject, object) })
	}
	t.Run("refuses", func(t *testing.T) { refuses(t, subject) })
	for _, object := range subject.Connector.Objects() {
		t.Run("refuses a wrong parent for "+object.Name, func(t *testing.T) { refusesParent(t, subject, object) })
	}
	for _, object := range subject.Connector.Objects() {
		if object.Create {
			t.Run("writes "+object.Name, func(t *testing.T) { writes(t, subject, object.Name) })
		} else {
			t.Run("does not write "+object.Name, func(t *testing.T) { readOnly(t, subject, object.Name) })
		}
	}
}

// refuses checks that bad requests fail before or without harm, each with one
// kind.
func refuses(t *testing.T, s Subject) {
	ctx := t.Context()
	objects := s.Connector.Objects()
	top := slices.IndexFunc(objects, func(o connector.Object) bool { return o.Parent == "" })
	if top < 0 {
		t.Fatal("every object is below another")
	}
	object := objects[top].Name
	gone, cancel := context.WithCancel(ctx)
	cancel()
	for _, row := range []struct {
		name string
		do   func() error
		want windlass.Kind
	}{
		{"to read an object that does not exist", func() error {
			_, err := s.Connector.Read(ctx, connector.ReadRequest{Object: "no-such-object"})
			return err
		}, windlass.Invalid},
		{"to read a field that does not exist", func() error {
			_, err := s.Connector.Read(ctx, connector.ReadRequest{Object: object, Fields: []string{"no-such-field"}})
			return err
		}, windlass.Invalid},
		{"a cursor that is not one", func() error {
			_, err := s.Connector.Read(ctx, connector.ReadRequest{Object: object, Cursor: "!"})
			return err
		}, windlass.Invalid},
		{"to describe an object that does not exist", func() error {
			_, err := s.Connector.Describe(ctx, "no-such-object")
			return err
		}, windlass.Invalid},
		{"to read for a caller that has gone", func() error {
			_, err := s.Connector.Read(gone, connector.ReadRequest{Object: object})
			return err
		}, windlass.Canceled},
	} {
		t.Run(row.name, func(t *testing.T) { wantKind(t, row.do(), row.want) })
	}
}

// wantKind checks that an error is a *windlass.Error of a kind, on one line.
func wantKind(t *testing.T, err error, kind windlass.Kind) {
	t.Helper()
	known, ok := windlass.FromProvider(err)
	switch {
	case err == nil:
		t.Errorf("it succeeded; want an error of kind %q", kind)
	case !ok:
		t.Errorf("the error is a %T, not a *windlass.Error with details of the provider: %v", err, err)
	case !errors.Is(err, kind):
		t.Errorf("the error is of kind %q, want %q: %v", known.Kind, kind, err)
	case known.Op == "":
		t.Errorf("the error does not say what was being done: %v", err)
	case slices.Contains([]byte(err.Error()), '\n'):
		t.Errorf("the error is more than one line: %q", err.Error())
	}
}

// member returns a member of a JSON object, compacted.
func member(t *testing.T, raw json.RawMessage, name string) string {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal(raw, &members); err != nil {
		t.Fatalf("the record is not a JSON object: %v: %s", err, raw)
	}
	value, err := json.Marshal(members[name])
	if err != nil {
		t.Fatal(err)
	}
	return string(value)
}
