package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
)

// Most of what SQLite spends on a small statement it spends on parsing it. So
// each connection keeps the statements it has met and binds them anew; pgx does
// the same for PostgreSQL.

// keptStatements at most for one connection: more than the program has, but for
// those whose text depends on the number of their arguments.
const keptStatements = 300

// keepingConnector makes connections that keep their statements.
type keepingConnector struct{ driver.Connector }

func (c keepingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	whole, ok := conn.(wholeConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver of SQLite makes a %T, which lacks a method", conn), conn.Close())
	}
	return &keepingConn{wholeConn: whole, kept: map[string]*keptStatement{}}, nil
}

// wholeConn is what database/sql asks of a connection, if it has it.
type wholeConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// keepingConn is used by one goroutine at a time, which database/sql sees to.
type keepingConn struct {
	wholeConn

	kept map[string]*keptStatement
}

// A keptStatement is busy while its rows are read.
type keptStatement struct {
	wholeStmt

	busy bool
}

type wholeStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// Unwrap is how the driver finds its own connection.
func (c *keepingConn) Unwrap() driver.Conn { return c.wholeConn }

func (c *keepingConn) Close() error {
	var errs []error
	for _, statement := range c.kept {
		errs = append(errs, statement.Close())
	}
	c.kept = nil
	return errors.Join(append(errs, c.wholeConn.Close())...)
}

func (c *keepingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	statement, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if statement == nil {
		return c.wholeConn.ExecContext(ctx, query, args)
	}
	return statement.ExecContext(ctx, args)
}

func (c *keepingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	statement, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if statement == nil {
		return c.wholeConn.QueryContext(ctx, query, args)
	}
	rows, err := statement.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	statement.busy = true
	return keptRows{rows, statement}, nil
}

// statement returns the kept statement of a text, or nil when it is busy.
func (c *keepingConn) statement(ctx context.Context, query string) (*keptStatement, error) {
	if statement, ok := c.kept[query]; ok {
		if statement.busy {
			return nil, nil //nolint:nilnil // none is free: not an error
		}
		return statement, nil
	}
	prepared, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	whole, ok := prepared.(wholeStmt)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver of SQLite makes a %T, which lacks a method", prepared), prepared.Close())
	}
	if err := c.makeRoom(); err != nil {
		return nil, errors.Join(err, prepared.Close())
	}
	statement := &keptStatement{wholeStmt: whole}
	c.kept[query] = statement
	return statement, nil
}

// makeRoom drops any free statement. Which one hardly matters: it is seldom needed.
func (c *keepingConn) makeRoom() error {
	if len(c.kept) < keptStatements {
		return nil
	}
	for query, statement := range c.kept {
		if !statement.busy {
			delete(c.kept, query)
			return statement.Close()
		}
	}
	return nil
}

// keptRows give their statement back.
type keptRows struct {
	driver.Rows

	statement *keptStatement
}

func (r keptRows) Close() error {
	r.statement.busy = false
	return r.Rows.Close()
}
