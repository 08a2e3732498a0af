package bitbucket

import (
	"context"
	"encoding/json"

	"windlass"
)

var objectVariables = object{
	name: "pipelines-config/variables", display: "Pipeline variables",
	about: "Variables of the workspace's pipelines. The value of a secured one is never returned.",
	list:  "/workspaces/{workspace}/pipelines-config/variables", item: "/workspaces/{workspace}/pipelines-config/variables/{id}",
	id:   []string{"uuid"},
	read: scopes{"pipeline"}, write: scopes{"pipeline:variable"}, erase: scopes{"pipeline:variable"},
	writes: variableWriter{},
	fields: variableFields,
}

var variableFields = []field{
	text("type"),
	text("uuid"),
	text("key").with(required),
	text("value").with(required).hidden(),
	flag("secured").with(writable),
}

// variableWriter writes the variables of the workspace's pipelines.
type variableWriter struct{ plainWriter }

// update refuses to touch a secured variable without its value: Bitbucket does
// not return the value, so that a PUT without it would empty the variable.
func (variableWriter) update(ctx context.Context, w *writing) (answer, error) {
	before, err := w.current(ctx, w.id)
	if err != nil {
		return answer{}, err
	}
	if isNull(w.record["value"]) && string(before["secured"]) == "true" {
		return answer{}, &windlass.Error{
			Kind:    windlass.Invalid,
			Message: "the variable is secured, and changing it without its value would empty it",
			Remedy:  "give its value too", Provider: &windlass.ProviderDetails{},
		}
	}
	return mergedUpdate(ctx, w, before, "key", "value", "secured")
}

func (variableWriter) find(ctx context.Context, f *finding) (string, error) {
	return f.among(ctx, func(one map[string]json.RawMessage) bool { return alike(f.record, one, "key") })
}
