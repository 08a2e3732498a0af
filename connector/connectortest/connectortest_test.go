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

// notebook is the smallest connector that passes: notes kept in memory, and the
// lines of each, which are below it.
type notebook struct {
	mu    sync.Mutex // guards what follows
	notes map[string]map[string]any
	next  int
}

func (n *notebook) Objects() []connector.Object {
	return []connector.Object{
		{Name: "lines", DisplayName: "Lines", Description: "The lines of a note.", Parent: "notes", ParentKeys: []string{"size.lines"}},
		{Name: "notes", DisplayName: "Notes", Description: "What was noted.", Create: true, Update: true, Delete: true},
	}
}

func (n *notebook) object(op, name string) (connector.Object, error) {
	for _, object := range n.Objects() {
		if object.Name == name {
			return object, nil
		}
	}
	return connector.Object{}, fail(windlass.Invalid, op, "no such object")
}

func (n *notebook) Describe(_ context.Context, name string) ([]connector.Field, error) {
	if _, err := n.object("describe", name); err != nil {
		return nil, err
	}
	fields := []connector.Field{
		{Name: "id", DisplayName: "ID", Type: connector.String, ProviderType: "text", ReadOnly: true},
	}
	if name == "notes" {
		fields = append(fields,
			connector.Field{Name: "text", DisplayName: "Text", Type: connector.String, ProviderType: "text", Required: true},
			connector.Field{Name: "author", DisplayName: "Author", Type: connector.String, ProviderType: "text"},
			connector.Field{Name: "size", DisplayName: "Size", Type: connector.Other, ProviderType: "object", ReadOnly: true},
			connector.Field{Name: "size.lines", DisplayName: "Lines", Type: connector.Int, ProviderType: "number", ReadOnly: true})
	}
	return fields, nil
}

func (n *notebook) Read(ctx context.Context, req connector.ReadRequest) (connector.Page, error) {
	object, err := n.object("read", req.Object)
	if err == nil {
		err = object.CheckParent(req)
	}
	if err != nil {
		return connector.Page{}, err
	}
	if ctx.Err() != nil {
		return connector.Page{}, fail(windlass.Canceled, "read", "interrupted")
	}
	if len(req.Fields) > 0 && !slices.Contains([]string{"id", "text", "author", "size.lines"}, req.Fields[0]) {
		return connector.Page{}, fail(windlass.Invalid, "read", "no such field")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	records := map[string]any{}
	if req.Object == "notes" {
		for id, note := range n.notes {
			records[id] = note
		}
	}
	lines, _ := strconv.Atoi(string(req.Parent.Keys["size.lines"])) // 0 at the top
	for i := range lines {
		id := req.Parent.ID + "/" + strconv.Itoa(100+i)
		records[id] = map[string]any{"id": id}
	}
	return page(records, req)
}

// page cuts a page out of all records. A cursor is a place, and what it belongs to.
func page(records map[string]any, req connector.ReadRequest) (connector.Page, error) {
	ids := slices.Sorted(maps.Keys(records))
	read := req.Since.String() + req.Parent.ID
	place, of, _ := strings.Cut(string(req.Cursor), "@")
	first, err := strconv.Atoi(place)
	if req.Cursor != "" && (err != nil || of != read) {
		return connector.Page{}, fail(windlass.Invalid, "read", "no such cursor")
	}
	length := req.PageSize
	if length == 0 {
		length = 100
	}
	page := connector.Page{Size: len(ids), Full: !req.Since.IsZero()}
	for _, id := range ids[first:min(first+length, len(ids))] {
		raw, err := json.Marshal(records[id])
		if err != nil {
			return connector.Page{}, err
		}
		page.Records = append(page.Records, connector.Record{ID: id, Raw: raw})
	}
	if first+length < len(ids) {
		page.Next = connector.Cursor(strconv.Itoa(first+length) + "@" + read)
	}
	return page, nil
}

func (n *notebook) Write(_ context.Context, req connector.WriteRequest) (connector.WriteResult, error) {
	if req.Object != "notes" {
		return connector.WriteResult{}, fail(windlass.Invalid, "write", "only notes can be written")
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
	if req.ID == "" || req.Object != "notes" {
		return fail(windlass.Invalid, "delete", "no note")
	}
	if _, ok := n.notes[req.ID]; !ok {
		return fail(windlass.NotFound, "delete", "no such note")
	}
	delete(n.notes, req.ID)
	return nil
}

func fail(kind windlass.Kind, op, message string) error {
	return &windlass.Error{Kind: kind, Op: op, Message: message, Provider: &windlass.ProviderDetails{}}
}

func TestASmallConnectorPasses(t *testing.T) {
	t.Parallel()
	book := &notebook{notes: map[string]map[string]any{}}
	for i := range 35 {
		id := "note-" + strconv.Itoa(100+i)
		book.notes[id] = map[string]any{"id": id, "text": "a note", "size": map[string]any{"lines": i}}
	}
	connectortest.Run(t, connectortest.Subject{
		Connector:  book,
		MinRecords: map[string]int{"lines": 190, "notes": 35},
		Writes: map[string]connectortest.Write{
			"notes": {Create: `{"text":"new","author":"me"}`, Change: `{"text":"changed"}`, Stays: "author", Unknown: "note-0"},
		},
	})
}
