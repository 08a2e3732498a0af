package webhook

import (
	"crypto/hmac"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Message is the id and the time of a verified message.
type Message struct {
	// ID is the same however often the message is delivered.
	ID string
	// Sent is the time of this attempt, to the second.
	Sent time.Time
}

// Verify checks the headers of a message against its body. The body must be the
// bytes that arrived. Of several keys, any may have signed it: give the old
// one, too, while it is being replaced.
//
// The error is an [*Error]. The time is checked last, so that [ErrTooOld] and
// [ErrTooNew] are returned only for genuine messages.
func Verify(keys []Key, headers http.Header, body []byte, now time.Time) (Message, error) {
	keys = slices.DeleteFunc(slices.Clone(keys), Key.IsZero)
	if len(keys) == 0 {
		return Message{}, noKey()
	}
	signed, err := readHeaders(headers)
	if err != nil {
		return Message{}, err
	}
	if !signed.fits(keys, body) {
		return Message{}, &Error{
			Reason: ErrMismatch, Header: signed.family + "-Signature",
			Message: fmt.Sprintf("none of the %d signatures of message %q matches", len(signed.signatures), signed.ID),
			Remedy:  "check that the secret is that of this destination, and that the body is verified as it arrived, before it is decoded",
		}
	}
	if err := signed.checkTime(now); err != nil {
		return Message{}, err
	}
	return signed.Message, nil
}

// signedHeaders are the three headers of a message, read.
type signedHeaders struct {
	Message
	family     string
	sent       string // as it was written
	signatures [][]byte
}

// readHeaders reads the three headers of the first family that is complete.
func readHeaders(headers http.Header) (signedHeaders, error) {
	var missing []string
	for _, family := range families {
		lacks := ""
		for _, name := range []string{family + "-Id", family + "-Timestamp", family + "-Signature"} {
			if strings.Join(headers.Values(name), "") == "" {
				lacks = name
				break
			}
		}
		if lacks == "" {
			return readFamily(headers, family)
		}
		missing = append(missing, lacks)
	}
	return signedHeaders{}, &Error{
		Reason: ErrMissing, Header: missing[0],
		Message: "the header " + strings.ToLower(strings.Join(missing, " or ")) + " is missing",
		Remedy:  "check that the sender signs its messages, and that no proxy removes headers",
	}
}

func readFamily(headers http.Header, family string) (signedHeaders, error) {
	out := signedHeaders{family: family}
	malformed := func(name, what, remedy string) (signedHeaders, error) {
		name = family + "-" + name
		return signedHeaders{}, &Error{
			Reason: ErrMalformed, Header: name, Message: "the header " + strings.ToLower(name) + " " + what, Remedy: remedy,
		}
	}
	for _, name := range []string{"Id", "Timestamp"} {
		if values := headers.Values(family + "-" + name); len(values) > 1 {
			return malformed(name, fmt.Sprintf("is there %d times", len(values)), "send it once")
		}
	}
	out.ID, out.sent = headers.Get(family+"-Id"), headers.Get(family+"-Timestamp")
	if !isID(out.ID) {
		return malformed("Id", "has characters that an id cannot have", "send up to 256 letters, digits, - and _")
	}
	seconds, err := strconv.ParseInt(out.sent, 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != out.sent {
		return malformed("Timestamp", "is no time", "send the seconds since 1970 as a whole number")
	}
	out.Sent = time.Unix(seconds, 0).UTC()
	out.signatures = readSignatures(strings.Join(headers.Values(family+"-Signature"), " "))
	if len(out.signatures) == 0 {
		return malformed("Signature", "holds no signature of the form "+version+",base64",
			"send one for each secret, separated by spaces; other versions are passed over")
	}
	return out, nil
}

// readSignatures returns the signatures of our version, and ignores everything else in
// the header: there may be other versions later.
func readSignatures(header string) [][]byte {
	var signatures [][]byte
	for token := range strings.FieldsSeq(header) {
		encoded, found := strings.CutPrefix(token, version+",")
		if !found {
			continue
		}
		if signature, err := base64.StdEncoding.DecodeString(encoded); err == nil && len(signature) > 0 {
			signatures = append(signatures, signature)
		}
	}
	return signatures
}

// fits reports whether one of the signatures was made with one of the keys.
// It compares all of them, so that the time it takes says nothing about which.
func (h signedHeaders) fits(keys []Key, body []byte) bool {
	fits := false
	for _, key := range keys {
		want := digest(key, h.ID, h.sent, body)
		for _, signature := range h.signatures {
			fits = hmac.Equal(signature, want) || fits
		}
	}
	return fits
}

func (h signedHeaders) checkTime(now time.Time) error {
	header := h.family + "-Timestamp"
	age := now.Sub(h.Sent)
	if age > Tolerance {
		return &Error{
			Reason: ErrTooOld, Header: header,
			Message: fmt.Sprintf("message %q was sent %s ago, more than %s", h.ID, age.Round(time.Second), Tolerance),
			Remedy:  "check this machine's clock; if it is right, the message was delayed or is being replayed",
		}
	}
	if age < -Tolerance {
		return &Error{
			Reason: ErrTooNew, Header: header,
			Message: fmt.Sprintf("message %q is dated %s in the future, more than %s", h.ID, (-age).Round(time.Second), Tolerance),
			Remedy:  "check this machine's clock, and the sender's",
		}
	}
	return nil
}
