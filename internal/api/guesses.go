package api

import (
	"crypto/sha256"
	"net"
	"net/http"
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
func (a *API) identify(c *call, credential string, find func(*call, string) (caller, error)) (caller, error) {
	source := "key from " + addressOf(c.r)
	known := a.guesses.wasAccepted(credential)
	if !known {
		if err := a.guesses.begin(source, failedKeys, a.now()); err != nil {
			return caller{}, err
		}
	}
	who, err := find(c, credential)
	if !known && (err == nil || kindOf(err) != windlass.Unauthorized) {
		a.guesses.success(source)
	}
	if err == nil {
		a.guesses.accept(credential)
	}
	return who, err
}

// tryCredentials runs a check of a provider's credentials, unless too many from the
// same address or caller were refused.
func (a *API) tryCredentials(c *call, try func() error) error {
	address, by := "import from "+addressOf(c.r), "import by "+c.who.name
	if err := a.guesses.begin(address, failedImports, a.now()); err != nil {
		return err
	}
	if err := a.guesses.begin(by, failedByCaller, a.now()); err != nil {
		a.guesses.success(address)
		return err
	}
	err := try()
	switch kind := kindOf(err); {
	case err != nil && (kind == windlass.Unauthorized || kind == windlass.NeedsReconnect || kind == windlass.Forbidden || kind == windlass.NotFound):
		// Each of these reveals something about a credential.
	default:
		a.guesses.success(address)
		a.guesses.success(by)
	}
	return err
}

// addressOf is where a request came from; all of one IPv6 network are one.
func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	ip := net.ParseIP(host)
	if ip == nil || ip.To4() != nil {
		return host
	}
	const network = 64
	return ip.Mask(net.CIDRMask(network, 8*net.IPv6len)).String()
}
