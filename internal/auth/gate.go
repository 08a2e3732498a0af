package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"

	"windlass"
)

// Keys finds the key that a credential is. One that is not known, or not active, is an
// error of kind windlass.Unauthorized.
type Keys interface {
	Authenticate(ctx context.Context, key string) (windlass.APIKey, error)
}

// JWTKeys finds the public key that a token names, whatever its project; windlass.NotFound
// when there is none.
type JWTKeys interface {
	JWTKey(ctx context.Context, id string) (windlass.JWTKey, error)
}

// A Gate lets the programs of a product and its customers' browsers in. It is safe for
// concurrent use.
type Gate struct {
	keys     Keys
	jwtKeys  JWTKeys
	operator windlass.Secret
	now      func() time.Time
	guesses  guesses
}

// NewGate makes a gate. The zero value of operator means that there is no such key; a
// nil clock is time.Now.
func NewGate(keys Keys, jwtKeys JWTKeys, operator windlass.Secret, now func() time.Time) *Gate {
	if now == nil {
		now = time.Now
	}
	return &Gate{keys: keys, jwtKeys: jwtKeys, operator: operator, now: now}
}

// Key finds the owner of an API key, unless too many unknown ones came from the same
// address.
func (g *Gate) Key(ctx context.Context, key, address string) (Caller, error) {
	return g.identify(ctx, key, address, g.byKey)
}

// Token finds the customer that a token speaks for, as Key does.
func (g *Gate) Token(ctx context.Context, token, address string) (Caller, error) {
	return g.identify(ctx, token, address, g.byToken)
}

// Refused is the error of a request whose credential is not accepted.
func Refused(message, remedy string) error {
	return &windlass.Error{Kind: windlass.Unauthorized, Message: message, Remedy: remedy}
}

func (g *Gate) byKey(ctx context.Context, key string) (Caller, error) {
	if !g.operator.IsZero() && subtle.ConstantTimeCompare([]byte(key), []byte(g.operator.Reveal())) == 1 {
		return Caller{Name: "operator", Access: Operator, Everywhere: true}, nil
	}
	found, err := g.keys.Authenticate(ctx, key)
	if err != nil {
		if kindOf(err) != windlass.Unauthorized {
			return Caller{}, fmt.Errorf("look the key up: %w", err)
		}
		return Caller{}, Refused("the key is not accepted", "check it: it may have been deleted or switched off")
	}
	who := Caller{Name: found.ID, Access: Browser, ProjectID: found.ProjectID}
	if slices.Contains(found.Scopes, "full") {
		who.Access = Server
	}
	return who, nil
}

// kindOf is the outermost kind that an error has; empty where it has none.
func kindOf(err error) windlass.Kind {
	kind, _ := errors.AsType[windlass.Kind](err)
	return kind
}
