package api_test

import (
	"maps"
	"testing"
)

// Published clients send a resource whole, with what only the server can know.
func TestReadOnlyPropertiesAreIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.contract = &contract{} // what these clients send is more than the document has
	zero := map[string]any{"id": "", "projectId": "", "createTime": "0001-01-01T00:00:00Z", "updateTime": "0001-01-01T00:00:00Z"}
	with := func(more map[string]any) map[string]any {
		body := map[string]any{}
		for _, from := range []map[string]any{zero, more} {
			maps.Copy(body, from)
		}
		return body
	}
	destination := map[string]any{"name": "hook", "type": "webhook", "metadata": map[string]any{"url": "https://hooks.example.com/in"}}
	made := w.send("POST", w.in("/destinations"), with(destination)).is(201)
	if made.text("id") == "" || made.text("createTime") == "0001-01-01T00:00:00Z" {
		t.Errorf("they count: %s", made.body)
	}
	w.send("PATCH", w.in("/destinations/hook"), map[string]any{
		"updateMask": []string{"name"}, "destination": with(map[string]any{"name": "other", "type": "webhook"}),
	}).is(200)
	w.send("POST", w.in("/provider-apps"), with(map[string]any{"provider": "bitbucket", "clientId": "c", "clientSecret": "s"})).is(200)
	w.send("POST", w.in("/topics"), with(map[string]any{"name": "t"})).is(201)
	w.send("POST", w.in("/integrations"), with(map[string]any{"name": "one", "provider": "bitbucket", "latestRevision": map[string]any{
		"id": "", "createTime": "0001-01-01T00:00:00Z", "specVersion": "1.0.0", "content": map[string]any{"proxy": map[string]any{"enabled": true}},
	}})).is(201)
	w.do(request{method: "POST", path: "/v1/projects", key: operatorKey, body: map[string]any{
		"id": "", "orgId": "org", "createTime": "0001-01-01T00:00:00Z", "name": "second", "appName": "Second",
	}}).is(201)
	id := w.get(w.in("/topics")).list()[0]["id"].(string)
	w.send("PATCH", w.in("/topics/"+id), with(map[string]any{"name": "u"})).is(200)

	for name, body := range map[string]map[string]any{
		"a key that nothing has":     with(map[string]any{"name": "x", "colour": "red"}),
		"the same, letter by letter": {"name": "x", "ID": ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w.as(t).send("POST", w.in("/topics"), body).problem(400, "invalid")
		})
	}
	w.send("PATCH", w.in("/destinations/other"), map[string]any{
		"id": "", "updateMask": []string{"name"}, "destination": map[string]any{"name": "x"},
	}).problem(400, "invalid")
}
