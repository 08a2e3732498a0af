package budget_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"windlass/internal/budget"
)

// answer is one of the provider's.
func answer(status int, header http.Header) *http.Response {
	return &http.Response{StatusCode: status, Header: header}
}

// provider counts requests as Bitbucket does: a rolling hour per key.
type provider struct {
	mu    sync.Mutex
	times []time.Time
	kinds map[string]int
}

func (p *provider) request(kind string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kinds == nil {
		p.kinds = map[string]int{}
	}
	p.times = append(p.times, time.Now())
	p.kinds[kind]++
}

// most is the largest number of requests in any hour.
func (p *provider) most() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	slices.SortFunc(p.times, time.Time.Compare)
	most, first := 0, 0
	for i, at := range p.times {
		for at.Sub(p.times[first]) >= time.Hour {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

func (p *provider) count(kind string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.kinds[kind]
}

// between counts the requests of a time.
func (p *provider) between(from, to time.Time) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, at := range p.times {
		if !at.Before(from) && at.Before(to) {
			n++
		}
	}
	return n
}

// job makes one request as a job does: it sleeps when it is told to wait.
func job(ctx context.Context, t *testing.T, b *budget.Budget, a budget.Account, class budget.Class) bool {
	t.Helper()
	for {
		err := b.Acquire(ctx, a, class)
		var wait *budget.Wait
		switch {
		case err == nil:
			return true
		case ctx.Err() != nil:
			return false
		case !errors.As(err, &wait):
			t.Error(err)
			return false
		}
		select {
		case <-time.After(time.Until(wait.Until)):
		case <-ctx.Done():
			return false
		}
	}
}

// running starts a budget on a ledger, until ctx ends.
func running(ctx context.Context, ledger budget.Ledger) *budget.Budget {
	b := budget.New(ledger, nil)
	go func() { _ = b.Run(ctx) }()
	return b
}
