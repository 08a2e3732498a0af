package connect

import (
	"context"
	"sync"
	"time"

	"windlass"
)

// flights lets one goroutine of this process at a time refresh a connection,
// and hands its outcome to all who ask meanwhile.
type flights struct {
	mu      sync.Mutex
	under   map[string]*flight // by connection
	running sync.WaitGroup
}

type flight struct {
	done        chan struct{} // closed when the rest is set
	credentials windlass.Credentials
	err         error
}

// join returns the flight that is under way for a connection, or begins one.
func (f *flights) join(id string, fly func() (windlass.Credentials, error)) *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	if under, ok := f.under[id]; ok {
		return under
	}
	begun := &flight{done: make(chan struct{})}
	if f.under == nil {
		f.under = map[string]*flight{}
	}
	f.under[id] = begun
	f.running.Go(func() {
		begun.credentials, begun.err = fly()
		f.mu.Lock()
		delete(f.under, id)
		f.mu.Unlock()
		close(begun.done)
	})
	return begun
}

// wait waits for the outcome: as long as ctx allows, or, for a caller that can
// do without, a little.
func (f *flight) wait(ctx context.Context, grudgingly bool) error {
	var late <-chan time.Time
	if grudgingly {
		timer := time.NewTimer(grudging)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-f.done:
		return nil
	case <-late:
		return &windlass.Error{Kind: windlass.Unavailable, Op: "refresh a connection", Message: "the provider takes long to answer"}
	case <-ctx.Done():
		return explain("refresh a connection", context.Cause(ctx))
	}
}
