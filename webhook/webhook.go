// Package webhook signs messages and verifies them, in the way that Svix and
// the Standard Webhooks specification (standardwebhooks.com) share.
//
// # What it promises
//
// A message that [Verify] accepts was signed with one of the given keys, is
// byte for byte what was signed, and was sent within [Tolerance] of now. It
// says of a message that it refuses what is wrong with it. Signatures are
// compared in constant time, and no error and no printed value shows a secret.
//
// # What to use
//
// A receiver makes its secret a key once, with [ParseKey], and calls Verify with
// the request's headers and the body exactly as it arrived: JSON that was
// decoded and encoded again has other bytes. A delivery is made at least once,
// so the receiver remembers [Message.ID] and skips what it has seen.
//
// A sender calls [Headers] for each attempt: the id stays the same, the time is
// that of the attempt. While a secret is being replaced it gives the new key and
// the old one, and receivers that know either accept the message.
package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Tolerance is how far the time of a message may be from that of its receiver.
const Tolerance = 5 * time.Minute

// version is the scheme of the signatures that we make and know: HMAC-SHA256
// with a shared secret.
const version = "v1"

// Sign returns one signature of a message, as in "v1,K5oZ…", the form in which
// the signature header holds it. The zero Key signs nothing: the result is
// empty.
func Sign(key Key, id string, sent time.Time, body []byte) string {
	if key.IsZero() {
		return ""
	}
	sum := digest(key, id, strconv.FormatInt(sent.Unix(), 10), body)
	return version + "," + base64.StdEncoding.EncodeToString(sum)
}

// Headers returns the headers of a message, signed with each of the keys:
// id, time and signatures, once under the names of Svix and once under those of
// Standard Webhooks. It fails when there is no key, or when the id could not
// be told from the rest of what is signed.
func Headers(keys []Key, id string, sent time.Time, body []byte) (http.Header, error) {
	if len(keys) == 0 {
		return nil, noKey()
	}
	if !isID(id) {
		return nil, &Error{
			Reason: ErrMalformed, Message: fmt.Sprintf("the id %q cannot be signed", id),
			Remedy: "use letters, digits, - and _ (a full stop would end it)",
		}
	}
	signatures := make([]string, 0, len(keys))
	for _, key := range keys {
		signature := Sign(key, id, sent, body)
		if signature == "" {
			return nil, noKey()
		}
		signatures = append(signatures, signature)
	}
	headers := make(http.Header, 2*len(families))
	for _, family := range families {
		headers.Set(family+"-Id", id)
		headers.Set(family+"-Timestamp", strconv.FormatInt(sent.Unix(), 10))
		headers.Set(family+"-Signature", strings.Join(signatures, " "))
	}
	return headers, nil
}

// families are the two prefixes of the same three headers.
var families = [...]string{"Webhook", "Svix"}

// digest computes what is signed. The time is taken as it was written, so that
// a receiver checks the sender's own bytes.
func digest(key Key, id, sent string, body []byte) []byte {
	mac := hmac.New(sha256.New, key.bytes())
	mac.Write([]byte(id + "." + sent + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

// isID reports whether an id is safe to sign: visible ASCII, and no full stop,
// behind which the time begins.
func isID(id string) bool {
	if id == "" || len(id) > 256 {
		return false
	}
	for _, char := range []byte(id) {
		if char <= ' ' || char > '~' || char == '.' {
			return false
		}
	}
	return true
}
