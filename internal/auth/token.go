package auth

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"windlass"
)

const (
	// maxTokenLife bounds the life of a token: it passes through browsers and cannot be
	// revoked.
	maxTokenLife = 10 * time.Minute
	// clockSkew is the tolerance for the clocks of a product's servers.
	clockSkew = 10 * time.Second
)

// tokenClaims are a product's claims about its own customer.
type tokenClaims struct {
	jwt.RegisteredClaims
	GroupRef    string `json:"groupRef"`
	ConsumerRef string `json:"consumerRef"`
}

// Validate adds to what the library checks: whom the token is for, and for how
// long.
func (t *tokenClaims) Validate() error {
	switch {
	case t.Subject == "" || t.GroupRef == "" || t.ConsumerRef == "":
		return errors.New("it lacks sub, groupRef or consumerRef")
	case !printable(t.GroupRef) || !printable(t.ConsumerRef):
		return errors.New("its groupRef or consumerRef is not a string")
	case t.IssuedAt == nil || t.ExpiresAt == nil:
		return errors.New("it lacks iat or exp")
	case t.ExpiresAt.Sub(t.IssuedAt.Time) > maxTokenLife:
		return fmt.Errorf("it is valid for longer than %s", maxTokenLife)
	default:
		return nil
	}
}

// byToken verifies a token by the public key that it names. Only RS256 is
// accepted, whatever the token's header asks for: a token that is not signed, or
// signed with the public key as if that were a shared secret, is refused before
// any key is looked up.
func (g *Gate) byToken(ctx context.Context, token string) (Caller, error) {
	var claims tokenClaims
	var signer windlass.JWTKey
	var lookup error
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodRS256.Alg()}),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(clockSkew), jwt.WithTimeFunc(g.now),
	)
	_, err := parser.ParseWithClaims(token, &claims, func(t *jwt.Token) (any, error) {
		var key *rsa.PublicKey
		signer, key, lookup = g.verifier(ctx, t)
		return key, lookup
	})
	if lookup != nil && kindOf(lookup) != windlass.Unauthorized {
		return Caller{}, fmt.Errorf("look the token's key up: %w", lookup)
	}
	if err != nil {
		return Caller{}, Refused("the token is not accepted: "+refusalReason(err), "sign a new one: RS256, "+
			"kid in its header, sub, groupRef, consumerRef, iat and exp in its claims, at most ten minutes long")
	}
	return Caller{
		Name: "token of key " + signer.ID, Access: Person, ProjectID: signer.ProjectID,
		GroupRef: claims.GroupRef, ConsumerRef: claims.ConsumerRef,
	}, nil
}

// verifier finds the key that a token names.
func (g *Gate) verifier(ctx context.Context, t *jwt.Token) (windlass.JWTKey, *rsa.PublicKey, error) {
	if _, found := t.Header["crit"]; found { // RFC 7515, 4.1.11: its extensions are not known here
		return windlass.JWTKey{}, nil, Refused("its header asks for extensions, and none is known here", "")
	}
	kid, _ := t.Header["kid"].(string)
	if kid == "" || !printable(kid) {
		return windlass.JWTKey{}, nil, Refused("its header has no kid", "")
	}
	found, err := g.jwtKeys.JWTKey(ctx, kid)
	switch {
	case kindOf(err) == windlass.NotFound, err == nil && !found.Active:
		return windlass.JWTKey{}, nil, Refused("its kid names no key that is active", "")
	case err != nil:
		return windlass.JWTKey{}, nil, err
	}
	key, err := jwt.ParseRSAPublicKeyFromPEM([]byte(found.PublicKeyPEM))
	if err != nil {
		return windlass.JWTKey{}, nil, Refused("its kid names a key that cannot be read", "")
	}
	return found, key, nil
}

// refusalReason picks the reason out of the library's errors, in words that help and
// repeat nothing of the token.
func refusalReason(err error) string {
	if failure, ok := windlass.Own(err); ok {
		return failure.Message
	}
	switch {
	case errors.Is(err, jwt.ErrTokenMalformed):
		return "it is not a JWT"
	case errors.Is(err, jwt.ErrTokenExpired):
		return "it has expired"
	case errors.Is(err, jwt.ErrTokenUsedBeforeIssued), errors.Is(err, jwt.ErrTokenNotValidYet):
		return "it was issued in the future: compare the clocks"
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return "its signature is not RS256, or not of the key that it names"
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return "it lacks exp"
	case errors.Is(err, jwt.ErrTokenInvalidClaims):
		return "its claims are not valid: sub, groupRef, consumerRef, iat and exp are required, and exp is at most ten minutes after iat"
	default:
		return "it cannot be read"
	}
}

// printable reports whether a text is one that a database can hold.
func printable(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
