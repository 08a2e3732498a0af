package read_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/operation"
	"windlass/internal/read"
)

var errDead = errors.New("the process is dead")

// crash ends a process at the nth of all the places where it touches the
// database or the provider: before and after each.
type crash struct {
	mu   sync.Mutex
	at   int
	came int
}

func (d *crash) dead() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.came >= d.at
}

func (d *crash) place() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.came < d.at {
		d.came++
	}
	if d.came >= d.at {
		return errDead
	}
	return nil
}

// mortal is a store of a process that dies.
type mortal struct {
	read.Store

	crash *crash
}

func (m mortal) In(ctx context.Context, do func(ctx context.Context) error) error {
	if err := m.crash.place(); err != nil {
		return err
	}
	err := m.Store.In(ctx, func(ctx context.Context) error {
		if err := do(ctx); err != nil {
			return err
		}
		return m.crash.place() // all is done, and not committed
	})
	if err != nil {
		return err
	}
	return m.crash.place()
}

func (m mortal) LeaseOperation(ctx context.Context, id, owner string, now, until time.Time) (p windlass.Operation, won bool, held time.Time, err error) {
	if err := m.crash.place(); err != nil {
		return p, false, held, err
	}
	p, won, held, err = m.Store.LeaseOperation(ctx, id, owner, now, until)
	return p, won, held, errors.Join(err, m.crash.place())
}

func (m mortal) SuspendOperation(ctx context.Context, id, owner string, until time.Time, attempt int, requests int64, now time.Time) error {
	if err := m.crash.place(); err != nil {
		return err
	}
	return errors.Join(m.Store.SuspendOperation(ctx, id, owner, until, attempt, requests, now), m.crash.place())
}

// mortalReader is a provider that is asked by a process that dies.
type mortalReader struct {
	*provider

	crash *crash
}

func (m mortalReader) Read(ctx context.Context, req connector.ReadRequest) (connector.Page, error) {
	if err := m.crash.place(); err != nil {
		return connector.Page{}, err
	}
	page, err := m.provider.Read(ctx, req)
	return page, errors.Join(err, m.crash.place())
}

// A process dies at every place there is, one after the other. The next one
// carries the read on: no record is missing, and none is in two batches.
func TestDeathAtEveryPlace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(520, 20)
		w.config.SliceSteps = 3
		for at := 1; ; at++ {
			w.outbox.clear()
			w.install(configOf(""))
			d := &crash{at: at}
			dying := w.process(func(c *read.Config) {
				c.Store = mortal{c.Store, d}
				c.Open = func(context.Context, windlass.Connection, string) (connector.Reader, error) {
					return mortalReader{w.provider, d}, nil
				}
			})
			for !d.dead() {
				wait := w.stepBy(dying)
				if wait < 0 {
					break
				}
				w.clock.pass(wait)
			}
			alive := !d.dead()
			w.flow = w.process(nil)
			if at%2 == 0 {
				w.released() // else the lease runs out
			}
			asked := w.provider.asked()
			if p := w.succeed(); p.Pages != 6 || p.Records != 520 || p.Walked != 520 {
				t.Fatalf("after a death at place %d: %+v", at, p)
			}
			w.wantAll()
			if n := w.provider.asked() - asked; n > 6 {
				t.Fatalf("after a death at place %d, %d more requests", at, n)
			}
			if told := w.outbox.all("notification"); len(told) != 1 {
				t.Fatalf("after a death at place %d the product was told %+v", at, told)
			}
			if alive {
				t.Logf("%d places", at)
				return
			}
		}
	})
}

// Any number of jobs of one operation may run at once, in several processes.
func TestNothingIsReadTwiceAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(1500, 0)
		w.config.SliceSteps = 2
		w.install(configOf(""))
		id := w.last().ID
		var all sync.WaitGroup
		for range 4 {
			f := w.process(nil)
			all.Go(func() {
				for {
					err := f.Step(t.Context(), id)
					waiting := new(operation.Waiting)
					if err == nil {
						return
					}
					if !errors.As(err, &waiting) {
						t.Error(err)
						return
					}
					time.Sleep(time.Millisecond)
				}
			})
		}
		all.Wait()
		w.wantAll()
		if p := w.last(); w.provider.asked() != 15 || p.Requests != 15 {
			t.Fatalf("%d requests, %d counted", w.provider.asked(), p.Requests)
		}
	})
}

// A process that is thought to be dead, and is not, changes nothing any more.
func TestALeaseThatWasLost(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(300, 0)
		w.install(configOf(""))
		slow := true
		w.provider.before = func(connector.ReadRequest) error {
			if slow { // while it waits for its first page, another process takes over
				slow = false
				w.clock.pass(3 * time.Minute)
				w.succeed()
			}
			return nil
		}
		if wait := w.step(); wait <= 0 {
			t.Fatalf("it went on for all that: %v", wait)
		}
		w.wantAll()
	})
}

// Likewise, and the other process is still at it.
func TestALeaseThatWasLostForAWhile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(1000, 0)
		w.config.SliceSteps = 2
		w.flow = w.process(nil)
		w.install(configOf(""))
		slow := true
		w.provider.before = func(connector.ReadRequest) error {
			if slow {
				slow = false
				w.clock.pass(3 * time.Minute)
				w.stepBy(w.process(func(c *read.Config) { c.SliceSteps = 3 }))
			}
			return nil
		}
		w.step()
		if p := w.last(); p.Pages != 3 {
			t.Fatalf("%+v", p)
		}
		w.succeed()
		w.wantAll()
	})
}

func TestTroubleWithTheDatabasePasses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(250, 0)
		w.install(configOf(""))
		w.outbox.fail = &windlass.Error{Kind: windlass.Internal, Message: "the disk is full"}
		for range 30 { // which is not a failure of the read, however often
			if wait := w.step(); wait != 15*time.Second {
				t.Fatalf("it waits %v", wait)
			}
			w.clock.pass(15 * time.Second)
		}
		w.outbox.fail = nil
		w.succeed()
		w.wantAll()
	})
}

func TestAJobThatWasLost(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(1, 0)
		w.install(configOf(""))
		w.outbox.clear()
		if n, err := w.flow.Resume(t.Context()); err != nil || n != 0 {
			t.Fatalf("%d %v", n, err)
		}
		w.clock.pass(11 * time.Minute)
		if n, err := w.flow.Resume(t.Context()); err != nil || n != 1 {
			t.Fatalf("%d %v", n, err)
		}
		if jobs := w.outbox.all("job"); len(jobs) != 1 || jobs[0].id != w.last().ID {
			t.Fatalf("%+v", jobs)
		}
	})
}

// A process that is told to stop gives the operation back at once.
func TestStopping(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(500, 0)
		w.install(configOf(""))
		ctx, cancel := context.WithCancel(t.Context())
		w.provider.before = func(req connector.ReadRequest) error {
			if req.Cursor == "300" {
				cancel()
			}
			return nil
		}
		if err := w.flow.Step(ctx, w.last().ID); err == nil {
			t.Fatal("it ended")
		}
		w.provider.before = nil
		if p := w.last(); p.Pages == 0 || p.Status != windlass.OperationRunning {
			t.Fatalf("%+v", p)
		}
		if wait := w.step(); wait != -1 {
			t.Fatalf("the next process has to wait %v\n%s", wait, w.log())
		}
		w.wantAll()
	})
}

func TestTheSameBytesInTheSameOrder(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(300, 2000)
		w.install(configOf(""))
		w.succeed()
		var want []string
		for i := range 300 {
			want = append(want, fmt.Sprintf("repo-%d", i))
		}
		if got := w.outbox.slugs(); !slices.Equal(got, want) {
			t.Fatalf("%v", got)
		}
	})
}
