package store

import (
	"context"
	"database/sql"
	"errors"

	"windlass/internal/budget"
)

var budgetSays = says{Missing: "nothing was paid of this budget"}

// Reserve implements budget.Ledger. The row of the key is locked before the grants
// are read, so that no two processes are given the same requests.
func (s *Store) Reserve(ctx context.Context, slot budget.Slot, since int64, decide func(budget.Book) int) error {
	const op = "pay requests"
	return s.In(ctx, func(ctx context.Context) error {
		// Updating what is there locks it; an insert alone would not.
		books, err := change(ctx, s, scanBook, `INSERT INTO budgets (key) VALUES (?1)
			ON CONFLICT (key) DO UPDATE SET allowed = budgets.allowed RETURNING allowed, blocked, blocked_at`, slot.Key)
		if err != nil {
			return s.fail(op, err, budgetSays)
		}
		book := books[0]
		if book.Grants, err = s.grants(ctx, slot.Key, since); err != nil {
			return s.fail(op, err, budgetSays)
		}
		granted := decide(book)
		var add [budget.Classes]int
		add[slot.Class] = granted
		_, err = s.exec(ctx, `INSERT INTO budget_grants AS g (key, minute, holder, interactive, scheduled, backfill,
				waiting_interactive, waiting_scheduled, waiting_backfill) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
			ON CONFLICT (key, minute, holder) DO UPDATE SET interactive = g.interactive + excluded.interactive,
				scheduled = g.scheduled + excluded.scheduled, backfill = g.backfill + excluded.backfill,
				waiting_interactive = excluded.waiting_interactive, waiting_scheduled = excluded.waiting_scheduled,
				waiting_backfill = excluded.waiting_backfill`,
			slot.Key, slot.Minute, slot.Holder, add[budget.Interactive], add[budget.Scheduled], add[budget.Backfill],
			slot.Waiting[budget.Interactive], slot.Waiting[budget.Scheduled], slot.Waiting[budget.Backfill])
		return s.fail(op, err, budgetSays)
	})
}

// Return implements budget.Ledger.
func (s *Store) Return(ctx context.Context, slot budget.Slot, unspent int) error {
	var back [budget.Classes]int
	back[slot.Class] = unspent
	_, err := s.exec(ctx, `UPDATE budget_grants SET
			interactive = CASE WHEN interactive > ?4 THEN interactive - ?4 ELSE 0 END,
			scheduled = CASE WHEN scheduled > ?5 THEN scheduled - ?5 ELSE 0 END,
			backfill = CASE WHEN backfill > ?6 THEN backfill - ?6 ELSE 0 END
		WHERE key = ?1 AND minute = ?2 AND holder = ?3`,
		slot.Key, slot.Minute, slot.Holder, back[budget.Interactive], back[budget.Scheduled], back[budget.Backfill])
	return s.fail("give requests back", err, budgetSays)
}

// Observe implements budget.Ledger.
func (s *Store) Observe(ctx context.Context, key string, seen budget.Seen) error {
	_, err := s.exec(ctx, `INSERT INTO budgets AS b (key, allowed, blocked, blocked_at) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT (key) DO UPDATE SET
			allowed = CASE WHEN excluded.allowed > 0 THEN excluded.allowed ELSE b.allowed END,
			blocked_at = CASE WHEN ?5 OR excluded.blocked > b.blocked THEN excluded.blocked_at ELSE b.blocked_at END,
			blocked = CASE WHEN ?5 OR excluded.blocked > b.blocked THEN excluded.blocked ELSE b.blocked END`,
		key, max(seen.Limit, 0), micros(seen.Blocked), micros(seen.At), seen.Replace)
	return s.fail("note a limit of requests", err, budgetSays)
}

// Read implements budget.Ledger.
func (s *Store) Read(ctx context.Context, key string, since int64) (budget.Book, error) {
	const op = "see what is left of a budget"
	book, err := first(ctx, s, scanBook, `SELECT allowed, blocked, blocked_at FROM budgets WHERE key = ?1`, key)
	if errors.Is(err, sql.ErrNoRows) {
		return budget.Book{}, nil
	}
	if err == nil {
		book.Grants, err = s.grants(ctx, key, since)
	}
	return book, s.fail(op, err, budgetSays)
}

func scanBook(r row) (b budget.Book, err error) {
	err = r.Scan(&b.Limit, when{&b.Blocked}, when{&b.BlockedAt})
	return b, err
}

func (s *Store) grants(ctx context.Context, key string, since int64) ([]budget.Grants, error) {
	return list(ctx, s, func(r row) (g budget.Grants, err error) {
		err = r.Scan(&g.Minute, &g.Holder, &g.Granted[budget.Interactive], &g.Granted[budget.Scheduled], &g.Granted[budget.Backfill],
			&g.Waiting[budget.Interactive], &g.Waiting[budget.Scheduled], &g.Waiting[budget.Backfill])
		return g, err
	}, `SELECT minute, holder, interactive, scheduled, backfill, waiting_interactive, waiting_scheduled, waiting_backfill
		FROM budget_grants WHERE key = ?1 AND minute >= ?2 ORDER BY minute, holder`, key, since)
}
