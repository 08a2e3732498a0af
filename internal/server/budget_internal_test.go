package server

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"windlass"
	"windlass/internal/budget"
)

// Credentials that are being checked have no connection yet: each pays for itself,
// and none can use up what another needs.
func TestEachCredentialThatIsCheckedPaysForItself(t *testing.T) {
	t.Parallel()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(site.Close)
	config, err := Config{HourlyLimit: 2}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	b := newBudgets(&config, budget.NewMemory(), nil, []byte("secret"))
	send := func(token string) error {
		req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, site.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := b.base(windlass.Connection{ProjectID: "p"}, http.DefaultTransport).RoundTrip(req)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	for _, token := range []string{"a", "a", "b", "b"} {
		if err := send(token); err != nil {
			t.Errorf("%s: %v", token, err)
		}
	}
	var wait *budget.Wait
	if err := send("a"); !errors.As(err, &wait) {
		t.Errorf("the third request of one token ended with %v", err)
	}
}
