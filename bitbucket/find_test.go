package bitbucket_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/bitbucket"
	"windlass/bitbucket/sandbox"
	"windlass/connector"
)

// What a create makes of each object, and what tells it from others.
var creates = []struct{ object, record, other string }{
	{"projects", `{"name":"Rope","key":"ROPE"}`, `{"name":"Rope","key":"ROPES"}`},
	{"repositories", `{"name":"Well Head (old)"}`, `{"name":"Well Head (new)"}`},
	{"repositories", `{"name":"Well","slug":"well-1"}`, `{"name":"Well","slug":"well-2"}`},
	{"pipelines-config/variables", `{"key":"TOKEN_X","value":"sesame-open","secured":true}`, `{"key":"TOKEN_Y","value":"sesame-open"}`},
	{
		"hooks", `{"url":"https://example.com/in","events":["repo:push","pullrequest:created"],"secret":"sesame-open"}`,
		`{"url":"https://example.com/in","events":["repo:push"]}`,
	},
	{"snippets", `{"title":"A knot","files":{"a.txt":{"content":"x"}}}`, `{"title":"Another knot","files":{"a.txt":{"content":"x"}}}`},
}

func TestWhatACreateLeftBehindIsFound(t *testing.T) {
	t.Parallel()
	for _, row := range creates {
		t.Run(row.object, func(t *testing.T) {
			t.Parallel()
			r := setUp(t, &sandbox.Options{Snippets: 120, Hooks: 12})
			find := func(record string, since time.Time) (string, bool) {
				id, found, err := r.Find(t.Context(), connector.FindRequest{Object: row.object, Record: json.RawMessage(record), Since: since})
				if err != nil {
					t.Fatal(err)
				}
				return id, found
			}
			before := time.Now().Add(-time.Minute)
			if id, found := find(row.record, before); found {
				t.Fatalf("%s is found before there is one", id)
			}
			r.write(t, row.object, "", row.other)
			if id, found := find(row.record, before); found {
				t.Fatalf("%s is found, which is another one", id)
			}
			made := r.write(t, row.object, "", row.record)
			if id, found := find(row.record, before); !found || id != made.ID {
				t.Errorf("found %q, %v instead of %s", id, found, made.ID)
			}
			if id, found := find(row.record, time.Time{}); !found || id != made.ID {
				t.Errorf("without a time, found %q, %v instead of %s", id, found, made.ID)
			}
			if _, found := find(row.record, time.Now().Add(time.Hour)); found && row.object != "pipelines-config/variables" {
				t.Error("what was there before is taken for what was made since")
			}
		})
	}
}

func TestALostCreateIsFoundAfterwards(t *testing.T) {
	t.Parallel()
	for _, row := range creates {
		t.Run(row.object, func(t *testing.T) {
			t.Parallel()
			r := setUp(t, nil)
			fault, err := sandbox.ParseFault("cut=10,method=POST,times=1")
			if err != nil {
				t.Fatal(err)
			}
			r.server.Inject(fault)
			_, err = r.Write(t.Context(), connector.WriteRequest{Object: row.object, Record: json.RawMessage(row.record)})
			if kind := typed(t, err).Kind; kind != windlass.Malformed && kind != windlass.Unavailable {
				t.Fatalf("a cut answer is %v", err)
			}
			_, found, err := r.Find(t.Context(), connector.FindRequest{
				Object: row.object, Record: json.RawMessage(row.record), Since: time.Now().Add(-time.Minute),
			})
			if err != nil || !found {
				t.Errorf("it is not found: %v", err)
			}
		})
	}
}

func TestWhatCannotBeLookedForIsSaid(t *testing.T) {
	t.Parallel()
	r := setUp(t, nil)
	r.server.ServeBody("GET", "/2.0/workspaces/acme/pipelines-config/variables", http.StatusServiceUnavailable, []byte(`{"error":{"message":"no sesame-open"}}`))
	_, _, err := r.Find(t.Context(), connector.FindRequest{
		Object: "pipelines-config/variables", Record: json.RawMessage(`{"key":"A","value":"sesame-open"}`),
	})
	if known := typed(t, err); known.Kind != windlass.Unavailable || strings.Contains(known.Error(), "sesame") {
		t.Errorf("%v", err)
	}
	_, _, err = r.Find(t.Context(), connector.FindRequest{Object: "members", Record: json.RawMessage(`{}`)})
	if typed(t, err).Kind != windlass.Invalid {
		t.Errorf("%v", err)
	}
}

func TestOneRecordIsGot(t *testing.T) {
	t.Parallel()
	for _, row := range creates {
		t.Run(row.object, func(t *testing.T) {
			t.Parallel()
			r := setUp(t, &sandbox.Options{ProjectKeysOnly: true})
			made := r.write(t, row.object, "", row.record)
			got, err := r.Get(t.Context(), connector.GetRequest{Object: row.object, ID: made.ID})
			if err != nil || got.ID != made.ID || !bytes.Equal(got.Raw, made.Raw) {
				t.Errorf("got %s %s, %v; want the bytes of the answer to the create: %s", got.ID, got.Raw, err, made.Raw)
			}
			id := "no-such"
			_, err = r.Get(t.Context(), connector.GetRequest{Object: row.object, ID: id})
			if typed(t, err).Kind != windlass.NotFound {
				t.Errorf("%s: %v", id, err)
			}
		})
	}
}

func TestSecretFieldsAreNamed(t *testing.T) {
	t.Parallel()
	for object, want := range map[string]string{"hooks": "secret", "pipelines-config/variables": "value", "projects": "", "nonsense": ""} {
		fields, err := bitbucket.Describe(object)
		if got := strings.Join(connector.SecretFields(fields), ","); got != want || (err != nil) != (object == "nonsense") {
			t.Errorf("%s: %q, %v instead of %q", object, got, err, want)
		}
	}
}
