package write_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"windlass"
)

func TestWhatIsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	w := lite(t)
	w.installation = w.install("no-deletes", configOf(`"projects":{"objectName":"projects"}`), nil)
	w.install("few-scopes", configOf(allObjects), []string{"project", "repository:admin", "account"})
	w.install("no-looks", configOf(allObjects), []string{"project:admin"})
	other := w.deploy("others", revision)
	many := strings.TrimSuffix(strings.Repeat(`{"record":{"name":"x","key":"X"}},`, 101), ",")
	const rope = `"record":{"name":"Rope","key":"ROPE"}`
	for _, row := range []struct {
		name, object, body string
		kind               windlass.Kind
		says               string
	}{
		{"no group", "projects", `{"groupRef":"","type":"create",` + rope + `}`, windlass.Invalid, "groupRef is missing"},
		{"no type", "projects", `{` + rope + `}`, windlass.Invalid, "create, update or delete"},
		{"another type", "projects", `{"type":"upsert",` + rope + `}`, windlass.Invalid, "create, update or delete"},
		{"another mode", "projects", `{"type":"create","mode":"later",` + rope + `}`, windlass.Invalid, "synchronous or asynchronous"},
		{"nothing to write", "projects", `{"type":"create"}`, windlass.Invalid, "record is missing"},
		{"both", "projects", `{"type":"create","batch":[{` + rope + `}],` + rope + `}`, windlass.Invalid, "beside record"},
		{"an empty batch", "projects", `{"type":"create","batch":[]}`, windlass.Invalid, "is empty"},
		{"101 records", "projects", `{"type":"create","batch":[` + many + `]}`, windlass.Invalid, "has 101 records"},
		{"a batch without a record", "projects", `{"type":"create","batch":[{}]}`, windlass.Invalid, "batch[0].record is missing"},
		{"all or none", "projects", `{"type":"create","batchPolicy":{"allOrNone":true},"batch":[{` + rope + `},{` + rope + `}]}`, windlass.Invalid, "the provider has no transactions"},
		{"a create with an id", "projects", `{"type":"create","record":{"id":"1","name":"Rope","key":"ROPE"}}`, windlass.Invalid, "record.id is given"},
		{"an update without an id", "projects", `{"type":"update",` + rope + `}`, windlass.Invalid, "record.id is missing"},
		{"an update whose id is no text", "projects", `{"type":"update","record":{"id":7,"name":"x"}}`, windlass.Invalid, "record.id is missing"},
		{"an update of nothing", "projects", `{"type":"update","record":{"id":"{1}"}}`, windlass.Invalid, "sets no field"},
		{"a delete without an id", "projects", `{"type":"delete","record":{}}`, windlass.Invalid, "record.id is missing"},
		{"a batch to delete", "projects", `{"type":"delete","batch":[{"record":{"id":"1"}}]}`, windlass.Invalid, "one record at a time"},
		{"a delete for later", "projects", `{"type":"delete","mode":"asynchronous","record":{"id":"1"}}`, windlass.Invalid, "a delete is synchronous"},
		{"a delete that is not enabled", "projects", `{"groupRef":"no-deletes","type":"delete","record":{"id":"1"}}`, windlass.Invalid, "deletionSettings.enabled"},
		{"retries of a synchronous write", "projects", `{"type":"create","retryPolicy":{"deadlineHours":2},` + rope + `}`, windlass.Invalid, "retryPolicy is for asynchronous"},
		{"too many hours", "projects", `{"type":"create","mode":"asynchronous","retryPolicy":{"deadlineHours":49},` + rope + `}`, windlass.Invalid, "is 49: write 1 to 48"},
		{"hours below none", "projects", `{"type":"create","mode":"asynchronous","retryPolicy":{"deadlineHours":-1},` + rope + `}`, windlass.Invalid, "is -1"},
		{"a batch to collect", "projects", `{"type":"create","mode":"asynchronous","autoBatchPolicy":{"maxDelayMinutes":1},"batch":[{` + rope + `}]}`, windlass.Invalid, "of single records"},
		{"collecting a synchronous write", "projects", `{"type":"create","autoBatchPolicy":{"maxDelayMinutes":1},` + rope + `}`, windlass.Invalid, "of single records"},
		{"no delay", "projects", `{"type":"create","mode":"asynchronous","autoBatchPolicy":{},` + rope + `}`, windlass.Invalid, "maxDelayMinutes is 0"},
		{"too long a delay", "projects", `{"type":"create","mode":"asynchronous","autoBatchPolicy":{"maxDelayMinutes":1441},` + rope + `}`, windlass.Invalid, "is 1441"},
		{"associations", "projects", `{"type":"create","associations":[{"to":{}}],` + rope + `}`, windlass.Invalid, "associations are not known"},
		{"associations in a batch", "projects", `{"type":"create","batch":[{"associations":[{}],` + rope + `}]}`, windlass.Invalid, "batch[0].associations"},
		{"headers", "projects", `{"type":"create","headers":[{"key":"a","value":"b"}],` + rope + `}`, windlass.Invalid, "headers are not known"},
		{"a group that has not installed it", "projects", `{"groupRef":"absent","type":"create",` + rope + `}`, windlass.NotFound, `not installed for group "absent"`},
		{"an unknown object", "nonsense", `{"type":"create",` + rope + `}`, windlass.Invalid, `does not write "nonsense"`},
		{"an object that the config does not enable", "hooks", `{"groupRef":"no-deletes","type":"create",` + rope + `}`, windlass.Invalid, "hooks is not enabled in the installation's config, which writes projects"},
		{"an object that cannot be written", "members", `{"type":"create",` + rope + `}`, windlass.Invalid, "members"},
		{"a scope that is missing", "projects", `{"groupRef":"few-scopes","type":"create",` + rope + `}`, windlass.Forbidden, "lacks the scope project:admin"},
		{"a scope to look at what is updated", "projects", `{"groupRef":"no-looks","type":"update","record":{"id":"1","name":"x"}}`, windlass.Forbidden, "lacks the scope project,"},
		{"a scope to delete", "repositories", `{"groupRef":"few-scopes","type":"delete","record":{"id":"1"}}`, windlass.Forbidden, "lacks the scope repository:delete"},
	} {
		_, err := w.write(row.object, row.body)
		if !errors.Is(err, row.kind) || !strings.Contains(fmt.Sprint(err), row.says) {
			t.Errorf("%s: %v; want %q", row.name, err, row.says)
		}
	}
	for _, place := range [][2]string{{"nowhere", "repos"}, {"acme", "nothing"}, {"acme", other.Name}, {w.project.ID, other.ID}} {
		_, err := w.flow.Write(t.Context(), place[0], place[1], "projects", ask(t, `{"type":"create",`+rope+`}`), "")
		if !errors.Is(err, windlass.NotFound) {
			t.Errorf("in %v: %v", place, err)
		}
	}
	if len(w.provider.sent) != 0 {
		t.Errorf("sent %v", w.provider.sent)
	}
	all, err := w.Operations(t.Context(), windlass.OperationFilter{ProjectID: w.project.ID})
	w.must(err)
	if len(all) != 0 {
		t.Errorf("%d operations were begun", len(all))
	}
}

func TestOneRecordIsAllOrNone(t *testing.T) {
	t.Parallel()
	w := lite(t)
	a := w.ok("projects", `{"type":"create","batchPolicy":{"allOrNone":true},"batch":[{"record":{"name":"Rope","key":"ROPE"}}]}`)
	if *a.SuccessCount != 1 {
		t.Errorf("%s", text(a))
	}
}

func TestEveryIssueIsNamedAtOnce(t *testing.T) {
	t.Parallel()
	w := lite(t)
	_, err := w.write("projects", `{"type":"update","mode":"later","batch":[{"record":{"name":"x"}},{"record":{}}]}`)
	var failure *windlass.Error
	if !errors.As(err, &failure) || len(failure.Issues) != 3 {
		t.Errorf("%v", err)
	}
}
