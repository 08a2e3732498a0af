package bitbucket_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"windlass"
	"windlass/bitbucket/sandbox"
	"windlass/connector"
)

// write writes a record and returns its id and what Bitbucket answered.
func (r *rig) write(tb testing.TB, object, id, record string) connector.WriteResult {
	tb.Helper()
	result, err := r.Write(tb.Context(), connector.WriteRequest{Object: object, ID: id, Record: json.RawMessage(record)})
	if err != nil {
		tb.Fatal(err)
	}
	return result
}

func TestARefusedWriteSendsNothing(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, object, id, record, says string }{
		{"no JSON", "projects", "", `{`, "not a JSON object"},
		{"null", "projects", "", `null`, "not a JSON object"},
		{"a field that does not exist", "projects", "", `{"name":"a","key":"A","descriptoin":"x"}`, `did you mean "description"?`},
		{"a field that Bitbucket sets", "projects", "", `{"name":"a","key":"A","uuid":"{1}"}`, `"uuid" of projects is set by Bitbucket`},
		{"a project without a key", "projects", "", `{"name":"a"}`, "the record lacks key; a new record needs key, name"},
		{"a hook without events", "hooks", "", `{"url":"https://example.com"}`, "lacks events"},
		{"a variable whose value is null", "pipelines-config/variables", "", `{"key":"A","value":null}`, "lacks value"},
		{"a repository with nothing to name it", "repositories", "", `{"name":"///"}`, "lacks a name"},
		{"a snippet without files", "snippets", "", `{"title":"a"}`, "lacks files"},
		{"a file without content", "snippets", "", `{"files":{"a.txt":{}}}`, `"a.txt" has no content`},
		{"a file in an unknown encoding", "snippets", "", `{"files":{"a.txt":{"content":"x","encoding":"rot13"}}}`, "no encoding"},
		{"files that are none", "snippets", "", `{"files":["a.txt"]}`, "is not an object of files"},
		{"an update of nothing", "projects", "{1}", `{}`, "sets no field"},
		{"a slug that follows the name", "repositories", "{1}", `{"slug":"x"}`, "only when it is created"},
		{"an id that leads elsewhere", "projects", "../../user", `{"name":"a"}`, "cannot be an id"},
		{"an id that is a step up", "projects", "..", `{"name":"a"}`, "cannot be an id"},
		{"an object that cannot be written", "members", "", `{}`, "these can be written: hooks, pipelines-config/variables, projects, repositories, snippets"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := setUp(t, nil)
			_, err := r.Write(t.Context(), connector.WriteRequest{Object: row.object, ID: row.id, Record: json.RawMessage(row.record)})
			if !errors.Is(err, windlass.Invalid) || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%v; want %q", err, row.says)
			}
			if r.sent != 0 {
				t.Errorf("%d requests were sent", r.sent)
			}
		})
	}
}

func TestAProjectIsFoundByUUIDAndByKey(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]sandbox.Options{
		"where the path takes a UUID": {Projects: 120},
		"where it takes only keys":    {Projects: 120, ProjectKeysOnly: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setUp(t, &opts)
			made := r.write(t, "projects", "", `{"name":"Rope","key":"ROPE"}`)
			renamed := r.write(t, "projects", made.ID, `{"key":"WIRE"}`)
			if renamed.ID != made.ID || stringIn(t, renamed.Raw, "key") != "WIRE" {
				t.Errorf("renamed to %s", renamed.Raw)
			}
			byKey := r.write(t, "projects", "WIRE", `{"description":"found by its key"}`)
			if byKey.ID != made.ID || stringIn(t, byKey.Raw, "name") != "Rope" {
				t.Errorf("by key: %s", byKey.Raw)
			}
			if err := r.Delete(t.Context(), connector.DeleteRequest{Object: "projects", ID: made.ID}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAProjectThatVanishesDuringItsUpdateIsNotMadeAnewInSilence(t *testing.T) {
	t.Parallel()
	r := setUp(t, nil)
	made := r.write(t, "projects", "", `{"name":"Rope","key":"ROPE"}`)
	token := r.Connector
	r.before = func(_ int, req *http.Request) {
		if req.Method == http.MethodPut {
			r.before = nil
			if err := token.Delete(t.Context(), connector.DeleteRequest{Object: "projects", ID: made.ID}); err != nil {
				t.Error(err)
			}
		}
	}
	_, err := r.Write(t.Context(), connector.WriteRequest{Object: "projects", ID: made.ID, Record: json.RawMessage(`{"name":"Rope 2"}`)})
	if !errors.Is(err, windlass.Conflict) || !strings.Contains(err.Error(), "created another one") {
		t.Errorf("error %v", err)
	}
}

func TestAProjectWithRepositoriesIsNotDeleted(t *testing.T) {
	t.Parallel()
	r := setUp(t, nil)
	project := stringIn(t, read(t, r, connector.ReadRequest{Object: "projects"})[0].Raw, "uuid")
	err := r.Delete(t.Context(), connector.DeleteRequest{Object: "projects", ID: project})
	if !errors.Is(err, windlass.Forbidden) || !strings.Contains(err.Error(), "move or delete them first") {
		t.Errorf("error %v", err)
	}
}

func TestRepositories(t *testing.T) {
	t.Parallel()
	r := setUp(t, nil)
	made := r.write(t, "repositories", "", `{"name":"Well Head (old)","project":{"key":"`+
		stringIn(t, read(t, r, connector.ReadRequest{Object: "projects"})[0].Raw, "key")+`"}}`)
	if slug := stringIn(t, made.Raw, "slug"); slug != "well-head-old" {
		t.Errorf("the slug is %s", slug)
	}
	_, err := r.Write(t.Context(), connector.WriteRequest{Object: "repositories", Record: json.RawMessage(`{"name":"Well Head (old)"}`)})
	if !errors.Is(err, windlass.Conflict) {
		t.Errorf("a second one by that name: %v", err)
	}
	renamed := r.write(t, "repositories", made.ID, `{"name":"Well Top"}`)
	if renamed.ID != made.ID || stringIn(t, renamed.Raw, "slug") != "well-top" {
		t.Errorf("renamed: %s", renamed.Raw)
	}
	for _, id := range []string{"no-such-slug", unknownID} {
		_, err := r.Write(t.Context(), connector.WriteRequest{Object: "repositories", ID: id, Record: json.RawMessage(`{"description":"x"}`)})
		if !errors.Is(err, windlass.NotFound) {
			t.Errorf("an update of %s: %v", id, err)
		}
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	const object = "pipelines-config/variables"
	r := setUp(t, nil)
	made := r.write(t, object, "", `{"key":"TOKEN_X","value":"sesame-open","secured":true}`)
	if strings.Contains(string(made.Raw), "sesame") {
		t.Errorf("the value came back: %s", made.Raw)
	}
	_, err := r.Write(t.Context(), connector.WriteRequest{Object: object, Record: json.RawMessage(`{"key":"TOKEN_X","value":"1"}`)})
	if !errors.Is(err, windlass.Conflict) {
		t.Errorf("the same key twice: %v", err)
	}
	_, err = r.Write(t.Context(), connector.WriteRequest{Object: object, ID: made.ID, Record: json.RawMessage(`{"key":"TOKEN_Y"}`)})
	if !errors.Is(err, windlass.Invalid) || !strings.Contains(err.Error(), "would empty it") {
		t.Errorf("a secured variable without its value: %v", err)
	}
	_, err = r.Write(t.Context(), connector.WriteRequest{Object: object, ID: made.ID, Record: json.RawMessage(`{"key":"TOKEN_Y","value":null}`)})
	if !errors.Is(err, windlass.Invalid) {
		t.Errorf("a secured variable with null for its value: %v", err)
	}
	if value, ok := r.server.VariableValue("TOKEN_X"); !ok || value != "sesame-open" {
		t.Errorf("the value is now %q", value)
	}
	r.sent = 0
	r.write(t, object, made.ID, `{"key":"TOKEN_Y","value":"sesame-shut"}`)
	if r.sent != 2 {
		t.Errorf("an update took %d requests, want a look and the update", r.sent)
	}
	if value, ok := r.server.VariableValue("TOKEN_Y"); !ok || value != "sesame-shut" {
		t.Errorf("the value is now %q", value)
	}
}

func TestHooks(t *testing.T) {
	t.Parallel()
	r := setUp(t, nil)
	made := r.write(t, "hooks", "", `{"url":"https://example.com/a","events":["repo:push"],"secret":"quite secret"}`)
	if strings.Contains(string(made.Raw), "quite secret") {
		t.Errorf("the secret came back: %s", made.Raw)
	}
	r.write(t, "hooks", made.ID, `{"events":["repo:push","repo:fork"]}`)
	if secret, ok := r.server.HookSecret(made.ID); !ok || secret != "quite secret" {
		t.Errorf("the secret is now %q", secret)
	}
	r.write(t, "hooks", made.ID, `{"secret":null}`)
	if secret, _ := r.server.HookSecret(made.ID); secret != "" {
		t.Errorf("the secret is still %q", secret)
	}
	_, err := r.Write(t.Context(), connector.WriteRequest{Object: "hooks", Record: json.RawMessage(`{"url":"https://example.com","events":["repo:nonsense"]}`)})
	if e := typed(t, err); e.Kind != windlass.Invalid || e.Provider.Status != http.StatusBadRequest {
		t.Errorf("an unknown event: %v", err)
	}
}

func TestSnippetsCarryTheirFiles(t *testing.T) {
	t.Parallel()
	r := setUp(t, nil)
	made := r.write(t, "snippets", "", `{"title":"knots","is_private":true,"files":{
		"a.txt":{"content":"bow\nline"},"p\"q.bin":{"content":"AAECAw==","encoding":"base64"}}}`)
	r.write(t, "snippets", made.ID, `{"title":"more knots","files":{"a.txt":null,"c.txt":{"content":"reef"}}}`)
	changed := r.write(t, "snippets", made.ID, `{"is_private":false}`)
	if title := stringIn(t, changed.Raw, "title"); title != "more knots" {
		t.Errorf("the title is %s", title)
	}
	var snippet struct {
		Files map[string]struct {
			Links struct {
				Self struct{ Href string }
			}
		}
	}
	if err := json.Unmarshal(changed.Raw, &snippet); err != nil {
		t.Fatal(err)
	}
	if _, there := snippet.Files["a.txt"]; there || len(snippet.Files) != 2 {
		t.Errorf("the files are %v", snippet.Files)
	}
	for name, want := range map[string]string{"c.txt": "reef", `p"q.bin`: "\x00\x01\x02\x03"} {
		if got := r.get(t, snippet.Files[name].Links.Self.Href); got != want {
			t.Errorf("%s holds %q", name, got)
		}
	}
}

// get gets a link of the sandbox.
func (r *rig) get(t *testing.T, href string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, href, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.server.Credentials().AccessToken)
	resp, err := (&http.Client{Transport: r.server.Transport()}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestAWriteWhoseAnswerIsLostSaysThatItMayHaveHappened(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"cut", "reset", "status=502", "html"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			r := setUp(t, nil)
			r.inject(t, fault+",method=POST")
			_, err := r.Write(t.Context(), connector.WriteRequest{Object: "projects", Record: json.RawMessage(`{"name":"Rope","key":"ROPE"}`)})
			if err == nil || !strings.Contains(err.Error(), "may have happened") {
				t.Errorf("error %v", err)
			}
		})
	}
}
