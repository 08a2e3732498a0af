package read

import (
	"context"
	"fmt"
	"strings"
	"time"

	"windlass"
)

// How long an operation sleeps before it looks again by itself. Whoever ends the
// reason wakes it at once: see [Flow.Unpause] and [Flow.Connected].
const (
	pausedFor  = 24 * time.Hour
	badFor     = time.Hour
	troubleFor = 15 * time.Second
	// limitedFor is for a limit that does not say how long.
	limitedFor = 5 * time.Minute
	// worthALine is the least wait that is worth a line in the log: a budget that
	// is paced makes many short ones.
	worthALine = 30 * time.Second
)

const (
	// mostAttempts temporary failures in a row, over some four hours, are an
	// outage that somebody should know of: the operation fails.
	mostAttempts = 20
	// fewAttempts is for what is less likely to pass: nonsense for an answer, and
	// credentials that are refused though the connection is said to work.
	fewAttempts = 5
)

// backoff is how long to wait after a number of temporary failures in a row.
func backoff(attempt int) time.Duration {
	const most = 15 * time.Minute
	return min(10*time.Second<<min(attempt-1, 10), most)
}

// limited is how long to wait for a limit to be over.
func limited(err error) time.Duration {
	if wait := retryAfter(err); wait > 0 {
		return wait
	}
	return limitedFor
}

const reconnect = "The connection's credentials do not work. The read goes on from here when the customer has connected again."

// refused decides what a provider's error means for the operation.
func (s *step) refused(ctx context.Context, err error) error {
	if ctx.Err() != nil || local(err) {
		return s.trouble(ctx, "read", err)
	}
	wait := retryAfter(err)
	attempt := s.p.Attempt + 1
	switch {
	// A limit comes first: an error that wraps one may call itself anything.
	case kindIs(err, windlass.RateLimited):
		until := s.now().Add(limited(err))
		message := fmt.Sprintf("The limit of requests is reached. The read waits until %s: %s.", stamp(until), plain(err))
		s.p.Attempt = 0
		return s.rest(ctx, until, message, windlass.SeverityInfo, wait >= worthALine)
	case kindIs(err, windlass.CursorExpired):
		if s.p.Restarts > 0 {
			return s.failed(ctx, "read", err)
		}
		return s.startOver(ctx, err)
	case kindIs(err, windlass.NeedsReconnect), kindIs(err, windlass.Unauthorized):
		if attempt > fewAttempts {
			return s.failed(ctx, "read", err)
		}
		s.p.Attempt = attempt
		// Soon, to see whether the connection has been found bad meanwhile; if so,
		// look waits without asking the provider.
		return s.rest(ctx, s.now().Add(time.Minute), reconnect+" "+upper(plain(err))+".", windlass.SeverityWarning, attempt == 1)
	case kindIs(err, windlass.Incomplete):
		return s.failed(ctx, "read", err)
	case kindIs(err, windlass.Malformed) && attempt > fewAttempts, attempt > mostAttempts:
		return s.failed(ctx, "read", err)
	case kindIs(err, windlass.Unavailable), kindIs(err, windlass.Malformed), kindIs(err, windlass.Canceled):
		until := s.now().Add(max(wait, backoff(attempt)))
		message := fmt.Sprintf("The provider failed (%d in a row). The read tries again at %s: %s.", attempt, stamp(until), plain(err))
		s.p.Attempt = attempt
		return s.rest(ctx, until, message, windlass.SeverityWarning, true)
	default:
		return s.failed(ctx, "read", err)
	}
}

// rest lets the operation sleep. Its job is to come again then.
func (s *step) rest(ctx context.Context, until time.Time, message, severity string, line bool) error {
	err := s.store.In(ctx, func(ctx context.Context) error {
		return s.restIn(ctx, until, message, severity, line)
	})
	if err != nil {
		return s.trouble(ctx, "wait", err)
	}
	return &Waiting{until.Sub(s.now()), message}
}

func (s *step) restIn(ctx context.Context, until time.Time, message, severity string, line bool) error {
	if line {
		if err := s.append(ctx, s.note(s.p.ID, severity, message, map[string]string{logUntil: stamp(until)})); err != nil {
			return err
		}
	}
	return s.suspend(ctx, until, s.p.Attempt)
}

// stops reports whether the operation has to wait until somebody does something.
func (s *step) stops(standing windlass.Standing) bool {
	return standing.Paused || standing.Status == windlass.ConnectionBad
}

// sleep lets the operation sleep until somebody wakes it. Whoever does so may
// have come between the look that found a reason and this: so it looks once more,
// with the operation's row in hand, which waking needs too.
func (s *step) sleep(ctx context.Context, standing windlass.Standing) error {
	until, message, severity := s.now().Add(pausedFor), "Reads are paused. This one goes on from here when the pause ends.", windlass.SeverityInfo
	if !standing.Paused {
		until, message, severity = s.now().Add(badFor), reconnect, windlass.SeverityWarning
	}
	awake := false
	err := s.store.In(ctx, func(ctx context.Context) error {
		if err := s.restIn(ctx, until, message, severity, s.p.Wait.IsZero()); err != nil {
			return err
		}
		again, err := s.store.Standing(ctx, s.p.InstallationID, s.p.Object)
		if err == nil && s.stops(again) {
			return nil
		}
		if err != nil && !kindIs(err, windlass.NotFound) {
			return err
		}
		awake = true
		return s.store.WakeOperation(ctx, s.p.ID, s.now())
	})
	switch {
	case err != nil:
		return s.trouble(ctx, "wait", err)
	case awake:
		return &Waiting{0, "what the operation waited for has happened"}
	default:
		return &Waiting{until.Sub(s.now()), message}
	}
}

// startOver begins the walk again. What was delivered of it is not delivered
// again, unless it has changed.
func (s *step) startOver(ctx context.Context, cause error) error {
	err := s.store.In(ctx, func(ctx context.Context) error {
		if err := s.store.RestartOperation(ctx, s.p.ID, s.holder, s.spent(), s.now()); err != nil {
			return err
		}
		if err := s.append(ctx, s.note(s.p.ID, windlass.SeverityWarning, "The read starts over, once: "+plain(cause)+".", nil)); err != nil {
			return err
		}
		return s.suspend(ctx, time.Time{}, 0)
	})
	if err != nil {
		return s.trouble(ctx, "start over", err)
	}
	return &Waiting{0, "the read starts over"}
}

// retryAfter is the longest wait that an error asks for, within reason.
func retryAfter(err error) time.Duration { return min(windlass.RetryAfter(err), maxWait) }

const maxWait = 24 * time.Hour

// plain is an error as part of a sentence.
func plain(err error) string { return strings.TrimRight(err.Error(), ".") }

func upper(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
