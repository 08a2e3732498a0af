package server_test

import (
	"testing"
	"time"

	"windlass/bitbucket/sandbox"
)

// Streams of HTTP/2 whose client gives no window hold nothing for long: answers of
// the server's own, of the API, its problems, and what the proxy has passed back.
func TestStreamsWithoutAWindowAreEnded(t *testing.T) {
	t.Parallel()
	config := configOf(t, "sqlite")
	config.AnswerStall = 300 * time.Millisecond
	p := startProxied(t, &sandbox.Options{Repositories: 3}, config)
	proxied := []string{"x-amp-proxy-version", "1", "x-amp-project-id", "default", "x-amp-installation-id", p.installation, "x-api-key", p.key}
	for name, request := range map[string]struct {
		path   string
		fields []string
	}{
		"health":                   {"/healthz", nil},
		"metrics":                  {"/metrics", nil},
		"a long document":          {"/openapi.json", nil},
		"a refusal":                {"/v1/projects", nil},
		"an answer of the API":     {"/v1/projects", []string{"x-api-key", p.key}},
		"a proxied answer":         {"/2.0/repositories/acme", proxied},
		"a refused proxied answer": {"/2.0/%252e%252e/x", proxied},
		"a proxied one not let in": {"/2.0/user", proxied[:6]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const streams = 25
			client := dialH2(t, p.URL()[len("http://"):])
			for range streams {
				client.get(request.path, request.fields...)
			}
			if err := client.resets(streams); err != nil {
				t.Error(err)
			}
		})
	}
}
