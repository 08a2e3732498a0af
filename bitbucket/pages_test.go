package bitbucket_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/connector"
)

func TestARecordKeepsItsBytes(t *testing.T) {
	t.Parallel()
	const record = `{ "uuid" : "{1}",` + "\n\t" + `"name":"ünï \u00e9 \"q\"", "updated_on":"2026-01-02T03:04:05.000006+00:00","n":1.50e3,"uuid2":null }`
	page, err := over(t, always(200, `{"values":[`+record+`],"size":1}`)).Read(t.Context(), connector.ReadRequest{Object: "repositories"})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(page.Records[0].Raw); got != record {
		t.Errorf("got  %s\nwant %s", got, record)
	}
	if got := page.Records[0].Updated.Format("15:04:05.000000"); got != "03:04:05.000006" {
		t.Errorf("updated at %s", got)
	}
	if page.Size != 1 || page.Next != "" {
		t.Errorf("size %d, next %q", page.Size, page.Next)
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, object, record, id string }{
		{"a UUID", "hooks", `{"uuid":"{1}"}`, "{1}"},
		{"of the user, where the record has none", "members", `{"user":{"uuid":"{2}"},"uuid":"{no}"}`, "{2}"},
		{"of two things", "permissions/repositories", `{"repository":{"uuid":"{r}"},"user":{"uuid":"{u}"}}`, "{u}/{r}"},
		{"an email address", "user/emails", `{"email":"a@example.com"}`, "a@example.com"},
		{"a short string", "snippets", `{"id":"kypj"}`, "kypj"},
		{"a number, as the document wrongly says", "snippets", `{"id":17}`, "17"},
		{"escaped", "snippets", `{"id":"k\u0079pj"}`, "kypj"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			page, err := over(t, always(200, `{"values":[`+row.record+`]}`)).Read(t.Context(), connector.ReadRequest{Object: row.object})
			if err != nil {
				t.Fatal(err)
			}
			if got := page.Records[0].ID; got != row.id {
				t.Errorf("got %s, want %s", got, row.id)
			}
		})
	}
}

func TestARecordWithoutAnIDIsNotLost(t *testing.T) {
	t.Parallel()
	page, err := over(t, always(200, `{"values":[{"user":null},{"user":{"uuid":"{1}"}}]}`)).Read(t.Context(), connector.ReadRequest{Object: "members"})
	if err != nil || len(page.Records) != 2 || !strings.HasPrefix(page.Records[0].ID, "sha256:") {
		t.Errorf("%v, %+v", err, page.Records)
	}
}

func TestEnvelopesVary(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"everything":    `{"size":1,"page":1,"pagelen":100,"values":[{"uuid":"{1}"}]}`,
		"values alone":  `{"values":[{"uuid":"{1}"}]}`,
		"pagelen zero":  `{"pagelen":0,"values":[{"uuid":"{1}"}],"size":1}`,
		"a bare list":   `[{"uuid":"{1}"}]`,
		"a null next":   `{"values":[{"uuid":"{1}"}],"next":null}`,
		"next in front": "\n{\"next\":null , \"values\" : [ {\"uuid\":\"{1}\"} ] }\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page, err := over(t, always(200, body)).Read(t.Context(), connector.ReadRequest{Object: "hooks"})
			if err != nil || len(page.Records) != 1 || page.Records[0].ID != "{1}" || page.Next != "" {
				t.Errorf("%v, %+v", err, page)
			}
		})
	}
}

// FuzzPage holds the scanner to encoding/json: it takes the same pages and
// finds the same records, byte for byte.
func FuzzPage(f *testing.F) {
	for _, seed := range []string{
		`{"values":[{"uuid":"{1}"}],"size":1}`, `{"values":[{}]}`, `{"values":[{"a":[1,-0.5e+7,true,null,"\u00e9\n"]}]}`,
		`{"values":[{"a":01}]}`, `{"values":[{"a":"\x"}]}`, `{"values":[{"a":tru}]}`, `[{}]`, `{"values":[{},]}`, `{"values":[{"a":"` + "\x01" + `"}]}`,
		`{"next":"https://api.bitbucket.org/2.0/workspaces/acme/hooks?page=2","values":[]}`, strings.Repeat("[", 2000),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var want struct {
			Values []json.RawMessage `json:"-"`
			valid  bool
		}
		want.valid = json.Valid(body)
		only := transportFunc(func(*http.Request) (*http.Response, error) { return reply(200, string(body)), nil })
		page, err := over(t, only).Read(t.Context(), connector.ReadRequest{Object: "hooks"})
		if err != nil {
			if !errors.Is(err, windlass.Malformed) {
				t.Fatalf("unexpected error: %v", err)
			}
			return
		}
		if !want.valid {
			t.Fatalf("took what is not JSON: %q", body)
		}
		values := valuesOf(t, body)
		if len(values) != len(page.Records) {
			t.Fatalf("%d records, encoding/json has %d", len(page.Records), len(values))
		}
		for i, record := range page.Records {
			if !bytes.Equal(record.Raw, values[i]) {
				t.Errorf("record %d is %q, encoding/json has %q", i, record.Raw, values[i])
			}
		}
	})
}

// valuesOf is the list of records as encoding/json sees it, with the exact key
// "values" (its struct tags would take any case).
func valuesOf(t *testing.T, body []byte) []json.RawMessage {
	t.Helper()
	var values []json.RawMessage
	if json.Unmarshal(body, &values) == nil {
		return values
	}
	var page map[string]json.RawMessage
	if err := json.Unmarshal(body, &page); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(page["values"], &values); err != nil {
		t.Fatal(err)
	}
	return values
}

// TestACircleOfLinksEnds has pages that are not counted and lead back into one
// that came before.
func TestACircleOfLinksEnds(t *testing.T) {
	t.Parallel()
	for _, length := range []int{2, 3, 7, 40} {
		t.Run(strconv.Itoa(length), func(t *testing.T) {
			t.Parallel()
			requests := 0
			circle := transportFunc(func(req *http.Request) (*http.Response, error) {
				requests++
				page, _ := strconv.Atoi(req.URL.Query().Get("page"))
				next := page + 1
				if next > 5+length {
					next = 6
				}
				return reply(200, fmt.Sprintf(`{"values":[{"uuid":"{%d}"}],"next":"https://api.bitbucket.org/2.0/workspaces/acme/hooks?page=%d"}`, page, next)), nil
			})
			var end error
			for page, err := range connector.Pages(t.Context(), over(t, circle), readHooks) {
				if end = err; requests > 1000 {
					t.Fatalf("it never ends: %v", page.Next)
				}
			}
			if !errors.Is(end, windlass.Malformed) || requests > 6*length+40 {
				t.Errorf("%d requests, and then %v", requests, end)
			}
		})
	}
}

// TestNanosecondsDoNotHoldAWalkUp has times that are finer than those a filter
// takes.
func TestNanosecondsDoNotHoldAWalkUp(t *testing.T) {
	t.Parallel()
	const record, next = `{"uuid":"{%d}","updated_on":"2026-01-01T00:00:00.123456%d+00:00"}`, `https://api.bitbucket.org/2.0/repositories/acme?page=2`
	n := 0
	fine := transportFunc(func(req *http.Request) (*http.Response, error) {
		if n++; n > 10 {
			t.Fatal("the walk stands still")
		}
		if req.URL.Query().Has("page") {
			return reply(200, `{"values":[`+fmt.Sprintf(record, 3, 300)+`]}`), nil
		}
		return reply(200, `{"values":[`+fmt.Sprintf(record, 1, 100)+`,`+fmt.Sprintf(record, 2, 200)+`],"next":"`+next+`"}`), nil
	})
	since := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if got := read(t, over(t, fine), connector.ReadRequest{Object: "repositories", Since: since}); len(got) != 3 {
		t.Errorf("%d records, want 3", len(got))
	}
}

func FuzzCursor(f *testing.F) {
	good, err := over(f, always(200, `{"values":[{"uuid":"{1}"}],"next":"https://api.bitbucket.org/2.0/workspaces/acme/hooks?page=2"}`)).
		Read(f.Context(), connector.ReadRequest{Object: "hooks"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(good.Next))
	f.Add("e30")
	f.Add(noSubjects(f))
	f.Add("")
	f.Fuzz(func(t *testing.T, cursor string) {
		only := transportFunc(func(req *http.Request) (*http.Response, error) {
			if req.URL.Scheme != "https" || req.URL.Host != "api.bitbucket.org" || !strings.HasPrefix(req.URL.Path, "/2.0/") {
				t.Errorf("a cursor led to %s", req.URL)
			}
			return reply(200, `{"values":[]}`), nil
		})
		for _, object := range []string{"hooks", "hook_events", "workspaces", "repositories"} {
			_, err := over(t, only).Read(t.Context(), connector.ReadRequest{Object: object, Cursor: connector.Cursor(cursor)})
			if err != nil && !errors.Is(err, windlass.Invalid) && !errors.Is(err, windlass.CursorExpired) && !errors.Is(err, windlass.Malformed) {
				t.Errorf("%s: unexpected error: %v", object, err)
			}
		}
	})
}

// noSubjects is a cursor of hook_events that was changed to have no subject left.
func noSubjects(tb testing.TB) string {
	tb.Helper()
	page, err := over(tb, always(200, `{"workspace":{}}`)).Read(tb.Context(), connector.ReadRequest{Object: "hook_events"})
	if err != nil {
		tb.Fatal(err)
	}
	place, err := base64.RawURLEncoding.DecodeString(string(page.Next))
	if err != nil {
		tb.Fatal(err)
	}
	changed := strings.Replace(string(place), `"subjects":["workspace"]`, `"subjects":[]`, 1)
	if changed == string(place) {
		tb.Fatalf("no subjects in %s", place)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(changed))
}
