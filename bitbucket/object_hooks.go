package bitbucket

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
)

var objectHooks = object{
	name: "hooks", display: "Webhooks",
	about: "The workspace's webhooks, which fire for all of its repositories. Only the workspace's owners may see or change them.",
	list:  "/workspaces/{workspace}/hooks", item: "/workspaces/{workspace}/hooks/{id}",
	id:   []string{"uuid"},
	read: scopes{"webhook"}, write: scopes{"webhook"}, erase: scopes{"webhook"},
	remedies: remedies{forbidden: "only the workspace's owners may see or change its webhooks"},
	writes:   hookWriter{},
	fields:   hookFields,
}

var hookFields = []field{
	text("type"),
	text("uuid"),
	text("description").with(writable),
	link("url").with(required),
	flag("active").with(writable),
	choices("events", hookEvents...).with(required),
	text("secret").with(writeOnly).hidden(),
	flag("secret_set"),
	flag("skip_cert_verification").with(writable),
	flag("history_enabled"),
	flag("read_only"),
	text("source"),
	moment("created_at"),
	choice("subject_type", "repository", "workspace"),
	tree("subject"),
	text("subject.type"),
	text("subject.uuid"),
	text("subject.name"),
	text("subject.slug"),
	text("subject.full_name"),
	tree("subject.links"),
	tree("links"),
	link("links.self.href"),
}

// hookWriter writes webhooks. A PUT names every field that can change, since no
// document says that one left out stays; the secret is left out unless given,
// which keeps it.
type hookWriter struct{ plainWriter }

func (hookWriter) create(ctx context.Context, w *writing) (answer, error) {
	path, err := w.list()
	if err != nil {
		return answer{}, err
	}
	record := maps.Clone(w.record)
	if _, ok := record["active"]; !ok {
		record["active"] = json.RawMessage("true") // a hook made without saying otherwise is meant to fire
	}
	return w.send(ctx, http.MethodPost, path, record)
}

func (hookWriter) update(ctx context.Context, w *writing) (answer, error) {
	before, err := w.current(ctx, w.id)
	if err != nil {
		return answer{}, err
	}
	return mergedUpdate(ctx, w, before, "description", "url", "active", "events", "skip_cert_verification")
}

func (hookWriter) find(ctx context.Context, f *finding) (string, error) {
	events := sorted(f.record["events"])
	return f.among(ctx, func(one map[string]json.RawMessage) bool {
		return alike(f.record, one, "url") && slices.Equal(events, sorted(one["events"]))
	})
}

func sorted(list json.RawMessage) []string {
	var all []string
	if json.Unmarshal(list, &all) != nil {
		return nil
	}
	slices.Sort(all)
	return slices.Compact(all)
}
