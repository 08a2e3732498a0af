package read_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"windlass"
	"windlass/connector"
	"windlass/internal/read"
	"windlass/internal/store"
	"windlass/manifest"
)

// check makes the checks that are due and wants so many.
func (w *world) check(want int) {
	w.Helper()
	n, err := w.flow.CheckDue(w.Context())
	w.must(err)
	if n != want {
		w.Fatalf("%d checks were due, want %d", n, want)
	}
}

// became wants all checks to have become this, and forgets them.
func (w *world) became(want ...string) {
	w.Helper()
	if !slices.Equal(w.checked, want) {
		w.Fatalf("checks became %v, want %v", w.checked, want)
	}
	w.checked = nil
}

// due lets the schedule be due, and clears the outbox.
func (w *world) due() {
	w.Helper()
	w.outbox.clear()
	w.clock.pass(10 * time.Minute)
}

func (w *world) mark() windlass.ReadState {
	w.Helper()
	mark, err := w.ReadState(w.Context(), w.installation.ID, "repositories")
	w.must(err)
	return mark
}

func (w *world) next() windlass.Schedule {
	w.Helper()
	all, err := w.Schedules(w.Context(), w.installation.ID)
	w.must(err)
	if len(all) != 1 {
		w.Fatalf("%d schedules", len(all))
	}
	return all[0]
}

// rows counts the rows of the tables that a read writes to.
func (w *world) rows() (n int) {
	w.Helper()
	w.must(w.DB().QueryRowContext(w.Context(), `SELECT (SELECT COUNT(*) FROM operations) + (SELECT COUNT(*) FROM operation_logs)
		+ (SELECT COUNT(*) FROM operation_configs) + (SELECT COUNT(*) FROM read_pages) + (SELECT COUNT(*) FROM seen_records)
		+ (SELECT COUNT(*) FROM read_marks) + (SELECT COUNT(*) FROM schedules) + (SELECT COUNT(*) FROM test_outbox)`).Scan(&n))
	return n
}

// began installs and has everything read.
func (w *world) began(records int) {
	w.Helper()
	w.provider.fill(records, 0)
	w.install(configOf(""))
	w.succeed()
	w.outbox.clear()
}

func TestACheckThatFindsNothingLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(300, 0)
		w.provider.edit(7, noon.Add(-time.Minute)) // in the overlap of the first check
		w.began(0)
		rows := w.rows()
		for i := range 3 {
			w.due()
			asked, now := w.provider.asked(), w.clock.now()
			w.check(1)
			if w.rows() != rows || w.provider.asked() != asked+1 {
				t.Fatalf("%d rows, want %d; %d requests, want 1", w.rows(), rows, w.provider.asked()-asked)
			}
			mark := w.mark()
			if !mark.Mark.Equal(now) || mark.Checks != int64(i+1) || !mark.LastCheck.Equal(now) {
				t.Fatalf("%+v", mark)
			}
			if next := w.next().Next; !next.After(now) || next.After(now.Add(10*time.Minute)) {
				t.Fatalf("due again at %s, it is %s", next, now)
			}
			w.check(0)
		}
		w.became("unchanged", "unchanged", "unchanged")
		states, err := w.flow.ObjectStates(t.Context(), "acme", "repos", w.installation.ID)
		w.must(err)
		i := slices.IndexFunc(states, func(s read.ObjectState) bool { return s.Name == "repositories" })
		if s := states[i]; s.Checks != 3 || !s.LastCheck.Equal(w.clock.now()) || !s.ReadTo.Equal(w.clock.now()) {
			t.Fatalf("%+v", s)
		}
	})
}

// A page is asked for once, and counts once, whether a check got it or a step.
func TestACheckThatFindsSomethingBecomesAnOperation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.began(10)
		w.due()
		now, asked := w.clock.now(), w.provider.asked()
		w.provider.edit(3, now)
		w.check(1)
		p := w.last()
		if p.Status != windlass.OperationSuccess || p.Records != 1 || p.Pages != 1 || p.Requests != 1 || p.Trigger != windlass.TriggerSchedule ||
			w.count() != 2 || w.provider.asked() != asked+1 || !w.mark().Mark.Equal(now) || w.mark().Checks != 0 {
			t.Fatalf("%+v\n%+v, %d requests", p, w.mark(), w.provider.asked()-asked)
		}
		w.became("changed")
		w.logSays("A scheduled read of repositories begins: what changed since")
		w.wantSlugs("repo-3")
		if jobs := w.outbox.all("job"); len(jobs) != 0 {
			t.Fatalf("%d jobs for an operation that has ended", len(jobs))
		}

		// More than a page: a job goes on from the second one.
		w.due()
		asked = w.provider.asked()
		var want []string
		for i := range 250 {
			w.provider.edit(10+i, w.clock.now())
			want = append(want, fmt.Sprintf("repo-%d", 10+i))
		}
		w.check(1)
		p = w.last()
		if jobs := w.outbox.all("job"); p.Status != windlass.OperationRunning || p.Pages != 1 || len(jobs) != 1 || jobs[0].id != p.ID {
			t.Fatalf("%+v, %d jobs", p, len(jobs))
		}
		if mark := w.mark(); !mark.Mark.Equal(now) {
			t.Fatalf("the mark has moved before the read was complete: %+v", mark)
		}
		// A schedule that is due meanwhile asks for nothing.
		w.clock.pass(10 * time.Minute)
		w.check(1)
		w.became("changed", "left")
		w.logSays("Another read was due and is left out")
		w.succeed()
		w.wantSlugs(want...)
		if w.provider.asked() != asked+3 {
			t.Fatalf("%d requests, want 3", w.provider.asked()-asked)
		}
	})
}

// Whatever a check cannot tell is an operation's, as ever.
func TestWhatACheckCannotTellBecomesAnOperation(t *testing.T) {
	t.Parallel()
	withPage := []string{"fewer came than were counted", "the provider does something odd"}
	for name, spoil := range map[string]func(w *world){
		"the provider fails": func(w *world) {
			w.provider.before = func(connector.ReadRequest) error {
				return &windlass.Error{Kind: windlass.Unavailable, Op: "read", Message: "503 Service Unavailable", Provider: &windlass.ProviderDetails{}}
			}
		},
		"fewer came than were counted": func(w *world) {
			w.provider.after = func(_ connector.ReadRequest, page *connector.Page) { page.Size = 2 }
		},
		"the provider does something odd": func(w *world) {
			w.provider.after = func(_ connector.ReadRequest, page *connector.Page) { page.Notes = []string{"It is odd."} }
		},
		"the read before has failed": func(w *world) {
			_, err := w.CountFailure(w.Context(), w.installation.ID, "repositories", w.clock.now())
			w.must(err)
		},
		"the database fails at the page": func(w *world) {
			w.provider.edit(3, w.clock.now())
			w.outbox.fail = &windlass.Error{Kind: windlass.Unavailable, Op: "add", Message: "the disk is full"}
		},
		"it was moved": func(w *world) {
			w.must(w.MoveMark(w.Context(), w.installation.ID, "repositories", "elsewhere", w.clock.now(), w.clock.now()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				w.began(10)
				w.due()
				spoil(w)
				before := w.mark().Mark
				w.check(1)
				if w.count() != 2 || w.mark().Checks != 0 {
					t.Fatalf("%d operations, %+v", w.count(), w.mark())
				}
				if slices.Contains(withPage, name) {
					w.became("changed")
				} else {
					w.became("left")
				}
				if moved := !w.mark().Mark.Equal(before); moved != (w.last().Status == windlass.OperationSuccess) {
					t.Fatalf("the mark has moved: %v, and %s", moved, w.last().Result)
				}
				w.check(0)
				w.provider.before, w.provider.after, w.outbox.fail = nil, nil, nil
				w.succeed()
			})
		})
	}
}

// A check waits for a spent budget, or a limit of the provider's, without an operation,
// and is made as soon as there are requests again.
func TestACheckWaitsForALimitWithoutAnOperation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.began(10)
		rows, mark := w.rows(), w.mark().Mark
		for _, limit := range []struct{ said, wait time.Duration }{{40 * time.Minute, 40 * time.Minute}, {0, 5 * time.Minute}} {
			w.due()
			w.provider.before = func(connector.ReadRequest) error {
				return &windlass.Error{Kind: windlass.RateLimited, Op: "read", Message: "the requests of this hour are spent", RetryAfter: limit.said, Provider: &windlass.ProviderDetails{}}
			}
			w.check(1)
			w.became("limited")
			if next, want := w.next().Next, w.clock.now().Add(limit.wait); !next.Equal(want) {
				t.Fatalf("it is due again at %s, want %s", next, want)
			}
			if w.count() != 1 || w.rows() != rows || len(w.outbox.all("job")) != 0 || !w.mark().Mark.Equal(mark) || w.mark().Checks != 0 {
				t.Fatalf("%d operations, %d rows (were %d), %+v", w.count(), w.rows(), rows, w.mark())
			}
			w.provider.before = nil
			w.clock.pass(limit.wait - time.Second)
			w.check(0)
			w.clock.pass(time.Second)
		}
		w.provider.edit(3, w.clock.now().Add(-time.Minute)) // while it waited
		w.check(1)
		w.became("changed")
		w.wantSlugs("repo-3")
	})
}

// What a check begins with is loaded at the claim, for many at once. One that is made
// much later looks again.
func TestACheckThatWaitedLooksAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.began(10)
		w.due()
		asked := w.provider.asked()
		_, err := w.flow.CheckDueAfter(w.Context(), func() {
			w.must(w.flow.Pause(w.Context(), "acme", "repos", w.installation.ID, read.PauseRequest{}))
			w.clock.pass(10 * time.Second)
		})
		w.must(err)
		if w.became("left"); w.provider.asked() != asked {
			t.Fatal("a paused read was asked for")
		}
	})
}

// A check that cannot find out what to read is made again soon, and says so.
func TestACheckThatCannotBeginIsMadeAgain(t *testing.T) {
	each(t, func(_ *testing.T, w *world) {
		w.began(10)
		w.due()
		w.config.Store = &blind{w.Store}
		_, err := w.process(nil).CheckDue(w.Context())
		w.must(err)
		w.became("failed")
		w.clock.pass(15 * time.Second)
		w.check(1)
		w.became("unchanged")
	})
}

// blind is a store that cannot say what checks begin with.
type blind struct{ *store.Store }

func (*blind) CheckStarts(context.Context, []windlass.Schedule) (map[string]windlass.CheckStart, error) {
	return nil, &windlass.Error{Kind: windlass.Unavailable, Op: "find what is to be checked", Message: "the database is away"}
}

// What changes while a check waits for its answer counts.
func TestACheckLeavesWhatHasChangedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]func(w *world){
		"paused": func(w *world) {
			w.must(w.flow.Pause(w.Context(), "acme", "repos", w.installation.ID, read.PauseRequest{}))
		},
		"uninstalled": func(w *world) { w.must(w.DeleteInstallation(w.Context(), w.project.ID, w.installation.ID)) },
		"reconfigured": func(w *world) {
			w.reconfigure(configOf(`"backfill":{"defaultPeriod":{"days":3}}`))
		},
	} {
		for _, found := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, found %v", name, found), func(t *testing.T) {
				each(t, func(t *testing.T, w *world) {
					w.began(10)
					w.due()
					if found {
						w.provider.edit(3, w.clock.now())
					}
					before := w.mark().Mark
					w.provider.before = func(connector.ReadRequest) error { meanwhile(w); return nil }
					w.check(1)
					w.provider.before = nil
					switch name {
					case "paused":
						if mark := w.mark(); !mark.Paused || !mark.Mark.Equal(before) || w.count() != 1 {
							t.Fatalf("%+v, %d operations", mark, w.count())
						}
					case "uninstalled":
						if w.outbox.all("batch") != nil {
							t.Fatal("something was delivered")
						}
					case "reconfigured":
						if next := w.next().Next; !next.Equal(w.schedule(w.installation).Next) {
							t.Fatalf("the new schedule is due at %s", next)
						}
						if found {
							w.succeed()
							w.wantSlugs("repo-3")
						}
					}
				})
			})
		}
	}
}

// While a check is under way no other process makes it; when it is not ended, it is made
// again; and when the process stops, at once.
func TestACheckIsMadeByOneAtATime(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.began(10)
		w.due()
		other := w.process(nil)
		checked := false
		w.provider.before = func(connector.ReadRequest) error {
			n, err := other.CheckDue(w.Context())
			checked = true
			if n != 0 || err != nil {
				t.Errorf("%d checks (%v) while one is under way", n, err)
			}
			return nil
		}
		stopping, stop := context.WithCancel(w.Context())
		w.check(1)
		if !checked {
			t.Fatal("nothing was asked for")
		}

		w.due()
		w.provider.before = func(connector.ReadRequest) error { stop(); return stopping.Err() }
		due := w.next().Next
		if _, err := w.flow.CheckDue(stopping); !errors.Is(err, context.Canceled) && err != nil {
			t.Fatal(err)
		}
		if next := w.next().Next; next.Equal(due) {
			t.Fatal("it was not claimed")
		}
		// As after a kill: the claim runs out, but not before the page's time is over.
		w.provider.before = nil
		w.check(0)
		w.clock.pass(time.Minute)
		w.check(0)
		w.clock.pass(time.Minute)
		w.check(1)
		if w.mark().Checks != 2 {
			t.Fatalf("%+v", w.mark())
		}
	})
}

// RunChecks gives back what it has when it is told to end, and leaves nothing.
func TestChecksAreGivenBackAtTheEnd(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.began(10)
		w.due()
		due := w.next().Next
		running, end := context.WithCancel(w.Context())
		w.provider.before = func(connector.ReadRequest) error { end(); return context.Canceled }
		w.flow.RunChecks(running)
		if s := w.next(); !s.Next.Equal(due) || w.count() != 1 {
			t.Fatalf("%+v, was due %s, %d operations", s, due, w.count())
		}
		w.became("stopped")
		w.provider.before = nil
		w.check(1)
	})
}

func TestSchedulesAreSpread(t *testing.T) {
	t.Parallel()
	perSecond := map[time.Time]int{}
	for i := range 10_000 {
		s := windlass.Schedule{ID: fmt.Sprint("schedule ", i), Cron: "0 * * * *", Next: noon}
		perSecond[read.Next(s, noon.Add(time.Second))]++
	}
	for at, n := range perSecond {
		if n > 20 || at.Before(noon.Add(10*time.Minute)) || at.After(noon.Add(70*time.Minute)) {
			t.Fatalf("%d of 10000 are due at %s", n, at)
		}
	}
}

func TestSpreadSchedulesKeepTheirGap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := windlass.Schedule{
			ID:   rapid.StringN(1, 36, 36).Draw(t, "id"),
			Cron: rapid.SampledFrom([]string{"*/10 * * * *", "0 * * * *", "7,37 * * * *", "0 9 * * *", "30 4 * * MON", "0 9,17 1 * *"}).Draw(t, "cron"),
			Next: noon.Add(time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "due"))).Truncate(time.Microsecond),
		}
		cron, err := manifest.ParseSchedule(s.Cron)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			checked := s.Next.Add(time.Duration(rapid.Int64Range(0, int64(3*time.Minute)).Draw(t, "late")))
			next := read.Next(s, checked)
			if !next.After(checked) || next.Sub(s.Next) < manifest.ShortestGap {
				t.Fatalf("due at %s, checked at %s, due at %s", s.Next, checked, next)
			}
			// Not more than an hour behind what the expression says, and after a day's time
			// not more than ten minutes.
			limit := min(cron.MinGap(), time.Hour)
			if cron.MinGap() > time.Hour {
				limit = manifest.ShortestGap
			}
			if named := cron.Next(next.Add(-limit)); named.After(next) {
				t.Fatalf("%s: due at %s, the time before is more than %s away", s.Cron, next, limit)
			}
			s.Next = next
		}
	})
}
