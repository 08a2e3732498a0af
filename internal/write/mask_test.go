package write_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// Each secret that is written is looked for wherever it must not be: in the
// answers, the logs, the operations, the notifications, and the bytes of the
// database, while it waits and afterwards.
func TestSecretsShowNowhere(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, store.SQLite)
	w := newWorld(t, db.Open(t, nil))
	const variables = "pipelines-config/variables"
	secrets := []string{"sesame-one", "sesame-two", "sesame-three", `sesame"four`, "sesame-five", "73210073", "sesame-six"}
	var shown strings.Builder
	keep := func(a any, err error) {
		shown.WriteString(text(a))
		if err != nil {
			shown.WriteString(err.Error())
		}
	}
	try := func(object, body string, key ...string) {
		a, err := w.write(object, body, key...)
		keep(a, err)
		if err == nil && strings.Contains(body, "asynchronous") {
			w.search(db, secrets)
			w.finish(a.OperationID)
		}
	}
	try(variables, `{"type":"create","record":{"key":"A","value":"sesame-one","secured":false}}`, "key-1")
	try(variables, `{"type":"create","record":{"key":"A","value":"sesame-two"}}`, "key-2") // exists
	try(variables, `{"type":"create","mode":"asynchronous","record":{"key":"B","value":"sesame-two","secured":true}}`)
	try("hooks", `{"type":"create","mode":"asynchronous","batch":[{"record":{"url":"https://example.com","events":["repo:push"],"secret":"sesame-three"}}]}`, "key-3")
	try(variables, `{"type":"create","mode":"asynchronous","autoBatchPolicy":{"maxDelayMinutes":1},"record":{"key":"C","value":"sesame\"four"}}`)
	try(variables, `{"type":"create","record":{"key":"D","value":73210073}}`)
	// A provider that repeats what it was sent, in three ways of failing.
	for _, status := range []int{400, 403, 503} {
		serve := func(body string) {
			w.provider.server.ServeBody("POST", "/2.0/workspaces/acme/"+variables, status, []byte(body))
		}
		serve(`{"type":"error","error":{"message":"what is sesame-five?","fields":{"sesame-five":["sesame-five"]},"detail":"sesame-five"}}`)
		try(variables, `{"type":"create","record":{"key":"E","value":"sesame-five"}}`, "key-4")
		// Even what belongs to another record of the batch.
		serve(`{"type":"error","error":{"message":"what is sesame-five and sesame\"four?","fields":{"value":["sesame-six"]}}}`)
		try(variables, `{"type":"create","mode":"asynchronous","batch":[{"record":{"key":"F","value":"sesame-six"}},{"record":{"key":"G","value":"sesame-five"}},{"record":{"key":"H","value":"sesame\"four"}}]}`)
	}
	// Secrets where none are expected: refused, and not repeated.
	try(variables, `{"type":"update","record":{"key":"A","value":"sesame-one"}}`)
	try(variables, `{"type":"create","record":{"key":"A","valeu":"sesame-one"}}`)
	w.provider.before = func(*http.Request) error { return http.ErrHandlerTimeout }
	try(variables, `{"type":"create","record":{"key":"I","value":"sesame-one"}}`)

	for _, n := range w.office.told {
		shown.Write(n.data)
	}
	shown.Write(w.logs.Bytes())
	for _, secret := range append(secrets, `sesame\"four`) {
		if at := strings.Index(shown.String(), secret); at >= 0 {
			t.Errorf("%s shows: …%s…", secret, shown.String()[max(at-200, 0):min(at+100, shown.Len())])
		}
	}
	if !strings.Contains(shown.String(), `"value":"•••"`) {
		t.Error("the answer to the first write does not show that there is a value")
	}
	w.search(db, secrets)
}

// search looks for secrets in the bytes of the database's files.
func (w *world) search(db storetest.Database, secrets []string) {
	w.Helper()
	files, err := filepath.Glob(db.URL + "*")
	w.must(err)
	for _, name := range files {
		content, err := os.ReadFile(name)
		w.must(err)
		for _, secret := range secrets {
			if bytes.Contains(content, []byte(secret)) {
				w.Errorf("%s is in %s", secret, filepath.Base(name))
			}
		}
	}
}
