package ui_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"windlass"
	"windlass/internal/browsertest"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// From the template to a revision, mistakes on the way, and what changed then.
func TestAPersonDeploysAManifest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	project := w.project()
	w.Visit(project + "/integrations")
	w.says("There is none yet.")
	w.CheckAccessible("no integrations")
	w.Submit("a[href$=template]")
	text := browsertest.Evaluate[string](w.Browser, `document.querySelector("#manifest").value`)
	if !strings.Contains(text, "- objectName: repositories\n") {
		t.Fatalf("the template is %s", text)
	}
	w.Fill("#manifest", strings.Replace(amp, "schedule: \"*/10", "shedule: \"*/10", 1)+"  - name: <script>alert(1)</script>\n    provider: bitbucket\n")
	w.Submit("main form button")
	w.says("Line 9, column 11")
	w.says(`Unknown key "shedule"`)
	w.says("9 ▸")
	w.CheckAccessible("problems of a manifest")
	if typed := browsertest.Evaluate[string](w.Browser, `document.querySelector("#manifest").value`); !strings.Contains(typed, "shedule") {
		t.Errorf("what was typed became %q", typed)
	}
	w.Scripts(false)
	w.Visit(project + "/deploy?template")
	w.Submit("main form button")
	w.says("Deployed.")
	w.says("bitbucket")
	w.Scripts(true)
	w.Visit(project + "/deploy")
	w.Fill("#manifest", amp)
	w.Submit("main form button")
	w.says("New revisions: repos")
	w.says("destination") // the warning that it does not exist yet
	w.Fill("#manifest", strings.Replace(amp, "0 3 * * *", "0 4 * * *", 1))
	w.Submit("main form button")
	w.says("New revisions: repos")
	w.Visit(project + "/integrations/repos")
	w.says("*/10 * * * *")
	w.Submit("main form button")
	w.says(`-         "schedule": "0 3 * * *"`)
	w.says(`+         "schedule": "0 4 * * *"`)
	difference := w.At()
	w.Visit(strings.Replace(difference, "from=", "from=x", 1))
	w.says("There is no such revision.")
	w.fits(project+"/integrations", project+"/integrations/repos", project+"/deploy?template", difference)
	w.page("/dashboard/audit")
	w.says("integrations.deploy")
}

// A file counts instead of the text, and a viewer deploys nothing.
func TestAManifestIsUploaded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		d := newDesk(t, s)
		keepInstallation(t, s, "Acme")
		cookies := map[windlass.Role]*http.Cookie{windlass.Viewer: d.session(windlass.Viewer), windlass.Editor: d.session(windlass.Editor)}
		upload := func(role windlass.Role, content string) *httptest.ResponseRecorder {
			t.Helper()
			var body bytes.Buffer
			form := multipart.NewWriter(&body)
			text, err := form.CreateFormField("manifest")
			if err == nil {
				_, err = text.Write([]byte("not this one"))
			}
			if err != nil {
				t.Fatal(err)
			}
			file, err := form.CreateFormFile("file", "amp.yaml")
			if err == nil {
				_, err = file.Write([]byte(content))
			}
			if err != nil || form.Close() != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "https://windlass.example.com/dashboard/p/acme/deploy", &body)
			r.Header.Set("Content-Type", form.FormDataContentType())
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			r.AddCookie(cookies[role])
			w := httptest.NewRecorder()
			d.ServeHTTP(w, r)
			return w
		}
		const uploaded = "specVersion: 1.0.0\nintegrations:\n  - name: uploaded\n    provider: bitbucket\n    proxy:\n      enabled: true\n"
		if got := upload(windlass.Viewer, uploaded); got.Code != http.StatusForbidden {
			t.Errorf("a viewer deploys: %d %s", got.Code, got.Body)
		}
		if got := upload(windlass.Editor, uploaded); got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), "Line 4, column 15") {
			t.Errorf("an unknown provider: %d %s", got.Code, got.Body)
		}
		if got := upload(windlass.Editor, strings.Repeat("# much\n", 1<<18)); got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), "at most a megabyte") {
			t.Errorf("a file that is too large: %d %s", got.Code, got.Body)
		}
	})
}
