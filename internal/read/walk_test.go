package read_test

import (
	"fmt"
	"testing"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/read"
)

// inPages answers with the pages of each pass: the numbers of the records, or the
// last pass again.
func inPages(w *world, size int, passes ...[][]int) {
	pass := -1
	w.provider.after = func(req connector.ReadRequest, page *connector.Page) {
		if req.Cursor == "" && pass < len(passes)-1 {
			pass++
		}
		n := 0
		_, _ = fmt.Sscan(string(req.Cursor), &n)
		*page = connector.Page{Size: size}
		for _, i := range passes[pass][n] {
			page.Records = append(page.Records, repository(i, noon.Add(-time.Hour), 0))
		}
		if n+1 < len(passes[pass]) {
			page.Next = connector.Cursor(fmt.Sprint(n + 1))
		}
	}
}

func slugsOf(numbers ...int) []string {
	var all []string
	for _, i := range numbers {
		all = append(all, fmt.Sprintf("repo-%d", i))
	}
	return all
}

// wantNoPages checks that nothing is kept of a read that has ended.
func (w *world) wantNoPages(operationID string) {
	w.Helper()
	pages, err := w.ReadPages(w.Context(), operationID)
	w.must(err)
	if len(pages) != 0 {
		w.Fatalf("%d pages are kept of a read that has ended", len(pages))
	}
}

// Complete means that every record came that the provider counts, however many
// lines there were (invariant 9).
func TestCompleteIsCountedByIdentity(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		passes    [][][]int
		status    string
		requests  int64
		delivered []string
		says      string
	}{
		{
			"one comes twice and one never: it is no success",
			[][][]int{{{1}, {2}, {1}}},
			windlass.OperationFailure, 6, slugsOf(1, 2), "2 of the 3 records that the provider counts arrived",
		},
		{
			"the one that never came comes in a second pass",
			[][][]int{{{1}, {2}, {1}}, {{1}, {3}, {2}}},
			windlass.OperationSuccess, 6, slugsOf(1, 2, 3), "Read 3 records",
		},
		{
			"it takes both passes to see all",
			[][][]int{{{1}, {2}, {1}}, {{1}, {3}, {3}}},
			windlass.OperationSuccess, 6, slugsOf(1, 2, 3), "Read 3 records",
		},
		{
			"each pass lacks another one, and others are gone: no two agree",
			[][][]int{{{1}, {1}, {1}}, {{2}, {2}, {2}}, {{1}, {1}, {1}}, {{2}, {2}, {2}}},
			windlass.OperationFailure, 12, slugsOf(1, 2), "1 of the 3 records that the provider counts arrived",
		},
		{
			"one comes twice and all came: once",
			[][][]int{{{1, 2}, {2, 3}}},
			windlass.OperationSuccess, 2, slugsOf(1, 2, 3), "Read 3 records",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				inPages(w, 3, row.passes...)
				w.install(configOf(""))
				p := w.finish()
				if p.Status != row.status || p.Requests != row.requests {
					t.Errorf("%s for %d requests: %s\n%s", p.Status, p.Requests, p.Result, w.log())
				}
				w.wantResult(row.says)
				w.wantSlugs(row.delivered...)
				w.wantNoPages(p.ID)
				if row.status == windlass.OperationFailure {
					if mark, err := w.ReadState(t.Context(), w.installation.ID, "repositories"); err != nil || !mark.Mark.IsZero() {
						t.Errorf("the mark has moved to %s: %v", mark.Mark, err)
					}
				}
			})
		})
	}
}

// While a read of an object without an order lies still, as many records are
// deleted as are created: neither the count nor the number of lines tells.
func TestAnInterruptedReadOfWhatHasNoOrder(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.unkeyed = true
		w.provider.fill(600, 0)
		w.config.SliceSteps = 2
		w.flow = w.process(nil)
		w.install(configOf(""))
		w.step() // two pages
		w.must(w.flow.Pause(t.Context(), "acme", "repos", w.installation.ID, read.PauseRequest{}))
		w.step()
		w.clock.pass(time.Hour)
		before := w.provider.records
		w.provider.records = append(append([]connector.Record{}, before[3:]...),
			repository(600, noon, 0), repository(601, noon, 0), repository(602, noon, 0))
		w.must(w.flow.Unpause(t.Context(), "acme", "repos", w.installation.ID, read.PauseRequest{}))
		p := w.succeed()
		if p.Restarts != 2 || p.Records != 603 || p.Walked != 600 {
			t.Errorf("%+v\n%s", p, w.log())
		}
		var want []string
		for i := range 603 {
			want = append(want, slugsOf(i)...)
		}
		w.wantSlugs(want...)
		w.logSays("pass 2 of at most 4): the provider lists repositories in no order that lasts, and the read was interrupted")
		w.logSays("pass 3 of at most 4): this pass brought other records than the one before")
		w.wantNoPages(p.ID)
	})
}

// Where nothing was interrupted, or the pages are taken up by key, one pass is
// enough.
func TestOnePassIsEnough(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		unkeyed bool
		gap     time.Duration
		passes  int
	}{
		{"by key, an hour between two pages", false, time.Hour, 1},
		{"without an order, no time between two pages", true, 0, 1},
		{"without an order, an hour between two pages", true, time.Hour, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				w.provider.unkeyed = row.unkeyed
				w.provider.fill(250, 0)
				w.config.SliceSteps = 1
				w.flow = w.process(nil)
				w.install(configOf(""))
				w.step()
				w.clock.pass(row.gap)
				if p := w.succeed(); p.Restarts != row.passes-1 || p.Requests != int64(3*row.passes) {
					t.Errorf("%d passes, %d requests\n%s", p.Restarts+1, p.Requests, w.log())
				}
				w.wantAll()
			})
		})
	}
}

// What is interrupted in every pass, and changes in each, ends all the same, and
// says what it could not do.
func TestWhatIsInterruptedInEveryPassSaysSo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.unkeyed = true
		w.provider.fill(150, 0)
		w.config.SliceSteps = 1
		w.flow = w.process(nil)
		w.install(configOf(""))
		for i := 0; w.step() >= 0; i++ {
			w.clock.pass(time.Minute)
			w.provider.records = append(w.provider.records[1:], repository(1000+i, noon, 0))
		}
		p := w.last()
		if p.Status != windlass.OperationSuccess || p.Restarts != 3 {
			t.Errorf("%+v", p)
		}
		w.wantResult("It was interrupted, and no two of its 4 passes brought the same records: some may be missing.")
	})
}

// A page may be empty and not the last.
func TestAnEmptyPageIsNoEnd(t *testing.T) {
	each(t, func(_ *testing.T, w *world) {
		inPages(w, 2, [][]int{{}, {1}, {}, {2}, {}})
		w.install(configOf(""))
		w.succeed()
		w.wantSlugs(slugsOf(1, 2)...)
	})
}

func TestTheLogSaysWhatTheProviderDidWrong(t *testing.T) {
	each(t, func(_ *testing.T, w *world) {
		w.provider.fill(250, 0)
		w.provider.after = func(_ connector.ReadRequest, page *connector.Page) {
			page.Notes = []string{"The link to the next page has lost sort."}
		}
		w.install(configOf(""))
		w.succeed()
		w.logSays("warning The link to the next page has lost sort.")
	})
}
