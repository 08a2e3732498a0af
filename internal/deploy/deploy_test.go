package deploy_test

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"windlass"
	"windlass/connector"
	"windlass/internal/deploy"
	"windlass/internal/flowtest"
	"windlass/internal/input"
	"windlass/internal/install"
	"windlass/manifest"
)

func TestPublishedSampleDeploysAsItIs(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		t := w.T
		yaml, err := os.ReadFile(flowtest.Shared(t, "sample-bitbucket-amp.yaml"))
		w.OK(err)
		d := w.Deployed(string(yaml), false)
		if len(d.Integrations) != 1 || d.Integrations[0].Name != "integration-bitbucket" || len(d.Changed) != 1 {
			t.Fatalf("got %+v", d)
		}
		if len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0], `"bitbucketWebhook", which does not exist yet`) {
			t.Errorf("got warnings %q", d.Warnings)
		}
		var content any
		w.OK(json.Unmarshal(d.Integrations[0].Latest.Content, &content))
		flowtest.Conform(t, "Integration-2", content)

		w.Connection("con-acme", "acme")
		request := install.CreateInstallationRequest{GroupRef: "acme", Config: install.ConfigRequest{Content: json.RawMessage(flowtest.Minimal)}}
		_, err = w.Install.CreateInstallation(w.Context(), w.Project.ID, "integration-bitbucket", request)
		w.Refused(err, windlass.Invalid, `there is no destination "bitbucketWebhook": create it first`)
		w.Destination("bitbucketWebhook")
		in, err := w.Install.CreateInstallation(w.Context(), w.Project.ID, "integration-bitbucket", request)
		w.OK(err)
		flowtest.Conform(t, "ConfigContent", w.Config(in))
		if again := w.Deployed(string(yaml), false); len(again.Warnings)+len(again.Changed) != 0 {
			t.Errorf("the second time: %+v", again)
		}
	})
}

func TestDeployingTheSameKeepsTheRevision(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		t := w.T
		w.Destination("hook")
		first := w.Deployed(flowtest.Reader, false)
		same := w.Deployed(flowtest.Reader+"# a comment\n", false)
		if same.Integrations[0].Latest.ID != first.Integrations[0].Latest.ID || len(same.Changed) != 0 || len(same.Warnings) != 0 {
			t.Errorf("got %+v after %+v", same, first)
		}
		changed := w.Deployed(strings.Replace(flowtest.Reader, "Bitbucket", "Buckets", 1), false)
		if changed.Integrations[0].ID != first.Integrations[0].ID || changed.Integrations[0].Latest.ID == first.Integrations[0].Latest.ID {
			t.Errorf("got %+v after %+v", changed, first)
		}
		old, err := w.Store.Revision(w.Context(), first.Integrations[0].ID, first.Integrations[0].Latest.ID)
		w.OK(err)
		if !strings.Contains(string(old.Content), "Bitbucket") {
			t.Errorf("the old revision is %s", old.Content)
		}
	})
}

func TestDroppingWhatIsRead(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		t := w.T
		w.Ready(flowtest.Reader)
		in, err := w.Installed("acme", `{"read":{"objects":{"repositories":{},"members":{"selectedFieldMappings":{"person":"type"}}}}}`)
		w.OK(err)
		less := flowtest.WithoutMembers(t)
		members := []deploy.ObjectRead{{Integration: "reader", InstallationID: in.ID, GroupRef: "acme", Object: "members"}}

		// Without consent the deploy takes place, and who reads the object goes on.
		d := w.Deployed(less, false)
		if !slices.Equal(d.Kept, members) || len(d.Disabled) != 0 || len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0], `object "members" of integration "reader" is not in the manifest any more: new installations do not get it`) {
			t.Errorf("got %+v", d)
		}
		schedule := func(cron string) {
			in, err = w.Install.UpdateInstallation(w.Context(), w.Project.ID, "reader", in.ID, patch(`{"updateMask":["config.content.read.objects.repositories.schedule"],
				"installation":{"config":{"content":{"read":{"objects":{"repositories":{"schedule":"`+cron+`"}}}}}}}`))
			w.OK(err)
		}
		schedule("30 * * * *")
		if c := w.Config(in); c.Read.Objects["members"].Disabled || in.Config.RevisionID == d.Integrations[0].Latest.ID {
			t.Errorf("its reads go on by its own revision: %s", in.Config.Content)
		}
		w.Connection("con-zen", "zen")
		_, err = w.Installed("zen", `{"read":{"objects":{"members":{"selectedFieldMappings":{"person":"type"}}}}}`)
		w.Refused(err, windlass.Invalid, `does not read "members"`)

		d = w.Deployed(less, true)
		if !slices.Equal(d.Disabled, members) || len(d.Kept) != 0 || len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0], "disabled until a manifest has it again") {
			t.Errorf("got %+v", d)
		}
		in, err = w.Install.Installation(w.Context(), w.Project.ID, "reader", in.ID)
		w.OK(err)
		if c := w.Config(in); !c.Read.Objects["members"].Disabled || c.Read.Objects["repositories"].Disabled {
			t.Errorf("got config %s", in.Config.Content)
		}
		schedules, err := w.Store.Schedules(w.Context(), in.ID)
		w.OK(err)
		if len(schedules) != 1 || schedules[0].Object != "repositories" {
			t.Errorf("got schedules %+v", schedules)
		}
		// Nothing reads it any more, so the config moves on, and keeps it disabled.
		if d := w.Deployed(less, false); len(d.Warnings) != 0 {
			t.Errorf("got %+v", d)
		}
		schedule("0 * * * *")
		if c := w.Config(in); !c.Read.Objects["members"].Disabled || in.Config.RevisionID != d.Integrations[0].Latest.ID {
			t.Errorf("got config %s", in.Config.Content)
		}

		// A deploy that has it again enables what a deploy disabled.
		w.Started = nil
		d = w.Deployed(flowtest.Reader, false)
		if !slices.Equal(d.Enabled, members) || len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0], "is in the manifest again") {
			t.Errorf("got %+v", d)
		}
		in, err = w.Install.Installation(w.Context(), w.Project.ID, "reader", in.ID)
		w.OK(err)
		if c := w.Config(in); c.Read.Objects["members"].Disabled || in.Config.RevisionID != d.Integrations[0].Latest.ID || c.Read.Objects["repositories"].Schedule != "0 * * * *" {
			t.Errorf("got config %s", in.Config.Content)
		}
		if schedules, err = w.Store.Schedules(w.Context(), in.ID); err != nil || len(schedules) != 2 {
			t.Errorf("got schedules %+v, %v", schedules, err)
		}
		if !slices.Equal(w.Started, []string{"members"}) {
			t.Errorf("the reads were not told: %v", w.Started)
		}
		if d := w.Deployed(flowtest.Reader, false); len(d.Warnings) != 0 {
			t.Errorf("a second time: %+v", d)
		}
	})
}

func TestDeployLeavesAloneWhatACustomerDisabled(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		w.Ready(flowtest.Reader)
		in, err := w.Installed("acme", `{"read":{"objects":{"repositories":{},"members":{"disabled":true,"selectedFieldMappings":{"person":"type"}}}}}`)
		w.OK(err)
		w.Deployed(flowtest.WithoutMembers(w.T), true)
		if d := w.Deployed(flowtest.Reader, false); len(d.Enabled) != 0 {
			w.Errorf("got %+v", d)
		}
		in, err = w.Install.Installation(w.Context(), w.Project.ID, "reader", in.ID)
		w.OK(err)
		if !w.Config(in).Read.Objects["members"].Disabled {
			w.Errorf("got config %s", in.Config.Content)
		}
	})
}

func patch(body string) (r install.UpdateInstallationRequest) {
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		panic(err)
	}
	return r
}

func TestIntegrationsThatAManifestDoesNotHave(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		t := w.T
		w.Ready(flowtest.Reader)
		other := strings.Replace(flowtest.Reader, "name: reader", "name: other", 1)
		in, err := w.Installed("acme", flowtest.Minimal)
		w.OK(err)
		if d := w.Deployed(other, false); len(d.Warnings) != 0 {
			t.Errorf("got %+v", d)
		}
		for _, installed := range []bool{true, false} {
			if !installed {
				w.OK(w.Install.DeleteInstallation(w.Context(), w.Project.ID, "reader", in.ID))
			}
			if d := w.Deployed(other, true); len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0], `"reader" is not in the manifest, and stays`) {
				t.Errorf("got %+v", d)
			}
		}
		all, err := w.Deploys.Integrations(w.Context(), w.Project.ID, windlass.Page{})
		w.OK(err)
		if len(all) != 2 {
			t.Errorf("got %+v", all)
		}
	})
}

func TestDeletingAnIntegrationUninstallsIt(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		w.Ready(flowtest.Reader)
		in, err := w.Installed("acme", flowtest.Minimal)
		w.OK(err)
		w.OK(w.Deploys.DeleteIntegration(w.Context(), w.Project.ID, "reader"))
		_, err = w.Store.Installation(w.Context(), w.Project.ID, in.ID)
		w.Refused(err, windlass.NotFound)
		_, err = w.Store.Connection(w.Context(), w.Project.ID, "con-acme")
		w.OK(err)
	})
}

func TestProblemsOfAManifestAreIssues(t *testing.T) {
	t.Parallel()
	w := flowtest.Once(t)
	_, err := w.Deploys.Deploy(w.Context(), w.Project.ID, deploy.Source{YAML: []byte(strings.NewReplacer(
		"full_name", "fullname", `"*/10`, `"*/3`, "objectName: members", "objectName: mambers").Replace(flowtest.Reader))}, false)
	w.Refused(err, windlass.Invalid, "the manifest has 3 problems")
	problems, found := errors.AsType[manifest.Problems](err)
	if !found || len(problems) != 3 || !errors.Is(err, input.Unprocessable) {
		t.Fatalf("got %v", err)
	}
	flowtest.Golden(t, "wrong-manifest.json", strings.Split(flowtest.Issues(err), "\n"))
	all, err := w.Deploys.Integrations(w.Context(), w.Project.ID, windlass.Page{})
	w.OK(err)
	if len(all) != 0 {
		t.Errorf("half of it was deployed: %+v", all)
	}
	for _, from := range []deploy.Source{{}, {YAML: []byte(flowtest.Reader), Upload: "gs://a/b"}} {
		_, err = w.Deploys.Deploy(w.Context(), w.Project.ID, from, false)
		w.Refused(err, windlass.Invalid, "send either sourceYaml or sourceZipUrl")
	}
	_, err = w.Deploys.Deploy(w.Context(), "nowhere", deploy.Source{YAML: []byte(flowtest.Reader)}, false)
	w.Refused(err, windlass.NotFound)
}

func TestOneIntegrationByItself(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		t := w.T
		w.Destination("hook")
		request := func(body string) (r deploy.CreateIntegrationRequest) {
			w.OK(json.Unmarshal([]byte(body), &r))
			return r
		}
		create := func(body string) (deploy.Deployment, error) {
			return w.Deploys.CreateIntegration(w.Context(), w.Project.ID, request(body))
		}
		const good = `{"name":"one","provider":"bitbucket","latestRevision":{"specVersion":"1.0.0","content":{"proxy":{"enabled":true}}}}`
		d, err := create(good)
		w.OK(err)
		if d.Integrations[0].Name != "one" || string(d.Integrations[0].Latest.Content) == "" {
			t.Errorf("got %+v", d)
		}
		_, err = create(good)
		w.Refused(err, windlass.Conflict, `there is an integration named "one" already`)
		_, err = create(strings.Replace(good, `"proxy"`, `"name":"two","proxy"`, 1))
		w.Refused(err, windlass.Invalid, `latestRevision.content.name: is not "one"`)
		_, err = create(`{"name":"two","provider":"bitbucket","latestRevision":{"specVersion":"1.0.0","content":{"prxy":{}}}}`)
		w.Refused(err, windlass.Invalid, `unknown key "prxy"`)
		_, err = create(`{"name":"two","provider":"bitbucket","latestRevision":{"specVersion":"1.0.0"}}`)
		w.Refused(err, windlass.Invalid, `latestRevision.content: is not an object`)

		two := flowtest.Reader + strings.TrimPrefix(strings.Replace(flowtest.Reader, "reader", "one", 1), "\nspecVersion: 1.0.0\nintegrations:\n")
		d, err = w.Deploys.CreateRevision(w.Context(), w.Project.ID, "one", deploy.Source{YAML: []byte(two)}, false)
		w.OK(err)
		if len(d.Integrations) != 1 || d.Integrations[0].Name != "one" || len(d.Changed) != 1 {
			t.Errorf("got %+v", d)
		}
		_, err = w.Deploys.CreateRevision(w.Context(), w.Project.ID, "one", deploy.Source{YAML: []byte(flowtest.Reader)}, false)
		w.Refused(err, windlass.Invalid, `the manifest has no integration "one"`)
		all, err := w.Deploys.Integrations(w.Context(), w.Project.ID, windlass.Page{})
		w.OK(err)
		if len(all) != 1 {
			t.Errorf("got %+v", all)
		}
	})
}

func TestObjectsThatAreAlwaysRead(t *testing.T) {
	t.Parallel()
	w := flowtest.Once(t)
	always := flowtest.WithoutMembers(t)
	always = strings.Replace(always, "    write:", `        - objectName: user/emails
          destination: hook
          schedule: "0 0 * * *"
          enabled: always
          requiredFields:
            - fieldName: email
    write:`, 1)
	w.Ready(always)
	in, err := w.Installed("acme", flowtest.Minimal)
	w.OK(err)
	c := w.Config(in)
	if o := c.Read.Objects["user/emails"]; o.Schedule != "0 0 * * *" || !o.SelectedFields["email"] || o.Destination != "hook" {
		t.Errorf("got %+v", c.Read.Objects)
	}
	schedules, err := w.Store.Schedules(w.Context(), in.ID)
	w.OK(err)
	if len(schedules) != 2 {
		t.Errorf("got schedules %+v", schedules)
	}
	w.Connection("con-zen", "zen")
	in, err = w.Installed("zen", `{}`)
	w.OK(err)
	if c := w.Config(in); len(c.Read.Objects) != 1 {
		t.Errorf("got %s", in.Config.Content)
	}
}

// However a deploy and an installation meet, the deploy knows of every installation
// that reads what it drops.
func TestDeployingAndInstallingAtOnce(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		w.Ready(flowtest.Reader)
		less := flowtest.WithoutMembers(w.T)
		for range 5 {
			w.Deployed(flowtest.Reader, false)
			var both sync.WaitGroup
			var made windlass.Installation
			var installing, deploying error
			var done deploy.Deployment
			both.Go(func() {
				made, installing = w.Installed("acme", `{"read":{"objects":{"members":{"selectedFieldMappings":{"person":"type"}}}}}`)
			})
			both.Go(func() {
				done, deploying = w.Deploys.Deploy(w.Context(), w.Project.ID, deploy.Source{YAML: []byte(less)}, false)
			})
			both.Wait()
			w.OK(deploying)
			if installing != nil {
				w.Refused(installing, windlass.Invalid, `does not read "members"`)
				continue
			}
			if len(done.Kept) != 1 || done.Kept[0].InstallationID != made.ID {
				w.Fatalf("the deploy dropped what %s reads, and did not see it: %+v", made.ID, done)
			}
			w.OK(w.Install.DeleteInstallation(w.Context(), w.Project.ID, "reader", made.ID))
		}
	})
}

func TestDeployTellsWhatDoesNothingYet(t *testing.T) {
	t.Parallel()
	w := flowtest.Once(t)
	d := w.Deployed(strings.Replace(flowtest.Reader, "    proxy:", `    subscribe:
      objects:
        - objectName: repositories
          destination: elsewhere
          createEvent:
            enabled: always
    watchSchema:
      destination: watcher
      allObjects:
        fieldCreated:
          enabled: always
    proxy:`, 1), false)
	told := strings.Join(d.Warnings, "\n")
	for _, want := range []string{`says subscribe, which is accepted but has no effect yet`, `says watchSchema`, `sends to "hook", which does not exist yet`, `sends to "elsewhere"`, `sends to "watcher"`} {
		if !strings.Contains(told, want) {
			t.Errorf("got %s, want %s", told, want)
		}
	}
}

// An integration that changes hands would read with credentials for another
// provider.
func TestProviderOfAnInstalledIntegrationStays(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		w.More = []connector.Provider{&flowtest.Provider{Name: "gitforge"}}
		w.Restart()
		w.Ready(flowtest.Reader)
		moved := strings.Replace(flowtest.Reader, "provider: bitbucket", "provider: gitforge", 1)
		in, err := w.Installed("acme", flowtest.Minimal)
		w.OK(err)
		for _, destructive := range []bool{false, true} {
			_, err = w.Deploys.Deploy(w.Context(), w.Project.ID, deploy.Source{YAML: []byte(moved)}, destructive)
			w.Refused(err, windlass.Conflict, "integrations[reader].provider: cannot change from bitbucket to gitforge", in.ID)
		}
		w.OK(w.Install.DeleteInstallation(w.Context(), w.Project.ID, "reader", in.ID))
		w.Deployed(moved, false)
		_, err = w.Installed("acme", `{}`)
		w.Refused(err, windlass.Conflict, `group "acme" has no connection with gitforge`)
		_, err = w.Install.CreateInstallation(w.Context(), w.Project.ID, "reader", install.CreateInstallationRequest{
			GroupRef: "acme", ConnectionID: "con-acme", Config: install.ConfigRequest{Content: json.RawMessage(`{}`)},
		})
		w.Refused(err, windlass.Invalid, "connectionId: is a connection with bitbucket, and the integration needs gitforge")
	})
}
