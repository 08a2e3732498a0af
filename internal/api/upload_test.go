package api_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"windlass/internal/api"
)

// ticket asks for a place to upload to.
func (w *world) ticket(md5 string) (path, handle string) {
	w.t.Helper()
	got := w.get("/v1/generate-upload-url?md5=" + url.QueryEscape(md5)).is(200)
	at, err := url.Parse(got.text("url"))
	if err != nil || !strings.HasPrefix(got.text("url"), "https://windlass.example.com/v1/uploads/") {
		w.t.Fatalf("url %s: %v", got.text("url"), err)
	}
	return at.RequestURI(), "gs://" + got.text("bucket") + "/" + got.text("path")
}

func (w *world) put(path, data, md5 string) answer {
	w.t.Helper()
	header := map[string]string{"Content-Type": "application/zip"}
	if md5 != "" {
		header["Content-MD5"] = md5
	}
	return w.do(request{method: "PUT", path: path, body: data, key: noKey, header: header})
}

func TestUploadsThatAreRefused(t *testing.T) {
	w := newWorldWith(t, func(c *api.Config) { c.UploadLimit = 10_000 })
	data := zipped(t, map[string]string{"amp.yaml": theManifest})
	other := zipped(t, map[string]string{"amp.yaml": theManifest + "\n"})
	for _, test := range []struct {
		name   string
		put    func() answer
		status int
	}{
		{"a checksum that does not fit the file", func() answer {
			path, _ := w.ticket("")
			return w.put(path, data, sum(other))
		}, 400},
		{"a checksum that is none", func() answer {
			path, _ := w.ticket("")
			return w.put(path, data, "hello")
		}, 400},
		{"another file than the one announced", func() answer {
			path, _ := w.ticket(sum(data))
			return w.put(path, other, sum(other))
		}, 400},
		{"another file, without a checksum", func() answer {
			path, _ := w.ticket(sum(data))
			return w.put(path, other, "")
		}, 400},
		{"no token", func() answer {
			path, _ := w.ticket("")
			path, _, _ = strings.Cut(path, "?")
			return w.put(path, data, "")
		}, 400},
		{"the token of another place", func() answer {
			one, _ := w.ticket("")
			two, _ := w.ticket("")
			place, _, _ := strings.Cut(one, "?")
			_, token, _ := strings.Cut(two, "?")
			return w.put(place+"?"+token, data, "")
		}, 401},
		{"a place that was made up", func() answer { return w.put("/v1/uploads/nowhere?token=x", data, "") }, 404},
		{"a token that was used", func() answer {
			path, _ := w.ticket("")
			w.put(path, data, "").is(200)
			return w.put(path, other, "")
		}, 409},
		{"a token that is too old", func() answer {
			path, _ := w.ticket("")
			w.clock.pass(time.Hour)
			return w.put(path, data, "")
		}, 410},
		{"a file that is too large", func() answer {
			path, _ := w.ticket("")
			return w.put(path, strings.Repeat("a", 20_000), "")
		}, 413},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.put(); got.status != test.status {
				t.Errorf("got %d, want %d: %s", got.status, test.status, got.body)
			}
		})
	}
}

func TestUploadIsDeployedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	data := zipped(t, map[string]string{"amp.yaml": theManifest})
	path, handle := w.ticket(sum(data))
	w.put(path, data, sum(data)).is(200)
	w.send("PUT", w.in("/integrations:batch"), map[string]any{"sourceZipUrl": handle}).is(200)
	w.send("PUT", w.in("/integrations:batch"), map[string]any{"sourceZipUrl": handle}).problem(404, "not-found")
}

func TestDeploysThatAreRefused(t *testing.T) {
	w := newWorld(t)
	upload := func(files map[string]string) string {
		data := zipped(t, files)
		path, handle := w.ticket("")
		w.put(path, data, "").is(200)
		return handle
	}
	for _, test := range []struct {
		name   string
		body   map[string]any
		status int
		says   string
	}{
		{"nothing", map[string]any{}, 400, ""},
		{"an address elsewhere", map[string]any{"sourceZipUrl": "https://evil.example.com/a.zip"}, 400, "Nothing is fetched"},
		{"an address of the machine", map[string]any{"sourceZipUrl": "file:///etc/passwd"}, 400, "Nothing is fetched"},
		{"another bucket", map[string]any{"sourceZipUrl": "gs://other/x"}, 400, "Nothing is fetched"},
		{"a zip without a manifest", map[string]any{"sourceZipUrl": upload(map[string]string{"readme": "hi"})}, 400, "amp.yaml"},
		{"a manifest with mistakes", map[string]any{"sourceYaml": "specVersion: 2\nintegrations:\n  - name: A\n    provider: x\n"}, 422, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := w.as(t)
			got := w.send("PUT", w.in("/integrations:batch"), test.body)
			if got.status != test.status || !strings.Contains(got.body, test.says) {
				t.Errorf("got %d, want %d: %s", got.status, test.status, got.body)
			}
		})
	}
	p := w.send("PUT", w.in("/integrations:batch"), map[string]any{
		"sourceYaml": "specVersion: 1.0.0\nintegrations:\n  - name: A b\n    provider: bitbucket\n    read:\n      objects:\n        - objectName: repositories\n          schedule: \"* * * * *\"\n",
	}).problem(422, "unprocessable")
	issues, _ := p["issues"].([]any)
	if len(issues) < 3 {
		t.Errorf("issues: %v", issues)
	}
	for _, i := range issues {
		context, _ := i.(map[string]any)["context"].(map[string]any)
		if line, _ := context["line"].(float64); line < 3 {
			t.Errorf("no line in %v", i)
		}
	}
}
