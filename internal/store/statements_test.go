package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"windlass"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// Statements are kept and bound anew, which no caller notices: not one that runs
// while its twin's rows are still being read, nor after the tables changed, nor
// after more different ones than are kept.
func TestKeptStatements(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s)
		db := s.DB()
		db.SetMaxOpenConns(1)

		const numbers = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n`
		if s.Driver() == store.SQLite { // PostgreSQL's protocol has one result at a time
			tx := got(db.BeginTx(ctx, nil))(t)
			outer := got(tx.QueryContext(ctx, numbers))(t)
			defer outer.Close()
			var seen []string
			for outer.Next() {
				var i, j int
				must(t, outer.Scan(&i))
				func() {
					inner := got(tx.QueryContext(ctx, numbers))(t)
					defer inner.Close()
					for inner.Next() {
						must(t, inner.Scan(&j))
						seen = append(seen, fmt.Sprint(i, j))
					}
					must(t, inner.Err())
				}()
			}
			must(t, outer.Err())
			must(t, tx.Commit())
			wantSame(t, seen, []string{"1 1", "1 2", "1 3", "2 1", "2 2", "2 3", "3 1", "3 2", "3 3"})
		}

		// Left half read.
		func() {
			rows := got(db.QueryContext(ctx, numbers))(t)
			defer rows.Close()
			rows.Next()
			must(t, rows.Err())
		}()
		wantSame(t, column(t, s, numbers), []string{"1", "2", "3"})

		for i := range 1000 {
			wantSame(t, column(t, s, fmt.Sprintf("SELECT %d", i)), []string{fmt.Sprint(i)})
		}
		_, err := db.ExecContext(ctx, `ALTER TABLE projects ADD COLUMN later TEXT`)
		must(t, err)
		wantSame(t, got(s.Project(ctx, w.project.ID))(t), w.project)

		// Cut short by its context, it is as good as new.
		short, cancel := context.WithTimeout(ctx, time.Nanosecond)
		defer cancel()
		if _, err := s.Projects(short, windlass.Page{}); err == nil {
			t.Error("an ended context was not noticed")
		}
		wantSame(t, len(got(s.Projects(ctx, windlass.Page{}))(t)), 1)
	})
}
