package jobs

import (
	"log/slog"
	"testing"
	"time"
)

// Every check of every installation leaves two jobs that are done: a day of them,
// which is River's own default, is most of a database.
func TestDoneJobsAreKeptForAnHour(t *testing.T) {
	t.Parallel()
	e := &Engine{opts: Options{Workers: map[string]int{"default": 1}}}
	e.log = slog.New(slog.DiscardHandler)
	if kept := e.config().CompletedJobRetentionPeriod; kept != time.Hour {
		t.Errorf("jobs that are done are kept for %v", kept)
	}
}
