package bitbucket_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/bitbucket"
	"windlass/connector"
)

func TestEveryErrorBodyBecomesOneTypedError(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		object string
		status int
		body   string
		header []string
		kind   windlass.Kind
		says   []string // what the line has to hold
		check  func(*windlass.Error) bool
	}{
		{
			name: "a missing scope names it", status: 403, kind: windlass.Forbidden,
			body: `{"type":"error","error":{"message":"Your credentials lack one or more required privilege scopes.","detail":{"required":["repository"],"granted":["account","email"]}}}`,
			says: []string{"missing scope: repository", "add the scope"},
		},
		{
			name: "a field's problem as a string", status: 400, kind: windlass.Invalid,
			body: `{"type":"error","error":{"message":"Bad request","fields":{"links.avatar":"required key not provided"}}}`,
			says: []string{"Bad request", "links.avatar: required key not provided"},
		},
		{
			name: "a field's problems as a list", status: 400, kind: windlass.Invalid,
			body: `{"type":"error","error":{"message":"wrong","fields":{"name":["too long","not ASCII"]}}}`,
			says: []string{"name: too long", "name: not ASCII"},
		},
		{
			name: "detail as text", status: 404, kind: windlass.NotFound,
			body: `{"type":"error","error":{"message":"Resource not found","detail":"There is no API hosted at this URL"}}`,
			says: []string{"Resource not found: There is no API hosted at this URL (HTTP 404)"},
		},
		{
			name: "an endpoint that is gone says where that was announced", status: 410, kind: windlass.Gone,
			body: `{"type":"error","error":{"message":"CHANGE-1 - gone","detail":"Read on.","data":{"announcement_url":"https://example.com/c"}},"data":{"announcement_url":"https://example.com/c"}}`,
			says: []string{"CHANGE-1", "https://example.com/c"},
		},
		{
			name: "data only at the top level", status: 410, kind: windlass.Gone,
			body: `{"type":"error","error":{"message":"gone"},"data":{"announcement_url":"https://example.com/d"}}`,
			says: []string{"https://example.com/d"},
		},
		{name: "401 as plain text", status: 401, kind: windlass.Unauthorized, body: "Token is invalid", says: []string{"Token is invalid", "mistyped, expired or revoked"}},
		{name: "404 as plain text", status: 404, kind: windlass.NotFound, body: "Not Found", says: []string{"Not Found"}},
		{
			name: "429 as plain text, with how long to wait", status: 429, kind: windlass.RateLimited,
			body: "Rate limit for this resource has been exceeded", header: []string{"Retry-After", "42"},
			says:  []string{"exceeded", "wait 42s"},
			check: func(e *windlass.Error) bool { return e.RetryAfter == 42*time.Second },
		},
		{
			name: "429 with the gateway's reset", status: 429, kind: windlass.RateLimited,
			body: `{"type":"error","error":{"message":"Rate limit"}}`, header: []string{"X-Ratelimit-Limit", "60, 60;w=3600", "X-Ratelimit-Remaining", "0", "X-Ratelimit-Reset", "17"},
			check: func(e *windlass.Error) bool { return e.RetryAfter == 17*time.Second },
		},
		{
			name: "429 that says nothing", status: 429, kind: windlass.RateLimited,
			check: func(e *windlass.Error) bool { return e.RetryAfter == 0 },
		},
		{
			name: "a Retry-After date is read against the server's own clock", status: 503, kind: windlass.Unavailable,
			header: []string{"Retry-After", "Thu, 06 Mar 2025 22:10:49 GMT", "Date", "Thu, 06 Mar 2025 22:09:49 GMT"},
			check:  func(e *windlass.Error) bool { return e.RetryAfter == time.Minute },
		},
		{
			name: "a gateway's HTML", status: 502, kind: windlass.Unavailable,
			body: "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>" + strings.Repeat("x", 5000) + "</body></html>",
			says: []string{`an HTML page instead of JSON, titled "502 Bad Gateway"`},
		},
		{name: "an empty 500", status: 500, kind: windlass.Unavailable, says: []string{"500 Internal Server Error"}},
		{name: "OAuth's shape", status: 401, kind: windlass.Unauthorized, body: `{"error":"invalid_grant","error_description":"expired"}`, says: []string{"invalid_grant: expired"}},
		{
			name: "members of unexpected types lose nothing else", status: 400, kind: windlass.Invalid,
			body: `{"type":"error","error":{"message":["a"],"fields":{"key":[1]},"detail":"look here"}}`,
			says: []string{"look here"},
		},
		{name: "a taken slug is a conflict", status: 400, kind: windlass.Conflict, body: `{"type":"error","error":{"message":"Repository with this Slug and Owner already exists."}}`},
		{name: "a taken key as well, though it is said of the field", status: 400, kind: windlass.Conflict, body: `{"type":"error","error":{"message":"Bad request","fields":{"key":["Project with this Key already exists."]}}}`},
		{name: "a page that is gone is an expired cursor", status: 404, kind: windlass.CursorExpired, body: `{"type":"error","error":{"message":"Invalid page"}}`, says: []string{"begin the read again"}},
		{name: "linkers with the wrong sort of credential", object: "addon/linkers", status: 401, kind: windlass.Unauthorized, body: `{"type":"error","error":{"message":"Authentication must use app JWT"}}`, says: []string{"must use app JWT", "Connect app"}},
		{name: "control characters do not reach the terminal", status: 400, kind: windlass.Invalid, body: "bad\x1b[31m\r\nrequest", says: []string{"bad[31m request"}},
		{
			name: "a list without end is cut", status: 403, kind: windlass.Forbidden,
			body: `{"error":{"message":"m","fields":{` + numbered(`"f%d":["x"]`) + `},"detail":{"required":[` + numbered(`"s%d"`) + `]}}}`,
			check: func(e *windlass.Error) bool {
				return len(e.Provider.Fields) == 10 && len(e.Provider.Required) == 50 && len(e.Error()) < 1000
			},
		},
		{name: "a redirect is no answer", status: 304, kind: windlass.Malformed},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			object := row.object
			if object == "" {
				object = "repositories"
			}
			_, err := over(t, always(row.status, row.body, row.header...)).Read(t.Context(), connector.ReadRequest{Object: object})
			e := typed(t, err)
			if e.Kind != row.kind || e.Provider.Status != row.status {
				t.Errorf("kind %q and status %d, want %q and %d: %v", e.Kind, e.Provider.Status, row.kind, row.status, err)
			}
			for _, part := range append(row.says, "read "+object+": ") {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is missing in: %v", part, err)
				}
			}
			if row.check != nil && !row.check(e) {
				t.Errorf("the error is %+v", e)
			}
		})
	}
}

// numbered repeats a member a thousand times, each with its number.
func numbered(format string) string {
	var all []string
	for i := range 1000 {
		all = append(all, fmt.Sprintf(format, i))
	}
	return strings.Join(all, ",")
}

func TestABadAnswerIsMalformedAndNeverARecord(t *testing.T) {
	t.Parallel()
	const good = `{"values":[{"uuid":"{1}","type":"repository"}]`
	for name, answer := range map[string]*http.Response{
		"cut JSON":                   reply(200, good),
		"a connection that breaks":   cut(good),
		"HTML with status 200":       reply(200, "<html><title>Log in</title></html>"),
		"nothing":                    reply(200, ""),
		"no list":                    reply(200, `{"type":"repository"}`),
		"values that are no list":    reply(200, `{"values":{}}`),
		"a record that is no object": reply(200, `{"values":[1]}`),
		"something after the end":    reply(200, good+`}}`),
		"a link to another host":     reply(200, good+`,"next":"https://evil.example/2.0/repositories/acme?page=2"}`),
		"a link in the clear":        reply(200, good+`,"next":"http://api.bitbucket.org/2.0/repositories/acme?page=2"}`),
		"a link to another port":     reply(200, good+`,"next":"https://api.bitbucket.org:444/2.0/repositories/acme?page=2"}`),
		"a link out of the API":      reply(200, good+`,"next":"https://api.bitbucket.org/2.0/../evil"}`),
		"a link with a user":         reply(200, good+`,"next":"https://x@api.bitbucket.org/2.0/repositories/acme"}`),
		"a link that is none":        reply(200, good+`,"next":"::"}`),
		"a link that is no text":     reply(200, good+`,"next":{"href":"https://api.bitbucket.org/2.0/repositories/acme?page=2"}}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			only := transportFunc(func(*http.Request) (*http.Response, error) { return answer, nil })
			page, err := over(t, only).Read(t.Context(), connector.ReadRequest{Object: "repositories"})
			if !errors.Is(err, windlass.Malformed) || len(page.Records) > 0 {
				t.Errorf("%d records and %v", len(page.Records), err)
			}
		})
	}
}

func TestAWriteMasksSecretsThatBitbucketRepeats(t *testing.T) {
	t.Parallel()
	for name, secret := range map[string]string{
		"a word":             "hunter2-hunter2",
		"lines, as of a key": "-----BEGIN\n  hunter2\n-----END",
		"cut off in a text":  "hunter2" + strings.Repeat("x", 400),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			quoted, err := json.Marshal(secret)
			if err != nil {
				t.Fatal(err)
			}
			said := strings.Trim(string(quoted), `"`)
			echo := always(400, `{"type":"error","error":{"message":"bad value `+said+`","fields":{"value":["`+said+`"],"`+said+`":"?"}}}`)
			_, err = over(t, echo).Write(t.Context(), connector.WriteRequest{
				Object: "pipelines-config/variables", Record: []byte(`{"key":"K","value":` + string(quoted) + `}`),
			})
			if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "bad value •••") {
				t.Errorf("the secret is in the error, or nothing is: %v", err)
			}
		})
	}
}

func TestAnObjectThatDoesNotExistNamesTheNearest(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"repositorys":            `did you mean "repositories"?`,
		"hook":                   `did you mean "hooks"?`,
		"repos":                  `did you mean "repositories"?`,
		"pull":                   "there are: addon/linkers, hook_events",
		strings.Repeat("x", 500): "there are: ",
	} {
		_, err := bitbucket.Describe(typed)
		if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, windlass.Invalid) {
			t.Errorf("%.20s: %v, want %s", typed, err, want)
		}
	}
}

func FuzzErrorBody(f *testing.F) {
	for _, seed := range []string{
		"", "{", "Not Found", `{"error":{"message":"m","detail":{"required":["a"]},"fields":{"f":["x"]}}}`,
		`{"error":"invalid_grant"}`, "<html><title>t</title>", `{"error":{"fields":3,"message":{}}}`, "\x00\xff",
	} {
		f.Add(400, seed, "17")
	}
	f.Fuzz(func(t *testing.T, status int, body, after string) {
		if status < 300 || status > 999 {
			return
		}
		resp := reply(status, body)
		resp.Header["Retry-After"] = []string{after}
		only := transportFunc(func(*http.Request) (*http.Response, error) { return resp, nil })
		c := over(t, only)
		_, err := c.Read(t.Context(), connector.ReadRequest{Object: "hooks"})
		if err == nil {
			t.Fatal("an error's status gave no error")
		}
		e := typed(t, err)
		if e.Kind == "" || strings.ContainsAny(err.Error(), "\n\r\x1b") || len(err.Error()) > 5000 || e.RetryAfter < 0 {
			t.Errorf("kind %q, wait %s, text %q", e.Kind, e.RetryAfter, err)
		}
	})
}
