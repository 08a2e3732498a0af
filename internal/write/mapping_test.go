package write_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"windlass"
)

const inheriting = `{"name":"mapped","provider":"bitbucket",
	"read":{"objects":[{"objectName":"projects","destination":"hook","requiredFields":[
		{"fieldName":"name","mapToName":"title"},{"fieldName":"key","mapToName":"code"},{"fieldName":"description"}]}]},
	"write":{"objects":[{"objectName":"projects","inheritMapping":true}]}}`

func (w *world) installMapped(settings string) {
	w.Helper()
	w.integration = w.deploy("mapped", inheriting)
	w.install("mapped", configOf(`"projects":{"objectName":"projects",`+settings+`}`), nil)
}

// mapped writes for the installation that inherits, and returns what was written.
func (w *world) mapped(body string) map[string]any {
	w.Helper()
	a, err := w.flow.Write(w.Context(), "acme", "mapped", "projects", ask(w, strings.Replace(body, "{", `{"groupRef":"mapped",`, 1)), "")
	w.must(err)
	w.valid(a)
	if a.Result == nil {
		w.Fatalf("%s", text(a))
	}
	var record map[string]any
	w.must(json.Unmarshal(*a.Result.Data, &record))
	record["id"] = a.Result.RecordID
	return record
}

func TestMappingsBackwards(t *testing.T) {
	t.Parallel()
	w := lite(t)
	w.installMapped(`"selectedFieldSettings":{
		"description":{"default":{"stringValue":"by default"},"writeOnUpdate":"never"},
		"is_private":{"default":{"booleanValue":true},"writeOnUpdate":"ifEmpty"},
		"title":{"writeOnUpdate":"always"}}`)
	made := w.mapped(`{"type":"create","record":{"title":"Rope","code":"ROPE"}}`)
	if made["name"] != "Rope" || made["key"] != "ROPE" || made["description"] != "by default" || made["is_private"] != true {
		t.Errorf("created %v", made)
	}
	id, _ := made["id"].(string)
	changed := w.mapped(`{"type":"update","record":{"id":"` + id + `","title":"Wire","description":"withheld","is_private":false}}`)
	if changed["name"] != "Wire" || changed["description"] != "by default" || changed["is_private"] != true {
		t.Errorf("updated %v", changed)
	}
	all, err := w.Operations(t.Context(), windlass.OperationFilter{ProjectID: w.project.ID, Limit: 1})
	w.must(err)
	if log := w.log(all[0].ID); !strings.Contains(log, `"description" is not written on update`) {
		t.Errorf("the log is\n%s", log)
	}
}

func TestDefaultsOfTheOlderForm(t *testing.T) {
	t.Parallel()
	w := lite(t)
	w.installMapped(`"selectedValueDefaults":{"description":{"value":"old","applyOnUpdate":"never"},"is_private":{"value":true}}`)
	made := w.mapped(`{"type":"create","record":{"title":"Rope","code":"ROPE"}}`)
	if made["description"] != "old" || made["is_private"] != true {
		t.Errorf("created %v", made)
	}
}

func TestWhatCannotBeMappedIsRefused(t *testing.T) {
	t.Parallel()
	w := lite(t)
	w.installMapped(`"selectedFieldSettings":{}`)
	_, err := w.flow.Write(t.Context(), "acme", "mapped", "projects", ask(t, `{"groupRef":"mapped","type":"create","batch":[
		{"record":{"title":"Rope","code":"ROPE"}},{"record":{"title":"Wire","name":"Other","code":"WIRE"}}]}`), "")
	if !errors.Is(err, windlass.Invalid) || !strings.Contains(err.Error(), "batch[1].record cannot be mapped") {
		t.Errorf("%v", err)
	}
	if len(w.provider.sent) != 0 {
		t.Error("something was sent")
	}
}
