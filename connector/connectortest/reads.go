package connectortest

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/connector"
)

// reads checks that an object is read completely, repeatably and exactly: one
// below another for each of its parents.
func reads(t *testing.T, s Subject, object connector.Object) {
	least, ok := s.MinRecords[object.Name]
	if !ok {
		t.Fatalf("the subject does not say how many records of %s there are at least", object.Name)
	}
	requests := requestsFor(t, s, object)
	var largest connector.ReadRequest // the read that returns the most
	var all []connector.Record        // what it returned
	count, parents := 0, 0
	seen := map[string]connector.Parent{}
	for _, req := range requests {
		records := walk(t, s.Connector, req)
		for _, record := range records {
			if other, twice := seen[record.ID]; twice {
				t.Errorf("the id %s is below %s and below %s", record.ID, other.ID, req.Parent.ID)
			}
			seen[record.ID] = req.Parent
		}
		if count += len(records); len(records) > 0 {
			parents++
		}
		if largest.Object == "" || len(records) > len(all) {
			largest, all = req, records
		}
	}
	if count < least {
		t.Errorf("%d records arrived, want at least %d", count, least)
	}
	if object.Parent != "" {
		if parents < 2 {
			t.Fatalf("%d of %d parents have records: too few to tell whether they are kept apart", parents, len(requests))
		}
		t.Run("with cursors that belong to their parent", func(t *testing.T) { cursorsStay(t, s.Connector, largest, requests) })
	}
	readsOne(t, s, object, largest, all)
}

// readsOne checks one read of an object, which returned all.
func readsOne(t *testing.T, s Subject, object connector.Object, req connector.ReadRequest, all []connector.Record) {
	t.Helper()
	t.Run("in small pages like in large ones", func(t *testing.T) {
		small := req
		small.PageSize = 10
		if got, want := ids(walk(t, s.Connector, small)), ids(all); !slices.Equal(got, want) {
			t.Errorf("small pages have %d records, large ones %d, or others", len(got), len(want))
		}
	})
	t.Run("the same from the same cursor", func(t *testing.T) { repeats(t, s.Connector, req) })
	t.Run("only the fields wanted, and the same records", func(t *testing.T) {
		some := req
		some.Fields = []string{firstField(t, s, object.Name)}
		if got, want := ids(walk(t, s.Connector, some)), ids(all); !slices.Equal(got, want) {
			t.Errorf("with fields there are %d records, without %d, or others", len(got), len(want))
		}
	})
	t.Run("nothing from the future, or says that it read all", func(t *testing.T) {
		late := req
		late.Since = time.Now().AddDate(50, 0, 0)
		page, err := s.Connector.Read(t.Context(), late)
		if err != nil {
			t.Fatal(err)
		}
		if object.Incremental == "" && !page.Full {
			t.Error("it cannot be read by time, and the page does not say that it is a full read")
		}
		if !page.Full && len(page.Records) > 0 {
			t.Errorf("%d records changed in the future", len(page.Records))
		}
	})
}

// walk reads all records, checking each.
func walk(t *testing.T, r connector.Reader, req connector.ReadRequest) []connector.Record {
	t.Helper()
	var all []connector.Record
	seen := map[string]bool{}
	for record, err := range connector.All(t.Context(), r, req) {
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case record.ID == "":
			t.Errorf("a record has no id: %.100s", record.Raw)
		case seen[record.ID]:
			t.Errorf("the record %s came twice", record.ID)
		case !json.Valid(record.Raw) || !bytes.HasPrefix(record.Raw, []byte("{")):
			t.Errorf("the record %s is not a JSON object: %.100s", record.ID, record.Raw)
		}
		seen[record.ID] = true
		all = append(all, record)
	}
	return all
}

// repeats checks that every cursor leads to the same place again, and that none
// is a bare URL.
func repeats(t *testing.T, r connector.Reader, req connector.ReadRequest) {
	req.PageSize = 10
	for range 5 {
		first, err := r.Read(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		again, err := r.Read(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(ids(first.Records), ids(again.Records)) || first.Next != again.Next {
			t.Error("the same request gave another page")
		}
		if strings.Contains(string(first.Next), "://") {
			t.Errorf("the cursor is a URL: %s", first.Next)
		}
		if req.Cursor = first.Next; req.Cursor == "" {
			return
		}
	}
	other := req
	other.Since = time.Unix(1, 0)
	if _, err := r.Read(t.Context(), other); !errors.Is(err, windlass.Invalid) {
		t.Errorf("a cursor was accepted for another request: %v", err)
	}
}

func firstField(t *testing.T, s Subject, object string) string {
	t.Helper()
	fields, err := s.Connector.Describe(t.Context(), object)
	if err != nil || len(fields) == 0 {
		t.Fatalf("no fields: %v", err)
	}
	return fields[0].Name
}

func ids(records []connector.Record) []string {
	all := make([]string, 0, len(records))
	for _, record := range records {
		all = append(all, record.ID)
	}
	slices.Sort(all)
	return all
}
