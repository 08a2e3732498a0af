package auth

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"windlass"
)

// How many credentials of each type may fail before more are refused without a check.
// An office or a proxy is one address: a recently accepted credential is accepted all
// the same.
var (
	failedKeys     = guessing{most: 60, within: time.Minute}       // keys and tokens, of one address
	failedImports  = guessing{most: 10, within: 10 * time.Minute}  // providers' credentials, of one address
	failedByCaller = guessing{most: 100, within: 10 * time.Minute} // the same, of one key or token's key
)

// maxGuessers bounds what is remembered: of sources that have failed, and of
// credentials that were accepted.
const maxGuessers = 20_000

type guessing struct {
	most   int
	within time.Duration
}

// guesses counts failures by their source. The zero value is ready.
type guesses struct {
	mu       sync.Mutex
	of       map[string]tally
	accepted map[[sha256.Size]byte]struct{}
}

type tally struct {
	failed int // and under way: guesses at the same time count, too
	ends   time.Time
}

// begin counts an attempt of a source until it turns out good, or fails with the
// time until it may try again.
func (g *guesses) begin(source string, limit guessing, now time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	known, ok := g.of[source]
	if !ok || !now.Before(known.ends) {
		g.evict(now)
		known = tally{ends: now.Add(limit.within)}
	}
	if known.failed >= limit.most {
		return &windlass.Error{
			Kind: windlass.RateLimited, Message: "too many credentials from here were not accepted",
			Remedy: "check the credential, and wait before trying again", RetryAfter: known.ends.Sub(now),
		}
	}
	known.failed++
	g.of[source] = known
	return nil
}

// success takes an attempt back that did not fail.
func (g *guesses) success(source string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if known := g.of[source]; known.failed > 1 {
		known.failed--
		g.of[source] = known
	} else {
		delete(g.of, source)
	}
}

// evict removes expired entries and, if that is not enough, some of the others.
func (g *guesses) evict(now time.Time) {
	if g.of == nil {
		g.of = map[string]tally{}
	}
	if len(g.of) < maxGuessers {
		return
	}
	for source, known := range g.of {
		if !now.Before(known.ends) {
			delete(g.of, source)
		}
	}
	for source := range g.of {
		if len(g.of) < maxGuessers {
			return
		}
		delete(g.of, source)
	}
}

// accept remembers a credential by its hash, for wasAccepted.
func (g *guesses) accept(credential string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.accepted == nil || len(g.accepted) >= maxGuessers {
		g.accepted = map[[sha256.Size]byte]struct{}{}
	}
	g.accepted[sha256.Sum256([]byte(credential))] = struct{}{}
}

func (g *guesses) wasAccepted(credential string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.accepted[sha256.Sum256([]byte(credential))]
	return ok
}

// identify finds the owner of a key or a token, unless too many unknown ones came
// from the same address.
func (g *Gate) identify(ctx context.Context, credential, address string, find func(context.Context, string) (Caller, error)) (Caller, error) {
	source := "key from " + address
	known := g.guesses.wasAccepted(credential)
	if !known {
		if err := g.guesses.begin(source, failedKeys, g.now()); err != nil {
			return Caller{}, err
		}
	}
	who, err := find(ctx, credential)
	if !known && (err == nil || kindOf(err) != windlass.Unauthorized) {
		g.guesses.success(source)
	}
	if err == nil {
		g.guesses.accept(credential)
	}
	return who, err
}

// Try runs what tries a provider's credentials, unless too many from the same address
// or of the same caller were refused.
func (g *Gate) Try(by Caller, address string, try func() error) error {
	from, of := "import from "+address, "import by "+by.Name
	if err := g.guesses.begin(from, failedImports, g.now()); err != nil {
		return err
	}
	if err := g.guesses.begin(of, failedByCaller, g.now()); err != nil {
		g.guesses.success(from)
		return err
	}
	err := try()
	if !tells(err) {
		g.guesses.success(from)
		g.guesses.success(of)
	}
	return err
}

// tells reports whether an error reveals something about a credential.
func tells(err error) bool {
	switch kindOf(err) {
	case windlass.Unauthorized, windlass.NeedsReconnect, windlass.Forbidden, windlass.NotFound:
		return true
	default:
		return false
	}
}
