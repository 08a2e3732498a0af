package server_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"windlass"
	"windlass/bitbucket/sandbox"
	"windlass/internal/server"
)

// After a whole run, no secret that was used is in the database's files, the log,
// the body of an error or the metrics (invariant 5).
func TestSecretsStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, config server.Config) {
		bitbucket := sandbox.New(&sandbox.Options{Repositories: 3})
		log := logged(&config)
		config.Base = bitbucket.Transport()
		config.OperatorKey = windlass.NewSecret("operator-key-of-this-very-long-test")
		r := start(t, config)
		secrets := map[string]string{"the first API key": r.key, "the operator's key": config.OperatorKey.Reveal()}
		said := &strings.Builder{} // what was answered to requests that failed
		fails := func(method, path string, in any) {
			t.Helper()
			status, body := r.call(method, path, in, nil)
			if status/100 == 2 || status == 0 {
				t.Errorf("%s %s was answered %d", method, path, status)
			}
			said.WriteString(body)
		}

		_, secrets["the client secret"] = r.product(bitbucket)
		id, callback := r.consent(bitbucket)
		query, err := url.Parse(callback)
		if err != nil {
			t.Fatal(err)
		}
		secrets["the code"], secrets["the state"] = query.Query().Get("code"), query.Query().Get("state")
		r.installed()
		_, page := r.get(strings.TrimPrefix(callback, r.URL())) // once more: refused
		said.WriteString(page)
		collect(r, id, "first ", secrets)
		r.must(http.MethodGet, inProject+"/connections/"+id+"?refresh=force", nil, nil)
		collect(r, id, "refreshed ", secrets)

		known := bitbucket.Credentials()
		secrets["the API token"], secrets["the access token"] = known.APIToken, known.AccessToken
		for name, credentials := range map[string]map[string]any{
			"group-2": {"basicAuth": map[string]string{"username": known.Email, "password": known.APIToken}},
			"group-3": {"apiKey": known.AccessToken},
			"group-4": {"customAuth": map[string]string{"appKey": known.ConnectAppKey, "clientKey": known.ConnectClientKey, "sharedSecret": known.ConnectSharedSecret}},
		} {
			credentials["provider"], credentials["groupRef"], credentials["consumerRef"] = "bitbucket", name, "ann"
			credentials["providerWorkspaceRef"] = known.Workspace
			if _, body := r.call(http.MethodPost, inProject+"/connections:generate", credentials, nil); name == "group-4" {
				said.WriteString(body) // a Connect app may not look at the workspace
			}
		}
		secrets["the Connect app's secret"] = known.ConnectSharedSecret

		// Mistakes with secrets in them.
		secrets["a wrong API token"] = "wrong-token-of-this-test"
		fails(http.MethodPost, inProject+"/connections:generate", map[string]any{
			"provider": "bitbucket", "groupRef": "g", "consumerRef": "c", "providerWorkspaceRef": known.Workspace, "apiKey": secrets["a wrong API token"],
		})
		secrets["a secret in a wrong place"] = "misplaced-secret-of-this-test"
		fails(http.MethodPost, inProject+"/provider-apps", map[string]any{"provider": "unknown", "clientId": "x", "clientSecret": secrets["a secret in a wrong place"]})
		fails(http.MethodPost, inProject+"/provider-apps", map[string]any{"provider": "bitbucket", "clientSecret": secrets["a secret in a wrong place"], "clientID": 7})
		bitbucket.RevokeConsent(bitbucketKey(r))
		_, body := r.get(inProject + "/connections/" + id + "?refresh=force")
		said.WriteString(body)
		good := r.key
		r.key = "wlk_wrong_key-of-this-test"
		secrets["a wrong API key"] = r.key
		fails(http.MethodGet, inProject+"/connections", nil)
		r.key = good

		var destination struct {
			Secrets struct {
				WebhookSigningKey string `json:"webhookSigningKey"`
			} `json:"secrets"`
		}
		r.must(http.MethodGet, inProject+"/destinations/webhook?includeSecrets=true", nil, &destination)
		secrets["the webhook's secret"] = strings.TrimPrefix(destination.Secrets.WebhookSigningKey, "whsec_")
		_, metrics := r.get("/metrics")
		files := map[string]string{"the log": log.String(), "the metrics": metrics, "the answers that say no": said.String()}
		if err := r.end(); err != nil {
			t.Fatal(err)
		}
		if keyset, err := os.ReadFile(config.KeysetPath()); err == nil {
			// Its key material: the longest text in it.
			for word := range strings.SplitSeq(string(keyset), `"`) {
				if len(word) > len(secrets["the keyset"]) && !strings.Contains(word, ".") {
					secrets["the keyset"] = word
				}
			}
		}
		stored(t, config, files)
		search(t, secrets, files)
		if text := strings.Join(slices.Collect(maps.Values(files)), "\n"); strings.Count(text, id) < 2 {
			t.Error("not even the connection's id was found: this search finds nothing")
		}
	})
}

// collect takes note of a connection's tokens.
func collect(r *running, id, which string, secrets map[string]string) {
	r.tb.Helper()
	var got struct {
		OAuth struct {
			AccessToken  struct{ Token string } `json:"accessToken"`
			RefreshToken struct{ Token string } `json:"refreshToken"`
		} `json:"oauth2AuthorizationCode"`
	}
	r.must(http.MethodGet, inProject+"/connections/"+id+"?includeCreds=true&includeRefreshToken=true", nil, &got)
	secrets[which+"access token"], secrets[which+"refresh token"] = got.OAuth.AccessToken.Token, got.OAuth.RefreshToken.Token
}

// bitbucketKey is the client id of the provider app.
func bitbucketKey(r *running) string {
	r.tb.Helper()
	var apps []struct {
		ClientID string `json:"clientId"`
	}
	r.must(http.MethodGet, inProject+"/provider-apps", nil, &apps)
	return apps[0].ClientID
}

// stored adds what the database is made of: the files, or every value of every row.
func stored(t *testing.T, config server.Config, files map[string]string) {
	t.Helper()
	if config.Database.IsZero() {
		found, err := filepath.Glob(filepath.Join(config.DataDir, "windlass.db*"))
		if err != nil || len(found) == 0 {
			t.Fatalf("no database file: %v", err)
		}
		for _, path := range found {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files[filepath.Base(path)] = string(data)
		}
		return
	}
	for table, rows := range dump(t, config.Database.Reveal()) {
		files["table "+table] = rows
	}
}

// search looks for every secret, in the forms in which one might be written down.
func search(t *testing.T, secrets, files map[string]string) {
	t.Helper()
	if len(secrets) < 15 {
		t.Errorf("only %d secrets are looked for", len(secrets))
	}
	for name, secret := range secrets {
		if len(secret) < 8 {
			t.Errorf("%s is %q: nothing to look for", name, secret)
			continue
		}
		forms := []string{
			secret, base64.StdEncoding.EncodeToString([]byte(secret))[:len(secret)], hex.EncodeToString([]byte(secret)),
			url.QueryEscape(secret), strings.Trim(fmt.Sprintf("%q", secret), `"`),
		}
		for file, text := range files {
			for _, form := range forms {
				if at := strings.Index(text, form); at >= 0 {
					t.Errorf("%s is in %s: …%.200s", name, file, text[max(0, at-80):])
					break
				}
			}
		}
	}
	for file, text := range files {
		if len(text) == 0 && !strings.HasSuffix(file, ".lock") && !strings.HasPrefix(file, "table ") {
			t.Errorf("%s is empty: nothing was looked at", file)
		}
	}
}
