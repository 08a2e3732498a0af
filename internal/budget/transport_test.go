package budget_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"windlass/internal/budget"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type body struct {
	io.Reader
	closed bool
}

func (b *body) Close() error {
	b.closed = true
	return nil
}

func TestTheTransportPaysAndLearns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(budget.NewMemory(), nil)
		a := budget.Account{Key: "k", Limit: 100, Customer: "c"}
		sent, status := 0, http.StatusOK
		base := roundTrip(func(*http.Request) (*http.Response, error) {
			sent++
			return &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {"600"}}, Body: http.NoBody}, nil
		})
		client := &http.Client{Transport: b.Transport(base, a, budget.Interactive)}
		get := func(content io.Reader) error {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.example.com/", content)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(req)
			if err == nil {
				_ = resp.Body.Close()
			}
			return err
		}
		for range 3 {
			if err := get(nil); err != nil {
				t.Fatal(err)
			}
		}
		if states, err := b.State(t.Context()); err != nil || states[0].Used[budget.Interactive]-states[0].Leased[budget.Interactive] != 3 {
			t.Errorf("%v, %+v", err, states)
		}
		status = http.StatusTooManyRequests
		if err := get(nil); err != nil {
			t.Fatal(err) // a 429 is an answer, which the caller sees
		}
		content := &body{Reader: strings.NewReader("x")}
		err := get(content)
		var wait *budget.Wait
		if !errors.As(err, &wait) || wait.For != 10*time.Minute || sent != 4 || !content.closed {
			t.Errorf("%v after %d requests; the body is closed: %t", err, sent, content.closed)
		}
		if states, err := b.State(t.Context()); err != nil || !states[0].Blocked.Equal(time.Now().Add(10*time.Minute)) || states[0].Waiting[budget.Interactive] != 1 {
			t.Errorf("%v, %+v", err, states)
		}
		time.Sleep(10 * time.Minute)
		if err := get(nil); err != nil || sent != 5 {
			t.Errorf("%v after %d requests", err, sent)
		}
	})
}

func TestAcquireKeepsToTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(budget.NewMemory(), &budget.Options{Patience: time.Hour})
		a := budget.Account{Key: "k", Limit: 100, Customer: "c"}
		b.Learn(t.Context(), a, answer(http.StatusTooManyRequests, http.Header{"Retry-After": {"60"}}))
		start := time.Now()
		soon, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		var wait *budget.Wait
		if err := b.Acquire(soon, a, budget.Scheduled); !errors.As(err, &wait) || time.Since(start) != 0 {
			t.Errorf("with a deadline before there is anything: %v after %v", err, time.Since(start))
		}
		given, giveUp := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, giveUp)
		if err := b.Acquire(given, a, budget.Scheduled); !errors.Is(err, context.Canceled) {
			t.Errorf("given up: %v", err)
		}
		if err := b.Acquire(t.Context(), a, budget.Interactive); err != nil || time.Since(start) != time.Minute {
			t.Errorf("with patience: %v after %v", err, time.Since(start))
		}
		if err := b.Acquire(given, a, budget.Scheduled); !errors.Is(err, context.Canceled) {
			t.Errorf("given up before: %v", err)
		}
	})
}

// broken is a ledger whose database is away.
type broken struct{ budget.Ledger }

var errAway = errors.New("the database is away")

func (broken) Reserve(context.Context, []budget.Reservation) error { return errAway }

func TestWhatCannotBeCountedIsNotSent(t *testing.T) {
	t.Parallel()
	b := budget.New(broken{budget.NewMemory()}, nil)
	client := &http.Client{Transport: b.Transport(roundTrip(func(*http.Request) (*http.Response, error) {
		t.Error("a request was sent")
		return nil, errAway
	}), budget.Account{Key: "k"}, budget.Interactive)}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	var outer *url.Error
	if !errors.Is(err, errAway) || !errors.As(err, &outer) {
		t.Errorf("%v", err)
	}
}

func TestUnspentRequestsGoBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		ledger := budget.NewMemory()
		b, other := running(ctx, ledger), budget.New(ledger, nil)
		a := budget.Account{Key: "k", Customer: "c"}
		used := func() int {
			states, err := other.State(t.Context())
			if err != nil || len(states) != 1 {
				t.Fatal(states, err)
			}
			return states[0].Used[budget.Scheduled]
		}
		spend(t, other, a, budget.Interactive, 1)
		spend(t, b, a, budget.Scheduled, 1)
		if n := used(); n != 1 {
			t.Errorf("%d are booked for one request", n)
		}
		spend(t, b, a, budget.Scheduled, 1)
		if n := used(); n != 4 {
			t.Errorf("%d are booked for two requests", n)
		}
		time.Sleep(25 * time.Second)
		if n := used(); n != 2 {
			t.Errorf("%d are booked after a while", n)
		}
		spend(t, b, a, budget.Scheduled, 1)
		stop()
		synctest.Wait()
		if n := used(); n != 3 {
			t.Errorf("%d are booked after the end", n)
		}
	})
}
