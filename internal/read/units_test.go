package read_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/read"
)

// A library is a provider of which repositories are below shelves: two of either a
// page.
type library struct {
	connector.Provider // has no more than what a read asks of a provider

	mu      sync.Mutex
	shelves []string
	books   map[string][]connector.Record
	fails   map[string]error // of reads below a shelf
	asked   []string         // objects and what they were read below
	wrong   int              // requests that no provider would understand
	before  func(req connector.ReadRequest) error
	size    map[string]int // what it counts below a shelf, if that is wrong
}

func (*library) Info() connector.Info { return connector.Info{Name: "bitbucket"} }

func (*library) Objects() []connector.Object {
	return []connector.Object{{Name: "repositories", Parent: "shelves", ParentKeys: []string{"slug"}}, {Name: "shelves"}}
}

// put puts a book on a shelf, which appears if it is not there.
func (l *library) put(shelf string, number int, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.shelves, shelf) {
		l.shelves = append(l.shelves, shelf)
	}
	l.books[shelf] = append(l.books[shelf], connector.Record{
		ID: fmt.Sprintf("%s/%d", shelf, number), Updated: at,
		Raw: json.RawMessage(fmt.Sprintf(`{"uuid":"%[1]s/%[2]d","slug":"%[1]s-%[2]d","full_name":"acme/%[2]d"}`, shelf, number)),
	})
}

func (l *library) Read(_ context.Context, req connector.ReadRequest) (connector.Page, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	object := l.Objects()[0]
	if req.Object == "shelves" {
		object = l.Objects()[1]
	}
	if err := object.CheckParent(req); err != nil {
		l.wrong++
		return connector.Page{}, err
	}
	l.asked = append(l.asked, strings.TrimSpace(req.Object+" "+req.Parent.ID))
	if l.before != nil {
		if err := l.before(req); err != nil {
			return connector.Page{}, err
		}
	}
	var all []connector.Record
	var size int
	if req.Object == "shelves" {
		for _, shelf := range l.shelves {
			all = append(all, connector.Record{ID: shelf, Raw: json.RawMessage(`{"slug":"the-` + shelf + `"}`)})
		}
		size = len(all)
	} else {
		if string(req.Parent.Keys["slug"]) != `"the-`+req.Parent.ID+`"` {
			return connector.Page{}, &windlass.Error{Kind: windlass.Invalid, Op: req.Object, Message: "that is not the parent's slug", Provider: &windlass.ProviderDetails{}}
		}
		if err := l.fails[req.Parent.ID]; err != nil {
			return connector.Page{}, err
		}
		for _, book := range l.books[req.Parent.ID] {
			if !book.Updated.Before(req.Since) {
				all = append(all, book)
			}
		}
		size = len(all) + l.size[req.Parent.ID]
	}
	const perPage = 2
	from, _ := strconv.Atoi(string(req.Cursor))
	page := connector.Page{Size: size, Keyed: true, Records: all[min(from, len(all)):min(from+perPage, len(all))]}
	if from+perPage < len(all) {
		page.Next = connector.Cursor(strconv.Itoa(from + perPage))
	}
	return page, nil
}

// count is how often something was asked for.
func (l *library) count(what string) (n int) {
	for _, one := range l.asked {
		if one == what {
			n++
		}
	}
	return n
}

// inLibrary lets the world read a library of five shelves with 0 to 4 books.
func inLibrary(w *world) *library {
	l := &library{books: map[string][]connector.Record{}, fails: map[string]error{}, size: map[string]int{}}
	for i := range 5 {
		shelf := fmt.Sprintf("s%d", i)
		l.shelves = append(l.shelves, shelf)
		for n := range i {
			l.put(shelf, n, noon.Add(-time.Hour))
		}
	}
	w.config.Providers = connector.Providers{l}
	w.config.Open = func(context.Context, windlass.Connection, string) (connector.Reader, error) { return l, nil }
	w.flow = w.process(nil)
	return l
}

var allBooks = []string{"s1-0", "s2-0", "s2-1", "s3-0", "s3-1", "s3-2", "s4-0", "s4-1", "s4-2", "s4-3"}

// nextRead lets time pass, and what is due be read.
func (w *world) nextRead() {
	w.Helper()
	w.outbox.clear()
	w.clock.pass(10 * time.Minute)
	w.tick()
	w.succeed()
}

// An object that is below another is read parent by parent. The list of parents is
// read once a pass, and each parent has a mark of its own.
func TestReadingBelowParents(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := inLibrary(w)
		w.install(configOf(""))
		if p := w.succeed(); p.Records != 10 || p.Walked != 10 || p.Requests != int64(len(l.asked)) {
			t.Fatalf("%+v", p)
		}
		w.wantSlugs(allBooks...)
		if n, below := l.count("shelves"), l.count("repositories s4"); n != 3 || below != 2 {
			t.Errorf("%d requests for the parents, want 3; %d below the last, want 2: %v", n, below, l.asked)
		}

		l.asked = nil
		l.put("s0", 7, w.clock.now().Add(time.Minute))
		l.put("s3", 8, w.clock.now().Add(time.Minute))
		w.nextRead()
		w.wantSlugs("s0-7", "s3-8")
		if n := len(l.asked); n != 8 {
			t.Errorf("%d requests, want 3 for the parents and one below each: %v", n, l.asked)
		}
		w.nextRead() // comes across them once more, and says nothing
		w.wantSlugs()
	})
}

// What is below a parent that appears later is read from its beginning.
func TestAParentThatAppearsLater(t *testing.T) {
	each(t, func(_ *testing.T, w *world) {
		l := inLibrary(w)
		w.install(configOf(""))
		w.succeed()
		l.put("s9", 0, noon.Add(-1000*time.Hour))
		l.put("s9", 1, noon.Add(-1000*time.Hour))
		l.put("s9", 2, noon.Add(-1000*time.Hour))
		w.nextRead()
		w.wantSlugs("s9-0", "s9-1", "s9-2")
		w.nextRead()
		w.wantSlugs()
	})
}

// As far back as a backfill goes, and no farther.
func TestAParentThatAppearsLaterWithoutABackfill(t *testing.T) {
	each(t, func(_ *testing.T, w *world) {
		l := inLibrary(w)
		w.install(configOf(`"backfill":{"defaultPeriod":{"days":2}}`))
		w.succeed()
		w.wantSlugs(allBooks...)
		l.put("s9", 0, noon.Add(-50*time.Hour))
		l.put("s9", 1, noon.Add(-40*time.Hour))
		w.nextRead()
		w.wantSlugs("s9-1")
	})
}

// A parent that is not shown holds up no other. It is tried again with the next read,
// and then read from its beginning.
func TestAParentThatIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := inLibrary(w)
		l.fails["s2"] = &windlass.Error{Kind: windlass.Forbidden, Op: "read", Message: "not yours", Provider: &windlass.ProviderDetails{}}
		l.fails["s3"] = &windlass.Error{Kind: windlass.NotFound, Op: "read", Message: "gone", Provider: &windlass.ProviderDetails{}}
		w.install(configOf(""))
		w.succeed()
		w.wantSlugs("s1-0", "s4-0", "s4-1", "s4-2", "s4-3")
		w.logSays("repositories below s2 are passed over: ")
		w.wantResult("2 parents that the provider does not show passed over.")
		if n := l.count("repositories s2"); n != 1 {
			t.Errorf("it was asked for %d times", n)
		}
		delete(l.fails, "s2")
		w.nextRead()
		w.wantSlugs("s2-0", "s2-1")
	})
}

// The list of parents is not to be passed over.
func TestParentsThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := inLibrary(w)
		l.before = func(req connector.ReadRequest) error {
			if req.Object == "shelves" {
				return &windlass.Error{Kind: windlass.Forbidden, Op: "read", Message: "not yours", Provider: &windlass.ProviderDetails{}}
			}
			return nil
		}
		w.install(configOf(""))
		if p := w.finish(); p.Status != windlass.OperationFailure || !strings.Contains(p.Result, "not yours") {
			t.Fatalf("%+v", p)
		}
	})
}

// When no parent is shown it is not the parents, and passes for no complete read.
func TestParentsThatAreAllRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := inLibrary(w)
		for _, shelf := range l.shelves {
			l.fails[shelf] = &windlass.Error{Kind: windlass.Forbidden, Op: "read", Message: "not yours", Provider: &windlass.ProviderDetails{}}
		}
		w.install(configOf(""))
		if p := w.finish(); p.Status != windlass.OperationFailure || !strings.Contains(p.Result, "shows none of 5 parents") {
			t.Fatalf("%+v", p)
		}
	})
}

// What is missing below one parent fails the read, and keeps nothing from moving that
// is complete.
func TestTooFewBelowAParent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := inLibrary(w)
		l.size["s3"] = 2
		w.install(configOf(""))
		p := w.finish()
		if p.Status != windlass.OperationFailure || !strings.Contains(p.Result, "below 1 parent fewer records arrived") {
			t.Fatalf("%+v", p)
		}
		w.wantSlugs(allBooks...)
		w.logSays("Fewer of repositories below s3 arrived than the provider counts.")
		mark := func(shelf string) time.Time {
			at, err := w.ParentMark(t.Context(), w.installation.ID, "repositories", shelf)
			w.must(err)
			return at
		}
		if !mark("s3").IsZero() || !mark("s4").Equal(p.Started) {
			t.Errorf("the marks are %v and %v", mark("s3"), mark("s4"))
		}
	})
}

func TestACursorBelowAParentThatExpires(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := inLibrary(w)
		expired := 0
		l.before = func(req connector.ReadRequest) error {
			if req.Parent.ID == "s4" && req.Cursor != "" && expired == 0 {
				expired++
				return &windlass.Error{Kind: windlass.CursorExpired, Op: "read", Message: "too old", Provider: &windlass.ProviderDetails{}}
			}
			return nil
		}
		w.install(configOf(""))
		w.succeed()
		w.wantSlugs(allBooks...)
		if n := l.count("shelves"); expired != 1 || n != 3 {
			t.Errorf("the parents were asked for with %d requests, want 3", n)
		}
	})
}

// A process dies at every place; the next one goes on below the parent that it was at.
func TestDeathBelowParents(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := inLibrary(w)
		w.config.SliceSteps = 3
		for at := 1; ; at++ {
			w.outbox.clear()
			w.install(configOf(""))
			d := &crash{at: at}
			dying := w.process(func(c *read.Config) { c.Store = mortal{c.Store, d} })
			for !d.dead() {
				wait := w.stepBy(dying)
				if wait < 0 {
					break
				}
				w.clock.pass(wait)
			}
			alive := !d.dead()
			w.flow = w.process(nil)
			w.released()
			l.asked = nil
			w.succeed()
			w.wantSlugs(allBooks...)
			if alive {
				t.Logf("%d places", at)
				return
			}
		}
	})
}

// What is due below parents cannot be told from one page, and is an operation.
func TestACheckBelowParents(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := inLibrary(w)
		w.install(configOf(""))
		w.succeed()
		w.outbox.clear()
		l.put("s2", 5, w.clock.now().Add(time.Minute))
		w.clock.pass(30 * time.Minute)
		if n, err := w.flow.CheckDue(t.Context()); err != nil || n != 1 {
			t.Fatalf("%d checks, %v", n, err)
		}
		if p := w.succeed(); p.Trigger != windlass.TriggerSchedule {
			t.Fatalf("%+v", p)
		}
		w.wantSlugs("s2-5")
		if l.wrong > 0 {
			t.Errorf("%d requests named no parent", l.wrong)
		}
	})
}

// A sample is of a record below the first parent.
func TestASampleBelowAParent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := inLibrary(w)
		w.install(configOf(""))
		l.asked = nil
		w.must(w.flow.Sample(t.Context(), w.installation, "repositories"))
		if want := []string{"shelves", "repositories s0"}; !slices.Equal(l.asked, want) {
			t.Errorf("it asks for %v, want %v", l.asked, want)
		}
		l.shelves, l.asked = nil, nil
		w.must(w.flow.Sample(t.Context(), w.installation, "repositories"))
		if want := []string{"shelves"}; !slices.Equal(l.asked, want) {
			t.Errorf("it asks for %v, want %v", l.asked, want)
		}
	})
}
