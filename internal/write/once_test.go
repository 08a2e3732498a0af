package write_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass"
	"windlass/internal/write"
)

const rope = `{"type":"create","record":{"name":"Rope","key":"ROPE"}}`

func TestTheSameKeyIsTheSameWrite(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := text(w.ok("projects", rope, "key-1"))
		for range 3 {
			if again := text(w.ok("projects", rope, "key-1")); again != first {
				t.Errorf("%s instead of %s", again, first)
			}
		}
		if n := w.provider.creates(); n != 1 {
			t.Errorf("%d creates were sent", n)
		}
		for name, body := range map[string]string{
			"another record": `{"type":"create","record":{"name":"Rope","key":"WIRE"}}`,
			"another mode":   `{"type":"create","mode":"asynchronous","record":{"name":"Rope","key":"ROPE"}}`,
		} {
			if _, err := w.write("projects", body, "key-1"); !errors.Is(err, windlass.Conflict) || strings.Contains(err.Error(), "WIRE") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := w.write("repositories", `{"type":"create","record":{"name":"Rope","key":"ROPE"}}`, "key-1"); !errors.Is(err, windlass.Conflict) {
			t.Errorf("another object: %v", err)
		}
		// The order of keys and what is left out make no other request of it.
		if again := text(w.ok("projects", `{"record":{"key":"ROPE","name":"Rope"},"mode":"synchronous","type":"create"}`, "key-1")); again != first {
			t.Errorf("%s instead of %s", again, first)
		}
	})
}

func TestAKeyIsForgottenAfterADay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := w.ok("projects", rope, "key-1")
		w.clock.pass(24*time.Hour - time.Minute)
		if a := w.ok("projects", rope, "key-1"); a.OperationID != first.OperationID {
			t.Error("it is forgotten early")
		}
		w.clock.pass(2 * time.Minute)
		a := w.ok("projects", rope, "key-1")
		if len(a.Errors) != 1 || !strings.Contains(a.Errors[0].Message, "already exists") {
			t.Errorf("%s", text(a))
		}
		n, err := w.Prune(t.Context(), windlass.Cutoffs{WriteKeys: w.clock.now().Add(25 * time.Hour)}, 100)
		if err != nil || n != 1 {
			t.Errorf("%d keys were cleared: %v", n, err)
		}
	})
}

func TestARefusalIsAnAnswerToo(t *testing.T) {
	t.Parallel()
	w := lite(t)
	w.created("projects", `{"name":"Rope","key":"ROPE"}`)
	first := w.ok("projects", rope, "key-1")
	if again := w.ok("projects", rope, "key-1"); !first.Failed() || text(again) != text(first) || w.provider.creates() != 2 {
		t.Errorf("%s, then %s", text(first), text(again))
	}
}

func TestOneKeyIsOneInstallations(t *testing.T) {
	t.Parallel()
	w := lite(t)
	w.install("group-2", configOf(allObjects), nil)
	w.ok("projects", rope, "key-1")
	a := w.ok("projects", `{"groupRef":"group-2","type":"create","record":{"name":"Wire","key":"WIRE"}}`, "key-1")
	if a.Result == nil {
		t.Errorf("%s", text(a))
	}
}

func TestKeysThatAreNone(t *testing.T) {
	t.Parallel()
	w := lite(t)
	for _, key := range []string{"with space", "ünï", "a\nb", strings.Repeat("x", 256)} {
		if _, err := w.write("projects", rope, key); !errors.Is(err, windlass.Invalid) {
			t.Errorf("%q: %v", key, err)
		}
	}
}

// Many requests with one key, from two processes, are one write.
func TestManyAtOnceWithOneKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.before = func(req *http.Request) error {
			if req.Method == http.MethodPost {
				time.Sleep(50 * time.Millisecond)
			}
			return nil
		}
		flows := []*write.Flow{w.process(nil), w.process(nil)}
		answers := make([]string, 12)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() {
				a, err := flows[i%2].Write(t.Context(), "acme", "repos", "projects", ask(t, rope), "key-1")
				if err != nil {
					t.Error(err)
				}
				answers[i] = text(a)
			})
		}
		all.Wait()
		for _, a := range answers {
			if a != answers[0] || !strings.Contains(a, `"success":true`) {
				t.Errorf("%s and %s", answers[0], a)
			}
		}
		if n := w.provider.creates(); n != 1 {
			t.Errorf("%d creates were sent", n)
		}
	})
}

func TestAnAsynchronousKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const body = `{"type":"create","mode":"asynchronous","record":{"name":"Rope","key":"ROPE"}}`
		first := w.ok("projects", body, "key-1")
		again := w.ok("projects", body, "key-1")
		w.finish(first.OperationID)
		after := w.ok("projects", body, "key-1")
		if again.OperationID != first.OperationID || after.OperationID != first.OperationID || len(w.office.jobs) != 1 {
			t.Errorf("%s, %s, %s", text(first), text(again), text(after))
		}
	})
}

func TestWritesThatAreCollected(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		body := func(n int, delay string) string {
			return `{"type":"create","mode":"asynchronous","autoBatchPolicy":{"maxDelayMinutes":` + delay + `,"retryDeadlineHours":2},
				"record":{"name":"p","key":"P` + strings.Repeat("A", n) + `"}}`
		}
		first := w.ok("projects", body(1, "5"), "key-1")
		w.clock.pass(4 * time.Minute)
		second, other := w.ok("projects", body(2, "5")), w.ok("projects", body(3, "6"))
		again := w.ok("projects", body(1, "5"), "key-1")
		if second.OperationID != first.OperationID || again.OperationID != first.OperationID || other.OperationID == first.OperationID {
			t.Fatalf("%s %s %s", first.OperationID, second.OperationID, other.OperationID)
		}
		if job := w.office.jobs[0]; job.at.Sub(noon) < 5*time.Minute || job.at.Sub(noon) > 6*time.Minute {
			t.Errorf("the job is at %s", job.at)
		}
		if wait := w.step(w.flow, first.OperationID); wait < 30*time.Second || w.provider.creates() != 0 {
			t.Errorf("before it is due it waits %s", wait)
		}
		w.must(w.flow.Connected(t.Context(), w.installation.Connection)) // wakes nothing that collects
		if wait := w.step(w.flow, first.OperationID); wait < 30*time.Second {
			t.Errorf("it was woken: %s", wait)
		}
		w.clock.pass(2 * time.Minute)
		if p := w.finish(first.OperationID); p.Records != 2 || p.Status != windlass.OperationSuccess {
			t.Errorf("%+v", p)
		}
		if late := w.ok("projects", body(4, "5")); late.OperationID == first.OperationID {
			t.Error("it was joined after its end")
		}
		if told := w.told(); len(told) != 1 || len(told[0].SuccessfulRecordIDs) != 2 {
			t.Errorf("told %+v", told)
		}
	})
}

func TestAHundredAreEnough(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ids := map[string]int{}
		var mu sync.Mutex
		var all sync.WaitGroup
		for worker := range 4 {
			all.Go(func() {
				for i := range 30 {
					body := `{"type":"create","mode":"asynchronous","autoBatchPolicy":{"maxDelayMinutes":60},"record":{"name":"r` + string(rune('a'+worker)) + strings.Repeat("x", i) + `"}}`
					a, err := w.flow.Write(t.Context(), "acme", "repos", "repositories", ask(t, body), "")
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					ids[a.OperationID]++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		sizes := map[int]bool{}
		for id, n := range ids {
			sizes[n] = true
			if n == 100 {
				if p := w.finish(id); p.Records != 100 || w.clock.now().Sub(noon) > 30*time.Minute {
					t.Errorf("after %s: %s", w.clock.now().Sub(noon), p.Result)
				}
			}
		}
		if len(ids) != 2 || !sizes[100] || !sizes[20] {
			t.Errorf("the writes have %v records", ids)
		}
	})
}
