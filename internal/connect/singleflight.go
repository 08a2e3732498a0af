package connect

import (
	"context"
	"sync"
	"time"

	"windlass"
)

// singleflight lets one goroutine of this process at a time refresh a connection,
// and gives the result to all callers that ask meanwhile.
type singleflight struct {
	mu      sync.Mutex
	under   map[string]*call // by connection
	running sync.WaitGroup
}

type call struct {
	done        chan struct{} // closed when the rest is set
	credentials windlass.Credentials
	err         error
}

// join returns the call that is under way for a connection, or begins one.
func (f *singleflight) join(id string, refresh func() (windlass.Credentials, error)) *call {
	f.mu.Lock()
	defer f.mu.Unlock()
	if under, ok := f.under[id]; ok {
		return under
	}
	begun := &call{done: make(chan struct{})}
	if f.under == nil {
		f.under = map[string]*call{}
	}
	f.under[id] = begun
	f.running.Go(func() {
		begun.credentials, begun.err = refresh()
		f.mu.Lock()
		delete(f.under, id)
		f.mu.Unlock()
		close(begun.done)
	})
	return begun
}

// wait waits for the result: as long as ctx allows, or briefly for a caller that has a
// token that still works.
func (f *call) wait(ctx context.Context, brief bool) error {
	var late <-chan time.Time
	if brief {
		timer := time.NewTimer(briefWait)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-f.done:
		return nil
	case <-late:
		return &windlass.Error{Kind: windlass.Unavailable, Op: "refresh a connection", Message: "the provider is slow to answer"}
	case <-ctx.Done():
		return explain("refresh a connection", context.Cause(ctx))
	}
}
