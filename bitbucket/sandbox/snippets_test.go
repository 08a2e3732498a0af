package sandbox_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
)

// parts builds a form; each part is headers and content.
func parts(t *testing.T, each ...[2]string) form {
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
	return form{kind: "multipart/form-data; boundary=" + w.Boundary(), content: b.Bytes()}
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
	made := c.do("POST", "/snippets/acme", parts(t,
		field("title", "Mine"), field("is_private", "false"), file("a.txt", "one\ntwo\n"), file("b.txt", "bee")))
	if made.status != 201 || made.at("title") != "Mine" || made.at("is_private") != false || files(made) != "a.txt b.txt" {
		t.Fatalf("%d %s", made.status, made.text)
	}
	one := "/snippets/acme/" + made.at("id").(string)
	if made.header.Get("Location") != api+one {
		t.Errorf("Location %s", made.header.Get("Location"))
	}
	if r := c.do("PUT", one, parts(t, file("a.txt", "one\nTWO\n"))); files(r) != "a.txt b.txt" || r.at("title") != "Mine" {
		t.Errorf("a change is differential: %s", r.text)
	}
	if r := c.do("PUT", one, parts(t, field("files", "b.txt"))); files(r) != "a.txt" {
		t.Errorf("naming a file without content deletes it: %s", r.text)
	}
	if r := c.do("PUT", one, parts(t, field("files", "zzz.txt"))); r.status != 400 {
		t.Errorf("deleting what is not there: %d", r.status)
	}
	if r := c.do("PUT", one, map[string]any{"title": nil}); r.at("title") != nil || files(r) != "a.txt" {
		t.Errorf("null deletes the title and nothing else: %s", r.text)
	}
	link := func() string {
		return dig(c.get(one).at("files").(map[string]any)["a.txt"], "links.self.href").(string)
	}
	before := link()
	if r := c.get(before); r.text != "one\nTWO\n" || !strings.HasPrefix(r.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%q %v", r.text, r.header)
	}
	c.do("PUT", one, parts(t, file("a.txt", "\x89PNG\xff")))
	if r := c.get(link()); r.text != "\x89PNG\xff" || link() == before {
		t.Errorf("%q at %s", r.text, link())
	}
	if r := c.do("GET", before, nil); r.status != http.StatusNotFound {
		t.Errorf("the file as it was: %d", r.status)
	}
	if r := c.do("DELETE", one, nil); r.status != http.StatusNoContent {
		t.Errorf("%d", r.status)
	}
	if r := c.do("GET", one, nil); r.status != http.StatusNotFound {
		t.Errorf("%d", r.status)
	}
}

func TestSnippetsByJSONAndForOthers(t *testing.T) {
	c := newClient(t, nil)
	r := c.do("POST", "/snippets/acme", map[string]any{"title": "Only words"})
	if r.status != 201 || r.at("owner.type") != "team" || fmt.Sprint(r.at("files")) != "map[]" {
		t.Errorf("%d %s", r.status, r.text)
	}
	for _, v := range c.walk("/snippets/acme?role=owner&pagelen=100") {
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
