package install_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/internal/install"
	signing "windlass/webhook"
)

func TestProjects(t *testing.T) {
	each(t, func(w *world) {
		t := w.T
		_, err := w.flow.CreateProject(w.ctx, install.CreateProjectRequest{Name: "mailmonkey"})
		w.refused(err, windlass.Conflict, `there is a project named "mailmonkey" already`)
		_, err = w.flow.CreateProject(w.ctx, install.CreateProjectRequest{Name: "a b", AppName: "x\ny"})
		w.refused(err, windlass.Invalid, `(name: "a b" cannot be used`, "(appName: has characters that cannot be printed")
		_, err = w.flow.CreateProject(w.ctx, install.CreateProjectRequest{Name: w.project.ID})
		w.refused(err, windlass.Invalid, "looks like an id")
		second, err := w.flow.CreateProject(w.ctx, install.CreateProjectRequest{Name: "second"})
		w.ok(err)
		if second.AppName != "second" || second.OrgID == "" {
			t.Errorf("got %+v", second)
		}
		update := func(body string) (windlass.Project, error) {
			var r install.UpdateProjectRequest
			w.ok(json.Unmarshal([]byte(body), &r))
			return w.flow.UpdateProject(w.ctx, "second", r)
		}
		_, err = update(`{"updateMask":["name"],"project":{"name":"mailmonkey"}}`)
		w.refused(err, windlass.Conflict)
		_, err = update(`{"updateMask":["orgId"],"project":{}}`)
		w.refused(err, windlass.Invalid, `updateMask[0]: "orgId" cannot be updated: the mask may name allowedOrigins, appName and name`)
		changed, err := update(`{"updateMask":["appName"],"project":{"name":"ignored","appName":"Second!"}}`)
		w.ok(err)
		if changed.Name != "second" || changed.AppName != "Second!" {
			t.Errorf("got %+v", changed)
		}
		all, err := w.flow.Projects(w.ctx, windlass.Page{})
		w.ok(err)
		if found, err := w.flow.Project(w.ctx, "second"); err != nil || found.ID != second.ID || len(all) != 2 {
			t.Errorf("got %+v among %d, %v", found, len(all), err)
		}
		p, key, err := w.flow.FirstStart(w.ctx, "default")
		w.ok(err)
		if p.ID != w.project.ID || key.ID != "" {
			t.Errorf("a first start beside a project made %+v and a key", p)
		}
	})
}

func TestProjectsThatHoldSomethingStay(t *testing.T) {
	each(t, func(w *world) {
		_, err := w.flow.KeepGroup(w.ctx, w.project.ID, install.GroupRequest{GroupRef: "cust"}, false)
		w.ok(err)
		for _, name := range []string{"a", "b", "c", "d"} {
			w.destination(name)
		}
		key, err := w.flow.CreateAPIKey(w.ctx, w.project.ID, install.APIKeyRequest{Label: "server", Scopes: []string{"full"}})
		w.ok(err)
		app, err := w.flow.CreateProviderApp(w.ctx, w.project.ID, install.ProviderAppRequest{Provider: "bitbucket", ClientID: "c", ClientSecret: windlass.NewSecret("s")})
		w.ok(err)
		w.refused(w.flow.DeleteProject(w.ctx, "mailmonkey"), windlass.Conflict,
			"it holds provider apps "+app.ID+`; destinations "a", "b", "c", others; API keys `+key.ID, "delete these first")
		for _, name := range []string{"a", "b", "c", "d"} {
			w.ok(w.flow.DeleteDestination(w.ctx, w.project.ID, name))
		}
		w.ok(w.flow.DeleteProviderApp(w.ctx, w.project.ID, app.ID))
		w.refused(w.flow.DeleteProject(w.ctx, "mailmonkey"), windlass.Conflict, "it holds API keys "+key.ID)
		w.ok(w.flow.DeleteAPIKey(w.ctx, w.project.ID, key.ID))
		w.ok(w.flow.DeleteProject(w.ctx, "mailmonkey"))
		w.refused(w.flow.DeleteProject(w.ctx, "mailmonkey"), windlass.NotFound)
	})
}

func TestCustomersAreKept(t *testing.T) {
	w := once(t)
	long := strings.Repeat("ä", 257)
	_, err := w.flow.KeepGroup(w.ctx, w.project.ID, install.GroupRequest{GroupRef: long, GroupName: "a\nb"}, false)
	w.refused(err, windlass.Invalid, "groupRef: is longer than 256 characters", "groupName: has characters that cannot be printed")
	_, err = w.flow.KeepConsumer(w.ctx, w.project.ID, install.ConsumerRequest{ConsumerName: long}, false)
	w.refused(err, windlass.Invalid, "consumerRef: is missing", "consumerName: is longer than 256 characters")

	// Keys for front ends are no secret: what they add is bounded.
	keep := func(i int, fromBrowser bool) error {
		_, err := w.flow.KeepGroup(w.ctx, w.project.ID, install.GroupRequest{GroupRef: fmt.Sprint(i)}, fromBrowser)
		return err
	}
	for i := range 1000 {
		w.ok(keep(i, true))
	}
	w.refused(keep(1000, true), windlass.RateLimited, "1000 customers were added within 1h0m0s", "a key of scope full")
	w.ok(keep(1000, false))
	w.now = w.now.Add(time.Hour + time.Second)
	w.ok(keep(1001, true))
}

func TestFirstStart(t *testing.T) {
	each(t, func(w *world) {
		t := w.T
		empty := newEmpty(t, w)
		p, key, err := empty.FirstStart(w.ctx, "default")
		w.ok(err)
		again, err := empty.Authenticate(w.ctx, key.Key.Reveal())
		w.ok(err)
		if again.ProjectID != p.ID || again.Scopes[0] != install.ScopeFull || p.Name != "default" {
			t.Errorf("got %+v of %+v", again, p)
		}
		same, none, err := empty.FirstStart(w.ctx, "default")
		w.ok(err)
		if same.ID != p.ID || !none.Key.IsZero() {
			t.Errorf("the second start made %+v", same)
		}
	})
}

func TestProviderApps(t *testing.T) {
	each(t, func(w *world) {
		t := w.T
		_, err := w.flow.CreateProviderApp(w.ctx, w.project.ID, install.ProviderAppRequest{
			Provider: "github", Scopes: []string{"a b"},
			Metadata: &install.ProviderAppMetadataValues{ProviderParams: map[string]string{install.HourlyLimit: "many"}},
		})
		w.refused(err, windlass.Invalid, `(provider: there is no provider "github": there is bitbucket)`, "(clientId: is missing)", "(clientSecret: is missing)",
			`(scopes[0]: "a b" is not one scope`, `(metadata.providerParams.hourlyLimit: "many" is not a number of requests`)
		var r install.ProviderAppRequest
		w.ok(json.Unmarshal([]byte(`{"provider":"bitbucket","clientId":" id ","clientSecret":"hush","scopes":["repository"],
			"metadata":{"providerParams":{"hourlyLimit":"500"},"authQueryParams":{"x":["y"]}}}`), &r))
		a, err := w.flow.CreateProviderApp(w.ctx, w.project.ID, r)
		w.ok(err)
		if !a.ClientSecret.IsZero() || a.HourlyLimit != 500 || a.ClientID != "id" {
			t.Errorf("got %+v", a)
		}
		stored, err := w.store.ProviderApp(w.ctx, w.project.ID, a.ID)
		w.ok(err)
		if stored.ClientSecret.Reveal() != "hush" {
			t.Error("the secret was not kept")
		}
		update := func(body string) (windlass.ProviderApp, error) {
			var r install.UpdateProviderAppRequest
			w.ok(json.Unmarshal([]byte(body), &r))
			return w.flow.UpdateProviderApp(w.ctx, w.project.ID, a.ID, r)
		}
		changed, err := update(`{"updateMask":["clientSecret","metadata.providerParams"],"providerApp":{"clientSecret":"new","clientId":"ignored"}}`)
		w.ok(err)
		if !changed.ClientSecret.IsZero() || changed.ClientID != "id" || changed.HourlyLimit != 0 || changed.AuthParams["x"][0] != "y" {
			t.Errorf("got %+v", changed)
		}
		stored, err = w.store.ProviderApp(w.ctx, w.project.ID, "bitbucket")
		w.ok(err)
		if stored.ClientSecret.Reveal() != "new" {
			t.Error("the new secret was not kept")
		}
		_, err = update(`{"updateMask":["clientSecret"],"providerApp":{}}`)
		w.refused(err, windlass.Invalid, "providerApp.clientSecret: is missing")

		c := windlass.Connection{
			ID: "con", ProjectID: w.project.ID, Provider: "bitbucket", ProviderAppID: a.ID, Scheme: windlass.AuthOAuth,
			Status: windlass.ConnectionWorking, Group: windlass.Group{ProjectID: w.project.ID, Ref: "acme"},
			Consumer: windlass.Consumer{ProjectID: w.project.ID, Ref: "p"}, Created: noon, Updated: noon,
		}
		w.ok(w.store.CreateConnection(w.ctx, c, windlass.Credentials{AccessToken: windlass.NewSecret("t")}))
		_, err = update(`{"updateMask":["clientId"],"providerApp":{"clientId":"other"}}`)
		w.refused(err, windlass.Conflict, `connections were made with it: that of group "acme" (con)`)
		w.refused(w.flow.DeleteProviderApp(w.ctx, w.project.ID, a.ID), windlass.Conflict, "delete these connections first")
		w.ok(w.store.DeleteConnection(w.ctx, w.project.ID, "con"))
		w.ok(w.flow.DeleteProviderApp(w.ctx, w.project.ID, a.ID))
		all, err := w.flow.ProviderApps(w.ctx, w.project.ID, windlass.Page{})
		w.ok(err)
		if len(all) != 0 {
			t.Errorf("got %+v", all)
		}
	})
}

func TestDestinationsThatAreRefused(t *testing.T) {
	w := once(t)
	w.destination("hook")
	for _, test := range []struct{ name, body, want string }{
		{"of another type", `{"name":"a","type":"kinesis","metadata":{"url":"https://example.com"}}`, `type: destinations of type "kinesis" are not built: write webhook`},
		{"without a URL", `{"name":"a","type":"webhook","metadata":{}}`, `metadata.url: is missing`},
		{"over http", `{"name":"a","type":"webhook","metadata":{"url":"http://example.com"}}`, `metadata.url: is an http URL`},
		{"with a password", `{"name":"a","type":"webhook","metadata":{"url":"https://u:hunter2@example.com"}}`, `metadata.url: has a name or password in it`},
		{"without a host", `{"name":"a","type":"webhook","metadata":{"url":"https:///x"}}`, `metadata.url: has no host`},
		{"with an odd scheme", `{"name":"a","type":"webhook","metadata":{"url":"ftp://example.com"}}`, `does not begin with https://`},
		{"with a fragment", `{"name":"a","type":"webhook","metadata":{"url":"https://example.com/#x"}}`, `has a part behind #`},
		{"not a URL", `{"name":"a","type":"webhook","metadata":{"url":"https://[hunter2"}}`, `metadata.url: is not a URL`},
		{"with a header of ours", `{"name":"a","type":"webhook","metadata":{"url":"https://example.com","headers":{"Svix-Id":"x"}}}`, `metadata.headers.Svix-Id: is set for each message`},
		{"with a header that cannot be sent", `{"name":"a","type":"webhook","metadata":{"url":"https://example.com","headers":{"X y":"x"}}}`, `is not the name of a header`},
		{"with a value that smuggles", `{"name":"a","type":"webhook","metadata":{"url":"https://example.com","headers":{"X":"a\r\nY: b"}}}`, `metadata.headers.X: has a value that cannot be sent`},
		{"with a header twice", `{"name":"a","type":"webhook","metadata":{"url":"https://example.com","headers":{"X-A":"a","x-a":"b"}}}`, `is there twice`},
		{"without a name", `{"type":"webhook","metadata":{"url":"https://example.com"}}`, `name: is missing`},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := w.in(t)
			var r install.CreateDestinationRequest
			w.ok(json.Unmarshal([]byte(test.body), &r))
			_, err := w.flow.CreateDestination(w.ctx, w.project.ID, r)
			w.refused(err, windlass.Invalid, test.want)
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("it repeats a password: %v", err)
			}
		})
	}
	_, err := w.flow.CreateDestination(w.ctx, w.project.ID, install.CreateDestinationRequest{Name: "hook", Type: "webhook", Metadata: at("https://example.com")})
	w.refused(err, windlass.Conflict)
	w.hooks.AllowHTTP = true
	w.restart()
	_, err = w.flow.CreateDestination(w.ctx, w.project.ID, install.CreateDestinationRequest{Name: "local", Type: "webhook", Metadata: at("http://127.0.0.1:8000/x")})
	w.ok(err)
}

func TestDestinations(t *testing.T) {
	each(t, func(w *world) {
		t := w.T
		w.ready(reader)
		get := func(opts *install.DestinationOptions) windlass.Destination {
			d, err := w.flow.Destination(w.ctx, w.project.ID, "hook", opts)
			w.ok(err)
			return d
		}
		if d := get(nil); d.Secrets != nil || d.Type != "webhook" || string(d.Settings) == "" {
			t.Errorf("got %+v", d)
		}
		first := get(&install.DestinationOptions{IncludeSecrets: true}).Secrets
		if _, err := signing.ParseKey(first[0].Reveal()); err != nil || len(first) != 1 {
			t.Errorf("got %d secrets: %v", len(first), err)
		}
		if d := get(&install.DestinationOptions{Rotate: true}); d.Secrets != nil {
			t.Error("a rotation shows secrets that were not asked for")
		}
		both := get(&install.DestinationOptions{IncludeSecrets: true}).Secrets
		if len(both) != 2 || both[1].Reveal() != first[0].Reveal() || both[0].Reveal() == first[0].Reveal() {
			t.Error("a rotation does not keep the old secret behind the new one")
		}
		for range 4 {
			get(&install.DestinationOptions{Rotate: true})
		}
		if many := get(&install.DestinationOptions{IncludeSecrets: true}).Secrets; len(many) != 3 {
			t.Errorf("got %d secrets", len(many))
		}
		_, err := w.flow.RetireSecrets(w.ctx, w.project.ID, "hook")
		w.ok(err)
		if one := get(&install.DestinationOptions{IncludeSecrets: true}).Secrets; len(one) != 1 {
			t.Errorf("got %d secrets", len(one))
		}

		update := func(body string) (windlass.Destination, error) {
			var r install.UpdateDestinationRequest
			w.ok(json.Unmarshal([]byte(body), &r))
			return w.flow.UpdateDestination(w.ctx, w.project.ID, "hook", r)
		}
		d, err := update(`{"updateMask":["metadata.url"],"destination":{"metadata":{"url":"https://example.com/new","headers":{"X":"ignored"}}}}`)
		w.ok(err)
		if d.Address != "https://example.com/new" || string(d.Settings) != `{"url":"https://example.com/new"}` || d.Secrets != nil {
			t.Errorf("got %+v", d)
		}
		d, err = update(`{"updateMask":["metadata"],"destination":{"metadata":{"url":"https://example.com/both","headers":{"X":"1"}}}}`)
		w.ok(err)
		if d.Address != "https://example.com/both" || string(d.Settings) != `{"url":"https://example.com/both","headers":{"X":"1"}}` {
			t.Errorf("got %+v", d)
		}
		d, err = update(`{"updateMask":["metadata.headers"],"destination":{"metadata":{"url":"https://example.com/ignored","headers":{"Y":"2"}}}}`)
		w.ok(err)
		if string(d.Settings) != `{"url":"https://example.com/both","headers":{"Y":"2"}}` {
			t.Errorf("got %+v", d)
		}
		_, err = update(`{"updateMask":["metadata"],"destination":{}}`)
		w.refused(err, windlass.Invalid, "destination.metadata.url: is missing")
		_, err = update(`{"updateMask":["name"],"destination":{"name":"other"}}`)
		w.refused(err, windlass.Conflict, `it is used: integration "reader"`)
		in, err := w.install("acme", minimal)
		w.ok(err)
		w.refused(w.flow.DeleteDestination(w.ctx, w.project.ID, "hook"), windlass.Conflict, `integration "reader", the installation for group "acme" (`+in.ID+`)`)
		w.ok(w.flow.DeleteIntegration(w.ctx, w.project.ID, "reader"))
		_, err = update(`{"updateMask":["name"],"destination":{"name":"other"}}`)
		w.ok(err)
		w.ok(w.flow.DeleteDestination(w.ctx, w.project.ID, d.ID))
		all, err := w.flow.Destinations(w.ctx, w.project.ID, windlass.Page{})
		w.ok(err)
		if len(all) != 0 {
			t.Errorf("got %+v", all)
		}
	})
}
