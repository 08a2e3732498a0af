package install_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/internal/flowtest"
	"windlass/internal/input"
	"windlass/internal/install"
)

func TestMinimalConfigIsFilledFromTheRevision(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		t := w.T
		w.Ready(flowtest.Reader)
		in, err := w.Installed("acme", flowtest.Minimal)
		w.OK(err)
		flowtest.Golden(t, "minimal-config.json", w.Config(in))
		schedules, err := w.Store.Schedules(w.Context(), in.ID)
		w.OK(err)
		if len(schedules) != 1 || schedules[0].Object != "repositories" || !schedules[0].Next.After(flowtest.Noon) || schedules[0].Next.After(flowtest.Noon.Add(10*time.Minute)) || schedules[0].Paused {
			t.Errorf("got schedules %+v", schedules)
		}
		if in.Group.Name != "ACME" || in.Connection.ID != "con-acme" || in.CreatedBy != "api:create-installation" || !in.Healthy {
			t.Errorf("got %+v", in)
		}
		if _, err := w.Installed("acme", flowtest.Minimal); true {
			w.Refused(err, windlass.Conflict, "installed for group \"acme\" already", in.ID)
		}
	})
}

func TestChosenConfigIsKept(t *testing.T) {
	t.Parallel()
	w := flowtest.Once(t)
	w.Ready(flowtest.Reader)
	w.Destination("other")
	in, err := w.Installed("acme", `{
		"read": {"objects": {
			"repositories": {
				"schedule": "0 3 * * *", "destination": "other", "disabled": true,
				"selectedFields": {"language": true, "size": false, "$['owner']['uuid']": true}, "selectedFieldsAuto": "all",
				"selectedFieldMappings": {"about": "description", "custom": "website"},
				"selectedValueMappings": {"fork_policy": {"open": "allow_forks", "closed": "no_forks"}},
				"dynamicMappingsInput": [{"mapToName": "custom", "prompt": "Which?", "mappedValues": [{"mappedValue": "a", "mappedDisplayValue": "A"}]}, {"mapToName": "fixed", "fieldName": "slug"}],
				"backfill": {"defaultPeriod": {"fullHistory": true}, "fieldFilters": [{"fieldName": "is_private", "operator": "eq", "value": true}]},
				"fieldFilters": [{"fieldName": "language", "operator": "eq", "value": "go"}]
			},
			"members": {"selectedFieldMappings": {"person": "$['user']['display_name']"}}
		}},
		"write": {"objects": {"projects": {
			"deletionSettings": {"enabled": true},
			"selectedFieldSettings": {"description": {"default": {"stringValue": "none"}, "writeOnCreate": "always", "writeOnUpdate": "ifEmpty"}},
			"selectedValueDefaults": {"name": {"value": "x", "applyOnUpdate": "never"}}
		}}},
		"proxy": {"enabled": false}
	}`)
	w.OK(err)
	flowtest.Golden(t, "chosen-config.json", w.Config(in))
}

// All that is wrong is said in one answer.
func TestEverythingWrongWithAConfigIsSaid(t *testing.T) {
	w := flowtest.Once(t)
	w.Ready(flowtest.Reader)
	for _, test := range []struct{ name, content, want string }{
		{"a field that does not exist", `{"read":{"objects":{"repositories":{"selectedFields":{"fork":true}}}}}`, `selectedFields.fork: repositories has no field "fork": write fork_policy`},
		{"a field that is not chosen need not exist", `{"read":{"objects":{"repositories":{"selectedFields":{"fork":false}}}}}`, ``},
		{"a nested field in dots", `{"read":{"objects":{"repositories":{"selectedFields":{"project.key":true}}}}}`, `write $['project']['key']`},
		{"an object that is not read", `{"read":{"objects":{"hooks":{}}}}`, `read.objects.hooks: the integration does not read "hooks": it has repositories, members`},
		{"an object under another's name", `{"read":{"objects":{"repositories":{"objectName":"members"}}}}`, `objectName: is "members", but its key is "repositories"`},
		{"a required mapping that is missing", `{"read":{"objects":{"members":{}}}}`, `members.selectedFieldMappings.person: is missing`},
		{"a mapping that is not offered", `{"read":{"objects":{"repositories":{"selectedFieldMappings":{"x":"slug"}}}}}`, `selectedFieldMappings.x: is offered neither by the manifest nor in dynamicMappingsInput`},
		{"a mapping from nothing", `{"read":{"objects":{"repositories":{"selectedFieldMappings":{"about":"nope"}}}}}`, `selectedFieldMappings.about: repositories has no field "nope"`},
		{"a mapping that was taken back", `{"read":{"objects":{"repositories":{"selectedFieldMappings":{"about":""}}}}}`, ``},
		{"a schedule that is too close", `{"read":{"objects":{"repositories":{"schedule":"*/5 * * * *"}}}}`, `schedule: schedule "*/5 * * * *" runs every 5 minutes`},
		{"a destination that does not exist", `{"read":{"objects":{"repositories":{"destination":"nowhere"}}}}`, `destination: there is no destination "nowhere"`},
		{"a destination that is misspelt", `{"read":{"objects":{"repositories":{"destination":"hok"}}}}`, `destination: there is no destination "hok": write hook`},
		{"two periods", `{"read":{"objects":{"repositories":{"backfill":{"defaultPeriod":{"days":3,"fullHistory":true}}}}}}`, `backfill.defaultPeriod: has both`},
		{"no period", `{"read":{"objects":{"repositories":{"backfill":{"defaultPeriod":{}}}}}}`, `has neither`},
		{"a negative period", `{"read":{"objects":{"repositories":{"backfill":{"defaultPeriod":{"days":-1}}}}}}`, `days: is -1`},
		{"another operator", `{"read":{"objects":{"repositories":{"fieldFilters":[{"fieldName":"slug","operator":"gt","value":1}]}}}}`, `fieldFilters[0].operator: "gt" is not supported`},
		{"a filter twice", `{"read":{"objects":{"repositories":{"fieldFilters":[{"fieldName":"slug","operator":"eq","value":1},{"fieldName":"slug","operator":"eq","value":2}]}}}}`, `fieldFilters[1].fieldName: "slug" has a filter already`},
		{"a filter by a list", `{"read":{"objects":{"repositories":{"fieldFilters":[{"fieldName":"slug","operator":"eq","value":[1]}]}}}}`, `fieldFilters[0].value: is missing`},
		{"values that cannot be told apart", `{"read":{"objects":{"repositories":{"selectedValueMappings":{"scm":{"a":"git","b":"git"}}}}}}`, `selectedValueMappings.scm.b: stands for "git", and so does "a"`},
		{"an auto that means nothing", `{"read":{"objects":{"repositories":{"selectedFieldsAuto":"some"}}}}`, `selectedFieldsAuto: "some" has no meaning`},
		{"a key that is not known", `{"read":{"objects":{"repositories":{"selectedFeilds":{}}}}}`, `repositories.selectedFeilds: is not known: write selectedFields`},
		{"a text for a flag", `{"read":{"objects":{"repositories":{"disabled":"yes"}}}}`, `disabled: is not true or false`},
		{"a fraction of a day", `{"read":{"objects":{"repositories":{"backfill":{"defaultPeriod":{"days":1.5}}}}}}`, `days: is 1.5`},
		{"null is nothing", `{"read":{"objects":{"repositories":{"backfill":null,"schedule":null,"selectedFields":{"slug":null}}}}}`, ``},
		{"another provider", `{"provider":"github"}`, `provider: is "github"`},
		{"a list", `[]`, `config.content: is not an object`},
		{"an object that is not written", `{"write":{"objects":{"hooks":{}}}}`, `write.objects.hooks: the integration does not write "hooks"`},
		{"a field that cannot be written", `{"write":{"objects":{"projects":{"selectedFieldSettings":{"uuid":{}}}}}}`, `selectedFieldSettings.uuid: "uuid" cannot be written`},
		{"two defaults", `{"write":{"objects":{"projects":{"selectedFieldSettings":{"name":{"default":{"stringValue":"a","booleanValue":true}}}}}}}`, `default: has 2 values`},
		{"a word without meaning", `{"write":{"objects":{"projects":{"selectedFieldSettings":{"name":{"writeOnUpdate":"sometimes"}}}}}}`, `writeOnUpdate: "sometimes" has no meaning`},
		{"a subscription that is not offered", `{"subscribe":{"objects":{"repositories":{"destination":"hook","inheritFieldsAndMapping":true}}}}`, `the integration has no object to subscribe to`},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := w.In(t)
			in, err := w.Installed("acme", test.content)
			if test.want == "" {
				w.OK(err)
				w.OK(w.Install.DeleteInstallation(w.Context(), w.Project.ID, "reader", in.ID))
				return
			}
			w.Refused(err, windlass.Invalid)
			if got := flowtest.Issues(err); !strings.Contains(got, test.want) {
				t.Errorf("got %s\nwant %s", got, test.want)
			}
		})
	}
	_, err := w.Installed("acme", `{"provider":"github","read":{"objects":{
		"hooks":{},"members":{"destination":"nowhere"},"repositories":{"schedule":"soon","selectedFields":{"a":true,"b":true}}}}}`)
	flowtest.Golden(t, "wrong-config.json", strings.Split(flowtest.Issues(err), "\n"))
	w.Refused(err, windlass.Invalid)
	w.Refused(err, windlass.Invalid, "the request has 7 problems")
}

func TestConnectionIsFoundOrMissed(t *testing.T) {
	w := flowtest.Once(t)
	w.Ready(flowtest.Reader)
	w.Connection("con-twice-1", "twice")
	w.Connection("con-twice-2", "twice")
	bad := w.Connection("con-bad", "bad")
	bad.Status, bad.StatusReason = windlass.ConnectionBad, "the person left"
	w.OK(w.Store.UpdateConnection(w.Context(), bad))
	for _, test := range []struct {
		name, group, connection string
		kind                    windlass.Kind
		want                    string
	}{
		{"the only one of the group", "acme", "", "", ""},
		{"the one that is named", "twice", "con-twice-2", "", ""},
		{"none", "unknown", "", windlass.Conflict, `group "unknown" has no connection with bitbucket; let the customer connect first`},
		{"several", "twice", "", windlass.Conflict, "con-twice-1 (workspace twice), con-twice-2 (workspace twice); say which one with connectionId"},
		{"one that is broken", "bad", "", windlass.Conflict, "no longer work (the person left); let the customer connect again"},
		{"one that does not exist", "acme", "con-x", windlass.Invalid, `connectionId: there is no connection "con-x"`},
		{"another group's", "acme", "con-bad", windlass.Invalid, `connectionId: is a connection of group "bad", not of "acme"`},
		{"for no group", "", "con-acme", windlass.Invalid, "groupRef: is missing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := w.In(t)
			in, err := w.Install.CreateInstallation(w.Context(), w.Project.Name, "reader", install.CreateInstallationRequest{
				GroupRef: test.group, ConnectionID: test.connection, Config: install.ConfigRequest{Content: json.RawMessage(flowtest.Minimal)},
			})
			if test.kind == "" {
				w.OK(err)
				w.OK(w.Install.DeleteInstallation(w.Context(), w.Project.ID, "reader", in.ID))
				return
			}
			w.Refused(err, test.kind, test.want)
		})
	}
}

type sampler struct {
	err   error
	tried []string
}

func (s *sampler) Sample(_ context.Context, _ windlass.Installation, object string) error {
	s.tried = append(s.tried, object)
	return s.err
}

func TestSampleDecidesOnlyWhenTheConfigIsRefused(t *testing.T) {
	t.Parallel()
	w := flowtest.Once(t)
	w.Ready(flowtest.Reader)
	s := &sampler{}
	w.Sampler = s
	var begun []string
	w.OnStart = func(_ context.Context, _ windlass.Installation, objects []string) error {
		begun = append(begun, strings.Join(objects, " "))
		return nil
	}
	w.Restart()
	s.err = &windlass.Error{Kind: windlass.Invalid, Message: `Field "x" does not support filtering`, Provider: &windlass.ProviderDetails{}}
	_, err := w.Installed("acme", flowtest.Minimal)
	w.Refused(err, windlass.Invalid, `read.objects.repositories`, `bitbucket refused: Field "x" does not support filtering`)
	if !errors.Is(err, input.Unprocessable) {
		t.Errorf("%v is not marked as unprocessable", err)
	}
	all, err := w.Install.Installations(w.Context(), w.Project.ID, install.InstallationQuery{})
	w.OK(err)
	if len(all) != 0 || len(begun) != 0 {
		t.Errorf("a refused sample left %v, and began %v", all, begun)
	}
	for _, kind := range []windlass.Kind{windlass.Unauthorized, windlass.Forbidden, windlass.RateLimited, windlass.Unavailable, windlass.NotFound} {
		s.err = &windlass.Error{Kind: kind, Message: "no", Provider: &windlass.ProviderDetails{}}
		in, err := w.Installed("acme", flowtest.Minimal)
		w.OK(err)
		w.OK(w.Install.DeleteInstallation(w.Context(), w.Project.ID, "reader", in.ID))
	}
	s.err, s.tried = &windlass.Error{Kind: windlass.Invalid, Message: "no", Provider: &windlass.ProviderDetails{}}, nil
	_, err = w.Install.CreateInstallation(w.Context(), w.Project.ID, "reader", install.CreateInstallationRequest{
		GroupRef: "acme", SkipSampling: true, Config: install.ConfigRequest{Content: json.RawMessage(flowtest.Minimal)},
	})
	w.OK(err)
	if len(s.tried) != 0 {
		t.Errorf("skipSampling tried %v", s.tried)
	}
	if len(begun) != 6 || begun[5] != "repositories" {
		t.Errorf("begun: %q", begun)
	}
}
