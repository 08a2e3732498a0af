package command

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"windlass"
)

func TestCredentialComesFromTheEnvironment(t *testing.T) {
	t.Parallel()
	const (
		token   = "BITBUCKET_TOKEN=s3cret"
		email   = "BITBUCKET_EMAIL=a@b.example"
		api     = "BITBUCKET_API_TOKEN=s3cret"
		app     = "BITBUCKET_CONNECT_APP_KEY=app"
		client  = "BITBUCKET_CONNECT_CLIENT_KEY=client"
		share   = "BITBUCKET_CONNECT_SHARED_SECRET=s3cret"
		bearer  = "bearer token"
		basic   = "API token"
		connect = "Connect JWT"
	)
	for _, test := range []struct {
		name, object string
		env          []string
		want         string // the credential's name, or else
		says         string // what the error names
	}{
		{"a token", "repositories", []string{token}, bearer, ""},
		{"a line break at its end is no part of it", "repositories", []string{token + "\n"}, bearer, ""},
		{"an API token", "repositories", []string{email, api}, basic, ""},
		{"a Connect app", "repositories", []string{app, client, share}, connect, ""},
		{"a token before an API token", "repositories", []string{token, email, api}, bearer, ""},
		{"a Connect app for what only it may read", "addon/linkers", []string{token, app, client, share}, connect, ""},
		{"another one, which Bitbucket will refuse", "addon/linkers", []string{token}, bearer, ""},
		{"an email address lying about", "repositories", []string{token, email}, bearer, ""},
		{"nothing for what is public", "hook_events", nil, "", ""},
		{"nothing", "repositories", nil, "", "set BITBUCKET_TOKEN (an access token), or BITBUCKET_EMAIL + BITBUCKET_API_TOKEN"},
		{"an empty one", "repositories", []string{"BITBUCKET_TOKEN="}, "", "no credential"},
		{"half an API token", "repositories", []string{email}, "", "BITBUCKET_API_TOKEN must be set, too"},
		{"the other half", "repositories", []string{api}, "", "BITBUCKET_EMAIL must be set, too"},
		{"a third of a Connect app", "repositories", []string{app}, "", "BITBUCKET_CONNECT_CLIENT_KEY and BITBUCKET_CONNECT_SHARED_SECRET must be set"},
		{"a token where a Connect app was begun", "addon/linkers", []string{token, app, client}, "", "BITBUCKET_CONNECT_SHARED_SECRET must be set"},
		{"half of one for what is public", "hook_events", []string{email}, "", "BITBUCKET_API_TOKEN"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			credential, err := CredentialFor(test.object, func(name string) string {
				for _, pair := range test.env {
					if value, ok := strings.CutPrefix(pair, name+"="); ok {
						return value
					}
				}
				return ""
			})
			if test.says != "" {
				if !errors.Is(err, windlass.Unauthorized) || !strings.Contains(err.Error(), test.says) {
					t.Errorf("got error %v, want one of kind unauthorized that says %q", err, test.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if test.want == "" {
				if credential != nil {
					t.Errorf("got %s, want none", credential)
				}
				return
			}
			if got := credential.String(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
				if shown := fmt.Sprintf(verb, credential); strings.Contains(shown, "s3cret") {
					t.Errorf("%s shows the secret: %s", verb, shown)
				}
			}
		})
	}
}

func TestPlainHTTPIsForThisMachineOnly(t *testing.T) {
	t.Parallel()
	for url, fine := range map[string]bool{
		"https://api.bitbucket.org/2.0":    true,
		"http://localhost:7990/2.0":        true,
		"http://127.0.0.1:7990/2.0":        true,
		"http://[::1]:7990/2.0":            true,
		"http://api.bitbucket.org/2.0":     false,
		"HTTP://api.bitbucket.org/2.0":     false,
		"http://192.168.0.1/2.0":           false,
		"http://localhost.evil.example/":   false,
		"http://127.0.0.1.evil.example/":   false,
		"http://user@evil.example:80/2.0":  false,
		"http://localhost@evil.example/":   false,
		"http://127.0.0.1:80@evil.example": false,
	} {
		if err := CheckAPIURL(url); (err == nil) != fine {
			t.Errorf("%s: got error %v", url, err)
		}
	}
}
