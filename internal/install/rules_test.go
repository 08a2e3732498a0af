package install_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"windlass"
	"windlass/internal/flowtest"
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
	w := flowtest.Once(t)
	w.Ready(strings.TrimRight(flowtest.Reader, "\n") + subscriber)
	for _, test := range []struct{ name, content, want string }{
		{"filled in", `{"read":{"objects":{"repositories":{}}},"subscribe":{"objects":{"repositories":{}}}}`, ``},
		{"in either spelling", `{"read":{"objects":{"repositories":{}}},"subscribe":{"objects":{"repositories":{"inheritFieldsAndMapping":true,"createEvent":{"enabled":"always"}}}}}`, ``},
		{"without the object to inherit from", `{"subscribe":{"objects":{"repositories":{}}}}`, `inheritFieldsAndMappings: is true, and "repositories" is not read`},
		{"of an object that is not offered", `{"subscribe":{"objects":{"projects":{}}}}`, `the integration does not subscribe to "projects"`},
		{"to nowhere", `{"read":{"objects":{"repositories":{}}},"subscribe":{"objects":{"repositories":{"destination":"x"}}}}`, `subscribe.objects.repositories.destination: there is no destination "x"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := w.In(t)
			in, err := w.Installed("acme", test.content)
			if test.want != "" {
				w.Refused(err, windlass.Invalid, test.want)
				return
			}
			w.OK(err)
			flowtest.Conform(t, "ConfigContent", w.Config(in))
			if o := w.Config(in).Subscribe.Objects["repositories"]; o.Destination != "hook" || !o.InheritFieldsAndMappings || o.ObjectName != "repositories" {
				t.Errorf("got %+v", o)
			}
			w.Refused(w.Setup.DeleteDestination(w.Context(), w.Project.ID, "hook"), windlass.Conflict)
			w.OK(w.Install.DeleteInstallation(w.Context(), w.Project.ID, "reader", in.ID))
		})
	}
}

func TestMappingsThatMeet(t *testing.T) {
	w := flowtest.Once(t)
	w.Ready(flowtest.Reader)
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
			w := w.In(t)
			_, err := w.Installed("acme", `{"read":{"objects":{"repositories":{"dynamicMappingsInput":`+test.dynamic+`,"selectedFieldMappings":`+test.mappings+`}}}}`)
			w.Refused(err, windlass.Invalid, test.want)
		})
	}
}

func TestWritesAreChecked(t *testing.T) {
	w := flowtest.Once(t)
	w.Ready(flowtest.Reader)
	for _, test := range []struct{ name, object, want string }{
		{"a default that is a fraction", `{"selectedValueDefaults":{"name":{"value":1.5}}}`, `selectedValueDefaults.name.value: is missing, or is not a string`},
		{"a default that is missing", `{"selectedValueDefaults":{"name":{}}}`, `selectedValueDefaults.name.value: is missing`},
		{"a field that does not exist", `{"selectedFieldSettings":{"nam":{}}}`, `projects has no field "nam": write name`},
		{"no path", `{"selectedFieldSettings":{"$x":{}}}`, `path "$x" cannot be read`},
		{"a place below a field", `{"selectedFieldSettings":{"$['links']['avatar']['href']":{"default":{"stringValue":"x"}}}}`, ``},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := w.In(t)
			in, err := w.Installed("acme", `{"write":{"objects":{"projects":`+test.object+`}}}`)
			if test.want != "" {
				w.Refused(err, windlass.Invalid, test.want)
				return
			}
			w.OK(err)
			w.OK(w.Install.DeleteInstallation(w.Context(), w.Project.ID, "reader", in.ID))
		})
	}
}

// Only what is read otherwise than before is tried, and only what was not read
// before begins.
func TestUpdatesTryAndBeginWhatIsNew(t *testing.T) {
	t.Parallel()
	w := flowtest.Once(t)
	w.Ready(flowtest.Reader)
	s := &sampler{}
	var begun []string
	w.Sampler = s
	w.OnStart = func(_ context.Context, _ windlass.Installation, objects []string) error {
		begun = append(begun, objects...)
		return nil
	}
	w.Restart()
	in, err := w.Installed("acme", flowtest.Minimal)
	w.OK(err)
	update := func(mask, content string) error {
		_, err := w.Install.UpdateInstallation(w.Context(), w.Project.ID, "reader", in.ID,
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
		w.OK(update(test.mask, test.content))
		if got := strings.Join(s.tried, " "); got != test.tried {
			t.Errorf("%s: tried %q, want %q", test.name, got, test.tried)
		}
		if got := strings.Join(begun, " "); got != test.begun {
			t.Errorf("%s: began %q, want %q", test.name, got, test.begun)
		}
	}
	s.err = &windlass.Error{Kind: windlass.Invalid, Message: "no such field"}
	w.Refused(update("repositories.fieldFilters", `{"repositories":{"fieldFilters":[]}}`), windlass.Invalid,
		"installation.config.content.read.objects.repositories: one record was read to try it, and bitbucket refused: no such field")

	// What cannot begin is not saved either.
	s.err = nil
	w.OnStart = func(context.Context, windlass.Installation, []string) error {
		return &windlass.Error{Kind: windlass.Internal, Message: "the disk is full"}
	}
	w.Restart()
	w.OK(update("members.disabled", `{"members":{"disabled":true}}`))
	w.Refused(update("members.disabled", `{"members":{"disabled":false}}`), windlass.Internal, "the disk is full")
	in, err = w.Install.Installation(w.Context(), w.Project.ID, "reader", in.ID)
	w.OK(err)
	if !w.Config(in).Read.Objects["members"].Disabled {
		t.Error("it reads what could not begin")
	}
}

func TestInstallationsOfAnotherIntegrationAreNotFound(t *testing.T) {
	t.Parallel()
	w := flowtest.Once(t)
	w.Ready(flowtest.Reader)
	in, err := w.Installed("acme", flowtest.Minimal)
	w.OK(err)
	w.Deployed(strings.Replace(flowtest.Reader, "name: reader", "name: other", 1), false)
	_, err = w.Install.Installation(w.Context(), w.Project.ID, "other", in.ID)
	w.Refused(err, windlass.NotFound, `integration "other" has no installation`)
	w.Refused(w.Install.DeleteInstallation(w.Context(), w.Project.ID, "other", in.ID), windlass.NotFound)
	_, err = w.Install.UpdateInstallation(w.Context(), w.Project.ID, "other", in.ID, patch(`{"updateMask":["config.createdBy"],"installation":{"config":{"createdBy":"me"}}}`))
	w.Refused(err, windlass.NotFound)
}

func patch(body string) (r install.UpdateInstallationRequest) {
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		panic(err)
	}
	return r
}
