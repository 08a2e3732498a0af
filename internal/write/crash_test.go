package write_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/write"
)

var errDead = errors.New("the process is dead")

// crash ends a process at the nth of all the places where it touches the
// database or the provider: before and after each.
type crash struct {
	mu       sync.Mutex
	at, came int
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
		return &windlass.Error{Kind: windlass.Internal, Err: errDead}
	}
	return nil
}

// mortal is a store of a process that dies.
type mortal struct {
	write.Store

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

func (m mortal) SaveWriteRecord(ctx context.Context, r windlass.WriteRecord) error {
	if m.crash.dead() {
		return errDead
	}
	return m.Store.SaveWriteRecord(ctx, r)
}

// mortalProvider is asked by a process that dies.
type mortalProvider struct {
	*provider

	crash *crash
}

func (m mortalProvider) Open(ctx context.Context, c windlass.Connection, mode string) (write.Target, error) {
	target, err := m.provider.Open(ctx, c, mode)
	return mortalTarget{target, m.crash}, err
}

type mortalTarget struct {
	write.Target

	crash *crash
}

func dies[T any](d *crash, do func() (T, error)) (T, error) {
	var none T
	if err := d.place(); err != nil {
		return none, err
	}
	result, err := do()
	if died := d.place(); died != nil {
		return none, died // what came was lost
	}
	return result, err
}

func (m mortalTarget) Write(ctx context.Context, r connector.WriteRequest) (connector.WriteResult, error) {
	return dies(m.crash, func() (connector.WriteResult, error) { return m.Target.Write(ctx, r) })
}

func (m mortalTarget) Find(ctx context.Context, r connector.FindRequest) (id string, found bool, err error) {
	id, err = dies(m.crash, func() (string, error) {
		var id string
		id, found, err = m.Target.Find(ctx, r)
		return id, err
	})
	return id, found, err
}

// batchOf makes names that no other round has.
func batchOf(round int) (body string, slugs []string) {
	var records []string
	for i := range 4 {
		slug := fmt.Sprintf("well-%d-%d", round, i)
		slugs = append(slugs, slug)
		records = append(records, `{"record":{"name":"`+slug+`"}}`)
	}
	return `{"type":"create","mode":"asynchronous","batch":[` + strings.Join(records, ",") + `]}`, slugs
}

// A process dies at every place there is, one after the other. The next one
// carries the write on: nothing is missing, and nothing was made twice.
func TestDeathAtEveryPlaceOfABatch(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for at := 1; ; at++ {
			body, slugs := batchOf(at)
			a := w.ok("repositories", body)
			d := &crash{at: at}
			dying := w.process(func(c *write.Config) {
				c.Store, c.Open = mortal{c.Store, d}, mortalProvider{w.provider, d}.Open
			})
			for !d.dead() {
				wait := w.step(dying, a.OperationID)
				if wait < 0 {
					break
				}
				w.clock.pass(wait)
			}
			alive := !d.dead()
			if at%2 == 0 {
				w.released() // else the lease runs out
			}
			w.office.told = nil
			told := alive || w.operation(a.OperationID).Status == windlass.OperationSuccess
			p := w.finish(a.OperationID)
			if p.Status != windlass.OperationSuccess || p.Records != 4 || p.Walked != 4 || p.Cursor != "4" {
				t.Fatalf("after a death at place %d: %+v\n%s", at, p, w.log(p.ID))
			}
			found := w.records("repositories", "slug")
			for _, slug := range slugs {
				if found[slug] != 1 {
					t.Fatalf("after a death at place %d there are %d of %s", at, found[slug], slug)
				}
			}
			if n := len(w.told()); !told && n != 1 {
				t.Fatalf("after a death at place %d the product was told %d times", at, n)
			}
			if alive {
				t.Logf("%d places", at)
				return
			}
		}
	})
}

// Webhooks may stand twice at the provider, which would not notice.
func TestDeathAtEveryPlaceOfAHook(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for at := 1; ; at++ {
			url := fmt.Sprintf("https://example.com/%d", at)
			a := w.ok("hooks", `{"type":"create","mode":"asynchronous","record":{"url":"`+url+`","events":["repo:push"]}}`)
			d := &crash{at: at}
			dying := w.process(func(c *write.Config) {
				c.Store, c.Open = mortal{c.Store, d}, mortalProvider{w.provider, d}.Open
			})
			for !d.dead() && w.step(dying, a.OperationID) >= 0 {
				w.clock.pass(time.Minute)
			}
			alive := !d.dead()
			if p := w.finish(a.OperationID); p.Status != windlass.OperationSuccess {
				t.Fatalf("after a death at place %d: %s", at, p.Result)
			}
			if n := w.records("hooks", "url")[url]; n != 1 {
				t.Fatalf("after a death at place %d there are %d", at, n)
			}
			if alive {
				return
			}
		}
	})
}

// A process dies while a client waits. A client that sends the request again, with its
// key, gets an answer, and there is one record.
func TestDeathAtEveryPlaceOfASynchronousWrite(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for at := 1; ; at++ {
			url := fmt.Sprintf("https://example.com/%d", at)
			body := `{"type":"create","record":{"url":"` + url + `","events":["repo:push"]}}`
			d := &crash{at: at}
			dying := w.process(func(c *write.Config) {
				c.Store, c.Open = mortal{c.Store, d}, mortalProvider{w.provider, d}.Open
			})
			_, err := dying.Write(t.Context(), "acme", "repos", "hooks", ask(t, body), url)
			alive := !d.dead()
			if alive && err != nil {
				t.Fatal(err)
			}
			w.clock.pass(3 * time.Minute) // the lease runs out
			a := w.ok("hooks", body, url)
			if a.Result == nil || a.Result.RecordID == "" {
				t.Fatalf("after a death at place %d: %s", at, text(a))
			}
			if n := w.records("hooks", "url")[url]; n != 1 {
				t.Fatalf("after a death at place %d there are %d", at, n)
			}
			if alive {
				return
			}
		}
	})
}

// A synchronous write whose process died, and that is not asked for again, is
// ended, and its log says what became of it.
func TestASynchronousWriteThatNobodyAsksForAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for at, says := range map[int]string{ // where it dies
			5: "the process that wrote stopped", 6: "the process that wrote stopped",
		} {
			d := &crash{at: at}
			dying := w.process(func(c *write.Config) {
				c.Store, c.Open = mortal{c.Store, d}, mortalProvider{w.provider, d}.Open
			})
			body, slugs := batchOf(at)
			_, err := dying.Write(t.Context(), "acme", "repos", "repositories", ask(t, strings.Replace(body, `"mode":"asynchronous",`, "", 1)), "")
			if err == nil {
				t.Fatal("it did not die")
			}
			w.clock.pass(15 * time.Minute)
			w.office.jobs = nil
			n, err := w.flow.Resume(t.Context())
			if err != nil || n != 1 {
				t.Fatalf("%d writes were found: %v", n, err)
			}
			p := w.finish(w.office.jobs[0].operation)
			if p.Status != windlass.OperationFailure || !strings.Contains(p.Result, says) {
				t.Errorf("%d: %s", at, p.Result)
			}
			there := 0
			for _, slug := range slugs {
				there += w.records("repositories", "slug")[slug]
			}
			if int64(there) != p.Records {
				t.Errorf("%d: there are %d, and it says %d", at, there, p.Records)
			}
		}
	})
}
