package api_test

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"windlass"
)

// A frontend key is in every page: who has it tries other people's credentials.
func TestGuessingOfProvidersCredentials(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		try  func(w *world, connection string, i int) answer
	}{
		{"by making connections", func(w *world, _ string, i int) answer {
			return w.do(request{method: "POST", path: w.in("/connections:generate"), key: w.frontend, body: map[string]any{
				"provider": "bitbucket", "groupRef": "attacker", "consumerRef": "me", "providerWorkspaceRef": "acme",
				"basicAuth": map[string]any{"username": "victim@example.com", "password": fmt.Sprintf("guess-%d", i)},
			}})
		}},
		{"by changing one", func(w *world, connection string, i int) answer {
			return w.do(request{method: "PATCH", path: w.in("/connections/" + connection), key: w.frontend, body: map[string]any{
				"updateMask": []string{"basicAuth"},
				"connection": map[string]any{"basicAuth": map[string]any{"username": "victim@example.com", "password": fmt.Sprintf("guess-%d", i)}},
			}})
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			connection := w.connected("attacker", "me")
			w.provider.check = &windlass.Error{Kind: windlass.Unauthorized, Provider: &windlass.ProviderDetails{Status: 401}, Message: "no"}
			var seen, stopped atomic.Int64
			var all sync.WaitGroup
			for i := range 60 {
				all.Go(func() {
					got := row.try(w, connection, i)
					switch got.status {
					case 422:
						seen.Add(1)
					case 429:
						stopped.Add(1)
						if wait, err := strconv.Atoi(got.header.Get("Retry-After")); err != nil || wait < 1 || wait > 600 {
							t.Errorf("wait for %q", got.header.Get("Retry-After"))
						}
					default:
						t.Errorf("answered %d: %s", got.status, got.body)
					}
				})
			}
			all.Wait()
			if seen.Load() != 10 || stopped.Load() != 50 {
				t.Errorf("%d guesses were tried and %d were not, want 10 and 50", seen.Load(), stopped.Load())
			}
			// The right one is no better: it would tell.
			w.provider.check = nil
			row.try(w, connection, 0).problem(429, "rate-limited")
			w.clock.pass(10 * time.Minute)
			if got := row.try(w, connection, 0); got.status != 201 && got.status != 200 {
				t.Errorf("afterwards %d: %s", got.status, got.body)
			}
		})
	}
}

// Imports that succeed, and failures that tell nothing of a credential, cost
// nothing.
func TestImportsThatAreNoGuesses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := func(i int) map[string]any {
		return map[string]any{
			"provider": "bitbucket", "groupRef": fmt.Sprintf("g-%d", i), "consumerRef": "me", "providerWorkspaceRef": "acme",
			"basicAuth": map[string]any{"username": "a@example.com", "password": "good"},
		}
	}
	for i := range 15 {
		w.send("POST", w.in("/connections:generate"), body(i)).is(201)
	}
	w.provider.check = &windlass.Error{Kind: windlass.Unavailable, Provider: &windlass.ProviderDetails{Status: 503}, Message: "down"}
	for i := range 15 {
		w.send("POST", w.in("/connections:generate"), body(i)).is(503)
	}
	w.provider.check = nil
	w.send("POST", w.in("/connections:generate"), body(0)).is(201)
}

// Unknown keys and tokens are refused without a look-up after a while; the ones that
// were accepted before are let in from the same address, as behind one proxy.
func TestGuessingOfKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := "Bearer " + w.signer().sign(t, nil)
	w.get(w.in("")).is(200)
	w.do(request{method: "GET", path: w.in(""), key: noKey, header: map[string]string{"Authorization": token}}).is(200)
	newcomer := w.newKey(w.project, "full")
	unseen := 0
	for i := range 100 {
		guess := request{method: "GET", path: w.in(""), key: fmt.Sprintf("wlk_abc_%d", i)}
		if i%2 == 1 {
			guess.key, guess.header = noKey, map[string]string{"Authorization": fmt.Sprintf("Bearer a.b.%d", i)}
		}
		switch got := w.do(guess); got.status {
		case 401:
		case 429:
			unseen++
			if got.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		default:
			t.Errorf("answered %d", got.status)
		}
	}
	if unseen != 40 {
		t.Errorf("%d guesses were refused unseen, want 40", unseen)
	}
	w.do(request{method: "GET", path: w.in(""), key: newcomer}).is(429)
	w.get(w.in("")).is(200)
	w.do(request{method: "GET", path: w.in(""), key: noKey, header: map[string]string{"Authorization": token}}).is(200)
	w.clock.pass(time.Minute)
	w.do(request{method: "GET", path: w.in(""), key: newcomer}).is(200)
}
