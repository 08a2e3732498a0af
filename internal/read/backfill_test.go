package read_test

import (
	"encoding/json"
	"testing"
	"time"

	"windlass"
	"windlass/connector"
)

func TestBackfillOfTenThousand(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(10_000, 100)
		w.install(configOf(""))
		if wait := w.step(); wait != 0 {
			t.Fatalf("after a slice it waits %v", wait)
		}
		half, err := w.flow.BackfillProgress(t.Context(), "acme", "repos", w.installation.ID, "repositories")
		w.must(err)
		if half.Walked != 5000 || half.Estimate != 10_000 || half.Status != windlass.OperationRunning || w.provider.asked() != 50 {
			t.Fatalf("after one slice: %+v, %d requests", half, w.provider.asked())
		}
		p := w.succeed()
		w.wantAll()
		if p.Requests != 100 || w.provider.asked() != 100 || p.Records != 10_000 || p.Pages != 100 || !p.Full {
			t.Fatalf("%d requests of %d counted, %+v", w.provider.asked(), p.Requests, p)
		}
		if batches := w.outbox.all("batch"); int64(len(batches)) != p.Batches || batches[0].lane != w.installation.ID+"/repositories" {
			t.Fatalf("%d batches, %d counted", len(batches), p.Batches)
		}
		if told := w.outbox.all("notification"); len(told) != 1 || told[0].id != "read.backfill.done" {
			t.Fatalf("the product was told %+v", told)
		}
		w.wantResult("Read 10000 records of repositories in 100 requests")
		w.logSays("The backfill of repositories begins: everything.")
		w.logSays("Read 2500 of about 10000 records so far.")
		if in, err := w.Installation(t.Context(), w.project.ID, w.installation.ID); err != nil || in.LastStatus != "success" || !in.Healthy {
			t.Fatalf("%+v %v", in, err)
		}
		if wait := w.step(); wait != -1 || w.provider.asked() != 100 {
			t.Fatal("an operation that has ended was carried on")
		}
	})
}

func TestHowMuchOfThePastIsRead(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, row := range []struct {
			name, config string
			operations   int
			since        time.Time
		}{
			{"everything", `"backfill":{"defaultPeriod":{"fullHistory":true}}`, 1, time.Time{}},
			{"some days", `"backfill":{"defaultPeriod":{"days":2}}`, 1, noon.AddDate(0, 0, -2)},
			{"no days: only what changes from now on", `"backfill":{"defaultPeriod":{"days":0}}`, 0, time.Time{}},
			{"no backfill: likewise", `"selectedFieldsAuto":""`, 0, time.Time{}},
		} {
			t.Run(row.name, func(t *testing.T) {
				w := w.anew(t)
				w.provider.fill(5, 0)
				w.provider.edit(4, noon.AddDate(0, 0, -3))
				w.install(configOf(row.config))
				if n := w.count(); n != row.operations {
					t.Fatalf("%d operations begin", n)
				}
				if row.operations == 0 {
					w.clock.pass(10 * time.Minute)
					w.provider.edit(3, w.clock.now())
					w.tick()
					if p := w.succeed(); p.Trigger != windlass.TriggerSchedule {
						t.Fatalf("%+v", p)
					}
					w.wantSlugs("repo-3")
					return
				}
				if p := w.last(); !p.Since.Equal(row.since) || p.Trigger != windlass.TriggerBackfill {
					t.Fatalf("%+v", p)
				}
				w.succeed()
				if row.since.IsZero() {
					w.wantSlugs("repo-0", "repo-1", "repo-2", "repo-3", "repo-4")
				} else {
					w.wantSlugs("repo-0", "repo-1", "repo-2", "repo-3")
				}
			})
		}
	})
}

func TestFewerRecordsThanCountedIsAFailure(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(250, 0)
		w.provider.after = func(_ connector.ReadRequest, page *connector.Page) { page.Size = 260 }
		w.install(configOf(""))
		if p := w.finish(); p.Status != windlass.OperationFailure || p.Records != 250 {
			t.Fatalf("%+v", p)
		}
		w.wantResult("250 of the 260 records that the provider counts arrived")
		if mark, err := w.ReadState(t.Context(), w.installation.ID, "repositories"); err != nil || !mark.Mark.IsZero() || mark.Failures != 1 {
			t.Fatalf("%+v %v", mark, err)
		}
		// The next tick begins from the beginning, since there was no complete read.
		w.provider.after = nil
		w.outbox.clear()
		w.tick()
		if p := w.succeed(); p.Trigger != windlass.TriggerBackfill {
			t.Fatalf("%+v", p)
		}
		w.wantAll()
	})
}

func TestFieldFilters(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(3, 0)
		w.provider.records[1].Raw = json.RawMessage(`{"slug":"repo-1","project":{"key":"A"},"is_private":true}`)
		w.provider.records[2].Raw = json.RawMessage(`{"slug":"repo-2","project":{"key":"A"},"is_private":"true"}`)
		w.install(configOf(`"fieldFilters":[{"fieldName":"project.key","operator":"eq","value":"\u0041"}],
			"backfill":{"defaultPeriod":{"fullHistory":true},"fieldFilters":[{"fieldName":"is_private","operator":"eq","value":true}]}`))
		if p := w.succeed(); p.Records != 1 || p.Walked != 3 {
			t.Fatalf("%+v", p)
		}
		w.wantSlugs("repo-1")
	})
}
