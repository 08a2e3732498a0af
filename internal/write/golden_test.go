package write_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// What products see of writes, byte for byte but for ids and times.
func TestWhatProductsSee(t *testing.T) {
	t.Parallel()
	w := lite(t)
	w.installation = w.install("one-hook", configOf(`"hooks":{"objectName":"hooks"}`), nil)
	hook := func(body string) string { return `{"groupRef":"one-hook",` + body[1:] }
	for _, row := range []struct{ name, object, body string }{
		{"single", "projects", `{"type":"create","record":{"name":"Rope","key":"ROPE"}}`},
		{"single-failed", "projects", `{"type":"create","record":{"name":"Rope","key":"ROPE"}}`},
		{"batch", "pipelines-config/variables", `{"type":"create","batch":[{"record":{"key":"A","value":"sesame"}},{"record":{"key":"A","value":"sesame"}}]}`},
		{"batch-failed", "pipelines-config/variables", `{"type":"create","batch":[{"record":{"key":"A","value":"sesame"}}]}`},
		{"asynchronous", "hooks", hook(`{"type":"create","mode":"asynchronous","batch":[
			{"record":{"url":"https://example.com","events":["repo:push"]}},{"record":{"url":"https://example.com"}}]}`)},
	} {
		a := w.ok(row.object, row.body)
		w.golden("answer-"+row.name, []byte(text(a)))
		if row.name == "asynchronous" {
			w.finish(a.OperationID)
			w.told()
			w.golden("write.async.done", w.office.told[0].data)
		}
		w.golden("log-"+row.name, []byte(text(w.log(a.OperationID))))
	}
}

var varies = []*regexp.Regexp{
	regexp.MustCompile(`\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?`),
	regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*(Z|[+-]\d\d:\d\d)`),
	regexp.MustCompile(`duration:\S+`),
}

func (w *world) golden(name string, got []byte) {
	w.Helper()
	for i, one := range varies {
		got = one.ReplaceAll(got, []byte([]string{"ID", "TIME", "duration:TIME"}[i]))
	}
	var indented bytes.Buffer
	w.must(json.Indent(&indented, got, "", "  "))
	indented.WriteByte('\n')
	file := filepath.Join("testdata", name+".json")
	if *update {
		w.must(os.MkdirAll("testdata", 0o750))
		w.must(os.WriteFile(file, indented.Bytes(), 0o600))
		return
	}
	want, err := os.ReadFile(file)
	w.must(err)
	if !bytes.Equal(want, indented.Bytes()) {
		w.Errorf("%s is\n%s, not\n%s", file, indented.Bytes(), want)
	}
}
