package install_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass"
	"windlass/internal/config"
	"windlass/internal/deploy"
	"windlass/internal/flowtest"
	"windlass/internal/install"
	"windlass/manifest"
)

func TestUpdatesByMask(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		t := w.T
		w.Ready(strings.Replace(flowtest.Reader, "objectName: members", "objectName: permissions/repositories", 1))
		w.Connection("con-second", "acme")
		created, err := w.Install.CreateInstallation(w.Context(), w.Project.ID, "reader", install.CreateInstallationRequest{
			GroupRef: "acme", ConnectionID: "con-acme", Config: install.ConfigRequest{Content: json.RawMessage(flowtest.Minimal)},
		})
		w.OK(err)
		for _, test := range []struct {
			name, mask, installation string
			says                     string // of the config afterwards, or of the error
			refused                  bool
		}{
			{"one object", `"config.content.read.objects.repositories"`, `{"config":{"content":{"read":{"objects":{"repositories":{"selectedFields":{"slug":true}}}}}}}`, `"selectedFields":{"full_name":true,"slug":true}`, false},
			{"one key of an object", `"config.content.read.objects.repositories.disabled"`, `{"config":{"content":{"read":{"objects":{"repositories":{"disabled":true}}}}}}`, `"disabled":true`, false},
			{"an object with a slash, and what is not masked is left alone", `"config.content.read.objects.permissions/repositories"`, `{"config":{"createdBy":"unknown","content":{"read":{"objects":{
				"permissions/repositories":{"selectedFieldMappings":{"person":"permission"}},"repositories":{"schedule":"soon"}}}}}}`, `"permissions/repositories":{"objectName":"permissions/repositories"`, false},
			{"all objects", `"config.content.read.objects"`, `{"config":{"content":{"read":{"objects":{"repositories":{}}}}}}`, `{"provider":"bitbucket","read":{"objects":{"repositories":{"objectName":"repositories","schedule":"*/10 * * * *","destination":"hook","selectedFields":{"full_name":true}`, false},
			{"a whole action", `"config.content.write"`, `{"config":{"content":{"write":{"objects":{"projects":{"deletionSettings":{"enabled":true}}}}}}}`, `"deletionSettings":{"enabled":true}`, false},
			{"the proxy", `"config.content.proxy.enabled"`, `{"config":{"content":{"proxy":{"enabled":false}}}}`, `"proxy":{"enabled":false}`, false},
			{"null removes", `"config.content.write.objects.projects"`, `{"config":{"content":{"write":{"objects":{"projects":null}}}}}`, `"write":{}`, false},
			{"who made it", `"config.createdBy"`, `{"config":{"createdBy":"consumer:ann"}}`, ``, false},
			{"another connection", `"connectionId"`, `{"connectionId":"con-second"}`, ``, false},
			{"nothing", ``, `{}`, `updateMask: names nothing to update`, true},
			{"something that has no value", `"config.content.read.objects.repositories"`, `{}`, `updateMask[0]: there is no value for config.content.read.objects.repositories`, true},
			{"something else", `"config.id","groupRef"`, `{}`, `updateMask[1]: "groupRef" cannot be updated`, true},
			{"an object that is not offered", `"config.content.read.objects.hooks"`, `{"config":{"content":{"read":{"objects":{"hooks":{}}}}}}`, `the integration does not read "hooks"`, true},
			{"a revision that does not exist", `"config.revisionId"`, `{"config":{"revisionId":"x"}}`, `installation.config.revisionId: is not a revision of integration "reader"`, true},
			{"an unknown connection", `"connectionId"`, `{"connectionId":"x"}`, `installation.connectionId: there is no connection "x"`, true},
			{"content that is not an object", `"config.content"`, `{"config":{"content":[1]}}`, `installation.config.content: is not an object`, true},
		} {
			t.Run(test.name, func(t *testing.T) {
				w := w.In(t)
				before, err := w.Install.Installation(w.Context(), w.Project.ID, "reader", created.ID)
				w.OK(err)
				after, err := w.Install.UpdateInstallation(w.Context(), w.Project.ID, "reader", created.ID, patch(`{"updateMask":[`+test.mask+`],"installation":`+test.installation+`}`))
				if test.refused {
					w.Refused(err, windlass.Invalid, test.says)
					after, err = w.Install.Installation(w.Context(), w.Project.ID, "reader", created.ID)
					w.OK(err)
					if string(after.Config.Content) != string(before.Config.Content) || after.Config.ID != before.Config.ID {
						t.Error("the refused update changed the config")
					}
					return
				}
				w.OK(err)
				content, err := json.Marshal(w.Config(after))
				w.OK(err)
				if !strings.Contains(string(content), test.says) {
					t.Errorf("got %s\nwant it to hold %s", content, test.says)
				}
			})
		}
		in, err := w.Install.Installation(w.Context(), w.Project.ID, "reader", created.ID)
		w.OK(err)
		if in.Connection.ID != "con-second" || in.Config.CreatedBy != "consumer:ann" || in.CreatedBy != "api:create-installation" {
			t.Errorf("got %+v", in)
		}
	})
}

func TestPatchesOfOneObject(t *testing.T) {
	w := flowtest.Once(t)
	w.Ready(flowtest.Reader)
	in, err := w.Installed("acme", flowtest.Minimal)
	w.OK(err)
	for _, test := range []struct {
		name, object, action, changes string
		says                          string
		refused                       bool
	}{
		{"replace", "repositories", "read", `{"op":"replace","path":"/schedule","value":"0 5 * * *"}`, `"schedule":"0 5 * * *"`, false},
		{"add to a map", "repositories", "read", `{"op":"add","path":"/selectedFields/slug","value":true}`, `"slug":true`, false},
		{"remove from a map", "repositories", "read", `{"op":"remove","path":"/selectedFields/slug"}`, `"selectedFields":{"full_name":true}`, false},
		{"what is required comes back", "repositories", "read", `{"op":"remove","path":"/selectedFields/full_name"}`, `"selectedFields":{"full_name":true}`, false},
		{"what was filled in comes back", "repositories", "read", `{"op":"remove","path":"/schedule"}`, `"schedule":"*/10 * * * *"`, false},
		{"add below what is not there", "repositories", "read", `{"op":"add","path":"/selectedValueMappings/scm/x","value":"git"}`, `"selectedValueMappings":{"scm":{"x":"git"}}`, false},
		{"a list", "repositories", "read", `{"op":"add","path":"/fieldFilters","value":[]},{"op":"add","path":"/fieldFilters/-","value":{"fieldName":"slug","operator":"eq","value":"a"}},{"op":"replace","path":"/fieldFilters/0/value","value":"b"}`, `"value":"b"`, false},
		{"an object that is begun", "projects", "write", `{"op":"add","path":"/deletionSettings","value":{"enabled":true}}`, `"write":{"objects":{"projects":{"objectName":"projects","deletionSettings":{"enabled":true}}}}`, false},
		{"an escaped key", "repositories", "read", `{"op":"add","path":"/selectedFields/$['owner']['type']","value":true}`, `"$['owner']['type']":true`, false},
		{"remove what is not there", "repositories", "read", `{"op":"remove","path":"/selectedFields/none"}`, `changes[0]: path /selectedFields/none does not exist: there is nothing to remove`, true},
		{"replace what is not there", "repositories", "read", `{"op":"replace","path":"/disabled","value":true}`, `does not exist: there is nothing to replace`, true},
		{"a path without its slash", "repositories", "read", `{"op":"add","path":"schedule","value":true}`, `changes[0]: path does not begin with /`, true},
		{"a tilde that means nothing", "repositories", "read", `{"op":"add","path":"/a~2","value":true}`, `path has a ~`, true},
		{"an operation that is not built", "repositories", "read", `{"op":"move","path":"/schedule","value":1}`, `op "move" is not supported`, true},
		{"no value", "repositories", "read", `{"op":"add","path":"/schedule"}`, `changes[0]: value is missing`, true},
		{"a value of the wrong sort", "repositories", "read", `{"op":"add","path":"/schedule","value":5}`, `config.content.read.objects.repositories.schedule: is not a text`, true},
		{"through a value", "repositories", "read", `{"op":"add","path":"/schedule/x","value":5}`, `is neither an object nor a list`, true},
		{"another object", "hooks", "read", `{"op":"add","path":"/disabled","value":true}`, `the integration does not read "hooks"`, true},
		{"another action", "repositories", "proxy", `{"op":"add","path":"/disabled","value":true}`, `action: "proxy" is not an action`, true},
		{"two mistakes", "repositories", "read", `{"op":"add","path":"x"},{"op":"remove","path":"/y"}`, `(changes[1]:`, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := w.In(t)
			var r install.PatchConfigRequest
			w.OK(json.Unmarshal([]byte(`{"groupRef":"acme","action":"`+test.action+`","changes":[`+test.changes+`]}`), &r))
			after, err := w.Install.PatchConfig(w.Context(), w.Project.ID, "reader", test.object, r)
			if test.refused {
				w.Refused(err, windlass.Invalid, test.says)
				return
			}
			w.OK(err)
			content, err := json.Marshal(w.Config(after))
			w.OK(err)
			if !strings.Contains(string(content), test.says) {
				t.Errorf("got %s\nwant it to hold %s", content, test.says)
			}
		})
	}
	change := []install.Patch{{Op: "add", Path: "/disabled", Value: json.RawMessage(`true`)}}
	_, err = w.Install.PatchConfig(w.Context(), w.Project.ID, "reader", "repositories", install.PatchConfigRequest{Action: "read", Changes: change})
	w.Refused(err, windlass.Invalid, "send either groupRef or installationId")
	_, err = w.Install.PatchConfig(w.Context(), w.Project.ID, "reader", "repositories", install.PatchConfigRequest{GroupRef: "unknown", Action: "read", Changes: change})
	w.Refused(err, windlass.NotFound, `is not installed for group "unknown"`)
	_, err = w.Install.PatchConfig(w.Context(), w.Project.ID, "reader", "repositories", install.PatchConfigRequest{InstallationID: in.ID, Action: "read", Changes: change})
	w.OK(err)
	schedules, err := w.Store.Schedules(w.Context(), in.ID)
	w.OK(err)
	if len(schedules) != 0 {
		t.Errorf("a disabled object has schedules %+v", schedules)
	}
}

// A config that moves to a newer revision takes over what it did not choose
// itself.
func TestMovingToANewerRevision(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		t := w.T
		w.Ready(flowtest.Reader)
		w.Destination("newhook")
		first, err := w.Deploys.Integration(w.Context(), w.Project.ID, "reader")
		w.OK(err)
		in, err := w.Installed("acme", `{"read":{"objects":{"repositories":{},"members":{"schedule":"5 5 * * *","selectedFieldMappings":{"person":"type"}}}}}`)
		w.OK(err)
		w.Deployed(strings.NewReplacer("destination: hook", "destination: newhook", "*/10", "*/20", "days: 30", "fullHistory: true", "- fieldName: full_name", "- fieldName: slug").Replace(flowtest.Reader), false)
		still, err := w.Install.Installation(w.Context(), w.Project.ID, "reader", in.ID)
		w.OK(err)
		if string(still.Config.Content) != string(in.Config.Content) {
			t.Errorf("the deploy changed the config: %s", still.Config.Content)
		}
		now, err := w.Deploys.Integration(w.Context(), w.Project.ID, "reader")
		w.OK(err)
		moved, err := w.Install.UpdateInstallation(w.Context(), w.Project.ID, "reader", in.ID, patch(`{"updateMask":["config.revisionId"],"installation":{"config":{"revisionId":"`+now.Latest.ID+`"}}}`))
		w.OK(err)
		flowtest.Golden(t, "moved-config.json", w.Config(moved))
		if moved.Config.RevisionID != now.Latest.ID {
			t.Errorf("got revision %s", moved.Config.RevisionID)
		}
		back, err := w.Install.UpdateInstallation(w.Context(), w.Project.ID, "reader", in.ID, patch(`{"updateMask":["config.revisionId"],"installation":{"config":{"revisionId":"`+first.Latest.ID+`"}}}`))
		w.OK(err)
		if back.Config.RevisionID != first.Latest.ID || !strings.Contains(string(back.Config.Content), "*/10") {
			t.Errorf("got %s of %s", back.Config.Content, back.Config.RevisionID)
		}
	})
}

func TestSchedulesStayWhatTheyWere(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		t := w.T
		w.Ready(flowtest.Reader)
		in, err := w.Installed("acme", `{"read":{"objects":{"repositories":{},"members":{"selectedFieldMappings":{"person":"type"}}}}}`)
		w.OK(err)
		before, err := w.Store.Schedules(w.Context(), in.ID)
		w.OK(err)
		due := map[string]time.Time{}
		for i := range before {
			before[i].Paused = before[i].Object == "repositories"
			w.OK(w.Store.SaveSchedule(w.Context(), before[i]))
			due[before[i].Object] = before[i].Next
		}
		w.OK(w.Store.SaveSchedule(w.Context(), windlass.Schedule{ID: "keep", Kind: windlass.ScheduleKeepalive, ProjectID: w.Project.ID, InstallationID: in.ID, Next: flowtest.Noon}))
		w.Now = flowtest.Noon.Add(9 * 60 * 1e9)
		_, err = w.Install.UpdateInstallation(w.Context(), w.Project.ID, "reader", in.ID, patch(`{"updateMask":["config.content.read.objects.members.schedule"],
			"installation":{"config":{"content":{"read":{"objects":{"members":{"schedule":"30 * * * *"}}}}}}}`))
		w.OK(err)
		after, err := w.Store.Schedules(w.Context(), in.ID)
		w.OK(err)
		if len(after) != 3 {
			t.Fatalf("got %+v", after)
		}
		for _, s := range after {
			switch s.Object {
			case "repositories":
				if !s.Paused || !s.Next.Equal(due[s.Object]) {
					t.Errorf("got %+v", s)
				}
			case "members":
				if s.Paused || s.Cron != "30 * * * *" || !s.Next.Equal(dueAt(t, s, w.Now)) {
					t.Errorf("got %+v", s)
				}
			}
		}
	})
}

// dueAt is when a schedule is due after a time.
func dueAt(t *testing.T, s windlass.Schedule, after time.Time) time.Time {
	t.Helper()
	cron, err := manifest.ParseSchedule(s.Cron)
	if err != nil {
		t.Fatal(err)
	}
	return config.NextDue(cron, s.ID, after)
}

// What is installed at once is not due at once for the first time.
func TestFirstChecksAreSpread(t *testing.T) {
	t.Parallel()
	w := flowtest.Once(t)
	w.Ready(flowtest.Reader)
	const groups = 20
	due := map[time.Time]int{}
	for i := range groups {
		group := fmt.Sprint("group-", i)
		w.Connection("con-"+group, group)
		in, err := w.Installed(group, flowtest.Minimal)
		w.OK(err)
		schedules, err := w.Store.Schedules(w.Context(), in.ID)
		w.OK(err)
		if len(schedules) != 1 || !schedules[0].Next.Equal(dueAt(t, schedules[0], flowtest.Noon)) {
			t.Fatalf("got %+v", schedules)
		}
		due[schedules[0].Next]++
	}
	if len(due) < groups/2 {
		t.Errorf("%d installations are due at %d times: %v", groups, len(due), due)
	}
}

// Of changes made at once none is lost.
func TestConcurrentChanges(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		t := w.T
		w.Ready(flowtest.Reader)
		in, err := w.Installed("acme", flowtest.Minimal)
		w.OK(err)
		fields := []string{"slug", "size", "website"}
		var all sync.WaitGroup
		errs := make([]error, len(fields)+1)
		for i, field := range fields {
			all.Go(func() {
				_, errs[i] = w.Install.PatchConfig(w.Context(), w.Project.ID, "reader", "repositories", install.PatchConfigRequest{
					InstallationID: in.ID, Action: "read", Changes: []install.Patch{{Op: "add", Path: "/selectedFields/" + field, Value: json.RawMessage(`true`)}},
				})
			})
		}
		all.Go(func() {
			_, errs[len(fields)] = w.Deploys.Deploy(w.Context(), w.Project.ID, deploy.Source{YAML: []byte(strings.Replace(flowtest.Reader, "Bitbucket", "Buckets", 1))}, true)
		})
		all.Wait()
		for _, err := range errs {
			w.OK(err)
		}
		in, err = w.Install.Installation(w.Context(), w.Project.ID, "reader", in.ID)
		w.OK(err)
		for _, field := range fields {
			if !w.Config(in).Read.Objects["repositories"].SelectedFields[field] {
				t.Errorf("%s is lost: %s", field, in.Config.Content)
			}
		}
	})
}

func TestListsOfInstallations(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		t := w.T
		w.Ready(flowtest.Reader)
		w.Connection("con-zen", "zen")
		first, err := w.Installed("acme", flowtest.Minimal)
		w.OK(err)
		second, err := w.Installed("zen", flowtest.Minimal)
		w.OK(err)
		for _, test := range []struct {
			name string
			q    install.InstallationQuery
			want []string
		}{
			{"all", install.InstallationQuery{}, []string{first.ID, second.ID}},
			{"of an integration", install.InstallationQuery{Integration: "reader"}, []string{first.ID, second.ID}},
			{"of a group", install.InstallationQuery{Integration: "reader", GroupRef: "zen"}, []string{second.ID}},
			{"a page", install.InstallationQuery{Limit: 1}, []string{first.ID}},
			{"the next page", install.InstallationQuery{Limit: 1, After: first.ID}, []string{second.ID}},
			{"an unknown group", install.InstallationQuery{GroupRef: "x"}, nil},
		} {
			all, err := w.Install.Installations(w.Context(), w.Project.Name, test.q)
			w.OK(err)
			var got []string
			for _, in := range all {
				got = append(got, in.ID)
			}
			if strings.Join(got, " ") != strings.Join(test.want, " ") {
				t.Errorf("%s: got %v, want %v", test.name, got, test.want)
			}
		}
		_, err = w.Install.Installations(w.Context(), w.Project.ID, install.InstallationQuery{Integration: "x"})
		w.Refused(err, windlass.NotFound)
	})
}
