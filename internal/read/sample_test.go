package read_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"windlass"
	"windlass/connector"
	"windlass/internal/read"
)

func TestASampleReadsOneRecordAndKeepsNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.provider.fill(250, 0)
		w.install(configOf(""))
		w.outbox.clear()
		asked := w.provider.asked()
		w.provider.before = func(req connector.ReadRequest) error {
			if req.PageSize != 1 || req.Cursor != "" {
				t.Errorf("asked for %+v", req)
			}
			return nil
		}
		w.must(w.flow.Sample(ctx, w.installation, "repositories"))
		if w.provider.asked() != asked+1 || len(w.outbox.all("batch")) > 0 || w.count() != 1 {
			t.Fatal("a sample left something behind")
		}
		for _, kind := range []windlass.Kind{windlass.Invalid, windlass.RateLimited, windlass.Unauthorized, windlass.Unavailable} {
			w.provider.before = func(connector.ReadRequest) error {
				return &windlass.Error{Kind: kind, Message: "no", Provider: &windlass.ProviderDetails{}}
			}
			if err := w.flow.Sample(ctx, w.installation, "repositories"); !errors.Is(err, kind) {
				t.Fatalf("got %v, want %s", err, kind)
			}
		}
		w.installation.Config.Content = json.RawMessage(strings.Replace(string(configOf("")), `"full_name"`, `"$['a"`, 1))
		if err := w.flow.Sample(ctx, w.installation, "repositories"); !errors.Is(err, windlass.Invalid) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestNewSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	if _, err := read.New(read.Config{}); !errors.Is(err, windlass.Invalid) {
		t.Fatal(err)
	}
}
