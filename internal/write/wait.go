package write

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"windlass"
)

// How long a write sleeps before it looks again by itself.
const (
	badFor     = time.Hour // until the customer has connected again: see [Flow.Connected]
	refusedFor = time.Minute
	troubleFor = 15 * time.Second
	// limitedFor is for a limit that does not say how long.
	limitedFor = 5 * time.Minute
	// worthALine is the least wait that is worth a line in the log.
	worthALine = 30 * time.Second
)

// backoff is how long to wait after a number of failures in a row.
func backoff(attempt int) time.Duration {
	const most = 15 * time.Minute
	return min(10*time.Second<<min(max(attempt-1, 0), 10), most)
}

// asProvider is the provider's error in err, if it has one.
func asProvider(err error) (*windlass.Error, bool) { return windlass.FromProvider(err) }

// local reports whether an error is the database's, and passes.
func local(err error) bool {
	if _, provider := asProvider(err); provider {
		return false
	}
	failure, ok := windlass.Own(err)
	return ok && (failure.Kind == windlass.Unavailable || failure.Kind == windlass.Canceled || failure.Kind == windlass.Internal)
}

// lost reports whether a write may have happened although it failed so.
func lost(err error) bool {
	return !kindIs(err, windlass.RateLimited) &&
		(kindIs(err, windlass.Unavailable) || kindIs(err, windlass.Malformed) || kindIs(err, windlass.Canceled) ||
			errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

// temporary reports whether the same request may succeed later.
func temporary(err error) bool {
	return lost(err) || kindIs(err, windlass.RateLimited) || kindIs(err, windlass.Incomplete) || local(err)
}

// passes reports whether to try again. Credentials may be renewed.
func passes(err error) bool {
	return temporary(err) || kindIs(err, windlass.NeedsReconnect) || kindIs(err, windlass.Unauthorized)
}

const reconnect = "The connection's credentials do not work. The write goes on from here when the customer has connected again."

// refused lets the write wait, as an error of the provider's asks for. i is the
// record that it is about, or none.
func (s *step) refused(ctx context.Context, i int, err error) error {
	if i != none {
		s.records[i].Error = s.plain(err)
	}
	if ctx.Err() != nil || local(err) {
		return s.interrupted(ctx, i, err)
	}
	wait, attempt := retryAfter(err), s.p.Attempt+1
	switch {
	// A limit comes first: an error that wraps one may call itself anything.
	case kindIs(err, windlass.RateLimited):
		if wait <= 0 {
			wait = limitedFor
		}
		return s.rest(ctx, i, wait, s.p.Attempt, windlass.SeverityInfo, "The limit of requests is reached: "+s.plain(err), wait >= worthALine)
	case kindIs(err, windlass.NeedsReconnect), kindIs(err, windlass.Unauthorized):
		// Soon, to see whether the connection has been found bad meanwhile.
		return s.rest(ctx, i, refusedFor, attempt, windlass.SeverityWarning, reconnect, attempt == 1)
	case passes(err):
		wait = max(wait, backoff(attempt))
		return s.rest(ctx, i, wait, attempt, windlass.SeverityWarning, fmt.Sprintf("The provider failed (%d in a row): %s", attempt, s.plain(err)), true)
	default:
		s.failAll(s.plain(err), false)
		return s.end(ctx)
	}
}

// interrupted is for a process that stops, or a database that fails, while a
// record is on its way. The record is kept as it is, so that it is looked for.
func (s *step) interrupted(ctx context.Context, i int, cause error) error {
	if i != none {
		keeping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		// If that fails, too, the record is still marked as sent.
		if err := s.store.SaveWriteRecord(keeping, s.records[i]); err != nil {
			return s.trouble(ctx, "write", err)
		}
	}
	return s.trouble(ctx, "write", cause)
}

// rest lets the write sleep, at most until its deadline.
func (s *step) rest(ctx context.Context, i int, wait time.Duration, attempt int, severity, why string, line bool) error {
	until := s.now().Add(wait)
	if !s.w.Deadline.IsZero() && until.After(s.w.Deadline) {
		until = s.w.Deadline
	}
	why = strings.TrimRight(why, ".")
	err := s.store.In(ctx, func(ctx context.Context) error {
		if err := s.settle(ctx); err != nil {
			return err
		}
		if i != none {
			if err := s.store.SaveWriteRecord(ctx, s.records[i]); err != nil {
				return err
			}
		}
		if line {
			if err := s.note(ctx, s.p.ID, severity, fmt.Sprintf("%s. The write waits until %s.", why, stamp(until)),
				map[string]string{logUntil: stamp(until)}); err != nil {
				return err
			}
		}
		return s.store.SuspendOperation(ctx, s.p.ID, s.holder, until, attempt, s.spent(), s.now())
	})
	if err != nil {
		return s.trouble(ctx, "wait", err)
	}
	return &Waiting{until.Sub(s.now()), why}
}

// sleep lets the write sleep until the customer has connected again. Whoever wakes
// it may have come between the look that found the connection bad and this: so it
// looks once more, with the rows in hand.
func (s *step) sleep(ctx context.Context) error {
	awake := false
	until := s.now().Add(badFor)
	if until.After(s.w.Deadline) {
		until = s.w.Deadline
	}
	err := s.store.In(ctx, func(ctx context.Context) error {
		// The installation first, as whoever changes it does.
		in, err := s.store.Installation(ctx, s.p.ProjectID, s.p.InstallationID)
		if err != nil && !kindIs(err, windlass.NotFound) {
			return err
		}
		awake = err != nil || in.Connection.Status != windlass.ConnectionBad
		if awake {
			return s.store.SuspendOperation(ctx, s.p.ID, s.holder, time.Time{}, s.p.Attempt, 0, s.now())
		}
		if s.p.Wait.IsZero() {
			if err := s.note(ctx, s.p.ID, windlass.SeverityWarning, reconnect, map[string]string{logUntil: stamp(until)}); err != nil {
				return err
			}
		}
		return s.store.SuspendOperation(ctx, s.p.ID, s.holder, until, s.p.Attempt, 0, s.now())
	})
	switch {
	case err != nil:
		return s.trouble(ctx, "wait", err)
	case awake:
		return &Waiting{0, "what the write waited for has happened"}
	default:
		return &Waiting{until.Sub(s.now()), reconnect}
	}
}

// retryAfter is the longest wait that an error asks for, within reason.
func retryAfter(err error) time.Duration { return min(windlass.RetryAfter(err), maxWait) }

const maxWait = 24 * time.Hour

func upper(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
