package api_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"windlass"
	"windlass/internal/api"
	"windlass/internal/write"
)

// writes remembers the last request, and answers with what a test wants.
type writes struct {
	object, key string
	request     write.Request
	asked       int
	answer      write.Answer
	err         error
}

func (f *writes) Write(_ context.Context, _, _, object string, r write.Request, key string) (write.Answer, error) {
	f.object, f.key, f.request = object, key, r
	f.asked++
	return f.answer, f.err
}

const writePath = "/integrations/repos/objects/pipelines-config%2Fvariables"

func newWriting(t *testing.T) (*world, *writes) {
	t.Helper()
	f := &writes{}
	return newWorldWith(t, func(c *api.Config) { c.Writes = f }), f
}

func TestWritesAreToldFromReadsByTheirType(t *testing.T) {
	t.Parallel()
	w, f := newWriting(t)
	data := json.RawMessage(`{"key":"A","value":null}`)
	one, none := 1, 0
	for _, test := range []struct {
		name   string
		answer write.Answer
		status int
		body   string
	}{
		{
			"one record",
			write.Answer{OperationID: "op", Result: &write.Result{Success: true, RecordID: "{1}", Data: &data}},
			200, `{"operationId":"op","result":{"data":{"key":"A"},"recordId":"{1}","success":true}}`,
		},
		{"one that failed", write.Answer{OperationID: "op", Errors: []write.Problem{{Message: "no"}}}, 422, `{"operationId":"op","errors":[{"message":"no"}]}`},
		{"one for later", write.Answer{OperationID: "op"}, 200, `{"operationId":"op"}`},
		{
			"several",
			write.Answer{OperationID: "op", SuccessCount: &one, FailureCount: &none, Results: []write.Result{{Success: true}}},
			200, `{"operationId":"op","successCount":1,"failureCount":0,"results":[{"success":true}]}`,
		},
		{
			"several that failed",
			write.Answer{OperationID: "op", SuccessCount: &none, FailureCount: &one, Results: []write.Result{{}}, Errors: []write.Problem{{Message: "no"}}},
			422, `{"operationId":"op","successCount":0,"failureCount":1,"results":[{"success":false}],"errors":[{"message":"no"}]}`,
		},
	} {
		f.answer = test.answer
		got := w.do(request{
			method: "POST", path: w.in(writePath), header: map[string]string{"Idempotency-Key": "key-1"},
			body: `{"groupRef":"cust","type":"create","record":{"key":"A","value":"sesame","deep":{"any":[1,null]}}}`,
		})
		if got.is(test.status).body != test.body {
			t.Errorf("%s: %s", test.name, got.body)
		}
	}
	if f.object != "pipelines-config/variables" || f.key != "key-1" || string(f.request.Record["deep"]) != `{"any":[1,null]}` {
		t.Errorf("asked for %+v", f)
	}
	w.send("POST", w.in(writePath), map[string]any{"groupRef": "cust", "mode": "async"}).problem(404, "not-found") // a read
	if f.asked != 5 {
		t.Errorf("%d writes", f.asked)
	}
	f.err = &windlass.Error{Kind: windlass.Conflict, Message: "another request came with the same Idempotency-Key"}
	w.send("POST", w.in(writePath), map[string]any{"groupRef": "cust", "type": "create", "record": map[string]any{}}).problem(409, "conflict")
}

func TestWritesThatAreNoRequests(t *testing.T) {
	t.Parallel()
	w, f := newWriting(t)
	for _, test := range []struct {
		name, body string
		header     map[string]string
		status     int
		slug       string
	}{
		{"another type", `{"groupRef":"cust","type":"upsert","record":{"value":"sesame"}}`, nil, 400, "invalid"},
		{"a type that is not a string", `{"groupRef":"cust","type":1}`, nil, 400, "invalid"},
		{"another mode", `{"groupRef":"cust","type":"create","mode":"async","record":{"value":"sesame"}}`, nil, 400, "invalid"},
		{"no group", `{"type":"create","record":{}}`, nil, 400, "invalid"},
		{"a record that is a list", `{"groupRef":"cust","type":"create","record":["sesame"]}`, nil, 400, "invalid"},
		{"a batch that is not a list", `{"groupRef":"cust","type":"create","batch":{"record":{}}}`, nil, 400, "invalid"},
		{"101 records", `{"groupRef":"cust","type":"create","batch":[` + strings.Repeat(`{"record":{}},`, 100) + `{"record":{}}]}`, nil, 400, "invalid"},
		{"an empty batch", `{"groupRef":"cust","type":"create","batch":[]}`, nil, 400, "invalid"},
		{"a batch of something else", `{"groupRef":"cust","type":"create","batch":[{"value":"sesame"}]}`, nil, 400, "invalid"},
		{"an unknown key", `{"groupRef":"cust","type":"create","record":{},"records":[]}`, nil, 400, "invalid"},
		{"half an hour", `{"groupRef":"cust","type":"create","mode":"asynchronous","retryPolicy":{"deadlineHours":0.5},"record":{}}`, nil, 400, "invalid"},
		{"49 hours", `{"groupRef":"cust","type":"create","mode":"asynchronous","retryPolicy":{"deadlineHours":49},"record":{}}`, nil, 400, "invalid"},
		{"no delay", `{"groupRef":"cust","type":"create","mode":"asynchronous","autoBatchPolicy":{},"record":{}}`, nil, 400, "invalid"},
		{"a key twice", `{"groupRef":"cust","type":"create","record":{"value":"sesame","value":"sesame"}}`, nil, 400, "invalid"},
		{"not JSON", `{"type":"create"`, nil, 400, "malformed-request"},
		{"too much", `{"groupRef":"cust","type":"create","record":{"value":"` + strings.Repeat("sesame", 200_000) + `"}}`, nil, 413, "too-large"},
		{"an empty key", `{"groupRef":"cust","type":"create","record":{}}`, map[string]string{"Idempotency-Key": ""}, 400, "invalid"},
	} {
		got := w.do(request{method: "POST", path: w.in(writePath), body: test.body, header: test.header})
		if got.problem(test.status, test.slug); strings.Contains(got.body, "sesame") {
			t.Errorf("%s: a value is repeated: %s", test.name, got.body)
		}
	}
	if f.asked != 0 {
		t.Errorf("%d writes were asked for", f.asked)
	}
}

func TestWhoMayWrite(t *testing.T) {
	t.Parallel()
	w, f := newWriting(t)
	body := map[string]any{"groupRef": "cust", "type": "create", "record": map[string]any{}}
	w.do(request{method: "POST", path: w.in(writePath), body: body, key: w.frontend}).problem(403, "forbidden")
	w.do(request{method: "POST", path: w.in(writePath), body: body, key: noKey}).problem(401, "unauthorized")
	other := w.newProject("other")
	w.do(request{method: "POST", path: w.in(writePath), body: body, key: w.newKey(other, "full")}).problem(404, "not-found")
	s := w.signer()
	for _, group := range []string{"cust", "another"} { // a token of a customer's browser
		token := s.sign(t, map[string]any{"groupRef": group})
		w.do(request{method: "POST", path: w.in(writePath), body: body, header: map[string]string{"Authorization": "Bearer " + token}}).problem(403, "forbidden")
	}
	if f.asked != 0 {
		t.Errorf("%d writes were asked for", f.asked)
	}
}
