package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/internal/jobs"
	"windlass/internal/store"
)

// What becomes of a job, by what its work returns.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	limited := &windlass.Error{Kind: windlass.RateLimited, RetryAfter: time.Millisecond, Provider: &windlass.ProviderDetails{}}
	each(t, func(t *testing.T, s *store.Store) {
		for i, test := range []struct {
			name string
			// errs are what the attempts return, in turn.
			errs []error
			want string
		}{
			{"nil is done", []error{nil}, "1 done"},
			{"a wait spends no attempt", []error{jobs.Wait(0), jobs.Wait(time.Millisecond), nil}, "1 waits, 1 waits, 1 done"},
			{"so does an error that knows how long", []error{fmt.Errorf("budget: %w", sleepy{}), nil}, "1 waits, 1 done"},
			{"so does a limit of the provider's", []error{fmt.Errorf("read: %w", limited), nil}, "1 waits, 1 done"},
			{"what may pass is tried again", []error{failure(windlass.Unavailable), nil}, "1 retries, 2 done"},
			{"a defect too", []error{errors.New("nil map"), failure(windlass.Internal), nil}, "1 retries, 2 retries, 3 done"},
			{"until the last attempt", []error{failure(windlass.Malformed), failure(windlass.Malformed), failure(windlass.Malformed)}, "1 retries, 2 retries, 3 retries last"},
			{"a wrong request is not repeated", []error{failure(windlass.Invalid)}, "1 dropped last"},
			{"nor what needs a person", []error{fmt.Errorf("refresh: %w", failure(windlass.NeedsReconnect))}, "1 dropped last"},
			{"a kind of its own counts as one", []error{windlass.Gone}, "1 dropped last"},
			{"a panic is a defect", []error{errPanic, nil}, "1 retries, 2 done"},
		} {
			t.Run(test.name, func(t *testing.T) {
				attempts := make(chan jobs.Attempt, 10)
				turn := 0
				kind := does(fmt.Sprint("kind-", i), func(context.Context, string) error {
					err := test.errs[turn]
					turn++
					if errors.Is(err, errPanic) {
						panic("oh")
					}
					return err
				})
				kind.Attempts = 3
				e := started(t, s, jobs.Options{
					Kinds: []jobs.Kind{kind}, Workers: map[string]int{jobs.DefaultQueue: 1},
					Observe: func(a jobs.Attempt) { attempts <- a },
				})
				must(t, e.Enqueue(t.Context(), jobs.Job{Kind: kind.Name, Payload: ""}))
				var story []string
				for range test.errs {
					a := next(t, attempts)
					line := fmt.Sprint(a.Number, " ", a.Verdict)
					if a.Last() {
						line += " last"
					}
					story = append(story, line)
				}
				stop(t, e)
				if got := strings.Join(story, ", "); got != test.want {
					t.Errorf("got %s, want %s", got, test.want)
				}
				if turn != len(test.errs) {
					t.Errorf("it ran %d times, want %d", turn, len(test.errs))
				}
			})
		}
	})
}

var errPanic = errors.New("panic here")

func failure(kind windlass.Kind) error {
	return &windlass.Error{Kind: kind, Op: "work", Message: "no luck"}
}

type sleepy struct{}

func (sleepy) Error() string       { return "asleep" }
func (sleepy) Wait() time.Duration { return 0 }

// A job and its row are committed together, or neither is.
func TestJobBelongsToItsTransaction(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store) {
		ran := make(chan string, 10)
		e := started(t, s, jobs.Options{Kinds: []jobs.Kind{does("note", func(ctx context.Context, name string) error {
			_, err := s.Project(ctx, name)
			if err != nil {
				name += " without its project"
			}
			ran <- name
			return nil
		})}})
		both := func(name string, outcome error) error {
			return s.In(t.Context(), func(ctx context.Context) error {
				must(t, e.Enqueue(ctx, jobs.Job{Kind: "note", Payload: name}))
				must(t, s.CreateProject(ctx, windlass.Project{ID: name, Name: name}))
				return outcome
			})
		}
		sorry := errors.New("sorry")
		if err := both("undone", sorry); !errors.Is(err, sorry) {
			t.Fatal(err)
		}
		must(t, both("kept", nil))
		if got := next(t, ran); got != "kept" {
			t.Errorf("ran %q, want only what was committed", got)
		}
		err := s.In(t.Context(), func(ctx context.Context) error {
			return e.EnqueueAll(ctx, []jobs.Job{{Kind: "note", Payload: "a"}, {Kind: "unheard"}})
		})
		if !errors.Is(err, windlass.Internal) {
			t.Errorf("an unknown kind: got %v", err)
		}
		if n := count(t, e, "available"); n != 0 {
			t.Errorf("%d jobs are left over", n)
		}
	})
}

func TestOneJobPerKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store) {
		begun, finish := make(chan string), make(chan struct{})
		e := started(t, s, jobs.Options{Kinds: []jobs.Kind{does("read", func(_ context.Context, name string) error {
			begun <- name
			<-finish
			return nil
		})}})
		add := func(name, key string) {
			t.Helper()
			must(t, e.Enqueue(t.Context(), jobs.Job{Kind: "read", Payload: name, Key: key}))
		}
		add("one", "k")
		next(t, begun)
		add("two", "k") // one runs
		add("three", "other")
		if got := next(t, begun); got != "three" {
			t.Errorf("%q began, want the one with another key", got)
		}
		finish <- struct{}{}
		finish <- struct{}{}
		eventually(t, "both are done", func() bool { return count(t, e, "completed") == 2 })
		add("four", "k")
		if got := next(t, begun); got != "four" {
			t.Errorf("%q began, want the next with the key", got)
		}
		finish <- struct{}{}
	})
}

func TestQueuesPrioritiesAndRoles(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store) {
		ran := make(chan string, 10)
		kind := func(name, queue string, priority int) jobs.Kind {
			k := does(name, func(_ context.Context, payload string) error { ran <- payload; return nil })
			k.Queue, k.Priority = queue, priority
			return k
		}
		kinds := []jobs.Kind{kind("slow", "reads", 4), kind("fast", "reads", 1), kind("mail", "deliveries", 0)}
		// This one only enqueues; it need not even know what the jobs do.
		mute := []jobs.Kind{{Name: "slow", Queue: "reads", Priority: 4}, {Name: "fast", Queue: "reads", Priority: 1}, {Name: "mail", Queue: "deliveries"}}
		api := engine(t, s, jobs.Options{Kinds: mute})
		must(t, api.Start(t.Context()))
		must(t, api.EnqueueAll(t.Context(), []jobs.Job{
			{Kind: "slow", Payload: "last"},
			{Kind: "mail", Payload: "elsewhere"},
			{Kind: "slow", Payload: "first", Priority: 1},
			{Kind: "fast", Payload: "second"},
			{Kind: "fast", Payload: "not yet", At: time.Now().Add(time.Hour)},
		}))
		started(t, s, jobs.Options{Kinds: kinds, Workers: map[string]int{"reads": 1}})
		for _, want := range []string{"first", "second", "last"} {
			if got := next(t, ran); got != want {
				t.Errorf("ran %q, want %q", got, want)
			}
		}
		eventually(t, "three are done", func() bool { return count(t, api, "completed") == 3 })
		if waiting, later := count(t, api, "available"), count(t, api, "scheduled"); waiting != 1 || later != 1 {
			t.Errorf("%d wait and %d are for later, want one each", waiting, later)
		}
	})
}

// A job that outlives its timeout is told, and tried again.
func TestTimeout(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store) {
		attempts := make(chan jobs.Attempt, 10)
		kind := does("slow", func(ctx context.Context, _ string) error {
			if number, of := jobs.Trial(ctx); number == of {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		})
		kind.Timeout, kind.Attempts = 50*time.Millisecond, 2
		e := started(t, s, jobs.Options{Kinds: []jobs.Kind{kind}, Observe: func(a jobs.Attempt) { attempts <- a }})
		must(t, e.Enqueue(t.Context(), jobs.Job{Kind: "slow", Payload: ""}))
		if a := next(t, attempts); a.Verdict != jobs.TimedOut || a.Last() {
			t.Errorf("the first attempt is %s", a.Verdict)
		}
		if a := next(t, attempts); a.Verdict != jobs.Done || a.Number != 2 {
			t.Errorf("the second attempt is %s", a.Verdict)
		}
	})
}

func TestStop(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store) {
		begun, finish := make(chan string, 2), make(chan struct{})
		attempts := make(chan jobs.Attempt, 10)
		kinds := []jobs.Kind{
			does("quick", func(context.Context, string) error { begun <- ""; <-finish; return nil }),
			does("endless", func(ctx context.Context, _ string) error { begun <- ""; <-ctx.Done(); return ctx.Err() }),
		}
		e := started(t, s, jobs.Options{
			Kinds: kinds, StopWithin: 200 * time.Millisecond, Observe: func(a jobs.Attempt) { attempts <- a },
		})
		must(t, e.Enqueue(t.Context(), jobs.Job{Kind: "quick", Payload: ""}))
		must(t, e.Enqueue(t.Context(), jobs.Job{Kind: "endless", Payload: ""}))
		next(t, begun)
		next(t, begun)
		close(finish)
		stop(t, e)
		verdicts := map[string]jobs.Attempt{}
		for range 2 {
			a := next(t, attempts)
			verdicts[a.Kind] = a
		}
		if v := verdicts["quick"].Verdict; v != jobs.Done {
			t.Errorf("the quick job is %s", v)
		}
		if v := verdicts["endless"].Verdict; v != jobs.Stopped {
			t.Errorf("the endless job is %s", v)
		}
		if n := count(t, e, "available"); n != 1 {
			t.Errorf("%d jobs wait for the next start, want the endless one", n)
		}
		again := make(chan int, 1)
		kinds[1].Work = nil
		kinds[1] = does("endless", func(ctx context.Context, _ string) error {
			number, _ := jobs.Trial(ctx)
			again <- number
			return nil
		})
		started(t, s, jobs.Options{Kinds: kinds})
		if number := next(t, again); number != 1 {
			t.Errorf("stopping cost an attempt: it is number %d", number)
		}
	})
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	work := does("fine", func(context.Context, string) error { return nil })
	each(t, func(t *testing.T, s *store.Store) {
		for _, test := range []struct {
			name string
			opts jobs.Options
			want string
		}{
			{"two kinds of one name", jobs.Options{Kinds: []jobs.Kind{work, work}}, "two kinds of job of that name"},
			{"a name with a space", jobs.Options{Kinds: []jobs.Kind{{Name: "two words"}}}, "named with small letters"},
			{"a priority too low", jobs.Options{Kinds: []jobs.Kind{{Name: "low", Priority: 5}}}, "1, 2, 3 or 4"},
			{"a worker without work", jobs.Options{Kinds: []jobs.Kind{{Name: "idle"}}, Workers: map[string]int{"default": 1}}, "know what the jobs idle do"},
			{"no worker at all", jobs.Options{Kinds: []jobs.Kind{work}, Workers: map[string]int{"default": 0}}, "0 workers"},
		} {
			t.Run(test.name, func(t *testing.T) {
				_, err := jobs.New(t.Context(), s, test.opts)
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want %q", err, test.want)
				}
			})
		}
	})
}
