package sandbox_test

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
)

// parts builds a multipart body; each part is headers and content.
func parts(t *testing.T, kind string, each ...[2]string) form {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range each {
		h := textproto.MIMEHeader{}
		for line := range strings.SplitSeq(p[0], "\n") {
			name, value, _ := strings.Cut(line, ": ")
			h.Set(name, value)
		}
		part, err := w.CreatePart(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(part, p[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return form{kind: kind + "; boundary=" + w.Boundary(), content: b.Bytes()}
}

func field(name, value string) [2]string {
	return [2]string{`Content-Disposition: form-data; name="` + name + `"`, value}
}

func file(name, content string) [2]string {
	return [2]string{`Content-Disposition: form-data; name="file"; filename="` + name + `"`, content}
}

func files(r reply) string {
	names := []string{}
	if m, ok := r.at("files").(map[string]any); ok {
		for _, name := range []string{"a.txt", "b.txt", "c.png"} {
			if m[name] != nil {
				names = append(names, name)
			}
		}
	}
	return strings.Join(names, " ")
}

func TestSnippetsAsForms(t *testing.T) {
	c := newClient(t, nil)
	made := c.do("POST", "/snippets/acme", parts(t, "multipart/form-data",
		field("title", "Mine"), field("is_private", "false"), file("a.txt", "one\ntwo\n"), file("b.txt", "bee")))
	if made.status != 201 || made.at("title") != "Mine" || made.at("is_private") != false || files(made) != "a.txt b.txt" {
		t.Fatalf("%d %s", made.status, made.text)
	}
	one := "/snippets/acme/" + made.at("id").(string)
	if made.header.Get("Location") != api+one {
		t.Errorf("Location %s", made.header.Get("Location"))
	}
	if r := c.do("PUT", one, parts(t, "multipart/form-data", file("a.txt", "one\nTWO\n"))); files(r) != "a.txt b.txt" || r.at("title") != "Mine" {
		t.Errorf("a change is differential: %s", r.text)
	}
	if r := c.do("PUT", one, parts(t, "multipart/form-data", field("files", "b.txt"))); files(r) != "a.txt" {
		t.Errorf("naming a file without content deletes it: %s", r.text)
	}
	if r := c.do("PUT", one, parts(t, "multipart/form-data", field("files", "zzz.txt"))); r.status != 400 {
		t.Errorf("deleting what is not there: %d", r.status)
	}
	if r := c.do("PUT", one, map[string]any{"title": nil}); r.at("title") != nil || files(r) != "a.txt" {
		t.Errorf("null deletes the title and nothing else: %s", r.text)
	}
	commits := c.walk(one + "/commits")
	if len(commits) != 3 || fmt.Sprint(dig(commits[0], "parents.0.hash")) != fmt.Sprint(dig(commits[1], "hash")) {
		t.Errorf("%d commits, want 3, each after the one before", len(commits))
	}
}

func TestSnippetFilesAndHistory(t *testing.T) {
	c := newClient(t, nil)
	one := "/snippets/acme/" + c.do("POST", "/snippets/acme", parts(t, "multipart/form-data", file("a.txt", "one\n"), file("c.png", "\x89PNG\xff"))).at("id").(string)
	c.do("PUT", one, parts(t, "multipart/form-data", file("a.txt", "two\n")))
	commits := c.walk(one + "/commits")
	head, first := dig(commits[0], "hash").(string), dig(commits[1], "hash").(string)
	redirect := c.do("GET", one+"/files/a.txt", nil)
	if redirect.status != http.StatusFound || redirect.header.Get("Location") != api+one+"/"+head+"/files/a.txt" {
		t.Errorf("%d to %s", redirect.status, redirect.header.Get("Location"))
	}
	if r := c.get(redirect.header.Get("Location")); r.text != "two\n" || r.header.Get("Content-Type") != "text/plain" || !strings.HasPrefix(r.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%q %v", r.text, r.header)
	}
	if r := c.get(one + "/" + first + "/files/c.png"); r.text != "\x89PNG\xff" || r.header.Get("Content-Type") != "image/png" {
		t.Errorf("%q %v", r.text, r.header)
	}
	diff := c.get(one + "/" + head + "/diff").text
	if diff != "diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1,1 +1,1 @@\n-one\n+two\n" {
		t.Errorf("%s", diff)
	}
	if r := c.get(one + "/" + head + "/diff?path=c.png"); r.text != "" {
		t.Errorf("%s", r.text)
	}
	if r := c.get(one + "/" + first + "/patch"); !strings.HasPrefix(r.text, "From "+first) || !strings.Contains(r.text, "Binary files") {
		t.Errorf("%s", r.text)
	}
	if r := c.do("PUT", one+"/"+first, map[string]any{"title": "x"}); r.status != http.StatusMethodNotAllowed {
		t.Errorf("an old revision cannot be changed: %d", r.status)
	}
	if r := c.do("PUT", one+"/"+head, map[string]any{"title": "x"}); r.status != 200 {
		t.Errorf("the latest can: %d %s", r.status, r.text)
	}
	if r := c.do("DELETE", one, nil); r.status != http.StatusNoContent {
		t.Errorf("%d", r.status)
	}
	if r := c.do("GET", one, nil); r.status != http.StatusNotFound {
		t.Errorf("%d", r.status)
	}
}

func TestSnippetsAsRelatedParts(t *testing.T) {
	c := newClient(t, nil)
	meta := func(json string) [2]string {
		return [2]string{"Content-Type: application/json\nContent-ID: snippet", json}
	}
	part := func(name, content, more string) [2]string {
		return [2]string{`Content-ID: "` + name + `"` + "\n" + `Content-Disposition: attachment; filename="` + name + `"` + more, content}
	}
	const related = `multipart/related; start="snippet"`
	made := c.do("POST", "/snippets/acme", parts(t, related, part("a.txt", "one", ""), meta(`{"title":"R","is_private":true,"files":{"a.txt":{},"c.png":{}}}`),
		part("c.png", "iVBORw==", "\nContent-Transfer-Encoding: base64")))
	if made.status != 201 || files(made) != "a.txt c.png" || made.at("title") != "R" {
		t.Fatalf("%d %s", made.status, made.text)
	}
	one := "/snippets/acme/" + made.at("id").(string)
	if r := c.do("PUT", one, parts(t, related, meta(`{"files":{"a.txt":{},"b.txt":{}}}`), part("b.txt", "one", ""))); files(r) != "b.txt c.png" {
		t.Errorf("a file that is named and not sent is deleted: %s", r.text)
	}
	c.headers = map[string]string{"Accept": "multipart/related"}
	whole := c.get(one)
	kind, params, err := mime.ParseMediaType(whole.header.Get("Content-Type"))
	if err != nil || kind != "multipart/related" || params["start"] != "snippet" {
		t.Fatalf("%s %v", whole.header.Get("Content-Type"), err)
	}
	r := multipart.NewReader(strings.NewReader(whole.text), params["boundary"])
	var ids []string
	for {
		p, err := r.NextRawPart()
		if err != nil {
			break
		}
		ids = append(ids, p.Header.Get("Content-ID"))
	}
	if got := strings.Join(ids, " "); got != `snippet "b.txt" "c.png"` {
		t.Errorf("parts %s", got)
	}
	c.headers = map[string]string{"Accept": "multipart/form-data"}
	if r := c.get(one); !strings.Contains(r.text, `name="title"`) || !strings.Contains(r.text, `filename="b.txt"`) {
		t.Errorf("%s", r.text)
	}
}

func TestSnippetsByJSONAndForOthers(t *testing.T) {
	c := newClient(t, nil)
	r := c.do("POST", "/snippets", map[string]any{"title": "Only words"})
	if r.status != 201 || r.at("owner.type") != "user" || fmt.Sprint(r.at("files")) != "map[]" {
		t.Errorf("%d %s", r.status, r.text)
	}
	for _, v := range c.walk("/snippets?pagelen=100") {
		if dig(v, "owner.uuid") != c.get("/user").at("uuid") && dig(v, "creator.uuid") != c.get("/user").at("uuid") {
			t.Errorf("a snippet of %v is listed as mine", dig(v, "owner.display_name"))
		}
	}
	for _, v := range c.anonymous().walk("/snippets/acme") {
		if dig(v, "is_private") == true {
			t.Error("a private snippet is shown to everyone")
		}
	}
	for _, v := range c.walk("/snippets/acme") {
		path := "/snippets/acme/" + dig(v, "id").(string)
		if got, want := c.anonymous().do("GET", path, nil).status, map[any]int{true: 401, false: 200}[dig(v, "is_private")]; got != want {
			t.Errorf("%s without a credential: %d, want %d", path, got, want)
		}
	}
	for _, bad := range []form{
		{"multipart/form-data", nil}, {"multipart/form-data; boundary=x", []byte("--y")}, {"text/csv", []byte("a,b")},
	} {
		if r := c.do("POST", "/snippets/acme", bad); r.status != 400 && r.status != 415 {
			t.Errorf("%s: %d", bad.kind, r.status)
		}
	}
}
