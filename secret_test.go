package windlass_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"windlass"
)

func TestASecretIsNotSeen(t *testing.T) {
	t.Parallel()
	type holder struct {
		Token  windlass.Secret
		Nested *struct{ Token windlass.Secret }
	}
	secret := windlass.NewSecret("open sesame")
	held := holder{Token: secret, Nested: &struct{ Token windlass.Secret }{secret}}
	var log bytes.Buffer
	const secretKey, heldKey = "secret", "held"
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", secretKey, secret, heldKey, held)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", secretKey, secret, heldKey, held)
	marshaled, err := json.Marshal(held)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"logs": log.String(), "JSON": string(marshaled),
		"%v": fmt.Sprintf("%v", held), "%+v": fmt.Sprintf("%+v", held), "%#v": fmt.Sprintf("%#v", held),
		"%10s": fmt.Sprintf("%10s", secret), "%q": fmt.Sprintf("%q", secret), "%x": fmt.Sprintf("%x", secret),
	} {
		if strings.Contains(text, "sesame") || strings.Contains(text, fmt.Sprintf("%x", "open sesame")) {
			t.Errorf("%s shows %s", name, text)
		}
	}
	var read windlass.Secret
	if err := json.Unmarshal([]byte(`"open sesame"`), &read); err != nil || read.Reveal() != "open sesame" || read.IsZero() {
		t.Errorf("read back %q: %v", read.Reveal(), err)
	}
}

func TestKindsThatMayPass(t *testing.T) {
	t.Parallel()
	for kind, want := range map[windlass.Kind]bool{
		windlass.RateLimited: true, windlass.Unavailable: true, windlass.Malformed: true, windlass.Incomplete: true,
		windlass.Invalid: false, windlass.NotFound: false, windlass.NeedsReconnect: false, windlass.Internal: false,
	} {
		if kind.Temporary() != want || kind.Error() == "" {
			t.Errorf("%q may pass: %t, want %t", kind, kind.Temporary(), want)
		}
	}
}
