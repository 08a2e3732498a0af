package operation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"windlass"
	"windlass/internal/logkey"
)

// How long an operation sleeps before it looks again by itself. What ends the
// reason wakes it at once.
const (
	badFor     = time.Hour // a connection that does not work: see [Engine.Connected]
	refusedFor = time.Minute
	troubleFor = 15 * time.Second
	// limitedFor is for a limit that does not say how long.
	limitedFor = 5 * time.Minute
	// minLine is the shortest wait that is worth a line in the log: a budget that is
	// paced makes many short ones.
	minLine = 30 * time.Second
	// givingBack is how long the database may take when a process stops.
	givingBack = 2 * time.Second
	// ending is likewise for the end of an operation.
	ending = 10 * time.Second
)

const (
	// maxAttempts temporary failures in a row, over some four hours, are an outage
	// that a person should know of: the operation fails.
	maxAttempts = 20
	// fewAttempts is for what is less likely to pass: nonsense for an answer, and
	// credentials that are refused though the connection is said to work.
	fewAttempts = 5
)

// backoff is how long to wait after a number of temporary failures in a row.
func backoff(attempt int) time.Duration {
	const longest = 15 * time.Minute
	return min(10*time.Second<<min(max(attempt-1, 0), 10), longest)
}

// reconnect is what the log says of a connection that does not work.
func (e *Engine) reconnect() string {
	return "The connection's credentials do not work. The " + e.config.Kind + " goes on from here when the customer has connected again."
}

// Disconnected is what Work returns when the connection does not work.
func (e *Engine) Disconnected() *Sleep {
	return &Sleep{
		For: badFor, Reason: e.reconnect(), Severity: windlass.SeverityWarning,
		Still: func(s windlass.Standing) bool { return s.Status == windlass.ConnectionBad },
	}
}

// refused decides what an error means for the operation.
func (t *Turn) refused(ctx context.Context, err error) error {
	if ctx.Err() != nil || Local(err) {
		return t.trouble(ctx, err)
	}
	wait, attempt := retryAfter(err), t.Op.Attempt+1
	switch {
	// A limit comes first: an error that wraps one may call itself anything.
	case errors.Is(err, windlass.RateLimited):
		wait = Limited(err)
		until := t.until(wait)
		message := fmt.Sprintf("The limit of requests is reached. The %s waits until %s: %s.", t.config.Kind, Stamp(until), Plain(err))
		return t.rest(ctx, rest{until, 0, windlass.SeverityInfo, message, wait >= minLine})
	case errors.Is(err, windlass.CursorExpired) && t.Op.Restarts == 0:
		return t.startOver(ctx, err)
	case t.Deadline.IsZero() && attempt > attempts(err), !passes(err, !t.Deadline.IsZero()):
		return t.settle(ctx, End(err))
	case rejected(err):
		// Soon, to see whether the connection has been found bad meanwhile; if so,
		// the work waits without asking the provider.
		message := t.reconnect() + " " + Upper(Plain(err)) + "."
		return t.rest(ctx, rest{t.until(refusedFor), attempt, windlass.SeverityWarning, message, attempt == 1})
	default:
		until := t.until(max(wait, backoff(attempt)))
		message := fmt.Sprintf("The provider failed (%d in a row). The %s tries again at %s: %s.", attempt, t.config.Kind, Stamp(until), Plain(err))
		return t.rest(ctx, rest{until, attempt, windlass.SeverityWarning, message, true})
	}
}

// rest is a wait after a failure.
type rest struct {
	until    time.Time
	attempt  int // failures in a row
	severity string
	reason   string
	line     bool // it is worth one in the log
}

// rest lets the operation sleep after a failure.
func (t *Turn) rest(ctx context.Context, r rest) error {
	err := t.in(ctx, func(ctx context.Context) error {
		if err := t.kept.do(ctx); err != nil {
			return err
		}
		if r.line {
			if err := t.Log(ctx, r.severity, r.reason, map[string]string{logkey.Until: Stamp(r.until)}); err != nil {
				return err
			}
		}
		return t.Release(ctx, r.until, r.attempt)
	})
	if err != nil {
		return t.trouble(ctx, err)
	}
	return &Waiting{r.until.Sub(t.Now()), r.reason}
}

// until is a time to sleep until.
func (t *Turn) until(wait time.Duration) time.Time {
	until := t.Now().Add(wait)
	if !t.Deadline.IsZero() && until.After(t.Deadline) {
		return t.Deadline
	}
	return until
}

// sleep lets the operation sleep, or give way. Whatever wakes it may have come
// between the look that found a reason and this: so it looks once more, with the
// operation's row locked, which waking needs too.
func (t *Turn) sleep(ctx context.Context, s *Sleep) error {
	until, attempt := time.Time{}, 0
	if s.For > 0 {
		until, attempt = t.until(s.For), t.Op.Attempt
	}
	awake := false
	err := t.in(ctx, func(ctx context.Context) error {
		if s.For > 0 && t.Op.Wait.IsZero() {
			if err := t.Log(ctx, s.Severity, s.Reason, map[string]string{logkey.Until: Stamp(until)}); err != nil {
				return err
			}
		}
		if err := t.Release(ctx, until, attempt); err != nil || s.Still == nil {
			return err
		}
		again, err := t.store.Standing(ctx, t.Op.InstallationID, t.Op.Object)
		if err == nil && s.Still(again) {
			return nil
		}
		if err != nil && !errors.Is(err, windlass.NotFound) {
			return err
		}
		awake = true
		return t.store.WakeOperation(ctx, t.Op.ID, t.Now())
	})
	switch {
	case err != nil:
		return t.trouble(ctx, err)
	case s.For <= 0:
		return &Waiting{0, "the operation gives way to others"}
	case awake:
		return &Waiting{0, "what the operation waited for has happened"}
	default:
		return &Waiting{until.Sub(t.Now()), s.Reason}
	}
}

// startOver begins with the first step again.
func (t *Turn) startOver(ctx context.Context, cause error) error {
	err := t.in(ctx, func(ctx context.Context) error {
		if err := t.Restart(ctx); err != nil {
			return err
		}
		if err := t.Log(ctx, windlass.SeverityWarning, "The "+t.config.Kind+" starts over, once: "+Plain(cause)+".", nil); err != nil {
			return err
		}
		return t.Release(ctx, time.Time{}, 0)
	})
	if err != nil {
		return t.trouble(ctx, err)
	}
	return &Waiting{0, "the " + t.config.Kind + " starts over"}
}

// trouble is for the database and everything else that is ours and passes: a full
// disk, a restart. There is nowhere to note it but the process's own log; the
// operation is as it was after its last step, and goes on by itself.
func (t *Turn) trouble(ctx context.Context, err error) error {
	if errors.Is(err, windlass.Conflict) {
		return &Waiting{t.config.Lease, "another job carries the operation on"}
	}
	after := troubleFor
	if ctx.Err() != nil {
		after = 0 // the process stops: another one, or the next start, goes on at once
	} else {
		t.config.Logger.WarnContext(ctx, "a "+t.config.Kind+" cannot go on for now", //nolint:sloglint // a constant of each kind
			slog.String(logkey.Operation, t.Op.ID), slog.String(logkey.Object, t.Op.Object), slog.String(logkey.Error, err.Error()))
	}
	if t.Op.ID == "" {
		return &Waiting{after, "the database is not ready"}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), givingBack)
	defer cancel()
	giveBack := func(ctx context.Context) error {
		if err := t.kept.do(ctx); err != nil {
			return err
		}
		return t.Release(ctx, t.Op.Wait, t.Op.Attempt)
	}
	err = t.in(ctx, giveBack)
	if err != nil && t.kept.Do != nil {
		t.kept = Commit{}
		err = t.in(ctx, giveBack)
	}
	if err != nil {
		after = t.config.Lease // it cannot be given back, and runs out
	}
	return &Waiting{after, "the database is not ready"}
}

// Local reports whether an error is the database's, and passes.
func Local(err error) bool {
	if _, provider := windlass.FromProvider(err); provider {
		return false
	}
	own, ok := windlass.Own(err)
	return ok && (own.Kind == windlass.Unavailable || own.Kind == windlass.Canceled || own.Kind == windlass.Internal)
}

// rejected reports whether the provider does not take the credentials.
func rejected(err error) bool {
	return errors.Is(err, windlass.NeedsReconnect) || errors.Is(err, windlass.Unauthorized)
}

// passes reports whether the same may succeed later. What is incomplete is worth
// another try only while there is a deadline to end it.
func passes(err error, bounded bool) bool {
	return rejected(err) || errors.Is(err, windlass.Unavailable) || errors.Is(err, windlass.Malformed) || errors.Is(err, windlass.Canceled) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || bounded && errors.Is(err, windlass.Incomplete)
}

// attempts is how often in a row an error may come before it counts as one that
// stays.
func attempts(err error) int {
	if rejected(err) || errors.Is(err, windlass.Malformed) {
		return fewAttempts
	}
	return maxAttempts
}

// retryAfter is the longest wait that an error asks for, within reason.
func retryAfter(err error) time.Duration { return min(windlass.RetryAfter(err), maxWait) }

const maxWait = 24 * time.Hour

// Limited is how long to wait for a limit to be over.
func Limited(err error) time.Duration {
	if wait := retryAfter(err); wait > 0 {
		return wait
	}
	return limitedFor
}

// Stamp is a time as part of a sentence.
func Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Plain is an error as part of a sentence.
func Plain(err error) string { return strings.TrimRight(err.Error(), ".") }

// Upper begins a sentence.
func Upper(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
