package api_test

import (
	"strings"
	"testing"

	"windlass"
)

// Two people of one group: what belongs to Ann is neither shown to Bob's token nor
// used for it.
func TestTokenOfOneConsumerAgainstAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withProviderApp()
	w.deployed()
	s := w.signer()
	as := func(person string) map[string]string {
		return map[string]string{"Authorization": "Bearer " + s.sign(t, map[string]any{"consumerRef": person})}
	}
	connectionOf := func(person string) string {
		return w.send("POST", w.in("/connections:generate"), map[string]any{
			"provider": "bitbucket", "groupRef": "cust", "consumerRef": person, "providerWorkspaceRef": "acme",
			"providerMetadata": map[string]any{"secretly": map[string]any{"value": "of-" + person, "source": "input"}},
			"basicAuth":        map[string]any{"username": person + "@example.com", "password": "api-token-of-" + person},
		}).is(201).text("id")
	}
	anns := connectionOf("ann")
	integration := w.in("/integrations/repos")
	install := map[string]any{"groupRef": "cust", "config": map[string]any{
		"createdBy": "consumer:ann", "content": map[string]any{"provider": "bitbucket", "read": map[string]any{"objects": map[string]any{}}},
	}}

	// Bob has no connection: none of Ann's is taken instead, and none is named.
	refused := w.do(request{method: "POST", path: integration + "/installations", body: install, key: noKey, header: as("bob")})
	refused.problem(409, "conflict")
	metadata := w.do(request{
		method: "GET", path: w.in("/providers/bitbucket/objects/projects/metadata?groupRef=cust"), key: noKey, header: as("bob"),
	})
	metadata.problem(409, "conflict")
	for _, got := range []answer{refused, metadata} {
		if strings.Contains(got.body, anns) {
			t.Errorf("Ann's connection is named: %s", got.body)
		}
	}

	// Ann installs; her name is on it whatever the request says.
	install["config"].(map[string]any)["createdBy"] = "consumer:bob"
	made := w.do(request{method: "POST", path: integration + "/installations?skipSampling=true", body: install, key: noKey, header: as("ann")}).is(201)
	if made.text("createdBy") != "consumer:ann" {
		t.Errorf("it was made by %q", made.text("createdBy"))
	}
	if connection, _ := made.object()["connection"].(map[string]any); connection["id"] != anns {
		t.Errorf("Ann does not see her own connection: %v", connection)
	}

	// Bob sees the group's installation, and of Ann's connection only that it works.
	one := integration + "/installations/" + made.text("id")
	for _, path := range []string{one, integration + "/installations", w.in("/installations")} {
		got := w.do(request{method: "GET", path: path, key: noKey, header: as("bob")}).is(200)
		for _, hidden := range []string{anns, "of-ann", "{user-uuid}", `"consumerRef":"ann"`} {
			if strings.Contains(got.body, hidden) {
				t.Errorf("%s shows %s: %s", path, hidden, got.body)
			}
		}
		if !strings.Contains(got.body, `"status":"`+string(windlass.ConnectionWorking)+`"`) {
			t.Errorf("%s does not say that it works: %s", path, got.body)
		}
	}
	w.do(request{
		method: "GET", path: integration + "/objects/projects/metadata?groupRef=cust", key: noKey, header: as("bob"),
	}).problem(409, "conflict")
	w.do(request{method: "PATCH", path: one, key: noKey, header: as("bob"), body: map[string]any{
		"updateMask": []string{"connectionId"}, "installation": map[string]any{"connectionId": anns},
	}}).problem(404, "not-found")
	changed := w.do(request{method: "PATCH", path: one, key: noKey, header: as("bob"), body: map[string]any{
		"updateMask": []string{"config.createdBy"}, "installation": map[string]any{"config": map[string]any{"createdBy": "consumer:ann"}},
	}}).is(200)
	if config, _ := changed.object()["config"].(map[string]any); config["createdBy"] != "consumer:bob" {
		t.Errorf("the config was made by %v", config["createdBy"])
	}

	// With a connection of his own, Bob's is used.
	connectionOf("bob")
	w.do(request{
		method: "GET", path: integration + "/objects/projects/metadata?groupRef=cust", key: noKey, header: as("bob"),
	}).is(200)
	w.do(request{
		method: "GET", path: w.in("/providers/bitbucket/objects/projects/metadata?groupRef=cust"), key: noKey, header: as("bob"),
	}).is(200)
}
