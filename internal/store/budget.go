package store

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"windlass/internal/budget"
)

var budgetSays = says{Missing: "the budget has no such grant"}

// Reserve implements budget.Ledger. The rows of the keys are locked before the grants
// are read, so that no two processes are given the same requests; all transactions lock
// them in the same order, so that they cannot deadlock.
func (s *Store) Reserve(ctx context.Context, reservations []budget.Reservation) error {
	all := slices.SortedFunc(slices.Values(reservations), func(a, b budget.Reservation) int { return cmp.Compare(a.Key, b.Key) })
	return s.In(ctx, func(ctx context.Context) error {
		for part := range chunks(all, chunk/4) {
			if err := s.reserve(ctx, part); err != nil {
				return s.fail("pay requests", err, budgetSays)
			}
		}
		return nil
	})
}

func (s *Store) reserve(ctx context.Context, all []budget.Reservation) error {
	keys, since := newValues(1), int64(math.MaxInt64)
	for i := range all {
		keys.add(all[i].Key)
		since = min(since, all[i].Since)
	}
	// Updating an existing row locks it; an insert alone would not.
	books, err := change(ctx, s, scanKeyed(scanBook), `INSERT INTO budgets (key) VALUES (`+strings.ReplaceAll(keys.String(), ", ", "), (")+`)
		ON CONFLICT (key) DO UPDATE SET allowed = budgets.allowed RETURNING key, allowed, blocked, blocked_at`, keys.args...)
	if err != nil {
		return err
	}
	grants, err := s.grants(ctx, keys, since)
	if err != nil {
		return err
	}
	seen := make(map[string]*budget.Book, len(all))
	for i := range books {
		seen[books[i].key] = &books[i].value
	}
	from := make(map[string]int64, len(all))
	for i := range all {
		from[all[i].Key] = all[i].Since
	}
	for _, g := range grants {
		if book := seen[g.key]; g.value.Minute >= from[g.key] {
			book.Grants = append(book.Grants, g.value)
		}
	}
	rows := newValues(9)
	for i := range all {
		r := &all[i]
		var add [budget.Classes]int
		add[r.Class] = r.Decide(*seen[r.Key])
		rows.add(r.Key, r.Minute, r.Owner, add[budget.Interactive], add[budget.Scheduled], add[budget.Backfill],
			r.Waiting[budget.Interactive], r.Waiting[budget.Scheduled], r.Waiting[budget.Backfill])
	}
	_, err = s.exec(ctx, `INSERT INTO budget_grants AS g (key, minute, holder, interactive, scheduled, backfill,
			waiting_interactive, waiting_scheduled, waiting_backfill) VALUES `+rows.String()+`
		ON CONFLICT (key, minute, holder) DO UPDATE SET interactive = g.interactive + excluded.interactive,
			scheduled = g.scheduled + excluded.scheduled, backfill = g.backfill + excluded.backfill,
			waiting_interactive = excluded.waiting_interactive, waiting_scheduled = excluded.waiting_scheduled,
			waiting_backfill = excluded.waiting_backfill`, rows.args...)
	return err
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
		slot.Key, slot.Minute, slot.Owner, back[budget.Interactive], back[budget.Scheduled], back[budget.Backfill])
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
func (s *Store) Read(ctx context.Context, keys []string, since int64) (map[string]budget.Book, error) {
	const op = "read a budget"
	all := make(map[string]budget.Book, len(keys))
	for part := range slices.Chunk(keys, chunk) {
		in := newValues(1)
		for _, key := range part {
			in.add(key)
		}
		books, err := list(ctx, s, scanKeyed(scanBook), `SELECT key, allowed, blocked, blocked_at FROM budgets WHERE key IN (`+in.String()+`)`, in.args...)
		if err != nil {
			return nil, s.fail(op, err, budgetSays)
		}
		grants, err := s.grants(ctx, in, since)
		if err != nil {
			return nil, s.fail(op, err, budgetSays)
		}
		for _, b := range books {
			all[b.key] = b.value
		}
		for _, g := range grants {
			if book, known := all[g.key]; known {
				book.Grants = append(book.Grants, g.value)
				all[g.key] = book
			}
		}
	}
	return all, nil
}

func scanBook(r row) (b budget.Book, err error) {
	err = r.Scan(&b.Limit, when{&b.Blocked}, when{&b.BlockedAt})
	return b, err
}

const grantColumns = `minute, holder, interactive, scheduled, backfill, waiting_interactive, waiting_scheduled, waiting_backfill`

func scanGrants(r row) (g budget.Grants, err error) {
	err = r.Scan(&g.Minute, &g.Owner, &g.Granted[budget.Interactive], &g.Granted[budget.Scheduled], &g.Granted[budget.Backfill],
		&g.Waiting[budget.Interactive], &g.Waiting[budget.Scheduled], &g.Waiting[budget.Backfill])
	return g, err
}

// grants are those of several keys since a minute, in order of time.
func (s *Store) grants(ctx context.Context, keys *values, since int64) ([]keyed[budget.Grants], error) {
	return list(ctx, s, scanKeyed(scanGrants), `SELECT key, `+grantColumns+` FROM budget_grants
		WHERE key IN (`+keys.String()+`) AND minute >= ?`+strconv.Itoa(len(keys.args)+1)+` ORDER BY minute, holder`,
		append(slices.Clone(keys.args), since)...)
}

// keyed is what a row says of a key, which is its first column.
type keyed[T any] struct {
	key   string
	value T
}

func scanKeyed[T any](scan func(row) (T, error)) func(row) (keyed[T], error) {
	return func(r row) (k keyed[T], err error) {
		k.value, err = scan(prefixed{r, &k.key})
		return k, err
	}
}

// prefixed is a row whose first column has a place of its own.
type prefixed struct {
	row

	first any
}

// Scan scans the other columns as well.
func (p prefixed) Scan(dest ...any) error { return p.row.Scan(append([]any{p.first}, dest...)...) }
