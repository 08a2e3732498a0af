package auth

import (
	"crypto/sha256"
	"encoding/base64"
)

// proofKey is what RFC 7636 (PKCE) adds to a request for authorization. Atlassian's
// document does not mention it; what it means is the RFC's.
type proofKey struct {
	challenge string // "" is none
	method    string // S256, or plain, which is also what "" means
}

// proves reports whether a verifier is the one that the challenge was made of. One
// that is sent where there was no challenge is refused, too (RFC 9700, 2.1.1).
func (k proofKey) proves(verifier string) bool {
	if k.challenge == "" {
		return verifier == ""
	}
	if k.method == "S256" {
		sum := sha256.Sum256([]byte(verifier))
		verifier = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return verifier == k.challenge
}
