package api_test

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"windlass/internal/api"
)

func TestBodiesThatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	path := w.in("/api-keys")
	for _, test := range []struct {
		name, body string
		status     int
		slug       string
	}{
		{"nothing", "", 400, "malformed-request"},
		{"spaces", "  \n", 400, "malformed-request"},
		{"half a body", `{"label":`, 400, "malformed-request"},
		{"two bodies", `{"label":"a"}{"label":"b"}`, 400, "malformed-request"},
		{"a comment", `{"label":"a"} // b`, 400, "malformed-request"},
		{"bytes that are not text", "{\"label\":\"\xff\"}", 400, "malformed-request"},
		{"nested beyond reason", strings.Repeat("[", 20_000), 400, "malformed-request"},
		{"nested deeper than anything needs", `{"label":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, 400, "malformed-request"},
		{"a key that is a book", `{"` + strings.Repeat("k", 1000) + `":1}`, 400, "malformed-request"},
		{"a list", `[]`, 400, "invalid"},
		{"null", `null`, 400, "invalid"},
		{"a word", `"label"`, 400, "invalid"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := w.as(t)
			w.send("POST", path, test.body).problem(test.status, test.slug)
		})
	}
}

func TestEveryIssueOfABodyIsNamedAtOnce(t *testing.T) {
	w := newWorld(t)
	for _, test := range []struct {
		name, method, path, body string
		want                     []string
	}{
		{"an unknown key", "POST", "/api-keys", `{"label":"a","colour":"red"}`, []string{"colour"}},
		{"a key in another case", "POST", "/api-keys", `{"label":"a","Label":"b"}`, []string{"Label"}},
		{"a key that appears twice", "POST", "/api-keys", `{"label":"a","label":"b"}`, []string{"label"}},
		{"a key that appears twice, nested", "PATCH", "/api-keys/x", `{"updateMask":["label"],"apiKey":{"label":"a","label":"b"}}`, []string{"apiKey.label"}},
		{"a required key that is missing", "POST", "/connections:generate", `{"provider":"bitbucket"}`, []string{"consumerRef", "groupRef"}},
		{"a required key that is null", "POST", "/api-keys", `{"label":null}`, []string{"label"}},
		{"a list that is null", "PATCH", "", `{"updateMask":null,"project":{}}`, []string{"updateMask"}},
		{"values of the wrong types", "POST", "/api-keys", `{"label":1,"scopes":"full"}`, []string{"label", "scopes"}},
		{"a member of the wrong type", "POST", "/api-keys", `{"label":"a","scopes":["full",7]}`, []string{"scopes[1]"}},
		{"a NUL", "POST", "/api-keys", `{"label":"a\u0000b"}`, []string{"label"}},
		{"a NUL where anything goes", "POST", "/integrations", `{"name":"a","provider":"bitbucket","latestRevision":{"specVersion":"1.0.0","content":{"a":["\u0000"]}}}`, []string{"latestRevision.content.a[0]"}},
		{"a NUL in a key where anything goes", "POST", "/integrations", `{"name":"a","provider":"bitbucket","latestRevision":{"specVersion":"1.0.0","content":{"a\u0000":1}}}`, []string{"latestRevision.content.a\x00"}},
		{"a NUL in a key of a value where anything goes", "POST", "/integrations", `{"name":"a","provider":"bitbucket","latestRevision":{"specVersion":"1.0.0","content":{"a":[{"b\u0000":1}]}}}`, []string{"latestRevision.content.a[0].b\x00"}},
		{"a time that is none", "POST", "/connections:generate", `{"provider":"bitbucket","groupRef":"g","consumerRef":"c","oauth2AuthorizationCode":{"accessToken":{"token":"t","expiresAt":"soon"}}}`, []string{"oauth2AuthorizationCode.accessToken.expiresAt"}},
		{"many things", "POST", "/connections:generate", `{"provider":7,"groupRef":"","x":1}`, []string{"consumerRef", "groupRef", "provider", "x"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := w.as(t)
			p := w.send(test.method, w.in(test.path), test.body).problem(400, "invalid")
			if got := issueNames(p); !slices.Equal(got, test.want) {
				t.Errorf("issues: %v, want %v: %v", got, test.want, p)
			}
		})
	}
}

// A place is spelt out for each issue: what one body can make us say is bounded.
func TestBodiesThatAreNothingButMistakes(t *testing.T) {
	w := newWorld(t)
	const many = 20_000
	for name, body := range map[string]string{
		"keys that stand twice":  `{"` + strings.Repeat("k", 500) + `":{` + strings.Repeat(`"a":1,`, many) + `"a":1}}`,
		"values of no type":      `{"label":"a","scopes":[1` + strings.Repeat(",1", many) + `]}`,
		"NULs":                   `{"label":"a","scopes":["\u0000"` + strings.Repeat(`,"\u0000"`, many) + `]}`,
		"a long way to each one": strings.Repeat(`{"`+strings.Repeat("k", 500)+`":`, 99) + `[` + strings.Repeat("1,", many) + `1]` + strings.Repeat("}", 99),
	} {
		t.Run(name, func(t *testing.T) {
			w := w.as(t)
			began := allocated()
			p := w.send("POST", w.in("/api-keys"), body).problem(400, "invalid")
			if got := len(issueNames(p)); got > 100 {
				t.Errorf("%d issues are listed", got)
			}
			if used := allocated() - began; used > 200<<20 {
				t.Errorf("a body of %d KiB made us use %d MiB", len(body)>>10, used>>20)
			}
		})
	}
}

// allocated is how many bytes were allocated so far.
func allocated() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.TotalAlloc
}

// null and absent are the same, where a key may be absent.
func TestOptionalKeysMayBeNull(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send("POST", w.in("/api-keys"), `{"label":"a","scopes":null}`).is(201)
}

// A value in the wrong place may be a secret.
func TestProblemsRepeatNoValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const secret = "hunter2-hunter2"
	for _, body := range []string{
		`{"clientSecret":["` + secret + `"],"provider":"bitbucket","clientId":"c"}`,
		`{"provider":"bitbucket","clientId":"c","secret":"` + secret + `"}`,
		`{"provider":"bitbucket","clientId":"c","clientSecret":"` + secret,
	} {
		if got := w.send("POST", w.in("/provider-apps"), body); got.status < 400 || strings.Contains(got.body, secret) {
			t.Errorf("got %d: %s", got.status, got.body)
		}
	}
	if strings.Contains(w.logs.String(), secret) {
		t.Error("the log has it")
	}
}

func TestBodiesOfOtherTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for kind, status := range map[string]int{
		"application/json":                  201,
		"application/json; charset=UTF-8":   201,
		"APPLICATION/JSON":                  201,
		"":                                  415,
		"text/plain":                        415,
		"application/x-www-form-urlencoded": 415,
		"application/json; charset=latin1":  415,
		"application/jsonp":                 415,
		";;;":                               415,
	} {
		got := w.do(request{method: "POST", path: w.in("/api-keys"), body: `{"label":"a"}`, header: map[string]string{"Content-Type": kind}})
		if got.status != status {
			t.Errorf("%q: got %d, want %d", kind, got.status, status)
		}
	}
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(c *api.Config) { c.BodyLimit = 1000 })
	got := w.send("POST", w.in("/api-keys"), `{"label":"`+strings.Repeat("a", 2000)+`"}`)
	got.problem(413, "too-large")
	if got.header.Get("Connection") != "close" {
		t.Error("the rest of the body is waited for")
	}
	w.send("POST", w.in("/api-keys"), `{"label":"a"}`).is(201)
}

func TestMasksAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mask := make([]string, 10_000)
	for i := range mask {
		mask[i] = "label"
	}
	for _, r := range []struct{ path, noun string }{
		{"", "project"},
		{"/provider-apps/x", "providerApp"},
		{"/destinations/x", "destination"},
		{"/api-keys/x", "apiKey"},
		{"/jwt-keys/x", "jwtKey"},
		{"/connections/x", "connection"},
		{"/integrations/x/installations/y", "installation"},
	} {
		p := w.send("PATCH", w.in(r.path), map[string]any{"updateMask": mask, r.noun: map[string]any{}}).problem(400, "invalid")
		if got := issueNames(p); !slices.Equal(got, []string{"updateMask"}) {
			t.Errorf("%s: issues %v", r.noun, got)
		}
	}
}
