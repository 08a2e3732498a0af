package api_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

func TestHeadChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deployed()
	secret := func() string {
		return fmt.Sprint(w.get(w.in("/destinations/hook?includeSecrets=true")).is(200).object()["secrets"])
	}
	before := secret()
	if got := w.do(request{method: "HEAD", path: w.in("/destinations/hook?rotate=true")}); got.status != 405 || got.header.Get("Allow") != "GET" {
		t.Errorf("got %d, Allow %q", got.status, got.header.Get("Allow"))
	}
	w.do(request{method: "HEAD", path: w.in("/destinations/hook?rotate=false")}).is(200)
	if secret() != before {
		t.Error("HEAD made another secret")
	}
	if w.get(w.in("/destinations/hook?rotate=true")).is(200); secret() == before {
		t.Error("GET made no other secret")
	}
}

func TestUploadBelongsToItsProject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deployed()
	other := w.newProject("other")
	foreign := w.newKey(other, "full")
	upload := func(key string) string {
		t.Helper()
		ticket := w.do(request{method: "GET", path: "/v1/generate-upload-url", key: key}).is(200)
		path := strings.TrimPrefix(ticket.text("url"), "https://windlass.example.com")
		w.do(request{method: "PUT", path: path, key: noKey, body: zipped(t, map[string]string{"amp.yaml": theManifest})}).is(200)
		return "gs://" + ticket.text("bucket") + "/" + ticket.text("path")
	}
	mine, operators := upload(w.key), upload(operatorKey)
	for _, address := range []string{mine, operators} {
		w.do(request{method: "PUT", path: "/v1/projects/other/integrations:batch", key: foreign, body: map[string]any{"sourceZipUrl": address}}).problem(404, "not-found")
	}
	w.send("PUT", w.in("/integrations:batch"), map[string]any{"sourceZipUrl": mine}).is(200)
	w.do(request{method: "PUT", path: w.in("/integrations:batch"), key: operatorKey, body: map[string]any{"sourceZipUrl": operators}}).is(200)
}

func TestProjectsDoNotLearnEachOthersNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.newProject("other")
	rename := func(key, name string) answer {
		return w.do(request{method: "PATCH", path: w.in(""), key: key, body: map[string]any{"updateMask": []string{"name"}, "project": map[string]any{"name": name}}})
	}
	taken, free := rename(w.key, "other").problem(403, "forbidden"), rename(w.key, "free").problem(403, "forbidden")
	for _, p := range []map[string]any{taken, free} {
		maps.DeleteFunc(p, func(key string, _ any) bool { return key == "instance" || key == "requestId" })
	}
	if fmt.Sprint(taken) != fmt.Sprint(free) {
		t.Errorf("%v differs from %v", taken, free)
	}
	rename(operatorKey, "OTHER").problem(409, "conflict")
	w.do(request{method: "POST", path: "/v1/projects", key: operatorKey, body: map[string]any{"name": "Acme", "appName": "A"}}).problem(409, "conflict")
	rename(operatorKey, "ACME").is(200)
}

func TestBodiesOfManyPartsAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deployed()
	w.connected("cust", "person")
	install := func(fields int) answer {
		selected := map[string]bool{}
		for i := range fields {
			selected[fmt.Sprint("field_", i)] = true
		}
		return w.send("POST", w.in("/integrations/repos/installations"), map[string]any{"groupRef": "cust", "config": map[string]any{
			"content": map[string]any{"provider": "bitbucket", "read": map[string]any{"objects": map[string]any{"repositories": map[string]any{
				"objectName": "repositories", "selectedFields": selected, "selectedFieldMappings": map[string]any{},
			}}}},
		}})
	}
	install(20000).problem(400, "malformed-request")
	for fields, issues := range map[int]int{900: 100, 1500: 1} { // of so many fields none is looked at
		got := install(fields)
		if p := got.problem(422, "unprocessable"); len(issueNames(p)) != issues {
			t.Errorf("%d issues in %d bytes", len(issueNames(p)), len(got.body))
		}
	}
	changes := make([]map[string]any, 101)
	for i := range changes {
		changes[i] = map[string]any{"op": "add", "path": "/schedule", "value": "0 * * * *"}
	}
	w.send("PATCH", w.in("/integrations/repos/objects/repositories/config-content"), map[string]any{
		"groupRef": "cust", "action": "read", "changes": changes,
	}).problem(400, "invalid")
}
