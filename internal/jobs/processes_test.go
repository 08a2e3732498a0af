package jobs_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"windlass"
	"windlass/internal/jobs"
	"windlass/internal/seal"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// Three processes, here three stores and engines, share the work: each job runs
// once, whichever process enqueued it.
func TestProcessesShareTheWork(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, store.Postgres)
	const all = 300
	var mu sync.Mutex
	runs, workers := map[string]int{}, map[int]int{}
	done := make(chan struct{}, all)
	var engines []*jobs.Engine
	for i := range 3 {
		engines = append(engines, started(t, open(t, db), jobs.Options{
			Kinds: []jobs.Kind{does("work", func(_ context.Context, name string) error {
				mu.Lock()
				defer mu.Unlock()
				runs[name]++
				workers[i]++
				done <- struct{}{}
				return nil
			})},
		}))
	}
	for i, e := range engines {
		for n := range all / 3 {
			must(t, e.Enqueue(t.Context(), jobs.Job{Kind: "work", Payload: fmt.Sprint(i, "/", n)}))
		}
	}
	for range all {
		next(t, done)
	}
	eventually(t, "all are done", func() bool { return count(t, engines[0], "completed") == all })
	mu.Lock()
	defer mu.Unlock()
	if len(runs) != all {
		t.Errorf("%d jobs ran, want %d", len(runs), all)
	}
	for name, n := range runs {
		if n != 1 {
			t.Errorf("%s ran %d times", name, n)
		}
	}
	if len(workers) != 3 {
		t.Errorf("the work was done by %v", workers)
	}
}

// A process that is killed in the middle of a job is followed by another.
func TestKilledProcess(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store) {
		text, err := keysetOf(s)
		must(t, err)
		queue := jobs.Options{Kinds: []jobs.Kind{{Name: "deadly"}}}
		must(t, engine(t, s, queue).Enqueue(t.Context(), jobs.Job{Kind: "deadly", Payload: "x"}))
		if s.Driver() == store.SQLite {
			must(t, s.Close()) // the child needs the file
		}
		child := exec.Command(os.Args[0], "-test.run=^TestChild$")
		child.Env = append(os.Environ(), "WINDLASS_TEST_CHILD="+s.URL(), "WINDLASS_TEST_CHILD_KEYSET="+text)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		must(t, err)
		must(t, child.Start())
		begun := false
		for lines := bufio.NewScanner(out); !begun && lines.Scan(); {
			begun = strings.Contains(lines.Text(), "begun")
		}
		must(t, child.Process.Kill())
		if err := child.Wait(); !begun || err == nil {
			t.Fatalf("the child did not begin, or was not killed: %v", err)
		}

		if s.Driver() == store.SQLite {
			keyset, err := seal.FromText("the test", text)
			must(t, err)
			s = open(t, storetest.Database{URL: s.URL(), Keyset: keyset})
		}
		ran := make(chan int, 1)
		started(t, s, jobs.Options{Beat: childBeat, Kinds: []jobs.Kind{does("deadly", func(ctx context.Context, _ string) error {
			number, _ := jobs.Trial(ctx)
			ran <- number
			return nil
		})}})
		if number := next(t, ran); number != 2 {
			t.Errorf("it is attempt %d, want the second", number)
		}
	})
}

// keysets of the databases that each made, so that a child can open them.
func keysetOf(s *store.Store) (string, error) {
	text, err := s.Keyset().Text()
	return text.Reveal(), err
}

// childBeat makes dying quick.
const childBeat = 50 * time.Millisecond

// TestChild is the process that TestKilledProcess kills.
func TestChild(t *testing.T) {
	url := os.Getenv("WINDLASS_TEST_CHILD")
	if url == "" {
		return // it has no parent test
	}
	keyset, err := seal.FromText("the parent", os.Getenv("WINDLASS_TEST_CHILD_KEYSET"))
	must(t, err)
	s := open(t, storetest.Database{URL: url, Keyset: keyset})
	started(t, s, jobs.Options{Beat: childBeat, Kinds: []jobs.Kind{does("deadly", func(context.Context, string) error {
		fmt.Fprintln(os.Stdout, "begun")
		select {}
	})}})
	select {}
}

// A process that cannot show that it is alive ends its jobs before others take
// them over.
func TestProcessThatLostTouch(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t, store.Postgres))
	begun := make(chan struct{})
	attempts := make(chan jobs.Attempt, 10)
	var lost atomic.Bool
	e := started(t, s, jobs.Options{
		Beat: 20 * time.Millisecond, Observe: func(a jobs.Attempt) { attempts <- a },
		Kinds: []jobs.Kind{does("long", func(ctx context.Context, _ string) error {
			if lost.Load() {
				return nil
			}
			close(begun)
			<-ctx.Done()
			return context.Cause(ctx)
		})},
	})
	must(t, e.Enqueue(t.Context(), jobs.Job{Kind: "long", Payload: ""}))
	next(t, begun)
	lost.Store(true)
	_, err := s.DB().ExecContext(t.Context(), `ALTER TABLE job_workers RENAME TO elsewhere`)
	must(t, err)
	a := next(t, attempts)
	if a.Verdict != jobs.Stopped || !strings.Contains(a.Err.Error(), "lost its connection") {
		t.Errorf("the attempt is %s: %v", a.Verdict, a.Err)
	}
	// It goes on when it is back.
	_, err = s.DB().ExecContext(t.Context(), `ALTER TABLE elsewhere RENAME TO job_workers`)
	must(t, err)
	if a := next(t, attempts); a.Verdict != jobs.Done {
		t.Errorf("the second attempt is %s: %v", a.Verdict, a.Err)
	}
}

// Whichever process is first enqueues what is due, once.
func TestSchedules(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	storetest.EachWith(t, withJobs, func(t *testing.T, open func() *store.Store) {
		stores := []*store.Store{open()}
		if stores[0].Driver() == store.Postgres {
			stores = append(stores, open(), open())
		}
		const schedules = 500
		must(t, stores[0].In(t.Context(), func(ctx context.Context) error {
			for i := range schedules {
				if err := stores[0].SaveSchedule(ctx, windlass.Schedule{ID: fmt.Sprint("s", i), Kind: windlass.ScheduleKeepalive, Next: noon}); err != nil {
					return err
				}
			}
			return nil
		}))
		table := jobs.Timetable{
			Next:  func(_ windlass.Schedule, after time.Time) time.Time { return after.Add(time.Hour) },
			Job:   func(s windlass.Schedule) jobs.Job { return jobs.Job{Kind: "read", Payload: s.ID} },
			Every: time.Millisecond,
		}
		var clock atomic.Int64
		clock.Store(noon.Unix())
		opts := jobs.Options{
			Kinds: []jobs.Kind{{Name: "read"}}, Now: func() time.Time { return time.Unix(clock.Load(), 0).UTC() },
		}
		var group sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		var last *jobs.Engine
		for _, s := range stores {
			e := engine(t, s, opts)
			last = e
			group.Go(func() { e.RunSchedules(ctx, s, table) })
		}
		eventually(t, "all are enqueued", func() bool { return count(t, last, "available") == schedules })
		// No process ran for two hours: what was missed is made up for once.
		clock.Store(noon.Add(150 * time.Minute).Unix())
		eventually(t, "all are enqueued again", func() bool { return count(t, last, "available") == 2*schedules })
		cancel()
		group.Wait()
		if n := count(t, last, "available"); n != 2*schedules {
			t.Errorf("%d jobs, want each schedule twice", n)
		}
		n, err := last.EnqueueDue(t.Context(), stores[0], table)
		if err != nil || n != 0 {
			t.Errorf("%d are still due (%v)", n, err)
		}
	})
}

func TestRetention(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	each(t, func(t *testing.T, s *store.Store) {
		must(t, s.In(t.Context(), func(ctx context.Context) error {
			for i := range 1200 { // more than goes at once
				if err := s.CreateUpload(ctx, windlass.Upload{ID: fmt.Sprint("u", i), Expires: noon}); err != nil {
					return err
				}
			}
			return s.CreateUpload(ctx, windlass.Upload{ID: "young", Expires: noon.Add(time.Hour)})
		}))
		attempts := make(chan jobs.Attempt, 1)
		kind := jobs.Retention(s, func() windlass.Cutoffs { return windlass.Cutoffs{Uploads: noon.Add(time.Minute)} })
		e := started(t, s, jobs.Options{Kinds: []jobs.Kind{kind}, Observe: func(a jobs.Attempt) { attempts <- a }})
		must(t, e.Enqueue(t.Context(), jobs.Job{Kind: jobs.RetentionName}))
		if a := next(t, attempts); a.Verdict != jobs.Done {
			t.Fatal(a.Err)
		}
		if _, err := s.Upload(t.Context(), "u7"); !errors.Is(err, windlass.NotFound) {
			t.Errorf("an old one is still there: %v", err)
		}
		if _, err := s.Upload(t.Context(), "young"); err != nil {
			t.Error(err)
		}
	})
}
