package install_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"windlass"
	"windlass/connector"
	"windlass/internal/install"
)

const subscriber = `
    subscribe:
      objects:
        - objectName: repositories
          destination: hook
          inheritFieldsAndMapping: true
          updateEvent:
            enabled: always
            watchFieldsAuto: all
`

func TestSubscriptionsAreFilledAndChecked(t *testing.T) {
	w := once(t)
	w.ready(strings.TrimRight(reader, "\n") + subscriber)
	for _, test := range []struct{ name, content, want string }{
		{"filled in", `{"read":{"objects":{"repositories":{}}},"subscribe":{"objects":{"repositories":{}}}}`, ``},
		{"in either spelling", `{"read":{"objects":{"repositories":{}}},"subscribe":{"objects":{"repositories":{"inheritFieldsAndMapping":true,"createEvent":{"enabled":"always"}}}}}`, ``},
		{"without the object to inherit from", `{"subscribe":{"objects":{"repositories":{}}}}`, `inheritFieldsAndMappings: is true, and "repositories" is not read`},
		{"of an object that is not offered", `{"subscribe":{"objects":{"projects":{}}}}`, `the integration does not subscribe to "projects"`},
		{"to nowhere", `{"read":{"objects":{"repositories":{}}},"subscribe":{"objects":{"repositories":{"destination":"x"}}}}`, `subscribe.objects.repositories.destination: there is no destination "x"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := w.in(t)
			in, err := w.install("acme", test.content)
			if test.want != "" {
				w.refused(err, windlass.Invalid, test.want)
				return
			}
			w.ok(err)
			conform(t, "ConfigContent", w.config(in))
			if o := w.config(in).Subscribe.Objects["repositories"]; o.Destination != "hook" || !o.InheritFieldsAndMappings || o.ObjectName != "repositories" {
				t.Errorf("got %+v", o)
			}
			w.refused(w.flow.DeleteDestination(w.ctx, w.project.ID, "hook"), windlass.Conflict)
			w.ok(w.flow.DeleteInstallation(w.ctx, w.project.ID, "reader", in.ID))
		})
	}
}

func TestMappingsThatMeet(t *testing.T) {
	w := once(t)
	w.ready(reader)
	for _, test := range []struct{ name, dynamic, mappings, want string }{
		{"one inside of another", `[{"mapToName":"$['a']['b']"},{"mapToName":"a"}]`, `{"$['a']['b']":"slug","a":"name"}`, `is inside "a", which another field is mapped to`},
		{"one place, spelt twice", `[{"mapToName":"$[\"a\"]['b']"},{"mapToName":"$['a']['b']"}]`, `{"$[\"a\"]['b']":"slug","$['a']['b']":"name"}`, `is the same place as`},
		{"many places", `[{"mapToName":"$['a'][*]"}]`, `{"$['a'][*]":"slug"}`, `names more than one place`},
		{"no path", `[{"mapToName":"$a"}]`, `{"$a":"slug"}`, `path "$a" cannot be read`},
		{"offered twice", `[{"mapToName":"x"},{"mapToName":"x"}]`, `{}`, `dynamicMappingsInput[1].mapToName: "x" is offered already`},
		{"offered by the manifest", `[{"mapToName":"about"}]`, `{}`, `dynamicMappingsInput[0].mapToName: "about" is offered already`},
		{"without a name", `[{"prompt":"x"}]`, `{}`, `dynamicMappingsInput[0].mapToName: is missing`},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := w.in(t)
			_, err := w.install("acme", `{"read":{"objects":{"repositories":{"dynamicMappingsInput":`+test.dynamic+`,"selectedFieldMappings":`+test.mappings+`}}}}`)
			w.refused(err, windlass.Invalid, test.want)
		})
	}
}

func TestWritesAreChecked(t *testing.T) {
	w := once(t)
	w.ready(reader)
	for _, test := range []struct{ name, object, want string }{
		{"a default that is a fraction", `{"selectedValueDefaults":{"name":{"value":1.5}}}`, `selectedValueDefaults.name.value: is missing, or is not a string`},
		{"a default that is missing", `{"selectedValueDefaults":{"name":{}}}`, `selectedValueDefaults.name.value: is missing`},
		{"a field that does not exist", `{"selectedFieldSettings":{"nam":{}}}`, `projects has no field "nam": write name`},
		{"no path", `{"selectedFieldSettings":{"$x":{}}}`, `path "$x" cannot be read`},
		{"a place below a field", `{"selectedFieldSettings":{"$['links']['avatar']['href']":{"default":{"stringValue":"x"}}}}`, ``},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := w.in(t)
			in, err := w.install("acme", `{"write":{"objects":{"projects":`+test.object+`}}}`)
			if test.want != "" {
				w.refused(err, windlass.Invalid, test.want)
				return
			}
			w.ok(err)
			w.ok(w.flow.DeleteInstallation(w.ctx, w.project.ID, "reader", in.ID))
		})
	}
}

// An integration that changes hands would read with credentials for another
// provider.
func TestProviderOfAnInstalledIntegrationStays(t *testing.T) {
	each(t, func(w *world) {
		w.flow = install.New(w.store, connector.Providers{w.provider, &provider{name: "gitforge"}}, w.opts)
		w.ready(reader)
		moved := strings.Replace(reader, "provider: bitbucket", "provider: gitforge", 1)
		in, err := w.install("acme", minimal)
		w.ok(err)
		for _, destructive := range []bool{false, true} {
			_, err = w.flow.Deploy(w.ctx, w.project.ID, install.Source{YAML: []byte(moved)}, destructive)
			w.refused(err, windlass.Conflict, "integrations[reader].provider: cannot change from bitbucket to gitforge", in.ID)
		}
		w.ok(w.flow.DeleteInstallation(w.ctx, w.project.ID, "reader", in.ID))
		w.deploy(moved, false)
		_, err = w.install("acme", `{}`)
		w.refused(err, windlass.Conflict, `group "acme" has no connection with gitforge`)
		_, err = w.flow.CreateInstallation(w.ctx, w.project.ID, "reader", install.CreateInstallationRequest{
			GroupRef: "acme", ConnectionID: "con-acme", Config: install.ConfigRequest{Content: json.RawMessage(`{}`)},
		})
		w.refused(err, windlass.Invalid, "connectionId: is a connection with bitbucket, and the integration needs gitforge")
	})
}

// Only what is read otherwise than before is tried, and only what was not read
// before begins.
func TestUpdatesTryAndBeginWhatIsNew(t *testing.T) {
	t.Parallel()
	w := once(t)
	w.ready(reader)
	s := &sampler{}
	var begun []string
	w.opts.Sampler = s
	w.opts.Started = func(_ context.Context, _ windlass.Installation, objects []string) error {
		begun = append(begun, objects...)
		return nil
	}
	w.restart()
	in, err := w.install("acme", minimal)
	w.ok(err)
	update := func(mask, content string) error {
		_, err := w.flow.UpdateInstallation(w.ctx, w.project.ID, "reader", in.ID,
			patch(`{"updateMask":["config.content.read.objects.`+mask+`"],"installation":{"config":{"content":{"read":{"objects":`+content+`}}}}}`))
		return err
	}
	for _, test := range []struct{ name, mask, content, tried, begun string }{
		{"a new object", "members", `{"members":{"selectedFieldMappings":{"person":"type"}}}`, "members", "members"},
		{"an object that changes", "repositories.fieldFilters", `{"repositories":{"fieldFilters":[{"fieldName":"slug","operator":"eq","value":"a"}]}}`, "repositories", ""},
		{"nothing", "repositories.destination", `{"repositories":{"destination":"hook"}}`, "", ""},
		{"one that is disabled", "members.disabled", `{"members":{"disabled":true}}`, "", ""},
		{"one that is enabled again", "members.disabled", `{"members":{"disabled":false}}`, "members", "members"},
	} {
		s.tried, begun = nil, nil
		w.ok(update(test.mask, test.content))
		if got := strings.Join(s.tried, " "); got != test.tried {
			t.Errorf("%s: tried %q, want %q", test.name, got, test.tried)
		}
		if got := strings.Join(begun, " "); got != test.begun {
			t.Errorf("%s: began %q, want %q", test.name, got, test.begun)
		}
	}
	s.err = &windlass.Error{Kind: windlass.Invalid, Message: "no such field"}
	w.refused(update("repositories.fieldFilters", `{"repositories":{"fieldFilters":[]}}`), windlass.Invalid,
		"installation.config.content.read.objects.repositories: one record was read to try it, and bitbucket refused: no such field")

	// What cannot begin is not saved either.
	s.err = nil
	w.opts.Started = func(context.Context, windlass.Installation, []string) error {
		return &windlass.Error{Kind: windlass.Internal, Message: "the disk is full"}
	}
	w.restart()
	w.ok(update("members.disabled", `{"members":{"disabled":true}}`))
	w.refused(update("members.disabled", `{"members":{"disabled":false}}`), windlass.Internal, "the disk is full")
	in, err = w.flow.Installation(w.ctx, w.project.ID, "reader", in.ID)
	w.ok(err)
	if !w.config(in).Read.Objects["members"].Disabled {
		t.Error("it reads what could not begin")
	}
}

func TestInstallationsOfAnotherIntegrationAreNotFound(t *testing.T) {
	t.Parallel()
	w := once(t)
	w.ready(reader)
	in, err := w.install("acme", minimal)
	w.ok(err)
	w.deploy(strings.Replace(reader, "name: reader", "name: other", 1), false)
	_, err = w.flow.Installation(w.ctx, w.project.ID, "other", in.ID)
	w.refused(err, windlass.NotFound, `integration "other" has no installation`)
	w.refused(w.flow.DeleteInstallation(w.ctx, w.project.ID, "other", in.ID), windlass.NotFound)
	_, err = w.flow.UpdateInstallation(w.ctx, w.project.ID, "other", in.ID, patch(`{"updateMask":["config.createdBy"],"installation":{"config":{"createdBy":"me"}}}`))
	w.refused(err, windlass.NotFound)
}
