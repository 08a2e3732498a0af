package webhook_test

import (
	"net/http"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"windlass"
	"windlass/webhook"
)

// The published library and ours understand each other, in both directions.
func TestPublishedLibraryVerifiesWhatWeSign(t *testing.T) {
	t.Parallel()
	now := time.Now() // the library has a clock of its own
	secret := webhook.NewSecret()
	key := parse(t, secret.Reveal())
	for name, keys := range map[string][]webhook.Key{
		"with one secret": {key}, "while it replaces an old one": {newKey(t), key},
	} {
		for _, payload := range [][]byte{body, {}, []byte("\x00\xff.1.2")} {
			headers, err := webhook.Headers(keys, id, now, payload)
			if err != nil {
				t.Fatal(err)
			}
			if err := published(t, secret).Verify(payload, headers); err != nil {
				t.Errorf("%s, body %q: %v", name, payload, err)
			}
			if published(t, webhook.NewSecret()).Verify(payload, headers) == nil {
				t.Errorf("%s, body %q: a strange secret fits", name, payload)
			}
		}
	}
}

func TestWeVerifyWhatThePublishedLibrarySigns(t *testing.T) {
	t.Parallel()
	secret := webhook.NewSecret()
	key := parse(t, secret.Reveal())
	for _, payload := range [][]byte{body, {}, []byte("\x00\xff.1.2")} {
		signature, err := published(t, secret).Sign(id, sent, payload)
		if err != nil {
			t.Fatal(err)
		}
		if ours := webhook.Sign(key, id, sent, payload); ours != signature {
			t.Errorf("body %q: we sign %s, the library %s", payload, ours, signature)
		}
		headers := http.Header{}
		headers.Set(standardwebhooks.HeaderWebhookID, id)
		headers.Set(standardwebhooks.HeaderWebhookTimestamp, "1795500000")
		headers.Set(standardwebhooks.HeaderWebhookSignature, signature)
		if _, err := webhook.Verify([]webhook.Key{key}, headers, payload, sent); err != nil {
			t.Errorf("body %q: %v", payload, err)
		}
	}
}

func published(t *testing.T, secret windlass.Secret) *standardwebhooks.Webhook {
	t.Helper()
	library, err := standardwebhooks.NewWebhook(secret.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return library
}
