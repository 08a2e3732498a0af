package store_test

import (
	"os"
	"strings"
	"testing"

	"windlass"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// What retention removes from an SQLite file is given back to the disk.
func TestTheFileShrinks(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, store.SQLite)
	s := db.Open(t, nil)
	ctx := t.Context()
	w := found(t, s)
	p := w.operation(t)
	must(t, s.BeginOperation(ctx, p, w.installation.Config.Content))
	for range 50 {
		must(t, s.AppendLogs(ctx, []windlass.OperationLog{{
			ID: newID(t), OperationID: p.ID, Time: noon, Severity: "info", Message: strings.Repeat("x", 100_000),
		}}))
	}
	if _, won, _, err := s.LeaseOperation(ctx, p.ID, "a", noon, noon.Add(1)); !won || err != nil {
		t.Fatal(won, err)
	}
	must(t, s.EndOperation(ctx, p.ID, "a", windlass.OperationSuccess, "Done.", 0, noon))
	size := func() int64 {
		_, err := s.DB().ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
		must(t, err)
		file, err := os.Stat(db.URL)
		must(t, err)
		return file.Size()
	}
	before := size()
	for n := 1; n > 0; {
		n = got(s.Prune(ctx, windlass.Cutoffs{Operations: noon.Add(1e9)}, 100))(t)
	}
	if after := size(); after > before-4_000_000 {
		t.Errorf("the file has %d bytes, and had %d before", after, before)
	}
}
