package webhook_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"windlass/webhook"
)

func TestNewSecretsDifferAndCanBeUsed(t *testing.T) {
	t.Parallel()
	one, other := webhook.NewSecret(), webhook.NewSecret()
	if one.Reveal() == other.Reveal() {
		t.Error("two new secrets are the same")
	}
	spaced := parse(t, " "+one.Reveal()+"\n")
	if webhook.Sign(spaced, id, sent, body) != webhook.Sign(parse(t, one.Reveal()), id, sent, body) {
		t.Error("spaces around a secret change its key")
	}
	if parse(t, one.Reveal()).IsZero() || webhook.Sign(webhook.Key{}, id, sent, body) != "" {
		t.Error("a key is taken for none, or none for a key")
	}
}

func TestSecretsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, says string }{
		{"nothing", "", "does not begin with whsec_"},
		{"without its prefix", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "does not begin with whsec_"},
		{"not base64", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS*", "is not base64"},
		{"cut short", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "is not base64"},
		{"too short", encode(make([]byte, 23)), "has 23 bytes instead of 24 to 64"},
		{"too long", encode(make([]byte, 65)), "has 65 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			key, err := webhook.ParseKey(test.text)
			if !errors.Is(err, webhook.ErrSecret) || !strings.Contains(err.Error(), test.says) || !key.IsZero() {
				t.Errorf("got %v and %v, want an error that says %q", key, err, test.says)
			}
			if test.text != "" && strings.Contains(err.Error(), strings.TrimPrefix(test.text, "whsec_")) {
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}

func TestKeyNeverShows(t *testing.T) {
	t.Parallel()
	plain := bytes.Repeat([]byte("SECRET"), 6)
	key := parse(t, encode(plain))
	var logged bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&logged, nil), slog.NewJSONHandler(&logged, nil)} {
		logger := slog.New(handler)
		const name = "key"
		logger.Info("alone", name, key)
		logger.Info("in a list", name, []webhook.Key{key})
		logger.Info("in a field", name, struct{ S webhook.Key }{key})
		logger.Info("in a field of our own", name, struct{ s webhook.Key }{key})
	}
	out, err := json.Marshal(map[string]any{"s": key})
	if err != nil {
		t.Fatal(err)
	}
	shown := logged.String() + string(out)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		shown += fmt.Sprintf(verb, key) + fmt.Sprintf(verb, []any{
			key, &key, struct{ S webhook.Key }{key}, struct{ s webhook.Key }{key}, &struct{ s webhook.Key }{key},
		})
	}
	for _, form := range []string{"SECRET", encode(plain)[len("whsec_"):], hex.EncodeToString(plain), strings.ToUpper(hex.EncodeToString(plain)), "83 69 67"} {
		if strings.Contains(shown, form) {
			t.Errorf("the secret shows as %q in:\n%s", form, shown)
		}
	}
	if !strings.Contains(shown, "whsec_•••") || (webhook.Key{}).String() != "no key" {
		t.Errorf("nothing says that there is a secret:\n%s", shown)
	}
}
