package auth

import (
	"fmt"
	"time"
)

// bearer is what an OAuth access token stands for.
type bearer struct {
	principal Principal
	expires   time.Time
}

// refresh is what a refresh token stands for.
type refresh struct {
	consumer, user string
	renewed        time.Time // made, or with FixedRefresh last used
	used           time.Time // first used; zero if not yet
}

func (r refresh) dead(o Options, now time.Time) bool {
	if !r.used.IsZero() {
		return !now.Before(r.used.Add(o.RefreshGrace))
	}
	return !now.Before(r.renewed.Add(o.RefreshLifetime))
}

// Token is a set of tokens as the token endpoint hands them out.
type Token struct {
	AccessToken  string
	RefreshToken string // "" when the grant gives none
	ExpiresIn    time.Duration
	Scopes       []string
}

// Issue gives tokens as if the user had just consented to the consumer.
func (a *Authority) Issue(consumer, userUUID string) (Token, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, ok := a.consumers[consumer]
	if !ok {
		return Token{}, fmt.Errorf("no consumer %q", consumer)
	}
	if _, ok := a.users[userUUID]; !ok {
		return Token{}, fmt.Errorf("no user %q", userUUID)
	}
	return a.issue(c.principal(OAuth, userUUID), true), nil
}

func (c Consumer) principal(kind Kind, user string) Principal {
	return Principal{Kind: kind, UserUUID: user, Consumer: c.Key, Scopes: c.Scopes, LimitKey: "consumer:" + c.Key}
}

// issue makes an access token and, if it may be refreshed, a refresh token. The
// caller holds the lock.
func (a *Authority) issue(p Principal, refreshable bool) Token {
	now := a.options.Now()
	a.sweep(now)
	t := Token{AccessToken: a.newSecret("access", a.options.TokenSize), ExpiresIn: a.options.TokenLifetime, Scopes: p.Scopes}
	a.bearers[digestOf(t.AccessToken)] = bearer{principal: p, expires: now.Add(a.options.TokenLifetime)}
	if refreshable {
		t.RefreshToken = a.newSecret("refresh", 43)
		a.refresh[digestOf(t.RefreshToken)] = refresh{consumer: p.Consumer, user: p.UserUUID, renewed: now}
	}
	return t
}

// exchange turns a refresh token into fresh tokens, if it is one of the
// consumer's and alive. A used one still works within its grace and yields
// another pair; pairs given before stay good. The caller holds the lock.
func (a *Authority) exchange(c Consumer, token string) (Token, bool) {
	now, key := a.options.Now(), digestOf(token)
	r, ok := a.refresh[key]
	if !ok || r.consumer != c.Key || r.dead(a.options, now) {
		return Token{}, false
	}
	p := c.principal(OAuth, r.user)
	if a.options.FixedRefresh {
		r.renewed = now
		a.refresh[key] = r
		t := a.issue(p, false)
		t.RefreshToken = token
		return t, true
	}
	if r.used.IsZero() {
		r.used = now
		a.refresh[key] = r
	}
	return a.issue(p, true), true
}

// Revoke withdraws a user's consent to a consumer, as the user can in the
// settings: every token of the two dies at once. It returns how many did.
func (a *Authority) Revoke(userUUID, consumer string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	revoked := 0
	for key, b := range a.bearers {
		if b.principal.UserUUID == userUUID && b.principal.Consumer == consumer {
			delete(a.bearers, key)
			revoked++
		}
	}
	for key, r := range a.refresh {
		if r.user == userUUID && r.consumer == consumer {
			delete(a.refresh, key)
			revoked++
		}
	}
	for key, c := range a.codes {
		if c.user == userUUID && c.consumer == consumer {
			delete(a.codes, key)
			revoked++
		}
	}
	return revoked
}

// TokenRequests is how many requests the token endpoint has had, good and bad.
func (a *Authority) TokenRequests() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.requests
}

const (
	sweepEvery = time.Minute
	// remembered is how long an expired access token is still told apart from one
	// that never was.
	remembered = time.Hour
)

// sweep throws away what can no longer matter, so that a long run does not grow.
// The caller holds the lock.
func (a *Authority) sweep(now time.Time) {
	if now.Sub(a.swept) < sweepEvery {
		return
	}
	a.swept = now
	for key, b := range a.bearers {
		if expired(b.expires.Add(remembered), now) {
			delete(a.bearers, key)
		}
	}
	for key, r := range a.refresh {
		if r.dead(a.options, now) {
			delete(a.refresh, key)
		}
	}
	for key, c := range a.codes {
		if expired(c.expires, now) {
			delete(a.codes, key)
		}
	}
	for key, s := range a.sessions {
		if expired(s.expires, now) {
			delete(a.sessions, key)
		}
	}
}
