package write_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"windlass/internal/write"
)

// The published contract, which is not part of this repository: see
// CONTRIBUTING.md.
var contracts = sync.OnceValue(func() map[string]*openapi3.T {
	all := map[string]*openapi3.T{}
	for _, name := range []string{"write", "notifications"} {
		file := filepath.Join(os.Getenv("WINDLASS_SHARED"), "contract", "ampersand", name+".json")
		if doc, err := openapi3.NewLoader().LoadFromFile(file); err == nil {
			all[name] = doc
		}
	}
	return all
})

func contract(tb testing.TB, name string) *openapi3.T {
	tb.Helper()
	doc := contracts()[name]
	if doc == nil && os.Getenv("WINDLASS_SHARED_REQUIRED") == "1" {
		tb.Fatal("the published contract is not there")
	}
	return doc
}

// valid holds an answer against the contract: nothing more than it says, nothing
// less.
func (w *world) valid(a write.Answer) {
	w.Helper()
	if strings.Contains(text(a), "null") && !strings.Contains(text(a), `"data"`) {
		w.Errorf("an answer holds null: %s", text(a))
	}
	doc := contract(w.T, "write")
	if doc == nil {
		return
	}
	status := http.StatusOK
	if a.Failed() {
		status = http.StatusUnprocessableEntity
	}
	for _, item := range doc.Paths.Map() {
		schema := item.Post.Responses.Status(status).Value.Content["application/json"].Schema.Value
		var value any
		w.must(json.Unmarshal([]byte(text(a)), &value))
		// An asynchronous answer may be taken for either sort of a synchronous one.
		matches := 0
		for _, one := range schema.OneOf {
			if one.Value.VisitJSON(value) == nil {
				matches++
			}
		}
		if matches != 1 {
			w.Errorf("%d of the contract's answers to %d are %s", matches, status, text(a))
		}
	}
}

func (w *world) validNotice(data json.RawMessage) {
	w.Helper()
	doc := contract(w.T, "notifications")
	if doc == nil {
		return
	}
	var value any
	w.must(json.Unmarshal([]byte(`{"notificationType":"write.async.done","data":`+string(data)+`}`), &value))
	if err := doc.Components.Schemas["WriteAsyncDoneNotificationPayload"].Value.VisitJSON(value); err != nil {
		w.Errorf("the notification %s: %v", data, err)
	}
}
