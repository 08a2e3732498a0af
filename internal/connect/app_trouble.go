package connect

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"windlass"
)

// A provider may refuse the provider app rather than one customer's tokens: its client
// is unknown or disabled, its callback is gone. Then every connection of the app fails,
// but none of them is bad.
const (
	// After a refusal that blames the app, the app is not used for minAppHold, then ever
	// longer, up to maxAppHold; then one connection tries, for all of them.
	minAppHold = 15 * time.Second
	maxAppHold = 5 * time.Minute
	// yieldTime is how long the connection that tried last lets others try first.
	yieldTime = time.Minute
	// refusalWindow and refusalPeople: refused tokens of this many people within this time,
	// with no success between them, mean that the app is at fault, whatever the
	// refusals say.
	refusalWindow = 10 * time.Minute
	refusalPeople = 3
	// A connection that is refused this often, while the app works for others in
	// between, is itself at fault, although the refusals blame the app.
	maxLoneRounds = 3
	// maxRefusals bounds what is remembered of one app.
	maxRefusals = 1000
)

// appTroubles is what this process knows about provider apps that are refused.
// Other processes find out by themselves: once each.
type appTroubles struct {
	mu sync.Mutex
	of map[string]*appTrouble // by provider app
}

// appTrouble is the state of one app, which is healthy while why is nil.
type appTrouble struct {
	why     *windlass.Error
	edited  time.Time // the app's Updated: a change of it is worth an attempt at once
	until   time.Time
	tries   int
	prober  string    // the connection that tried last
	waiting bool      // others want to
	yields  time.Time // until when the prober lets them
	worked  time.Time
	refused []refusal
}

// refusal is the first of a connection since it last worked.
type refusal struct {
	connection, project, person string
	at                          time.Time
	rounds                      int
	marked                      bool // the connection was marked bad for it
}

// admit says whether a connection may ask the provider now. With claim it takes
// the one attempt that is due for all connections of the app.
func (a *appTroubles) admit(connection windlass.Connection, app windlass.ProviderApp, now time.Time, claim bool) *windlass.Error {
	a.mu.Lock()
	defer a.mu.Unlock()
	trouble := a.of[app.ID]
	if trouble == nil || trouble.why == nil || !app.Updated.Equal(trouble.edited) {
		return nil
	}
	until := trouble.until
	switch {
	case connection.ID != trouble.prober:
		trouble.waiting = true
	case trouble.waiting && !now.Before(until):
		// The others first: perhaps this connection is at fault.
		if trouble.yields.IsZero() {
			trouble.yields = now.Add(yieldTime)
		}
		until = trouble.yields
	}
	if now.Before(until) {
		failure := *trouble.why
		failure.RetryAfter = until.Sub(now)
		return &failure
	}
	if claim {
		trouble.prober, trouble.until = connection.ID, now.Add(leaseLife)
		trouble.waiting, trouble.yields = false, time.Time{}
	}
	return nil
}

// troubled reports whether an app is known to be refused.
func (a *appTroubles) troubled(app string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	trouble := a.of[app]
	return trouble != nil && trouble.why != nil
}

// blame says what a refusal is the fault of.
type blame int

const (
	blameConnection blame = iota // it is bad
	blameUnknown                 // this connection alone is refused, and it may pass
	blameApp                     // no connection is bad
)

// judge decides what a refusal is the fault of. It returns the failure to show, which
// has the time until the next attempt if the app is at fault.
func (a *appTroubles) judge(
	connection windlass.Connection, app windlass.ProviderApp, now time.Time, failure *windlass.Error,
) (who blame, shown *windlass.Error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	trouble := a.trouble(app.ID)
	mine, known := trouble.refusalOf(connection, now)
	says := failure.Kind == windlass.Unauthorized // it speaks of the app
	if known && trouble.worked.After(mine.at) {   // since when others were let in
		mine.at = now
		mine.rounds++
		if says && mine.rounds < maxLoneRounds {
			return blameUnknown, failure
		}
		mine.marked = true
		return blameConnection, failure
	}
	people := trouble.people(now)
	if !says && trouble.why == nil && people < refusalPeople {
		mine.marked = true
		return blameConnection, failure
	}
	if !says {
		failure = suspectApp(app, people, failure)
	}
	held := *failure
	held.RetryAfter = max(failure.RetryAfter, min(minAppHold<<min(trouble.tries, 8), maxAppHold))
	trouble.why, trouble.edited, trouble.prober = &held, app.Updated, connection.ID
	trouble.until = now.Add(held.RetryAfter)
	trouble.tries++
	return blameApp, &held
}

// refusalOf returns the entry of a connection, and whether it was there before.
func (t *appTrouble) refusalOf(connection windlass.Connection, now time.Time) (*refusal, bool) {
	for i := range t.refused {
		if t.refused[i].connection == connection.ID {
			return &t.refused[i], true
		}
	}
	if len(t.refused) >= maxRefusals {
		t.refused = slices.Delete(t.refused, 0, 1)
	}
	t.refused = append(t.refused, refusal{
		connection: connection.ID, project: connection.ProjectID, person: cmp.Or(connection.ConsumerRef, connection.ID), at: now,
	})
	return &t.refused[len(t.refused)-1], false
}

// suspectApp is the failure when too many tokens are refused.
func suspectApp(app windlass.ProviderApp, people int, failure *windlass.Error) *windlass.Error {
	changed := *failure
	changed.Kind = windlass.Unauthorized
	changed.Message = fmt.Sprintf("connections of %d people were refused in the same way within %v, which points to the provider app %s: %s",
		people, refusalWindow, quote(cmp.Or(app.ExternalRef, app.ID)), message(failure))
	changed.Remedy = "check its OAuth consumer at the provider; if it is correct, the customers have to connect again"
	return &changed
}

// works notes that the provider accepted the app, and returns the connections
// that were marked bad while it did not. A success of the same connection also
// ends its own refusal.
func (a *appTroubles) works(app, connection string, now time.Time) (recovered bool, again []refusal) {
	a.mu.Lock()
	defer a.mu.Unlock()
	trouble := a.of[app]
	if trouble == nil {
		return false, nil
	}
	recovered = trouble.why != nil
	trouble.why, trouble.tries, trouble.worked = nil, 0, now
	trouble.prober, trouble.waiting, trouble.yields = "", false, time.Time{}
	trouble.refused = slices.DeleteFunc(trouble.refused, func(r refusal) bool {
		if recovered && r.marked && r.connection != connection {
			again = append(again, r)
		}
		return r.connection == connection || r.marked
	})
	if len(trouble.refused) == 0 {
		delete(a.of, app)
	}
	return recovered, again
}

func (a *appTroubles) trouble(app string) *appTrouble {
	if a.of == nil {
		a.of = map[string]*appTrouble{}
	}
	if a.of[app] == nil {
		a.of[app] = &appTrouble{}
	}
	return a.of[app]
}

// people counts those whose connections were refused lately, without a success
// since. One person who revokes a consent ends several connections.
func (t *appTrouble) people(now time.Time) int {
	known := map[string]bool{}
	for _, r := range t.refused {
		if now.Sub(r.at) < refusalWindow && !r.at.Before(t.worked) {
			known[r.person] = true
		}
	}
	return len(known)
}
