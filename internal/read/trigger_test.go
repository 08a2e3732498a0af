package read_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/read"
)

func trigger(w *world, since, until string) read.TriggerRequest {
	return read.TriggerRequest{GroupRef: w.installation.Group.Ref, Mode: "async", SinceTimestamp: since, UntilTimestamp: until}
}

func TestAReadThatIsAskedFor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(10, 0)
		w.install(configOf(""))
		w.succeed()
		w.provider.edit(1, noon.Add(-time.Hour))
		w.provider.edit(2, noon.Add(-2*time.Minute)) // in the overlap, and all the same
		w.provider.edit(3, noon)
		for range 2 { // it delivers what it finds, each time
			w.outbox.clear()
			p, err := w.flow.Trigger(t.Context(), "acme", "repos", "repositories", trigger(w, "2026-11-24T12:00:00+01:00", "2026-11-24T12:00:00Z"))
			w.must(err)
			if !p.Since.Equal(noon.Add(-time.Hour)) || !p.Until.Equal(noon) {
				t.Fatalf("%+v", p)
			}
			w.succeed()
			w.wantSlugs("repo-1", "repo-2")
			if told := w.outbox.all("notification"); len(told) != 1 || told[0].id != "read.triggered.done" || !strings.Contains(told[0].body, `"fromTimestamp":"2026-11-24T11:00:00Z"`) {
				t.Fatalf("%+v", told)
			}
			if d := w.outbox.messages()[0]; d.ReadType != "triggered" {
				t.Fatalf("%+v", d)
			}
		}
		w.outbox.clear()
		_, err := w.flow.Trigger(t.Context(), "acme", "repos", "repositories", trigger(w, "", ""))
		w.must(err)
		w.succeed()
		w.wantAll()
		if mark, err := w.ReadState(t.Context(), w.installation.ID, "repositories"); err != nil || !mark.Mark.Equal(noon) {
			t.Fatalf("the mark moved: %+v %v", mark, err)
		}

		w.provider.before = func(connector.ReadRequest) error {
			return &windlass.Error{Kind: windlass.Forbidden, Message: "no", Provider: &windlass.ProviderDetails{}}
		}
		w.outbox.clear()
		_, err = w.flow.Trigger(t.Context(), "acme", "repos", "repositories", trigger(w, "", ""))
		w.must(err)
		w.finish()
		if told := w.outbox.all("notification"); len(told) != 1 || told[0].id != "read.triggered.error" || !strings.Contains(told[0].body, `"error":"No."`) {
			t.Fatalf("%+v", told)
		}
	})
}

// An object without a schedule, by the name that the product has for it.
func TestAReadWithoutASchedule(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(1, 0)
		w.install(json.RawMessage(strings.ReplaceAll(string(configOf("")), `,"disabled":true`, "")))
		w.succeed()
		w.outbox.clear()
		_, err := w.flow.Trigger(t.Context(), "acme", "repos", "webhooks", trigger(w, "", ""))
		w.must(err)
		w.succeed()
		if d := w.outbox.messages()[0]; d.ObjectName != "webhooks" || d.RawObjectName != "hooks" {
			t.Fatalf("%+v", d)
		}
	})
}

func TestWhatIsNotReadThoughAskedFor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(1, 0)
		w.install(configOf(""))
		refused := func(name, object string, change func(*read.TriggerRequest), kind windlass.Kind, says string) {
			t.Helper()
			r := trigger(w, "", "")
			if change != nil {
				change(&r)
			}
			if _, err := w.flow.Trigger(t.Context(), "acme", "repos", object, r); !errors.Is(err, kind) || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: got %v, want %q", name, err, says)
			}
		}
		refused("an unknown object", "issues", nil, windlass.Invalid, `does not read "issues": it reads repositories`)
		refused("one that is disabled", "hooks", nil, windlass.Invalid, "hooks is disabled")
		refused("a since in the future", "repositories", func(r *read.TriggerRequest) { r.SinceTimestamp = "2027-01-01T00:00:00Z" }, windlass.Invalid, "in the future")
		refused("no time at all", "repositories", func(r *read.TriggerRequest) { r.UntilTimestamp = "tomorrow" }, windlass.Invalid, `"tomorrow" is no time`)
		refused("an empty span", "repositories", func(r *read.TriggerRequest) {
			r.SinceTimestamp, r.UntilTimestamp = "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"
		}, windlass.Invalid, "nothing is between")
		refused("another mode", "repositories", func(r *read.TriggerRequest) { r.Mode = "sync" }, windlass.Invalid, "write async")
		refused("no group", "repositories", func(r *read.TriggerRequest) { r.GroupRef = "" }, windlass.Invalid, "groupRef")
		refused("another group", "repositories", func(r *read.TriggerRequest) { r.GroupRef = "stranger" }, windlass.NotFound, "not installed")
		refused("while the backfill is under way", "repositories", nil, windlass.Conflict, "under way")
		w.succeed()
		w.must(w.flow.Pause(t.Context(), "acme", "repos", w.installation.ID, read.PauseRequest{Note: "for now"}))
		refused("while paused", "repositories", nil, windlass.Conflict, "are paused: for now")
		w.must(w.flow.Unpause(t.Context(), "acme", "repos", w.installation.ID, read.PauseRequest{}))
		w.succeed()
		w.must(w.setStatus(windlass.ConnectionBad))
		refused("with credentials that do not work", "repositories", nil, windlass.Conflict, "connect again")
	})
}
