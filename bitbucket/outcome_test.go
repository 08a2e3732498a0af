package bitbucket_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"windlass"
	"windlass/bitbucket"
	"windlass/bitbucket/sandbox"
	"windlass/connector"
)

// What Bitbucket and what stands before it say of an error, in every shape.
func TestErrorBodiesOfEveryShape(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		body, says string
		kind       windlass.Kind
	}{
		{`{"type":"error","error":{"message":"Bad request","fields":["name: this may not be empty"]}}`, "Bad request: name: this may not be empty (HTTP 400)", windlass.Invalid},
		{`{"type":"error","error":{"message":"Bad request","fields":["Repository with this Slug already exists."]}}`, "Bad request: Repository with this Slug already exists", windlass.Conflict},
		{`{"error":{"message":"Bad request","fields":[{"field":"key","message":"is taken"}]}}`, "Bad request (HTTP 400) (key: is taken)", windlass.Invalid},
		{`{"error":{"message":"Bad request","fields":"key: is taken"}}`, "Bad request: key: is taken", windlass.Invalid},
		{`{"error":{"message":"Bad request","detail":["one","two"]}}`, "Bad request: one: two", windlass.Invalid},
		{`{"error":{"message":["one","two"]}}`, "one: two (HTTP 400)", windlass.Invalid},
		{`{"error":[{"message":"one"},{"message":"two"}]}`, "one: two (HTTP 400)", windlass.Invalid},
		{`{"errors":[{"status":400,"title":"Bad","detail":"Invalid page"}]}`, "Bad: Invalid page", windlass.CursorExpired},
		{`["one"]`, "one (HTTP 400)", windlass.Invalid},
		{`{"code":400,"message":"from a gateway"}`, "from a gateway (HTTP 400)", windlass.Invalid},
		{`{"error":"invalid_thing","error_description":"because"}`, "invalid_thing: because (HTTP 400)", windlass.Invalid},
		{`{"error":{"message":"Bad request:"}}`, "Bad request (HTTP 400)", windlass.Invalid},
		{`{"error":{"message":"Bad request: ","fields":{"key":["is taken"]}}}`, "Bad request (HTTP 400) (key: is taken)", windlass.Invalid},
		{`{"error":{"message":7,"detail":{"x":1}}}`, "Bitbucket answered 400 Bad Request", windlass.Invalid},
	} {
		_, err := over(t, always(400, row.body)).Read(t.Context(), readHooks)
		if e := typed(t, err); e.Kind != row.kind || !strings.Contains(e.Error(), row.says) {
			t.Errorf("%s\n%s: %s; want %s: %s", row.body, e.Kind, e, row.kind, row.says)
		}
	}
}

// Whatever shape an error has, its sentence is shown, once, and is what decides.
func FuzzErrorSentence(f *testing.F) {
	for i := range 12 {
		f.Add(i, "name")
	}
	f.Fuzz(func(t *testing.T, shape int, word string) {
		const sentence = "Repository with this Slug already exists"
		name, err := json.Marshal(word)
		if err != nil || !utf8.ValidString(word) {
			t.Skip("not a string that JSON can carry")
		}
		shapes := []string{
			`{"error":{"message":"S"}}`, `{"error":{"message":"Bad request","detail":"S"}}`, `{"error":{"message":"Bad request","detail":["S"]}}`,
			`{"error":{"message":"Bad request","fields":["S"]}}`, `{"error":{"message":"Bad request","fields":{N:"S"}}}`, `{"error":{"message":"Bad request","fields":{N:["S"]}}}`,
			`{"error":{"fields":[{"field":N,"message":"S"}]}}`, `{"error":"S"}`, `{"error":N,"error_description":"S"}`,
			`{"message":"S"}`, `{"errors":[{"title":N,"detail":"S"}]}`, `[{"message":"S"}]`,
		}
		body := strings.NewReplacer("S", sentence, "N", string(name)).Replace(shapes[((shape%len(shapes))+len(shapes))%len(shapes)])
		_, err = over(t, always(400, body)).Read(t.Context(), readHooks)
		e := typed(t, err)
		if len(word) < 200 && (e.Kind != windlass.Conflict || strings.Count(e.Error(), sentence) != 1 && !strings.Contains(word, "Repository")) {
			t.Errorf("%s\n%s: %s", body, e.Kind, e)
		}
		if !utf8.ValidString(e.Error()) || strings.ContainsAny(e.Error(), "\n\x00") {
			t.Errorf("%q", e.Error())
		}
	})
}

func TestWhatIsUnavailableIsTriedAgain(t *testing.T) {
	t.Parallel()
	for _, status := range []int{408, 425, 429, 500, 501, 502, 503, 504, 520, 522, 524, 555} {
		synctest.Test(t, func(t *testing.T) {
			sent := 0
			c := over(t, &bitbucket.Retry{Base: transportFunc(func(*http.Request) (*http.Response, error) {
				if sent++; sent == 1 {
					return reply(status, "odd"), nil
				}
				return reply(200, `{"values":[]}`), nil
			})})
			if _, err := c.Read(t.Context(), readHooks); err != nil || sent != 2 {
				t.Errorf("%d: sent %d times, %v", status, sent, err)
			}
		})
	}
}

// A delete whose answer is lost, and that is then answered with 404, was done.
func TestADeleteWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]func() (*http.Response, error){
		"no answer":        func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
		"a gateway's":      func() (*http.Response, error) { return reply(502, ""), nil },
		"rate limited":     func() (*http.Response, error) { return reply(429, ""), nil },
		"nothing went bad": nil,
	} {
		synctest.Test(t, func(t *testing.T) {
			sent := 0
			c := over(t, &bitbucket.Retry{Base: transportFunc(func(*http.Request) (*http.Response, error) {
				if sent++; sent == 1 && first != nil {
					return first()
				}
				return reply(404, `{"error":{"message":"no such hook"}}`), nil
			})})
			err := c.Delete(t.Context(), connector.DeleteRequest{Object: "hooks", ID: "{x}"})
			done := name == "no answer" || name == "a gateway's" // a 429 did nothing
			if done && err != nil || !done && !errors.Is(err, windlass.NotFound) {
				t.Errorf("%s: %v after %d requests", name, err, sent)
			}
		})
	}
}

func TestBytesThatAreNotUTF8AreReplaced(t *testing.T) {
	t.Parallel()
	c := over(t, always(200, `{"values":[{"uuid":"{1}","description":"a`+"\xff\xfe"+`b"}]}`))
	page, err := c.Read(t.Context(), readHooks)
	if err != nil || len(page.Records) != 1 {
		t.Fatal(page, err)
	}
	if got := stringIn(t, page.Records[0].Raw, "description"); got != "a\uFFFDb" || !utf8.Valid(page.Records[0].Raw) {
		t.Errorf("%q", got)
	}
	if !strings.Contains(strings.Join(page.Notes, " "), "not valid UTF-8") {
		t.Errorf("the notes are %q", page.Notes)
	}
}

func TestWordsOfRefusals(t *testing.T) {
	t.Parallel()
	const blocked = `{"error":{"message":"To access this workspace, an admin must add your IP address to the allowlist."}}`
	_, err := over(t, always(403, blocked)).Read(t.Context(), readHooks)
	if !strings.Contains(err.Error(), "lets only certain IP addresses in") || strings.Contains(err.Error(), "lacks the role") {
		t.Error(err)
	}
	if _, err = over(t, always(409, `{"error":{"message":"busy"}}`)).Read(t.Context(), readHooks); strings.Contains(err.Error(), "another name") || !strings.Contains(err.Error(), "try again later") {
		t.Error(err)
	}
}

// Bitbucket makes a slug as it likes; what a create made is found all the same.
func TestFindAsksByName(t *testing.T) {
	t.Parallel()
	r := setUp(t, &sandbox.Options{Repositories: 3})
	long := strings.Repeat("abcdefghi-", 7) // 70 characters
	for i, record := range []string{
		`{"name":` + strconv.Quote(long) + `}`, `{"name":"Ünïcødé & \"quotes\" \\ slashes"}`, `{"name":"Well","slug":"` + long + `x"}`, `{"slug":"Odd_Slug.v2","name":"Odd"}`,
	} {
		made := r.write(t, "repositories", "", record)
		id, found, err := r.Find(t.Context(), connector.FindRequest{Object: "repositories", Record: json.RawMessage(record), Since: time.Now().Add(-time.Minute)})
		if err != nil || !found || id != made.ID {
			t.Errorf("%d: found %q, %v, %v; want %s", i, id, found, err, made.ID)
		}
		// The slugs of both long ones would be the same.
		if i == 0 {
			if err := r.Delete(t.Context(), connector.DeleteRequest{Object: "repositories", ID: made.ID}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestARenamedWorkspaceByItsUUID(t *testing.T) {
	t.Parallel()
	r := setUp(t, &sandbox.Options{Repositories: 30})
	uuid := r.server.Credentials().WorkspaceUUID
	r.server.RenameWorkspace("acme-inc", "Acme Inc")
	if _, err := r.Read(t.Context(), connector.ReadRequest{Object: "projects"}); !errors.Is(err, windlass.NotFound) {
		t.Errorf("the old slug: %v", err)
	}
	token, err := bitbucket.AccessToken(r.server.Credentials().AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	c := r.as(t, token, &bitbucket.Options{Workspace: uuid})
	for _, object := range []string{"projects", "repositories", "hooks", "members", "pipelines-config/variables"} {
		n := 0
		for _, err := range connector.All(t.Context(), c, connector.ReadRequest{Object: object}) {
			if err != nil {
				t.Fatalf("%s: %v", object, err)
			}
			n++
		}
		if n == 0 {
			t.Errorf("%s: nothing", object)
		}
	}
}
