package setup_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/internal/flowtest"
	"windlass/internal/setup"
	signing "windlass/webhook"
)

func TestProjects(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		t := w.T
		_, err := w.Setup.CreateProject(w.Context(), setup.CreateProjectRequest{Name: "mailmonkey"})
		w.Refused(err, windlass.Conflict, `there is a project named "mailmonkey" already`)
		_, err = w.Setup.CreateProject(w.Context(), setup.CreateProjectRequest{Name: "a b", AppName: "x\ny"})
		w.Refused(err, windlass.Invalid, `(name: "a b" cannot be used`, "(appName: has characters that cannot be printed")
		_, err = w.Setup.CreateProject(w.Context(), setup.CreateProjectRequest{Name: w.Project.ID})
		w.Refused(err, windlass.Invalid, "looks like an id")
		second, err := w.Setup.CreateProject(w.Context(), setup.CreateProjectRequest{Name: "second"})
		w.OK(err)
		if second.AppName != "second" || second.OrgID == "" {
			t.Errorf("got %+v", second)
		}
		update := func(body string) (windlass.Project, error) {
			var r setup.UpdateProjectRequest
			w.OK(json.Unmarshal([]byte(body), &r))
			return w.Setup.UpdateProject(w.Context(), "second", r)
		}
		_, err = update(`{"updateMask":["name"],"project":{"name":"mailmonkey"}}`)
		w.Refused(err, windlass.Conflict)
		_, err = update(`{"updateMask":["orgId"],"project":{}}`)
		w.Refused(err, windlass.Invalid, `updateMask[0]: "orgId" cannot be updated: the mask may name allowedOrigins, appName and name`)
		changed, err := update(`{"updateMask":["appName"],"project":{"name":"ignored","appName":"Second!"}}`)
		w.OK(err)
		if changed.Name != "second" || changed.AppName != "Second!" {
			t.Errorf("got %+v", changed)
		}
		all, err := w.Setup.Projects(w.Context(), windlass.Page{})
		w.OK(err)
		if found, err := w.Setup.Project(w.Context(), "second"); err != nil || found.ID != second.ID || len(all) != 2 {
			t.Errorf("got %+v among %d, %v", found, len(all), err)
		}
		p, key, err := w.Setup.FirstStart(w.Context(), "default")
		w.OK(err)
		if p.ID != w.Project.ID || key.ID != "" {
			t.Errorf("a first start beside a project made %+v and a key", p)
		}
	})
}

func TestProjectsThatHoldSomethingStay(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		_, err := w.Setup.KeepGroup(w.Context(), w.Project.ID, setup.GroupRequest{GroupRef: "cust"}, false)
		w.OK(err)
		for _, name := range []string{"a", "b", "c", "d"} {
			w.Destination(name)
		}
		key, err := w.Setup.CreateAPIKey(w.Context(), w.Project.ID, setup.APIKeyRequest{Label: "server", Scopes: []string{"full"}})
		w.OK(err)
		app, err := w.Setup.CreateProviderApp(w.Context(), w.Project.ID, setup.ProviderAppRequest{Provider: "bitbucket", ClientID: "c", ClientSecret: windlass.NewSecret("s")})
		w.OK(err)
		w.Refused(w.Setup.DeleteProject(w.Context(), "mailmonkey"), windlass.Conflict,
			"it holds provider apps "+app.ID+`; destinations "a", "b", "c", others; API keys `+key.ID, "delete these first")
		for _, name := range []string{"a", "b", "c", "d"} {
			w.OK(w.Setup.DeleteDestination(w.Context(), w.Project.ID, name))
		}
		w.OK(w.Setup.DeleteProviderApp(w.Context(), w.Project.ID, app.ID))
		w.Refused(w.Setup.DeleteProject(w.Context(), "mailmonkey"), windlass.Conflict, "it holds API keys "+key.ID)
		w.OK(w.Setup.DeleteAPIKey(w.Context(), w.Project.ID, key.ID))
		w.OK(w.Setup.DeleteProject(w.Context(), "mailmonkey"))
		w.Refused(w.Setup.DeleteProject(w.Context(), "mailmonkey"), windlass.NotFound)
	})
}

func TestCustomersAreKept(t *testing.T) {
	w := flowtest.Once(t)
	long := strings.Repeat("ä", 257)
	_, err := w.Setup.KeepGroup(w.Context(), w.Project.ID, setup.GroupRequest{GroupRef: long, GroupName: "a\nb"}, false)
	w.Refused(err, windlass.Invalid, "groupRef: is longer than 256 characters", "groupName: has characters that cannot be printed")
	_, err = w.Setup.KeepConsumer(w.Context(), w.Project.ID, setup.ConsumerRequest{ConsumerName: long}, false)
	w.Refused(err, windlass.Invalid, "consumerRef: is missing", "consumerName: is longer than 256 characters")

	// Keys for front ends are no secret: what they add is bounded.
	keep := func(i int, fromBrowser bool) error {
		_, err := w.Setup.KeepGroup(w.Context(), w.Project.ID, setup.GroupRequest{GroupRef: fmt.Sprint(i)}, fromBrowser)
		return err
	}
	for i := range 1000 {
		w.OK(keep(i, true))
	}
	w.Refused(keep(1000, true), windlass.RateLimited, "1000 customers were added within 1h0m0s", "a key of scope full")
	w.OK(keep(1000, false))
	w.Now = w.Now.Add(time.Hour + time.Second)
	w.OK(keep(1001, true))
}

func TestFirstStart(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		t := w.T
		empty := w.Empty()
		p, key, err := empty.FirstStart(w.Context(), "default")
		w.OK(err)
		again, err := empty.Authenticate(w.Context(), key.Key.Reveal())
		w.OK(err)
		if again.ProjectID != p.ID || again.Scopes[0] != setup.ScopeFull || p.Name != "default" {
			t.Errorf("got %+v of %+v", again, p)
		}
		same, none, err := empty.FirstStart(w.Context(), "default")
		w.OK(err)
		if same.ID != p.ID || !none.Key.IsZero() {
			t.Errorf("the second start made %+v", same)
		}
	})
}

func TestProviderApps(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		t := w.T
		_, err := w.Setup.CreateProviderApp(w.Context(), w.Project.ID, setup.ProviderAppRequest{
			Provider: "github", Scopes: []string{"a b"},
			Metadata: &setup.ProviderAppMetadataValues{ProviderParams: map[string]string{setup.HourlyLimit: "many"}},
		})
		w.Refused(err, windlass.Invalid, `(provider: there is no provider "github": there is bitbucket)`, "(clientId: is missing)", "(clientSecret: is missing)",
			`(scopes[0]: "a b" is not one scope`, `(metadata.providerParams.hourlyLimit: "many" is not a number of requests`)
		var r setup.ProviderAppRequest
		w.OK(json.Unmarshal([]byte(`{"provider":"bitbucket","clientId":" id ","clientSecret":"hush","scopes":["repository"],
			"metadata":{"providerParams":{"hourlyLimit":"500"},"authQueryParams":{"x":["y"]}}}`), &r))
		a, err := w.Setup.CreateProviderApp(w.Context(), w.Project.ID, r)
		w.OK(err)
		if !a.ClientSecret.IsZero() || a.HourlyLimit != 500 || a.ClientID != "id" {
			t.Errorf("got %+v", a)
		}
		stored, err := w.Store.ProviderApp(w.Context(), w.Project.ID, a.ID)
		w.OK(err)
		if stored.ClientSecret.Reveal() != "hush" {
			t.Error("the secret was not kept")
		}
		update := func(body string) (windlass.ProviderApp, error) {
			var r setup.UpdateProviderAppRequest
			w.OK(json.Unmarshal([]byte(body), &r))
			return w.Setup.UpdateProviderApp(w.Context(), w.Project.ID, a.ID, r)
		}
		changed, err := update(`{"updateMask":["clientSecret","metadata.providerParams"],"providerApp":{"clientSecret":"new","clientId":"ignored"}}`)
		w.OK(err)
		if !changed.ClientSecret.IsZero() || changed.ClientID != "id" || changed.HourlyLimit != 0 || changed.AuthParams["x"][0] != "y" {
			t.Errorf("got %+v", changed)
		}
		stored, err = w.Store.ProviderApp(w.Context(), w.Project.ID, "bitbucket")
		w.OK(err)
		if stored.ClientSecret.Reveal() != "new" {
			t.Error("the new secret was not kept")
		}
		_, err = update(`{"updateMask":["clientSecret"],"providerApp":{}}`)
		w.Refused(err, windlass.Invalid, "providerApp.clientSecret: is missing")

		c := windlass.Connection{
			ID: "con", ProjectID: w.Project.ID, Provider: "bitbucket", ProviderAppID: a.ID, Scheme: windlass.AuthOAuth,
			Status: windlass.ConnectionWorking, Group: windlass.Group{ProjectID: w.Project.ID, Ref: "acme"},
			Consumer: windlass.Consumer{ProjectID: w.Project.ID, Ref: "p"}, Created: flowtest.Noon, Updated: flowtest.Noon,
		}
		w.OK(w.Store.CreateConnection(w.Context(), c, windlass.Credentials{AccessToken: windlass.NewSecret("t")}))
		_, err = update(`{"updateMask":["clientId"],"providerApp":{"clientId":"other"}}`)
		w.Refused(err, windlass.Conflict, `connections were made with it: that of group "acme" (con)`)
		w.Refused(w.Setup.DeleteProviderApp(w.Context(), w.Project.ID, a.ID), windlass.Conflict, "delete these connections first")
		w.OK(w.Store.DeleteConnection(w.Context(), w.Project.ID, "con"))
		w.OK(w.Setup.DeleteProviderApp(w.Context(), w.Project.ID, a.ID))
		all, err := w.Setup.ProviderApps(w.Context(), w.Project.ID, windlass.Page{})
		w.OK(err)
		if len(all) != 0 {
			t.Errorf("got %+v", all)
		}
	})
}

func TestDestinationsThatAreRefused(t *testing.T) {
	w := flowtest.Once(t)
	w.Destination("hook")
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
			w := w.In(t)
			var r setup.CreateDestinationRequest
			w.OK(json.Unmarshal([]byte(test.body), &r))
			_, err := w.Setup.CreateDestination(w.Context(), w.Project.ID, r)
			w.Refused(err, windlass.Invalid, test.want)
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("it repeats a password: %v", err)
			}
		})
	}
	_, err := w.Setup.CreateDestination(w.Context(), w.Project.ID, setup.CreateDestinationRequest{Name: "hook", Type: "webhook", Metadata: flowtest.At("https://example.com")})
	w.Refused(err, windlass.Conflict)
	w.Hooks.AllowHTTP = true
	w.Restart()
	_, err = w.Setup.CreateDestination(w.Context(), w.Project.ID, setup.CreateDestinationRequest{Name: "local", Type: "webhook", Metadata: flowtest.At("http://127.0.0.1:8000/x")})
	w.OK(err)
}

func TestDestinations(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		t := w.T
		w.Ready(flowtest.Reader)
		get := func(opts *setup.DestinationOptions) windlass.Destination {
			d, err := w.Setup.Destination(w.Context(), w.Project.ID, "hook", opts)
			w.OK(err)
			return d
		}
		if d := get(nil); d.Secrets != nil || d.Type != "webhook" || string(d.Settings) == "" {
			t.Errorf("got %+v", d)
		}
		first := get(&setup.DestinationOptions{IncludeSecrets: true}).Secrets
		if _, err := signing.ParseKey(first[0].Reveal()); err != nil || len(first) != 1 {
			t.Errorf("got %d secrets: %v", len(first), err)
		}
		if d := get(&setup.DestinationOptions{Rotate: true}); d.Secrets != nil {
			t.Error("a rotation shows secrets that were not asked for")
		}
		both := get(&setup.DestinationOptions{IncludeSecrets: true}).Secrets
		if len(both) != 2 || both[1].Reveal() != first[0].Reveal() || both[0].Reveal() == first[0].Reveal() {
			t.Error("a rotation does not keep the old secret behind the new one")
		}
		for range 4 {
			get(&setup.DestinationOptions{Rotate: true})
		}
		if many := get(&setup.DestinationOptions{IncludeSecrets: true}).Secrets; len(many) != 3 {
			t.Errorf("got %d secrets", len(many))
		}
		_, err := w.Setup.RetireSecrets(w.Context(), w.Project.ID, "hook")
		w.OK(err)
		if one := get(&setup.DestinationOptions{IncludeSecrets: true}).Secrets; len(one) != 1 {
			t.Errorf("got %d secrets", len(one))
		}

		update := func(body string) (windlass.Destination, error) {
			var r setup.UpdateDestinationRequest
			w.OK(json.Unmarshal([]byte(body), &r))
			return w.Setup.UpdateDestination(w.Context(), w.Project.ID, "hook", r)
		}
		d, err := update(`{"updateMask":["metadata.url"],"destination":{"metadata":{"url":"https://example.com/new","headers":{"X":"ignored"}}}}`)
		w.OK(err)
		if d.Address != "https://example.com/new" || string(d.Settings) != `{"url":"https://example.com/new"}` || d.Secrets != nil {
			t.Errorf("got %+v", d)
		}
		d, err = update(`{"updateMask":["metadata"],"destination":{"metadata":{"url":"https://example.com/both","headers":{"X":"1"}}}}`)
		w.OK(err)
		if d.Address != "https://example.com/both" || string(d.Settings) != `{"url":"https://example.com/both","headers":{"X":"1"}}` {
			t.Errorf("got %+v", d)
		}
		d, err = update(`{"updateMask":["metadata.headers"],"destination":{"metadata":{"url":"https://example.com/ignored","headers":{"Y":"2"}}}}`)
		w.OK(err)
		if string(d.Settings) != `{"url":"https://example.com/both","headers":{"Y":"2"}}` {
			t.Errorf("got %+v", d)
		}
		_, err = update(`{"updateMask":["metadata"],"destination":{}}`)
		w.Refused(err, windlass.Invalid, "destination.metadata.url: is missing")
		_, err = update(`{"updateMask":["name"],"destination":{"name":"other"}}`)
		w.Refused(err, windlass.Conflict, `it is used: integration "reader"`)
		in, err := w.Installed("acme", flowtest.Minimal)
		w.OK(err)
		w.Refused(w.Setup.DeleteDestination(w.Context(), w.Project.ID, "hook"), windlass.Conflict, `integration "reader", the installation for group "acme" (`+in.ID+`)`)
		w.OK(w.Deploys.DeleteIntegration(w.Context(), w.Project.ID, "reader"))
		_, err = update(`{"updateMask":["name"],"destination":{"name":"other"}}`)
		w.OK(err)
		w.OK(w.Setup.DeleteDestination(w.Context(), w.Project.ID, d.ID))
		all, err := w.Setup.Destinations(w.Context(), w.Project.ID, windlass.Page{})
		w.OK(err)
		if len(all) != 0 {
			t.Errorf("got %+v", all)
		}
	})
}
