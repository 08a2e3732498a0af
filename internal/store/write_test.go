package store_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"windlass"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

func TestWritesAreKeptUntilTheyEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx, now := open(), t.Context(), time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		begin := func(id, collects string) error {
			must(s.BeginOperation(ctx, windlass.Operation{
				ID: id, ProjectID: "p", InstallationID: "i", ConfigID: "c", Object: "projects", Action: windlass.ActionWrite,
				Status: windlass.OperationRunning, Cursor: "0", Created: now, Updated: now,
			}, json.RawMessage("{}")))
			return s.CreateWrite(ctx, windlass.Write{
				OperationID: id, Type: windlass.WriteCreate, Mode: windlass.WriteAsync, Deadline: now.Add(time.Hour), Collects: collects, Size: 1,
			}, []windlass.WriteRecord{{OperationID: id, Record: json.RawMessage(`{"value":"sesame"}`), Status: windlass.RecordOpen}})
		}
		must(begin("one", "all"))
		if err := begin("two", "all"); !errors.Is(err, windlass.Conflict) {
			t.Errorf("a second one that collects the same: %v", err)
		}
		must(begin("three", ""))
		must(begin("four", ""))
		must(s.JoinWrite(ctx, windlass.WriteRecord{OperationID: "one", Position: 1, Record: json.RawMessage(`{}`), Status: windlass.RecordOpen}))
		w, err := s.CollectingWrite(ctx, "all")
		if err != nil || w.OperationID != "one" || w.Size != 2 || !w.Deadline.Equal(now.Add(time.Hour)) {
			t.Errorf("%+v, %v", w, err)
		}
		must(s.CloseWrite(ctx, "one"))
		if _, err := s.CollectingWrite(ctx, "all"); !errors.Is(err, windlass.NotFound) {
			t.Errorf("it still collects: %v", err)
		}
		if err := s.JoinWrite(ctx, windlass.WriteRecord{OperationID: "one", Position: 2}); !errors.Is(err, windlass.Conflict) {
			t.Errorf("joined though it is closed: %v", err)
		}
		_, err = s.Rotate(ctx)
		must(err)
		records, err := s.WriteRecords(ctx, "one")
		if err != nil || len(records) != 2 || string(records[0].Record) != `{"value":"sesame"}` {
			t.Fatalf("%+v, %v", records, err)
		}
		records[0].Status, records[0].RecordID, records[0].Sent, records[0].Attempts = windlass.RecordDone, "{1}", now, 3
		must(s.SaveWriteRecord(ctx, records[0]))
		again, err := s.WriteRecords(ctx, "one")
		must(err)
		if a, b := again[0], records[0]; a.Status != b.Status || a.RecordID != b.RecordID || !a.Sent.Equal(now) || a.Attempts != 3 || !bytes.Equal(a.Record, b.Record) {
			t.Errorf("%+v", a)
		}
		_, won, _, err := s.LeaseOperation(ctx, "one", "me", now, now.Add(time.Minute))
		if err != nil || !won {
			t.Fatal(won, err)
		}
		must(s.EndOperation(ctx, "one", "me", windlass.OperationSuccess, "Done.", 7, now))
		must(s.EraseWrite(ctx, "one"))
		if left, err := s.WriteRecords(ctx, "one"); err != nil || len(left) != 0 {
			t.Errorf("%d records are left: %v", len(left), err)
		}
		if p, err := s.Operation(ctx, "p", "one"); err != nil || p.Status != windlass.OperationSuccess || p.Requests != 7 {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

func TestWriteKeysBelongToOneOperation(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx, now := open(), t.Context(), time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
		save := func(operation, before string, answer json.RawMessage) bool {
			t.Helper()
			saved, err := s.SaveWriteKey(ctx, windlass.WriteKey{
				ID: "k", OperationID: operation, Fingerprint: "f", Answer: answer, Began: now, Expires: now.Add(time.Hour),
			}, before)
			if err != nil {
				t.Fatal(err)
			}
			return saved
		}
		if !save("one", "", nil) || save("two", "", nil) || !save("one", "one", json.RawMessage(`{}`)) || !save("two", "one", nil) {
			t.Error("a key was taken, or could not be")
		}
		k, err := s.WriteKey(ctx, "k")
		if err != nil || k.OperationID != "two" || k.Fingerprint != "f" || k.Answer != nil || !k.Began.Equal(now) {
			t.Errorf("%+v, %v", k, err)
		}
		if n, err := s.Prune(ctx, windlass.Cutoffs{WriteKeys: now.Add(2 * time.Hour)}, 10); err != nil || n != 1 {
			t.Errorf("%d cleared, %v", n, err)
		}
		if _, err := s.WriteKey(ctx, "k"); !errors.Is(err, windlass.NotFound) {
			t.Errorf("%v", err)
		}
	})
}
