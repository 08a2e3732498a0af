package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"hash/fnv"
)

// lockAlive is the first number of the lock that a living process holds; its own
// number is the second.
const lockAlive = 0x77_69_6e_64 // "wind"

// A Presence shows the other processes on a PostgreSQL database that this one
// lives, by an advisory lock that ends with its session. It is not safe for
// concurrent use.
type Presence struct {
	store  *Store
	id     string
	number int64
	conn   *sql.Conn // the session; nil while there is none
}

// Presence returns the presence of the process that the leases of id belong to.
func (s *Store) Presence(id string) *Presence {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(id)) // it never fails
	return &Presence{store: s, id: id, number: int64(hash.Sum32() >> 1)}
}

// Show keeps this process visible as alive, and returns the other processes whose
// sessions have ended. It is to be called every second or so.
func (p *Presence) Show(ctx context.Context) (silent []string, err error) {
	const op = "show that this process is alive"
	if p.store.driver == SQLite {
		return nil, nil
	}
	if p.conn == nil {
		if err := p.appear(ctx); err != nil {
			return nil, p.store.fail(op, err, says{})
		}
	}
	silent, shown, err := p.look(ctx)
	if err == nil && shown {
		return silent, nil
	}
	// The session has ended, or another process has taken this one for dead.
	p.drop()
	return nil, p.store.fail(op, err, says{})
}

// appear takes the lock in a session of its own.
func (p *Presence) appear(ctx context.Context) (err error) {
	if p.conn, err = p.store.writer.Conn(ctx); err != nil {
		p.conn = nil
		return err
	}
	for taken := false; err == nil && !taken; {
		if err = p.conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1, $2)`, lockAlive, p.number).Scan(&taken); !taken {
			p.number = (p.number + 1) & 0x7fffffff // another process has this number
		}
	}
	if err == nil {
		_, err = p.conn.ExecContext(ctx, `INSERT INTO processes (id, number) VALUES ($1, $2)
			ON CONFLICT (id) DO UPDATE SET number = excluded.number`, p.id, p.number)
	}
	if err != nil {
		p.drop()
	}
	return err
}

func (p *Presence) look(ctx context.Context) (silent []string, shown bool, err error) {
	rows, err := p.conn.QueryContext(ctx, `SELECT p.id, EXISTS (SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory'
		AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND l.classid::BIGINT = $1 AND l.objid::BIGINT = p.number AND l.objsubid = 2 AND l.granted) FROM processes p`, lockAlive)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err below says what went wrong
	for rows.Next() {
		var id string
		var alive bool
		if err := rows.Scan(&id, &alive); err != nil {
			return nil, false, err
		}
		switch {
		case id == p.id:
			shown = alive
		case !alive:
			silent = append(silent, id)
		}
	}
	return silent, shown, rows.Err()
}

// drop ends the session, and the lock with it.
func (p *Presence) drop() {
	if p.conn == nil {
		return
	}
	_ = p.conn.Raw(func(any) error { return driver.ErrBadConn }) // this is how database/sql is told to drop it
	_ = p.conn.Close()                                           // it is dropped already
	p.conn = nil
}

// Leave ends the presence of this process in good order, and frees its leases.
func (p *Presence) Leave(ctx context.Context) error {
	p.drop()
	return p.store.FreeLeases(ctx, p.id)
}

// leasesOf is the condition for what a process has leased, or, when owner is empty,
// what any has, and its arguments, the first of which has the given number.
func leasesOf(owner string, number int) (where string, args []any) {
	if owner == "" {
		return `lease_holder <> ''`, nil
	}
	return fmt.Sprintf(`lease_holder <> '' AND substr(lease_holder, 1, ?%d) = ?%d`, number, number+1), []any{len(owner) + 1, owner + "/"}
}

// FreeLeases takes everything but operations from a process that is gone, or, when
// owner is empty, from all: for a process that is alone with the database, as it
// starts. Operations are released by kind: see ReleaseLeases.
func (s *Store) FreeLeases(ctx context.Context, owner string) error {
	const op = "free what a process held that is gone"
	where, args := leasesOf(owner, 1)
	return s.In(ctx, func(ctx context.Context) error {
		for _, table := range []string{"credentials", "destination_health"} {
			if _, err := s.exec(ctx, `UPDATE `+table+` SET lease_holder = '', lease_until = 0 WHERE `+where, args...); err != nil {
				return s.fail(op, err, says{})
			}
		}
		var err error
		if owner == "" {
			_, err = s.exec(ctx, `DELETE FROM processes`)
		} else {
			_, err = s.exec(ctx, `DELETE FROM processes WHERE id = ?1`, owner)
		}
		return s.fail(op, err, says{})
	})
}
