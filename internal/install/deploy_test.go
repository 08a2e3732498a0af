package install_test

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"windlass"
	"windlass/internal/install"
	"windlass/manifest"
)

func TestPublishedSampleDeploysAsItIs(t *testing.T) {
	each(t, func(w *world) {
		t := w.T
		yaml, err := os.ReadFile(shared(t, "sample-bitbucket-amp.yaml"))
		w.ok(err)
		d := w.deploy(string(yaml), false)
		if len(d.Integrations) != 1 || d.Integrations[0].Name != "integration-bitbucket" || len(d.Changed) != 1 {
			t.Fatalf("got %+v", d)
		}
		if len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0], `"bitbucketWebhook", which does not exist yet`) {
			t.Errorf("got warnings %q", d.Warnings)
		}
		var content any
		w.ok(json.Unmarshal(d.Integrations[0].Latest.Content, &content))
		conform(t, "Integration-2", content)

		w.connection("con-acme", "acme")
		request := install.CreateInstallationRequest{GroupRef: "acme", Config: install.ConfigRequest{Content: json.RawMessage(minimal)}}
		_, err = w.flow.CreateInstallation(w.ctx, w.project.ID, "integration-bitbucket", request)
		w.refused(err, windlass.Invalid, `there is no destination "bitbucketWebhook": create it first`)
		w.destination("bitbucketWebhook")
		in, err := w.flow.CreateInstallation(w.ctx, w.project.ID, "integration-bitbucket", request)
		w.ok(err)
		conform(t, "ConfigContent", w.config(in))
		if again := w.deploy(string(yaml), false); len(again.Warnings)+len(again.Changed) != 0 {
			t.Errorf("the second time: %+v", again)
		}
	})
}

func TestDeployingTheSameKeepsTheRevision(t *testing.T) {
	each(t, func(w *world) {
		t := w.T
		w.destination("hook")
		first := w.deploy(reader, false)
		same := w.deploy(reader+"# a comment\n", false)
		if same.Integrations[0].Latest.ID != first.Integrations[0].Latest.ID || len(same.Changed) != 0 || len(same.Warnings) != 0 {
			t.Errorf("got %+v after %+v", same, first)
		}
		changed := w.deploy(strings.Replace(reader, "Bitbucket", "Buckets", 1), false)
		if changed.Integrations[0].ID != first.Integrations[0].ID || changed.Integrations[0].Latest.ID == first.Integrations[0].Latest.ID {
			t.Errorf("got %+v after %+v", changed, first)
		}
		old, err := w.store.Revision(w.ctx, first.Integrations[0].ID, first.Integrations[0].Latest.ID)
		w.ok(err)
		if !strings.Contains(string(old.Content), "Bitbucket") {
			t.Errorf("the old revision is %s", old.Content)
		}
	})
}

func TestDroppingWhatIsRead(t *testing.T) {
	each(t, func(w *world) {
		t := w.T
		w.ready(reader)
		in, err := w.install("acme", `{"read":{"objects":{"repositories":{},"members":{"selectedFieldMappings":{"person":"type"}}}}}`)
		w.ok(err)
		less := withoutMembers(t)
		members := []install.ObjectRead{{Integration: "reader", InstallationID: in.ID, GroupRef: "acme", Object: "members"}}

		// Without consent the deploy takes place, and who reads the object goes on.
		d := w.deploy(less, false)
		if !slices.Equal(d.Kept, members) || len(d.Disabled) != 0 || len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0], `object "members" of integration "reader" is not in the manifest any more: new installations do not get it`) {
			t.Errorf("got %+v", d)
		}
		schedule := func(cron string) {
			in, err = w.flow.UpdateInstallation(w.ctx, w.project.ID, "reader", in.ID, patch(`{"updateMask":["config.content.read.objects.repositories.schedule"],
				"installation":{"config":{"content":{"read":{"objects":{"repositories":{"schedule":"`+cron+`"}}}}}}}`))
			w.ok(err)
		}
		schedule("30 * * * *")
		if c := w.config(in); c.Read.Objects["members"].Disabled || in.Config.RevisionID == d.Integrations[0].Latest.ID {
			t.Errorf("its reads go on by its own revision: %s", in.Config.Content)
		}
		w.connection("con-zen", "zen")
		_, err = w.install("zen", `{"read":{"objects":{"members":{"selectedFieldMappings":{"person":"type"}}}}}`)
		w.refused(err, windlass.Invalid, `does not read "members"`)

		d = w.deploy(less, true)
		if !slices.Equal(d.Disabled, members) || len(d.Kept) != 0 || len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0], "disabled until a manifest has it again") {
			t.Errorf("got %+v", d)
		}
		in, err = w.flow.Installation(w.ctx, w.project.ID, "reader", in.ID)
		w.ok(err)
		if c := w.config(in); !c.Read.Objects["members"].Disabled || c.Read.Objects["repositories"].Disabled {
			t.Errorf("got config %s", in.Config.Content)
		}
		schedules, err := w.store.Schedules(w.ctx, in.ID)
		w.ok(err)
		if len(schedules) != 1 || schedules[0].Object != "repositories" {
			t.Errorf("got schedules %+v", schedules)
		}
		// Nothing reads it any more, so the config moves on, and keeps it disabled.
		if d := w.deploy(less, false); len(d.Warnings) != 0 {
			t.Errorf("got %+v", d)
		}
		schedule("0 * * * *")
		if c := w.config(in); !c.Read.Objects["members"].Disabled || in.Config.RevisionID != d.Integrations[0].Latest.ID {
			t.Errorf("got config %s", in.Config.Content)
		}

		// A deploy that has it again enables what a deploy disabled.
		w.started = nil
		d = w.deploy(reader, false)
		if !slices.Equal(d.Enabled, members) || len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0], "is in the manifest again") {
			t.Errorf("got %+v", d)
		}
		in, err = w.flow.Installation(w.ctx, w.project.ID, "reader", in.ID)
		w.ok(err)
		if c := w.config(in); c.Read.Objects["members"].Disabled || in.Config.RevisionID != d.Integrations[0].Latest.ID || c.Read.Objects["repositories"].Schedule != "0 * * * *" {
			t.Errorf("got config %s", in.Config.Content)
		}
		if schedules, err = w.store.Schedules(w.ctx, in.ID); err != nil || len(schedules) != 2 {
			t.Errorf("got schedules %+v, %v", schedules, err)
		}
		if !slices.Equal(w.started, []string{"members"}) {
			t.Errorf("the reads were not told: %v", w.started)
		}
		if d := w.deploy(reader, false); len(d.Warnings) != 0 {
			t.Errorf("a second time: %+v", d)
		}
	})
}

func TestDeployLeavesAloneWhatACustomerDisabled(t *testing.T) {
	each(t, func(w *world) {
		w.ready(reader)
		in, err := w.install("acme", `{"read":{"objects":{"repositories":{},"members":{"disabled":true,"selectedFieldMappings":{"person":"type"}}}}}`)
		w.ok(err)
		w.deploy(withoutMembers(w.T), true)
		if d := w.deploy(reader, false); len(d.Enabled) != 0 {
			w.Errorf("got %+v", d)
		}
		in, err = w.flow.Installation(w.ctx, w.project.ID, "reader", in.ID)
		w.ok(err)
		if !w.config(in).Read.Objects["members"].Disabled {
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
	each(t, func(w *world) {
		t := w.T
		w.ready(reader)
		other := strings.Replace(reader, "name: reader", "name: other", 1)
		in, err := w.install("acme", minimal)
		w.ok(err)
		if d := w.deploy(other, false); len(d.Warnings) != 0 {
			t.Errorf("got %+v", d)
		}
		for _, installed := range []bool{true, false} {
			if !installed {
				w.ok(w.flow.DeleteInstallation(w.ctx, w.project.ID, "reader", in.ID))
			}
			if d := w.deploy(other, true); len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0], `"reader" is not in the manifest, and stays`) {
				t.Errorf("got %+v", d)
			}
		}
		all, err := w.flow.Integrations(w.ctx, w.project.ID, windlass.Page{})
		w.ok(err)
		if len(all) != 2 {
			t.Errorf("got %+v", all)
		}
	})
}

func TestDeletingAnIntegrationUninstallsIt(t *testing.T) {
	each(t, func(w *world) {
		w.ready(reader)
		in, err := w.install("acme", minimal)
		w.ok(err)
		w.ok(w.flow.DeleteIntegration(w.ctx, w.project.ID, "reader"))
		_, err = w.store.Installation(w.ctx, w.project.ID, in.ID)
		w.refused(err, windlass.NotFound)
		_, err = w.store.Connection(w.ctx, w.project.ID, "con-acme")
		w.ok(err)
	})
}

func TestProblemsOfAManifestAreIssues(t *testing.T) {
	t.Parallel()
	w := once(t)
	_, err := w.flow.Deploy(w.ctx, w.project.ID, install.Source{YAML: []byte(strings.NewReplacer(
		"full_name", "fullname", `"*/10`, `"*/3`, "objectName: members", "objectName: mambers").Replace(reader))}, false)
	w.refused(err, windlass.Invalid, "the manifest has 3 problems")
	problems, found := errors.AsType[manifest.Problems](err)
	if !found || len(problems) != 3 || !errors.Is(err, install.Unprocessable) {
		t.Fatalf("got %v", err)
	}
	golden(t, "wrong-manifest.json", strings.Split(issues(err), "\n"))
	all, err := w.flow.Integrations(w.ctx, w.project.ID, windlass.Page{})
	w.ok(err)
	if len(all) != 0 {
		t.Errorf("half of it was deployed: %+v", all)
	}
	for _, from := range []install.Source{{}, {YAML: []byte(reader), Upload: "gs://a/b"}} {
		_, err = w.flow.Deploy(w.ctx, w.project.ID, from, false)
		w.refused(err, windlass.Invalid, "send either sourceYaml or sourceZipUrl")
	}
	_, err = w.flow.Deploy(w.ctx, "nowhere", install.Source{YAML: []byte(reader)}, false)
	w.refused(err, windlass.NotFound)
}

func TestOneIntegrationByItself(t *testing.T) {
	each(t, func(w *world) {
		t := w.T
		w.destination("hook")
		request := func(body string) (r install.CreateIntegrationRequest) {
			w.ok(json.Unmarshal([]byte(body), &r))
			return r
		}
		create := func(body string) (install.Deployment, error) {
			return w.flow.CreateIntegration(w.ctx, w.project.ID, request(body))
		}
		const good = `{"name":"one","provider":"bitbucket","latestRevision":{"specVersion":"1.0.0","content":{"proxy":{"enabled":true}}}}`
		d, err := create(good)
		w.ok(err)
		if d.Integrations[0].Name != "one" || string(d.Integrations[0].Latest.Content) == "" {
			t.Errorf("got %+v", d)
		}
		_, err = create(good)
		w.refused(err, windlass.Conflict, `there is an integration named "one" already`)
		_, err = create(strings.Replace(good, `"proxy"`, `"name":"two","proxy"`, 1))
		w.refused(err, windlass.Invalid, `latestRevision.content.name: is not "one"`)
		_, err = create(`{"name":"two","provider":"bitbucket","latestRevision":{"specVersion":"1.0.0","content":{"prxy":{}}}}`)
		w.refused(err, windlass.Invalid, `unknown key "prxy"`)
		_, err = create(`{"name":"two","provider":"bitbucket","latestRevision":{"specVersion":"1.0.0"}}`)
		w.refused(err, windlass.Invalid, `latestRevision.content: is not an object`)

		two := reader + strings.TrimPrefix(strings.Replace(reader, "reader", "one", 1), "\nspecVersion: 1.0.0\nintegrations:\n")
		d, err = w.flow.CreateRevision(w.ctx, w.project.ID, "one", install.Source{YAML: []byte(two)}, false)
		w.ok(err)
		if len(d.Integrations) != 1 || d.Integrations[0].Name != "one" || len(d.Changed) != 1 {
			t.Errorf("got %+v", d)
		}
		_, err = w.flow.CreateRevision(w.ctx, w.project.ID, "one", install.Source{YAML: []byte(reader)}, false)
		w.refused(err, windlass.Invalid, `the manifest has no integration "one"`)
		all, err := w.flow.Integrations(w.ctx, w.project.ID, windlass.Page{})
		w.ok(err)
		if len(all) != 1 {
			t.Errorf("got %+v", all)
		}
	})
}

func TestObjectsThatAreAlwaysRead(t *testing.T) {
	t.Parallel()
	w := once(t)
	always := withoutMembers(t)
	always = strings.Replace(always, "    write:", `        - objectName: user/emails
          destination: hook
          schedule: "0 0 * * *"
          enabled: always
          requiredFields:
            - fieldName: email
    write:`, 1)
	w.ready(always)
	in, err := w.install("acme", minimal)
	w.ok(err)
	c := w.config(in)
	if o := c.Read.Objects["user/emails"]; o.Schedule != "0 0 * * *" || !o.SelectedFields["email"] || o.Destination != "hook" {
		t.Errorf("got %+v", c.Read.Objects)
	}
	schedules, err := w.store.Schedules(w.ctx, in.ID)
	w.ok(err)
	if len(schedules) != 2 {
		t.Errorf("got schedules %+v", schedules)
	}
	w.connection("con-zen", "zen")
	in, err = w.install("zen", `{}`)
	w.ok(err)
	if c := w.config(in); len(c.Read.Objects) != 1 {
		t.Errorf("got %s", in.Config.Content)
	}
}

// However a deploy and an installation meet, the deploy knows of every installation
// that reads what it drops.
func TestDeployingAndInstallingAtOnce(t *testing.T) {
	each(t, func(w *world) {
		w.ready(reader)
		less := withoutMembers(w.T)
		for range 5 {
			w.deploy(reader, false)
			var both sync.WaitGroup
			var made windlass.Installation
			var installing, deploying error
			var done install.Deployment
			both.Go(func() {
				made, installing = w.install("acme", `{"read":{"objects":{"members":{"selectedFieldMappings":{"person":"type"}}}}}`)
			})
			both.Go(func() {
				done, deploying = w.flow.Deploy(w.ctx, w.project.ID, install.Source{YAML: []byte(less)}, false)
			})
			both.Wait()
			w.ok(deploying)
			if installing != nil {
				w.refused(installing, windlass.Invalid, `does not read "members"`)
				continue
			}
			if len(done.Kept) != 1 || done.Kept[0].InstallationID != made.ID {
				w.Fatalf("the deploy dropped what %s reads, and did not see it: %+v", made.ID, done)
			}
			w.ok(w.flow.DeleteInstallation(w.ctx, w.project.ID, "reader", made.ID))
		}
	})
}

func TestDeployTellsWhatDoesNothingYet(t *testing.T) {
	t.Parallel()
	w := once(t)
	d := w.deploy(strings.Replace(reader, "    proxy:", `    subscribe:
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
