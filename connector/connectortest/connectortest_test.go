package connectortest_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"windlass"
	"windlass/connector"
	"windlass/connector/connectortest"
)

// notebook is the smallest connector that passes: notes kept in memory.
type notebook struct {
	mu    sync.Mutex // guards what follows
	notes map[string]map[string]any
	next  int
}

func (n *notebook) Objects() []connector.Object {
	return []connector.Object{{Name: "notes", DisplayName: "Notes", Description: "What was noted.", Create: true, Update: true, Delete: true}}
}

func (n *notebook) Describe(_ context.Context, object string) ([]connector.Field, error) {
	if err := known("describe", object); err != nil {
		return nil, err
	}
	return []connector.Field{
		{Name: "id", DisplayName: "ID", Type: connector.String, ProviderType: "text", ReadOnly: true},
		{Name: "text", DisplayName: "Text", Type: connector.String, ProviderType: "text", Required: true},
		{Name: "author", DisplayName: "Author", Type: connector.String, ProviderType: "text"},
	}, nil
}

func (n *notebook) Read(ctx context.Context, req connector.ReadRequest) (connector.Page, error) {
	if err := known("read", req.Object); err != nil {
		return connector.Page{}, err
	}
	if ctx.Err() != nil {
		return connector.Page{}, fail(windlass.Canceled, "read", "interrupted")
	}
	if len(req.Fields) > 0 && !slices.Contains([]string{"id", "text", "author"}, req.Fields[0]) {
		return connector.Page{}, fail(windlass.Invalid, "read", "no such field")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	ids := slices.Sorted(maps.Keys(n.notes))
	place, stamp, _ := strings.Cut(string(req.Cursor), "@")
	first, err := strconv.Atoi(place)
	if req.Cursor != "" && (err != nil || stamp != req.Since.String()) {
		return connector.Page{}, fail(windlass.Invalid, "read", "no such cursor")
	}
	length := req.PageSize
	if length == 0 {
		length = 100
	}
	page := connector.Page{Size: len(ids), Full: !req.Since.IsZero()}
	for _, id := range ids[first:min(first+length, len(ids))] {
		raw, err := json.Marshal(n.notes[id])
		if err != nil {
			return connector.Page{}, err
		}
		page.Records = append(page.Records, connector.Record{ID: id, Raw: raw})
	}
	if first+length < len(ids) {
		page.Next = connector.Cursor(strconv.Itoa(first+length) + "@" + req.Since.String())
	}
	return page, nil
}

func (n *notebook) Write(_ context.Context, req connector.WriteRequest) (connector.WriteResult, error) {
	if err := known("write", req.Object); err != nil {
		return connector.WriteResult{}, err
	}
	var record map[string]any
	if json.Unmarshal(req.Record, &record) != nil {
		return connector.WriteResult{}, fail(windlass.Invalid, "write", "no object")
	}
	for name := range record {
		if name != "text" && name != "author" {
			return connector.WriteResult{}, fail(windlass.Invalid, "write", "no such field")
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	id := req.ID
	if id == "" {
		n.next++
		id = "note-" + strconv.Itoa(1000+n.next)
		n.notes[id] = map[string]any{"id": id}
	}
	note, ok := n.notes[id]
	if !ok {
		return connector.WriteResult{}, fail(windlass.NotFound, "write", "no such note")
	}
	maps.Copy(note, record)
	return connector.WriteResult{ID: id}, nil
}

func (n *notebook) Delete(_ context.Context, req connector.DeleteRequest) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if req.ID == "" {
		return fail(windlass.Invalid, "delete", "no id")
	}
	if _, ok := n.notes[req.ID]; !ok {
		return fail(windlass.NotFound, "delete", "no such note")
	}
	delete(n.notes, req.ID)
	return nil
}

func known(op, object string) error {
	if object == "notes" {
		return nil
	}
	return fail(windlass.Invalid, op, "no such object")
}

func fail(kind windlass.Kind, op, message string) error {
	return &connector.Error{Kind: kind, Op: op, Message: message}
}

func TestASmallConnectorPasses(t *testing.T) {
	t.Parallel()
	book := &notebook{notes: map[string]map[string]any{}}
	for i := range 35 {
		id := "note-" + strconv.Itoa(100+i)
		book.notes[id] = map[string]any{"id": id, "text": "a note"}
	}
	connectortest.Run(t, connectortest.Subject{
		Connector: book,
		Least:     map[string]int{"notes": 35},
		Writes: map[string]connectortest.Write{
			"notes": {Create: `{"text":"new","author":"me"}`, Change: `{"text":"changed"}`, Stays: "author", Unknown: "note-0"},
		},
	})
}
