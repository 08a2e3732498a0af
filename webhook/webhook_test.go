package webhook_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/webhook"
)

var (
	sent = time.Date(2026, time.November, 24, 6, 0, 0, 0, time.UTC)
	body = []byte(`{"action":"read","result":[{"name":"café"}]}`)
)

const id = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"

// The example that the published libraries share.
func TestSignatureOfThePublishedExample(t *testing.T) {
	t.Parallel()
	key := parse(t, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	got := webhook.Sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	ours, old, strange := newKey(t), newKey(t), newKey(t)
	for _, test := range []struct {
		name   string
		signed []webhook.Key
		keys   []webhook.Key
		change func(http.Header)
		now    time.Time
		want   error // nil: accepted
		says   string
	}{
		{name: "a good message is accepted"},
		{name: "with Svix headers alone", change: drop("Webhook-Id", "Webhook-Timestamp", "Webhook-Signature")},
		{name: "with Standard Webhooks headers alone", change: drop("Svix-Id", "Svix-Timestamp", "Svix-Signature")},
		{name: "with one family cut short", change: drop("Webhook-Timestamp")},
		{name: "signed with new and old by one who knows the old", signed: []webhook.Key{ours, old}, keys: []webhook.Key{old}},
		{name: "signed with the old by one who knows both", signed: []webhook.Key{old}, keys: []webhook.Key{ours, old}},
		{name: "among signatures of other versions", change: func(h http.Header) {
			h.Set("Webhook-Signature", "v1a,AAAA  v2,x "+h.Get("Webhook-Signature")+" v1,notours v1,AAAA")
		}},
		{name: "signatures on two lines", change: func(h http.Header) {
			h["Webhook-Signature"] = []string{"v1,AAAA", h.Get("Webhook-Signature")}
		}},
		{name: "as old as is tolerated", now: sent.Add(webhook.Tolerance)},
		{name: "as new as is tolerated", now: sent.Add(-webhook.Tolerance)},

		{name: "another secret", keys: []webhook.Key{strange}, want: webhook.ErrMismatch, says: "none of the 1 signatures of message"},
		{name: "another id", change: set("Webhook-Id", "msg_other"), want: webhook.ErrMismatch},
		{name: "another time", change: set("Webhook-Timestamp", "1795500001"), want: webhook.ErrMismatch},
		{name: "half a signature", change: func(h http.Header) {
			h.Set("Webhook-Signature", h.Get("Webhook-Signature")[:23])
		}, want: webhook.ErrMismatch},
		{name: "too old", now: sent.Add(webhook.Tolerance + time.Second), want: webhook.ErrTooOld, says: "was sent 5m1s ago, more than 5m0s"},
		{name: "too new", now: sent.Add(-webhook.Tolerance - time.Second), want: webhook.ErrTooNew, says: "is dated 5m1s in the future"},
		{name: "too old and forged is forged", now: sent.Add(time.Hour), keys: []webhook.Key{strange}, want: webhook.ErrMismatch},
		{name: "no headers at all", change: func(h http.Header) { clear(h) }, want: webhook.ErrMissing, says: "the header webhook-id or svix-id is missing"},
		{name: "no signature", change: drop("Webhook-Signature", "Svix-Signature"), want: webhook.ErrMissing, says: "webhook-signature or svix-signature"},
		{name: "an empty header", change: func(h http.Header) {
			h.Set("Webhook-Id", "")
			h.Set("Svix-Id", "")
		}, want: webhook.ErrMissing},
		{name: "a time that is none", change: set("Webhook-Timestamp", "yesterday"), want: webhook.ErrMalformed, says: "the header webhook-timestamp is no time"},
		{name: "a time in another spelling", change: set("Webhook-Timestamp", "+1795500000"), want: webhook.ErrMalformed},
		{name: "a time beyond all time", change: set("Webhook-Timestamp", "99999999999999999999"), want: webhook.ErrMalformed},
		{name: "two times", change: func(h http.Header) { h.Add("Webhook-Timestamp", "1") }, want: webhook.ErrMalformed, says: "is there 2 times"},
		{name: "an id with a full stop", change: set("Webhook-Id", "a.1"), want: webhook.ErrMalformed},
		{name: "a signature without a version", change: func(h http.Header) {
			h.Set("Webhook-Signature", strings.TrimPrefix(h.Get("Webhook-Signature"), "v1,"))
		}, want: webhook.ErrMalformed, says: "holds no signature of the form v1,base64"},
		{name: "no secret to verify with", keys: []webhook.Key{{}}, want: webhook.ErrSecret, says: "there is no secret"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			headers := sign(t, orElse(test.signed, ours))
			if test.change != nil {
				test.change(headers)
			}
			now := test.now
			if now.IsZero() {
				now = sent.Add(time.Second)
			}
			message, err := webhook.Verify(orElse(test.keys, ours), headers, body, now)
			if !errors.Is(err, test.want) || test.want != nil && !strings.Contains(err.Error(), test.says) {
				t.Fatalf("got %v, want %v that says %q", err, test.want, test.says)
			}
			if err == nil && (message.ID != id || !message.Sent.Equal(sent)) {
				t.Errorf("got %+v", message)
			}
		})
	}
}

func TestChangedBodyIsRefused(t *testing.T) {
	t.Parallel()
	keys := []webhook.Key{newKey(t)}
	headers := sign(t, keys)
	for i := range body {
		changed := append([]byte{}, body...)
		changed[i] ^= 1
		if _, err := webhook.Verify(keys, headers, changed, sent); !errors.Is(err, windlass.Unauthorized) {
			t.Fatalf("byte %d: got %v", i, err)
		}
	}
}

func TestKindsOfErrors(t *testing.T) {
	t.Parallel()
	keys := []webhook.Key{newKey(t)}
	if _, err := webhook.Verify(keys, http.Header{}, body, sent); !errors.Is(err, windlass.Invalid) {
		t.Errorf("without headers: %v", err)
	}
	_, err := webhook.Verify(keys, sign(t, keys), body, sent.Add(time.Hour))
	if failure, found := errors.AsType[*webhook.Error](err); !errors.Is(err, windlass.Unauthorized) || !found || failure.Header != "Webhook-Timestamp" {
		t.Errorf("too late: %v", err)
	}
}

func TestWhatCannotBeSigned(t *testing.T) {
	t.Parallel()
	good := []webhook.Key{newKey(t)}
	for _, test := range []struct {
		name string
		keys []webhook.Key
		id   string
		want error
	}{
		{"nothing to sign with", nil, id, webhook.ErrSecret},
		{"an empty secret", []webhook.Key{good[0], {}}, id, webhook.ErrSecret},
		{"no id", good, "", webhook.ErrMalformed},
		{"an id with a full stop", good, "a.b", webhook.ErrMalformed},
		{"an id with a line break", good, "a\r\nb: c", webhook.ErrMalformed},
		{"an id without end", good, strings.Repeat("x", 257), webhook.ErrMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if headers, err := webhook.Headers(test.keys, test.id, sent, body); !errors.Is(err, test.want) || headers != nil {
				t.Errorf("got %v and %v, want %v", headers, err, test.want)
			}
		})
	}
}

func sign(t *testing.T, keys []webhook.Key) http.Header {
	t.Helper()
	headers, err := webhook.Headers(keys, id, sent, body)
	if err != nil {
		t.Fatal(err)
	}
	return headers
}

func parse(tb testing.TB, secret string) webhook.Key {
	tb.Helper()
	key, err := webhook.ParseKey(secret)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func newKey(tb testing.TB) webhook.Key {
	tb.Helper()
	return parse(tb, webhook.NewSecret().Reveal())
}

func orElse(keys []webhook.Key, other webhook.Key) []webhook.Key {
	if keys == nil {
		return []webhook.Key{other}
	}
	return keys
}

func drop(names ...string) func(http.Header) {
	return func(h http.Header) {
		for _, name := range names {
			h.Del(name)
		}
	}
}

func set(name, value string) func(http.Header) {
	return func(h http.Header) { h.Set(name, value) }
}

func encode(key []byte) string { return "whsec_" + base64.StdEncoding.EncodeToString(key) }
