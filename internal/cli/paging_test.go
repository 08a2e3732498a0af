package cli_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// fakeServer answers as a server does that has 120 connections and deliveries.
func fakeServer(t *testing.T) *http.ServeMux {
	t.Helper()
	const there = 120
	page := func(r *http.Request, item string) (items []string, next string) {
		size, _ := strconv.Atoi(r.FormValue("pageSize"))
		from, _ := strconv.Atoi(r.FormValue("pageToken"))
		for i := from; i < min(from+size, there); i++ {
			items = append(items, fmt.Sprintf(item, i))
		}
		if from+size < there {
			next = strconv.Itoa(from + size)
		}
		return items, next
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/projects/p/connections", func(w http.ResponseWriter, r *http.Request) {
		items, next := page(r, `{"id":"c%d","createTime":"2026-01-01T00:00:00Z"}`)
		if next != "" {
			w.Header().Set("Link", `<?pageToken=`+next+`>; rel="next"`)
		}
		_, _ = fmt.Fprintf(w, "[%s]", strings.Join(items, ","))
	})
	mux.HandleFunc("GET /v1/projects/p/deliveries", func(w http.ResponseWriter, r *http.Request) {
		items, next := page(r, `{"id":"d%d","destinationId":"x","destinationName":"webhook","groupRef":"customer-1"}`)
		_, _ = fmt.Fprintf(w, `{"results":[%s],"pagination":{"nextPageToken":%q}}`, strings.Join(items, ","), next)
	})
	mux.HandleFunc("GET /v1/projects/p/destinations", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `[{"id":"x","name":"webhook"}]`)
	})
	mux.HandleFunc("GET /v1/projects/p/destinations/webhook", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"id":"x","name":"webhook"}`)
	})
	mux.HandleFunc("GET /v1/projects/p/destinations/webhook/health", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"disabled":true,"reason":"7 attempts in a row failed","failuresInARow":7}`)
	})
	mux.HandleFunc("GET /v1/projects/p/deliveries/d1", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"id":"d1","body":"{\"a\": 1}","tried":[{"time":"2026-01-01T00:00:00Z","status":500}]}`)
	})
	return mux
}

// atFake makes a program whose server is the fake one.
func atFake(t *testing.T) *program {
	t.Helper()
	p := newProgram(t)
	p.Getenv = func(name string) string {
		return map[string]string{"WINDLASS_API_KEY": "k", "WINDLASS_PROJECT": "p"}[name]
	}
	p.Base = handlerTransport{fakeServer(t)}
	return p
}

func TestListsSayThatThereIsMore(t *testing.T) {
	t.Parallel()
	for _, noun := range []string{"connections", "deliveries"} {
		for _, test := range []struct {
			args  []string
			lines int
			says  string
		}{
			{nil, 51, "50 are shown, and there are more: --all lists them, and --limit N more of them\n"},
			{[]string{"--limit", "7"}, 8, "7 are shown, and there are more"},
			{[]string{"--limit", "120"}, 121, ""},
			{[]string{"--all"}, 121, ""},
			{[]string{"--json"}, 1, `{"more":true,"shown":50}` + "\n"},
		} {
			p := atFake(t)
			p.run(t, 0, append([]string{noun, "list"}, test.args...)...)
			if n := strings.Count(p.stdout.String(), "\n"); n != test.lines {
				t.Errorf("%s %q: %d lines, want %d: %s", noun, test.args, n, test.lines, p.stdout.String())
			}
			if got := p.stderr.String(); !strings.Contains(got, test.says) || (test.says == "" && got != "") {
				t.Errorf("%s %q: it said %q, want %q", noun, test.args, got, test.says)
			}
		}
	}
	p := atFake(t)
	p.run(t, 2, "connections", "list", "--limit", "0")
}

func TestListsAreForPeopleOnATerminal(t *testing.T) {
	t.Parallel()
	p := atFake(t)
	p.Now = func() time.Time { return time.Date(2026, 1, 1, 0, 5, 0, 0, time.UTC) }
	p.StdoutTerminal = true
	p.run(t, 0, "connections", "list", "--limit", "1")
	if got := p.stdout.String(); !strings.Contains(got, "5 min ago") {
		t.Errorf("times are not relative: %s", got)
	}
	p.stdout.Reset()
	p.run(t, 0, "deliveries", "list", "--limit", "1")
	if got := p.stdout.String(); !strings.Contains(got, "DESTINATION  CUSTOMER") || !strings.Contains(got, "webhook      customer-1") {
		t.Errorf("the destination and the customer are not named: %s", got)
	}
}

func TestDestinationSaysThatItIsDisabledAndWhy(t *testing.T) {
	t.Parallel()
	p := atFake(t)
	p.run(t, 0, "destinations", "get", "webhook")
	for _, part := range []string{"DISABLED  true", "WHY       7 attempts in a row failed"} {
		if !strings.Contains(p.stdout.String(), part) {
			t.Errorf("it does not show %q: %s", part, p.stdout.String())
		}
	}
	p.stdout.Reset()
	p.run(t, 0, "destinations", "get", "webhook", "--json")
	if want := `{"id":"x","name":"webhook","health":{"disabled":true,"reason":"7 attempts in a row failed","failuresInARow":7}}` + "\n"; p.stdout.String() != want {
		t.Errorf("it shows %s, want %s", p.stdout.String(), want)
	}
}

func TestBodyOfADeliveryAlone(t *testing.T) {
	t.Parallel()
	p := atFake(t)
	p.run(t, 0, "deliveries", "get", "d1", "--body")
	if got := p.stdout.String(); got != `{"a": 1}` {
		t.Errorf("it printed %q", got)
	}
}

func TestLongWaitIsToldOnceAMinuteOffATerminal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProgram(t, "status=429,retry-after=600s,after=1,times=1")
		p.run(t, 0, "read", "repositories")
		p.says(t, "windlass: rate limited, going on in 10 min 0 s\n",
			"windlass: repositories  100 of 250 · rate limited, going on in 5 min 1 s\n")
		if n := strings.Count(p.stderr.String(), "going on in"); n != 11 {
			t.Errorf("it was said %d times: %s", n, p.stderr.String())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		p := newProgram(t, "status=429,retry-after=600s,after=1,times=1")
		p.run(t, 0, "read", "repositories", "--quiet")
		if p.stderr.Len() > 0 {
			t.Errorf("it said %s", p.stderr.String())
		}
	})
}

// handlerTransport sends requests to a handler in this process.
type handlerTransport struct{ http.Handler }

func (h handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), nil
}
