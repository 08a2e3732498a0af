package read_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"testing"

	"windlass/internal/read"
)

// The operator of the server sees in its log when a read began, what each page
// brought, how it ended, and when reads were paused and resumed: with the ids.
func TestTheProcessLogSaysWhatReadsDo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var out bytes.Buffer
		w.flow = w.process(func(c *read.Config) {
			c.Logger = slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		w.provider.fill(150, 0)
		w.install(configOf(""))
		w.succeed()
		p := w.last()
		w.must(w.flow.Pause(t.Context(), w.project.ID, w.integration.ID, p.InstallationID, read.PauseRequest{Objects: []string{p.Object}}))
		w.must(w.flow.Unpause(t.Context(), w.project.ID, w.integration.ID, p.InstallationID, read.PauseRequest{Objects: []string{p.Object}}))
		// A pause that was undone did not happen.
		undone := errors.New("undone")
		err := w.In(t.Context(), func(ctx context.Context) error {
			w.must(w.flow.Pause(ctx, w.project.ID, w.integration.ID, p.InstallationID, read.PauseRequest{Objects: []string{p.Object}}))
			return undone
		})
		if !errors.Is(err, undone) {
			t.Errorf("the transaction ended with %v", err)
		}
		var said []string
		for lines := json.NewDecoder(&out); lines.More(); {
			var line map[string]any
			w.must(lines.Decode(&line))
			if line["installation_id"] != p.InstallationID || line["project_id"] != p.ProjectID || line["object"] != p.Object {
				t.Errorf("it does not say what it is about: %v", line)
			}
			message, _ := line["msg"].(string)
			said = append(said, message)
			if message == "a read ended" && (line["operation_id"] != p.ID || line["status"] != "success" ||
				line["records"] != 150.0 || line["requests"] != float64(p.Requests) || line["level"] != "INFO") {
				t.Errorf("the end is told as %v", line)
			}
		}
		want := []string{"a read began", "a page was read", "a page was read", "a read ended", "reads are paused", "reads are resumed"}
		if !slices.Equal(said, want) {
			t.Errorf("the log says %q, want %q", said, want)
		}
	})
}
