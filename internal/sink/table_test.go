package sink_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/internal/sink"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// A fake sink makes batches as a test says.
type fake struct {
	encode func(entries []sink.Entry) ([]sink.Batch, error)
	send   func(ctx context.Context) sink.Result
}

func (f *fake) Check(windlass.Destination) []windlass.Issue { return nil }

func (f *fake) Encode(_ windlass.Destination, _ sink.Stream, entries []sink.Entry) ([]sink.Batch, error) {
	return f.encode(entries)
}

func (f *fake) Send(ctx context.Context, _ windlass.Destination, _ windlass.Batch) sink.Result {
	return f.send(ctx)
}

type settings struct {
	Path  string            `json:"path"`
	Extra map[string]string `json:"extra,omitempty"`
}

func tableOf(t *testing.T, f *fake) *sink.Table {
	t.Helper()
	table, err := sink.NewTable(sink.Type{Name: "fake", Sink: f, Settings: settings{}})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestTablesThatCannotWork(t *testing.T) {
	t.Parallel()
	good := sink.Type{Name: "fake", Sink: &fake{}, Settings: settings{}}
	for name, types := range map[string][]sink.Type{
		"none":                {},
		"no name":             {{Sink: &fake{}, Settings: settings{}}},
		"no sink":             {{Name: "fake", Settings: settings{}}},
		"no settings":         {{Name: "fake", Sink: &fake{}}},
		"settings of a text":  {{Name: "fake", Sink: &fake{}, Settings: "path"}},
		"settings not named":  {{Name: "fake", Sink: &fake{}, Settings: struct{ Path string }{}}},
		"one name, two types": {good, good},
	} {
		if _, err := sink.NewTable(types...); !errors.Is(err, windlass.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	table := tableOf(t, &fake{})
	if _, err := table.Of("ftp"); err == nil || !strings.Contains(err.Error(), `no destinations of type "ftp"; send to one of type fake`) {
		t.Errorf("another type: %v", err)
	}
	if _, err := (*sink.Table)(nil).Of("fake"); !errors.Is(err, windlass.Invalid) {
		t.Errorf("a table of none: %v", err)
	}
}

// Settings are kept in one spelling, whatever they came in.
func TestSettingsAreNormalized(t *testing.T) {
	t.Parallel()
	known, err := tableOf(t, &fake{}).Of("fake")
	if err != nil {
		t.Fatal(err)
	}
	for given, want := range map[string]string{
		``: `{"path":""}`,
		`{ "extra": {"b":"2","a":"1"}, "path":"x"}`: `{"path":"x","extra":{"a":"1","b":"2"}}`,
		`{"path":"x","extra":{}}`:                   `{"path":"x"}`,
		`{"url":"x"}`:                               ``,
		`{"path":1}`:                                ``,
		`[]`:                                        ``,
	} {
		got, err := known.Normalize(json.RawMessage(given))
		if string(got) != want || (err == nil) != (want != "") {
			t.Errorf("%s became %s, %v", given, got, err)
		}
	}
	if keys := known.Keys(); !slices.Equal(keys, []string{"path", "extra"}) {
		t.Errorf("the keys are %v", keys)
	}
}

// A batch names its records, and what it tells of: whatever its sink has made.
func TestBatchesHoldTheirEntries(t *testing.T) {
	t.Parallel()
	large := &windlass.LargeRecord{ID: "large", TokenHash: "hash", Body: []byte("[1]")}
	f := &fake{encode: func(entries []sink.Entry) ([]sink.Batch, error) {
		return []sink.Batch{
			{Body: fmt.Appendf(nil, "%s%s", entries[0].JSON, entries[1].JSON), Entries: 2},
			{Body: entries[2].JSON, Entries: 1, Aside: large},
		}, nil
	}}
	d := windlass.Destination{ID: "d", Type: "fake"}
	of := sink.Stream{Kind: windlass.BatchRead, Lane: "lane", ProjectID: "p", InstallationID: "in", OperationID: "op", Object: "repositories"}
	entries := []sink.Entry{{ID: "1", JSON: []byte("a")}, {ID: "2", JSON: []byte("b")}, {ID: "3", JSON: []byte("c")}}
	batches, err := tableOf(t, f).Batches(d, of, entries, noon)
	if err != nil || len(batches) != 2 {
		t.Fatalf("%v, %v", batches, err)
	}
	for i, want := range []struct {
		body string
		keys []uint32
	}{{"ab", []uint32{windlass.KeyOf("1"), windlass.KeyOf("2")}}, {"c", []uint32{windlass.KeyOf("3")}}} {
		b := batches[i]
		if string(b.Body) != want.body || !slices.Equal(b.RecordKeys, want.keys) || b.Records != len(want.keys) || b.DestinationID != "d" ||
			b.ProjectID != "p" || b.InstallationID != "in" || b.OperationID != "op" || b.Object != "repositories" || b.Lane != "lane" ||
			b.Kind != windlass.BatchRead || b.Status != windlass.BatchPending || !b.NextAttempt.Equal(noon) || !b.Created.Equal(noon) {
			t.Errorf("batch %d is %+v", i, b)
		}
	}
	aside := batches[1].Aside
	if batches[0].Aside != nil || aside == nil || aside.BatchID != batches[1].ID || aside.ProjectID != "p" || aside.ID != "large" || !aside.Created.Equal(noon) {
		t.Errorf("aside is %+v", aside)
	}
	if batches[0].ID >= batches[1].ID {
		t.Error("the ids do not sort in the order of the batches")
	}

	// What is told of an event has no records.
	f.encode = func(entries []sink.Entry) ([]sink.Batch, error) {
		return []sink.Batch{{Body: entries[0].JSON, Entries: 1}}, nil
	}
	batches, err = tableOf(t, f).Batches(d, sink.Stream{Kind: windlass.BackfillDoneEvent}, entries[:1], noon)
	if err != nil || len(batches) != 1 || batches[0].Records != 0 || batches[0].RecordKeys != nil {
		t.Errorf("%+v, %v", batches, err)
	}
}

// Records that a sink would lose, or deliver twice, are not delivered at all.
func TestBatchesThatDoNotHoldEachEntryOnce(t *testing.T) {
	t.Parallel()
	entries := []sink.Entry{{ID: "1"}, {ID: "2"}}
	for name, counts := range map[string][]int{
		"none": {}, "too few": {1}, "too many": {3}, "one twice": {2, 1}, "an empty one": {1, 0, 1}, "fewer than none": {-1, 2},
	} {
		f := &fake{encode: func([]sink.Entry) (batches []sink.Batch, err error) {
			for _, n := range counts {
				batches = append(batches, sink.Batch{Entries: n})
			}
			return batches, nil
		}}
		if _, err := tableOf(t, f).Batches(windlass.Destination{Type: "fake"}, sink.Stream{}, entries, noon); !errors.Is(err, windlass.Internal) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnAttemptHasATime(t *testing.T) {
	t.Parallel()
	f := &fake{send: func(ctx context.Context) sink.Result {
		until, bounded := ctx.Deadline()
		if left := time.Until(until); !bounded || left > sink.Timeout || left < sink.Timeout/2 {
			return sink.Result{Error: fmt.Sprint("it ends in ", left)}
		}
		return sink.Result{Status: 7}
	}}
	table := tableOf(t, f)
	if got := table.Send(t.Context(), windlass.Destination{Type: "fake"}, windlass.Batch{}); got.Error != "" || got.Status != 7 {
		t.Errorf("%+v", got)
	}
	if got := table.Send(t.Context(), windlass.Destination{Type: "ftp"}, windlass.Batch{}); !strings.Contains(got.Error, "ftp") {
		t.Errorf("%+v", got)
	}
}
