package connect

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"windlass"
	"windlass/internal/origin"
)

// A consent is known by a ticket: 256 random bits, when it ends, and the origin of
// the page that is to be told. The ticket is in the URL of our own page and, with 256
// random bits of the browser's own, in that browser's cookie. The state and the proof
// key, which the provider sees, are derived from both, so that a consent can be
// finished only in the browser that went on with it. Only the ticket's hash is stored:
// a reader of the database cannot finish one either.
//
// The end and the origin can be read from a ticket or a state that is not stored
// any more. Then they may be forged: they are only used to explain the failure.
const (
	ticketParts = 3 // secret, end, origin
	stateParts  = 4 // hash of the ticket, proof, end, origin
	numberBase  = 36
	keyLength   = 16
)

func newTicket(ends time.Time, from string) string {
	return secret() + tail(ends, from)
}

func tail(ends time.Time, from string) string {
	if from == "" {
		return "." + strconv.FormatInt(ends.Unix(), numberBase) + ".0" // an address that ends in a dot loses it
	}
	return "." + strconv.FormatInt(ends.Unix(), numberBase) + "." + base64.RawURLEncoding.EncodeToString([]byte(from))
}

// KeyOfTicket names the cookie of a consent by its ticket; empty when it is none.
func KeyOfTicket(ticket string) string {
	if strings.Count(ticket, ".") != ticketParts-1 {
		return ""
	}
	return hashed(ticket)[:keyLength]
}

// KeyOfState names the same cookie by the state that a provider sent back.
func KeyOfState(state string) string {
	hash, ok := hashOf(state)
	if !ok {
		return ""
	}
	return hash[:keyLength]
}

// hashOf returns the hash of the ticket that a state belongs to.
func hashOf(state string) (hash string, ok bool) {
	parts := strings.Split(state, ".")
	if len(parts) != stateParts || len(parts[0]) != 2*sha256.Size || strings.Trim(parts[0], "0123456789abcdef") != "" {
		return "", false
	}
	return parts[0], true
}

// endOf returns when a ticket or a state says that it ends.
func endOf(text string) time.Time {
	parts := strings.Split(text, ".")
	if len(parts) < ticketParts {
		return time.Time{}
	}
	seconds, err := strconv.ParseInt(parts[len(parts)-2], numberBase, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

// originOf returns the origin that a ticket or a state says is to be told.
func originOf(text string) string {
	parts := strings.Split(text, ".")
	from, err := base64.RawURLEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(parts) < ticketParts || !origin.Is(string(from)) {
		return ""
	}
	return string(from)
}

// browser is what a browser keeps for one consent.
type browser struct{ secret, ticket string }

// browserFor reads what a browser has kept for a ticket, or makes something new.
func browserFor(ticket string, kept windlass.Secret) browser {
	if known, ok := readBrowser(kept); ok && known.ticket == ticket {
		return known
	}
	return browser{secret: secret(), ticket: ticket}
}

func readBrowser(kept windlass.Secret) (browser, bool) {
	own, ticket, ok := strings.Cut(kept.Reveal(), ".")
	return browser{secret: own, ticket: ticket}, ok && len(own) == base64.RawURLEncoding.EncodedLen(sha256.Size)
}

func (b browser) keep() windlass.Secret { return windlass.NewSecret(b.secret + "." + b.ticket) }

// proof derives a value for one purpose from a browser's secret and its ticket.
func (b browser) proof(purpose string) string {
	mac := hmac.New(sha256.New, []byte(b.secret))
	mac.Write([]byte(purpose + " " + b.ticket))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (b browser) confirmation() string      { return b.proof("confirm") }
func (b browser) verifier() windlass.Secret { return windlass.NewSecret(b.proof("verifier")) }

func (b browser) state() string {
	_, rest, _ := strings.Cut(b.ticket, ".")
	return hashed(b.ticket) + "." + b.proof("state") + "." + rest
}

// secret returns 256 random bits in letters, digits, - and _.
func secret() string {
	var bits [32]byte
	_, _ = rand.Read(bits[:]) // it never fails: the program ends instead
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

// hashed is the hash that is stored of a secret. Without salt: 256 random bits need none.
func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
