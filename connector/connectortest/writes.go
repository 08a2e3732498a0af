package connectortest

import (
	"encoding/json"
	"slices"
	"testing"

	"windlass"
	"windlass/connector"
)

// writes creates, changes and deletes a record, and checks after each step.
func writes(t *testing.T, s Subject, object string) {
	ctx := t.Context()
	write, ok := s.Writes[object]
	if !ok {
		t.Fatalf("the subject does not say what to write to %s", object)
	}
	req := connector.ReadRequest{Object: object}
	before := ids(walk(t, s.Connector, req))

	for name, update := range map[string]connector.WriteRequest{
		"an unknown record is not updated": {Object: object, ID: write.Unknown, Record: json.RawMessage(write.Change)},
		"a field that does not exist":      {Object: object, Record: json.RawMessage(`{"no-such-field": 1}`)},
		"a record that is no object":       {Object: object, Record: json.RawMessage(`[]`)},
	} {
		want := windlass.Invalid
		if update.ID != "" {
			want = windlass.NotFound
		}
		_, err := s.Connector.Write(ctx, update)
		t.Run(name, func(t *testing.T) { wantKind(t, err, want) })
	}
	if after := ids(walk(t, s.Connector, req)); !slices.Equal(before, after) {
		t.Fatalf("refused writes left something behind: %d records before, %d after", len(before), len(after))
	}

	created, err := s.Connector.Write(ctx, connector.WriteRequest{Object: object, Record: json.RawMessage(write.Create)})
	if err != nil {
		t.Fatal(err)
	}
	if created.ID == "" || slices.Contains(before, created.ID) {
		t.Fatalf("creating returned the id %q", created.ID)
	}
	kept := member(t, find(t, s.Connector, object, created.ID), write.Stays)

	changed, err := s.Connector.Write(ctx, connector.WriteRequest{Object: object, ID: created.ID, Record: json.RawMessage(write.Change)})
	if err != nil {
		t.Fatal(err)
	}
	if changed.ID != created.ID {
		t.Errorf("updating returned the id %q, creating %q", changed.ID, created.ID)
	}
	if now := member(t, find(t, s.Connector, object, created.ID), write.Stays); now != kept {
		t.Errorf("the update did not name %s, and it went from %s to %s", write.Stays, kept, now)
	}

	if err := s.Connector.Delete(ctx, connector.DeleteRequest{Object: object, ID: created.ID}); err != nil {
		t.Fatal(err)
	}
	wantKind(t, s.Connector.Delete(ctx, connector.DeleteRequest{Object: object, ID: created.ID}), windlass.NotFound)
	wantKind(t, s.Connector.Delete(ctx, connector.DeleteRequest{Object: object}), windlass.Invalid)
	if after := ids(walk(t, s.Connector, req)); !slices.Equal(before, after) {
		t.Errorf("%d records before, %d after creating and deleting one", len(before), len(after))
	}
}

// readOnly checks that an object that cannot be written says so.
func readOnly(t *testing.T, s Subject, object string) {
	ctx := t.Context()
	_, err := s.Connector.Write(ctx, connector.WriteRequest{Object: object, Record: json.RawMessage(`{}`)})
	wantKind(t, err, windlass.Invalid)
	wantKind(t, s.Connector.Delete(ctx, connector.DeleteRequest{Object: object, ID: "x"}), windlass.Invalid)
}

// find returns the record with an id.
func find(t *testing.T, r connector.Reader, object, id string) json.RawMessage {
	t.Helper()
	for _, record := range walk(t, r, connector.ReadRequest{Object: object}) {
		if record.ID == id {
			return record.Raw
		}
	}
	t.Fatalf("the record %s, just written, is not in the list", id)
	return nil
}
