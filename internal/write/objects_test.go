package write_test

import (
	"strings"
	"testing"

	"windlass"
)

// objects are what can be written: a record to create, what to change of it, and
// the field that tells records apart.
var objects = []struct{ object, record, change, field, value string }{
	{"projects", `{"name":"Rope","key":"ROPE"}`, `"description":"three strands"`, "key", "ROPE"},
	{"repositories", `{"name":"Well Head"}`, `"description":"deep"`, "slug", "well-head"},
	{"hooks", `{"url":"https://example.com/in","events":["repo:push"],"secret":"sesame-hook"}`, `"active":false`, "url", "https://example.com/in"},
	{"snippets", `{"title":"A knot","files":{"a.txt":{"content":"over, under"}}}`, `"files":{"b.txt":{"content":"eA==","encoding":"base64"}}`, "title", "A knot"},
	{"pipelines-config/variables", `{"key":"TOKEN_X","value":"sesame-variable","secured":true}`, `"value":"sesame-changed","secured":true`, "key", "TOKEN_X"},
}

func TestEveryObjectSynchronously(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, o := range objects {
			a := w.ok(o.object, `{"type":"create","record":`+o.record+`}`)
			if a.Result == nil || !a.Result.Success || a.Result.RecordID == "" || a.Result.Data == nil {
				t.Fatalf("%s: created %s", o.object, text(a))
			}
			id := a.Result.RecordID
			if n := w.records(o.object, o.field)[o.value]; n != 1 {
				t.Errorf("%s: there are %d", o.object, n)
			}
			p := w.operation(a.OperationID)
			if p.Status != windlass.OperationSuccess || p.Action != windlass.ActionWrite || p.Records != 1 || p.Requests == 0 || p.Object != o.object {
				t.Errorf("%s: the operation is %+v", o.object, p)
			}
			if log := w.log(p.ID); !strings.Contains(log, "Created "+id) {
				t.Errorf("%s: the log is\n%s", o.object, log)
			}
			a = w.ok(o.object, `{"type":"update","mode":"synchronous","record":{"id":"`+id+`",`+o.change+`}}`)
			if a.Result == nil || a.Result.RecordID != id {
				t.Errorf("%s: updated %s", o.object, text(a))
			}
			a = w.ok(o.object, `{"type":"delete","record":{"id":"`+id+`"}}`)
			if a.Result == nil || !a.Result.Success || a.Result.RecordID != "" || a.Result.Data != nil {
				t.Errorf("%s: deleted %s", o.object, text(a))
			}
			if n := w.records(o.object, o.field)[o.value]; n != 0 {
				t.Errorf("%s: there are %d after it was deleted", o.object, n)
			}
			a = w.ok(o.object, `{"type":"delete","record":{"id":"`+id+`"}}`)
			if len(a.Errors) != 1 || a.Result != nil || w.operation(a.OperationID).Status != windlass.OperationFailure {
				t.Errorf("%s: deleted again: %s", o.object, text(a))
			}
		}
		if told := w.told(); len(told) != 0 {
			t.Errorf("told of synchronous writes: %v", told)
		}
		in, err := w.Installation(t.Context(), w.project.ID, w.installation.ID)
		w.must(err)
		if !in.Healthy || in.LastStatus != windlass.OperationFailure {
			t.Errorf("the installation is healthy: %v, its last status %s", in.Healthy, in.LastStatus)
		}
	})
}

func TestEveryObjectAsynchronously(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i, o := range objects {
			a := w.ok(o.object, `{"type":"create","mode":"asynchronous","record":`+o.record+`}`)
			if a.Result != nil || a.SuccessCount != nil || w.provider.creates() != i {
				t.Fatalf("%s: %s, %d creates", o.object, text(a), w.provider.creates())
			}
			if job := w.office.jobs[len(w.office.jobs)-1]; job.operation != a.OperationID || !job.at.IsZero() {
				t.Errorf("%s: the job is %+v", o.object, job)
			}
			if p := w.finish(a.OperationID); p.Status != windlass.OperationSuccess {
				t.Fatalf("%s: %s", o.object, p.Result)
			}
			told := w.told()
			last := told[len(told)-1]
			if !last.Success || len(last.SuccessfulRecordIDs) != 1 || last.ObjectName != o.object || last.GroupRef != "group-1" {
				t.Fatalf("%s: told %+v", o.object, last)
			}
			a = w.ok(o.object, `{"type":"update","mode":"asynchronous","retryPolicy":{"deadlineHours":2},"record":{"id":"`+last.SuccessfulRecordIDs[0]+`",`+o.change+`}}`)
			if p := w.finish(a.OperationID); p.Status != windlass.OperationSuccess {
				t.Errorf("%s: %s", o.object, p.Result)
			}
		}
	})
}

func TestEveryObjectInABatch(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, o := range objects {
			for _, mode := range []string{"synchronous", "asynchronous"} {
				second := strings.NewReplacer("ROPE", "R2"+mode[:1], "Well Head", "Two "+mode[:1], "com/in", "com/2"+mode[:1], "A knot", "K"+mode[:1], "TOKEN_X", "T"+mode[:1]).Replace(o.record)
				third := strings.NewReplacer("ROPE", "R3"+mode[:1], "Well Head", "Three "+mode[:1], "com/in", "com/3"+mode[:1], "A knot", "L"+mode[:1], "TOKEN_X", "U"+mode[:1]).Replace(o.record)
				a := w.ok(o.object, `{"type":"create","mode":"`+mode+`","batch":[{"record":`+second+`},{"record":{"nonsense":1}},{"record":`+third+`}]}`)
				if mode == "synchronous" {
					if a.SuccessCount == nil || *a.SuccessCount != 2 || *a.FailureCount != 1 || len(a.Results) != 3 || len(a.Errors) != 1 ||
						a.Results[1].Success || !a.Results[2].Success || a.Results[2].RecordID == "" || !strings.HasPrefix(a.Errors[0].Message, "batch[1]: ") {
						t.Errorf("%s: %s", o.object, text(a))
					}
				} else if p := w.finish(a.OperationID); p.Records != 2 || p.Walked != 3 || p.Status != windlass.OperationFailure {
					t.Errorf("%s: %+v", o.object, p)
				}
			}
			told := w.told()
			if last := told[len(told)-1]; last.Success || len(last.SuccessfulRecordIDs) != 2 || len(last.Errors) != 1 {
				t.Errorf("%s: told %+v", o.object, last)
			}
		}
	})
}

func TestABatchInWhichNothingIsWrittenHasFailed(t *testing.T) {
	t.Parallel()
	w := lite(t)
	a := w.ok("projects", `{"type":"create","batch":[{"record":{"name":"x"}},{"record":{"key":"y"}}]}`)
	if !a.Failed() || *a.FailureCount != 2 || len(a.Errors) != 2 {
		t.Errorf("%s", text(a))
	}
	if w.provider.creates() != 0 {
		t.Error("something was sent")
	}
}
