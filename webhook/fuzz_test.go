package webhook_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"windlass/webhook"
)

// Whatever the headers say, only what was signed is accepted, and everything
// else is refused with a reason.
func FuzzVerify(f *testing.F) {
	keys := []webhook.Key{newKey(f)}
	good, err := webhook.Headers(keys, id, sent, body)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(id, "1795500000", good.Get("Webhook-Signature"))
	f.Add("", "-1", "v1,")
	f.Add("a.b", "1e9", "v1 v1, v1,= v2,AAAA ,,")
	f.Fuzz(func(t *testing.T, someID, timestamp, signature string) {
		headers := http.Header{
			"Svix-Id": {someID}, "Svix-Timestamp": {timestamp}, "Svix-Signature": {signature},
		}
		message, err := webhook.Verify(keys, headers, body, sent)
		if err != nil {
			if failure, found := errors.AsType[*webhook.Error](err); !found || failure.Reason == nil || failure.Message == "" || failure.Remedy == "" {
				t.Errorf("got %#v", err)
			}
			return
		}
		if message.ID != id || !message.Sent.Equal(sent) || message.ID != someID {
			t.Errorf("accepted %+v with %q, %q, %q", message, someID, timestamp, signature)
		}
	})
}

func FuzzParseKey(f *testing.F) {
	f.Add(webhook.NewSecret().Reveal())
	f.Add("whsec_====")
	f.Fuzz(func(t *testing.T, secret string) {
		key, err := webhook.ParseKey(secret)
		if err != nil {
			return
		}
		headers, err := webhook.Headers([]webhook.Key{key}, id, sent, body)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := webhook.Verify([]webhook.Key{parse(t, strings.TrimSpace(secret))}, headers, body, sent); err != nil {
			t.Errorf("%q verifies not what it signed: %v", secret, err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	keys := []webhook.Key{newKey(b)}
	payload := make([]byte, 2000)
	headers, err := webhook.Headers(keys, id, sent, payload)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := webhook.Verify(keys, headers, payload, sent); err != nil {
			b.Fatal(err)
		}
	}
}
