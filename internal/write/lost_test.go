package write_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"windlass"
)

// The answer to a create is lost on the way, though the record was made.
func TestALostAnswerDoesNotMakeTwo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, o := range objects {
			for _, mode := range []string{"synchronous", "asynchronous"} {
				name := o.object + " " + mode
				replace := strings.NewReplacer("ROPE", "ROPE"+strings.ToUpper(mode[:1]), "Well Head", "Well "+mode[:1], "well-head", "well-"+mode[:1], "com/in", "com/"+mode, "A knot", "Knot "+mode, "TOKEN_X", "TOKEN_"+mode)
				w.provider.inject(t, "cut=10,method=POST,times=1")
				a := w.ok(o.object, `{"type":"create","mode":"`+mode+`","record":`+replace.Replace(o.record)+`}`)
				if mode == "asynchronous" {
					if p := w.finish(a.OperationID); p.Status != windlass.OperationSuccess {
						t.Errorf("%s: %s\n%s", name, p.Result, w.log(p.ID))
					}
				} else if a.Result == nil || a.Result.RecordID == "" {
					t.Errorf("%s: %s", name, text(a))
				}
				if n := w.records(o.object, o.field)[replace.Replace(o.value)]; n != 1 {
					t.Errorf("%s: there are %d", name, n)
				}
				if log := w.log(a.OperationID); !strings.Contains(log, "an earlier attempt was lost") {
					t.Errorf("%s: the log is\n%s", name, log)
				}
			}
		}
		if n := w.provider.creates(); n != 2*len(objects) {
			t.Errorf("%d creates were sent", n)
		}
	})
}

// The request never arrived: it is not there when it is looked for.
func TestALostRequest(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, o := range objects {
			w.provider.inject(t, "reset,method=POST,times=2")
			a := w.ok(o.object, `{"type":"create","record":`+o.record+`}`)
			if len(a.Errors) != 1 || !strings.Contains(a.Errors[0].Message, "it was looked for, and is not there") {
				t.Errorf("%s: %s", o.object, text(a))
			}
			a = w.ok(o.object, `{"type":"create","mode":"asynchronous","record":`+o.record+`}`)
			if p := w.finish(a.OperationID); p.Status != windlass.OperationSuccess {
				t.Errorf("%s: %s", o.object, p.Result)
			}
			if n := w.records(o.object, o.field)[o.value]; n != 1 {
				t.Errorf("%s: there are %d", o.object, n)
			}
		}
	})
}

func TestALostCreateThatCannotBeLookedFor(t *testing.T) {
	t.Parallel()
	w := lite(t)
	w.provider.inject(t, "cut=10,method=POST,times=1")
	w.provider.inject(t, "status=503,method=GET,times=1")
	a := w.ok("projects", `{"type":"create","record":{"name":"Rope","key":"ROPE"}}`, "key-1")
	if len(a.Errors) != 1 || !strings.Contains(a.Errors[0].Message, "look before writing again") {
		t.Fatalf("%s", text(a))
	}
	// The same key looks first, and finds it.
	a = w.ok("projects", `{"type":"create","record":{"name":"Rope","key":"ROPE"}}`, "key-1")
	if a.Result == nil || w.provider.creates() != 1 || w.records("projects", "key")["ROPE"] != 1 {
		t.Errorf("%s after %d creates", text(a), w.provider.creates())
	}
}

// What was there before is not taken for what a lost create has made.
func TestAnOlderRecordIsNotTakenForALostOne(t *testing.T) {
	t.Parallel()
	w := lite(t)
	w.created("projects", `{"name":"Rope","key":"ROPE"}`)
	w.clock.pass(time.Hour)
	w.provider.inject(t, "reset,method=POST,times=1")
	a := w.ok("projects", `{"type":"create","mode":"asynchronous","record":{"name":"Rope","key":"ROPE"}}`)
	if p := w.finish(a.OperationID); p.Status != windlass.OperationFailure || !strings.Contains(p.Result, "already exists") {
		t.Errorf("%s: %s", p.Status, p.Result)
	}
}

// The provider fails in ways that pass; the write waits, and is done once.
func TestAnAsynchronousWriteWaits(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i, row := range []struct {
			name, fault string
			least       time.Duration
			says        string
		}{
			{"for a limit that says how long", "status=429,retry-after=90s,method=POST,times=1", 90 * time.Second, "The limit of requests is reached"},
			{"for a limit that does not", "status=429,method=POST,times=1", 5 * time.Minute, "The limit of requests is reached"},
			{"while the provider is down", "status=502,times=6", 5 * time.Minute, "The provider failed (6 in a row)"},
			{"while it answers in HTML", "html=200,method=POST,times=1", 10 * time.Second, "The provider failed"},
			{"while the credentials are refused", "status=401,method=POST,times=2", 2 * time.Minute, "when the customer has connected again"},
		} {
			began := w.clock.now()
			key := fmt.Sprint("ROPE", i)
			w.provider.inject(t, row.fault)
			a := w.ok("projects", `{"type":"create","mode":"asynchronous","record":{"name":"`+row.name+`","key":"`+key+`"}}`)
			p := w.finish(a.OperationID)
			if took := w.clock.now().Sub(began); p.Status != windlass.OperationSuccess || took < row.least {
				t.Errorf("%s: after %s %s", row.name, took, p.Result)
			}
			if log := w.log(p.ID); !strings.Contains(log, row.says) {
				t.Errorf("%s: the log is\n%s", row.name, log)
			}
			if n := w.records("projects", "key")[key]; n != 1 {
				t.Errorf("%s: there are %d", row.name, n)
			}
		}
	})
}

func TestADeadlineEndsTheWaiting(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.inject(t, "status=503,method=POST")
		a := w.ok("projects", `{"type":"create","mode":"asynchronous","retryPolicy":{"deadlineHours":3},"batch":[
			{"record":{"name":"Rope","key":"ROPE"}},{"record":{"name":"Wire","key":"WIRE"}}]}`)
		p := w.finish(a.OperationID)
		if took := p.Ended.Sub(p.Created); p.Status != windlass.OperationFailure || took < 3*time.Hour || took > 3*time.Hour+time.Minute {
			t.Errorf("after %s: %s", took, p.Result)
		}
		told := w.told()
		if len(told) != 1 || told[0].Success || len(told[0].Errors) != 2 ||
			!strings.Contains(told[0].Errors[1], "batch[1]: it was not written before the deadline, 2026-11-24T15:00:00Z; the last attempt failed: create projects") {
			t.Errorf("told %+v", told)
		}
	})
}

// A record that fails again and again does not hold up the others.
func TestOneRecordHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	w := lite(t)
	w.provider.before = func(req *http.Request) error {
		if req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, "/bad") {
			return errors.New("the connection was reset")
		}
		return nil
	}
	a := w.ok("repositories", `{"type":"create","mode":"asynchronous","batch":[{"record":{"name":"bad"}},{"record":{"name":"good"}}]}`)
	w.clock.pass(w.step(w.flow, a.OperationID))
	w.step(w.flow, a.OperationID)
	if n := w.records("repositories", "slug")["good"]; n != 1 {
		t.Errorf("there are %d of the good one", n)
	}
	if p := w.finish(a.OperationID); p.Records != 1 || p.Walked != 2 {
		t.Errorf("%+v", p)
	}
}

func TestAWriteWaitsForTheCustomer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.ok("projects", `{"type":"create","mode":"asynchronous","record":{"name":"Rope","key":"ROPE"}}`)
		_, err := w.SetConnectionStatus(t.Context(), w.installation.Connection.ID, windlass.ConnectionBad, "revoked", 1)
		w.must(err)
		if wait := w.step(w.flow, a.OperationID); wait < 50*time.Minute {
			t.Fatalf("it waits %s", wait)
		}
		_, err = w.write("projects", `{"type":"create","record":{"name":"Wire","key":"WIRE"}}`)
		if !errors.Is(err, windlass.NeedsReconnect) {
			t.Errorf("a synchronous one meanwhile: %v", err)
		}
		w.must(w.ReplaceCredentials(t.Context(), w.installation.Connection.ID, windlass.Credentials{APIKey: windlass.NewSecret("new")}))
		connection, err := w.Connection(t.Context(), w.project.ID, w.installation.Connection.ID)
		w.must(err)
		if connection.Status == windlass.ConnectionBad {
			_, err = w.SetConnectionStatus(t.Context(), connection.ID, windlass.ConnectionWorking, "", 2)
			w.must(err)
		}
		jobs := len(w.office.jobs)
		w.must(w.flow.Connected(t.Context(), connection))
		if len(w.office.jobs) != jobs+1 {
			t.Errorf("%d jobs", len(w.office.jobs)-jobs)
		}
		if p := w.finish(a.OperationID); p.Status != windlass.OperationSuccess || w.clock.now().Sub(noon) > time.Minute {
			t.Errorf("after %s: %s", w.clock.now().Sub(noon), p.Result)
		}
	})
}

func TestASynchronousWriteThatTheProviderLimits(t *testing.T) {
	t.Parallel()
	w := lite(t)
	w.provider.opens = &windlass.Error{Kind: windlass.RateLimited, Op: "open", Message: "the budget is used up", RetryAfter: time.Minute, Provider: &windlass.ProviderDetails{}}
	a := w.ok("projects", `{"type":"create","record":{"name":"Rope","key":"ROPE"}}`, "key-1")
	if len(a.Errors) != 1 || !strings.Contains(a.Errors[0].Message, "budget is used up") {
		t.Errorf("%s", text(a))
	}
	w.provider.opens = nil
	if a = w.ok("projects", `{"type":"create","record":{"name":"Rope","key":"ROPE"}}`, "key-1"); a.Result == nil {
		t.Errorf("the same key later: %s", text(a))
	}
}

func TestWhatTheInstallationBecomesMeanwhile(t *testing.T) {
	t.Parallel()
	w := lite(t)
	a := w.ok("projects", `{"type":"create","mode":"asynchronous","record":{"name":"Rope","key":"ROPE"}}`)
	w.must(w.DeleteInstallation(t.Context(), w.project.ID, w.installation.ID))
	if p := w.finish(a.OperationID); p.Status != windlass.OperationFailure || !strings.Contains(p.Result, "The installation was removed") {
		t.Errorf("%s", p.Result)
	}
	if w.provider.creates() != 0 {
		t.Error("it was written all the same")
	}
}
