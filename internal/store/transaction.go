package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
)

// A transaction is what In carries in a context.
type transaction struct {
	tx *sql.Tx

	mu     sync.Mutex
	failed error // the first statement or joined function that failed
	after  []func()
}

func (t *transaction) markFailed(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == nil {
		t.failed = err
	}
}

func (t *transaction) failure() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
}

// transactionKey is a type per store, so that one store's transaction is not
// taken for another's.
type transactionKey struct{ store *Store }

func (s *Store) transaction(ctx context.Context) *transaction {
	t, _ := ctx.Value(transactionKey{s}).(*transaction)
	return t
}

// In runs fn in one transaction, which every method joins that is called with
// the context it hands to fn. When fn returns an error nothing is kept, and In
// returns that error. An In inside an In joins the outer one. After a statement
// has failed the whole transaction is undone even if fn returns nil: PostgreSQL
// has it so, and both databases have to behave in the same way.
//
// No network inside (invariant 3).
func (s *Store) In(ctx context.Context, fn func(ctx context.Context) error) error {
	if outer := s.transaction(ctx); outer != nil {
		err := fn(ctx)
		if err != nil {
			outer.markFailed(err)
		}
		return err
	}
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return s.fail("begin a transaction", err, says{})
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to undo; before one the error that led here counts
	inner := &transaction{tx: tx}
	if err := fn(context.WithValue(ctx, transactionKey{s}, inner)); err != nil {
		return err
	}
	if err := inner.failure(); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		if ended := ctx.Err(); ended != nil && errors.Is(err, sql.ErrTxDone) {
			err = ended // which has undone the transaction: nothing is wrong with the database
		}
		return s.fail("commit", err, says{})
	}
	for _, do := range inner.after {
		do()
	}
	return nil
}

// Afterwards calls do when the transaction of ctx has been committed, in order and
// by the goroutine that commits; never when it is rolled back, and at once without one. It is for
// what may be lost, such as a hint to look for work: a process that dies behind the
// commit does not call it.
func (s *Store) Afterwards(ctx context.Context, do func()) {
	t := s.transaction(ctx)
	if t == nil {
		do()
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.after = append(t.after, do)
}

// Tx is the transaction that ctx carries, or nil. It is for the engine of jobs,
// which adds its rows to it.
func (s *Store) Tx(ctx context.Context) *sql.Tx {
	if t := s.transaction(ctx); t != nil {
		return t.tx
	}
	return nil
}

// exec runs one statement and says how many rows it changed.
func (s *Store) exec(ctx context.Context, query string, args ...any) (int64, error) {
	var result sql.Result
	var err error
	if t := s.transaction(ctx); t != nil {
		result, err = t.tx.ExecContext(ctx, s.dialect(query), args...)
		markIfFailed(t, err)
	} else {
		result, err = s.writer.ExecContext(ctx, s.dialect(query), args...)
	}
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// A row is what a scan function reads one noun from.
type row interface{ Scan(dest ...any) error }

// list reads all rows of a query with one scan function each.
func list[T any](ctx context.Context, s *Store, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	return collect(ctx, s, s.reader, scan, query, args...)
}

// change is list for a statement that writes and returns rows.
func change[T any](ctx context.Context, s *Store, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	return collect(ctx, s, s.writer, scan, query, args...)
}

func collect[T any](
	ctx context.Context, s *Store, db *sql.DB, scan func(row) (T, error), query string, args ...any,
) (all []T, err error) {
	t := s.transaction(ctx)
	defer func() {
		if t != nil {
			markIfFailed(t, err)
		}
	}()
	var rows *sql.Rows
	if t != nil {
		rows, err = t.tx.QueryContext(ctx, s.dialect(query), args...)
	} else {
		rows, err = db.QueryContext(ctx, s.dialect(query), args...)
	}
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err below says what went wrong
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// first is list for a query that finds at most one row; sql.ErrNoRows when it
// finds none.
func first[T any](ctx context.Context, s *Store, scan func(row) (T, error), query string, args ...any) (T, error) {
	all, err := list(ctx, s, scan, query, args...)
	if err == nil && len(all) == 0 {
		err = sql.ErrNoRows
	}
	if err != nil {
		var none T
		return none, err
	}
	return all[0], nil
}

func markIfFailed(t *transaction, err error) {
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		t.markFailed(err)
	}
}

// dialect is the whole difference between the two databases' SQL: parameters,
// written ?1, ?2 as SQLite has them. No query holds a question mark otherwise.
func (s *Store) dialect(query string) string {
	if s.driver == Postgres {
		return strings.ReplaceAll(query, "?", "$")
	}
	return query
}

// locked ends a query of one table that may go on to change what it reads.
// SQLite needs no such thing: a transaction there is the only one that writes,
// from its beginning.
func (s *Store) locked(ctx context.Context) string {
	if s.driver != Postgres || s.transaction(ctx) == nil {
		return ""
	}
	return " FOR NO KEY UPDATE"
}

// hold is locked for what is read with other tables beside it: it runs a query
// of the one table whose rows are to be locked. In one statement PostgreSQL would
// read the locked row as it is after the wait and the others as they were
// before, and find nothing where the two do not fit together.
func (s *Store) hold(ctx context.Context, query string, args ...any) error {
	if s.locked(ctx) == "" {
		return nil
	}
	_, err := s.exec(ctx, query+s.locked(ctx), args...)
	return err
}
