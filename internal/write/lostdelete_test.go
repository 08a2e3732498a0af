package write_test

import (
	"strings"
	"testing"
)

// The answer to a delete is lost on the way: what is not there any more was deleted.
func TestADeleteWhoseAnswerWasLost(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.ok("projects", `{"type":"create","record":{"name":"Rope","key":"ROPE"}}`)
		remove := `{"type":"delete","record":{"id":"` + a.Result.RecordID + `"}}`
		w.provider.inject(t, "reset,method=DELETE,times=2")
		a = w.ok("projects", remove)
		if len(a.Errors) != 1 || !strings.Contains(a.Errors[0].Message, "it was looked for, and is still there") {
			t.Errorf("not done: %s", text(a))
		}
		// The write looks the project up, sends the delete, and looks again: by then
		// it is gone, under its path and in the list.
		w.provider.inject(t, "status=404,method=GET,after=1,times=2")
		a = w.ok("projects", remove)
		if len(a.Errors) != 0 || a.Result == nil || !a.Result.Success {
			t.Errorf("done: %s", text(a))
		}
		if log := w.log(a.OperationID); !strings.Contains(log, "an earlier attempt was lost, but it had deleted") {
			t.Errorf("the log is\n%s", log)
		}
	})
}

// "Not found" is done only where an answer was lost.
func TestADeleteOfWhatIsNotThere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.ok("projects", `{"type":"create","record":{"name":"Rope","key":"ROPE"}}`)
		w.provider.inject(t, "status=404,method=DELETE,times=1")
		if a = w.ok("projects", `{"type":"delete","record":{"id":"`+a.Result.RecordID+`"}}`); len(a.Errors) != 1 {
			t.Error(text(a))
		}
	})
}
