package webhook_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/internal/sink/webhook"
	signing "windlass/webhook"
)

// What a destination says now is what counts, whatever was sent to it before.
func TestSendFollowsChangesOfADestination(t *testing.T) {
	t.Parallel()
	var sent *http.Request
	var body []byte
	s, err := webhook.New(webhook.Config{
		DownloadURL: func(string, windlass.Secret) string { return "" }, Records: none{},
		Transport: transport(func(req *http.Request) (*http.Response, error) {
			sent = req
			body, _ = io.ReadAll(req.Body) // of a bytes.Reader
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("")), Header: http.Header{}}, nil
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	first, second := signing.NewSecret(), signing.NewSecret()
	for _, row := range []struct {
		name, settings, host, header string
		secrets                      []windlass.Secret
		fault                        string
	}{
		{"at first", `{"url":"https://one.example/a"}`, "one.example", "", []windlass.Secret{first}, ""},
		{"the same once more", `{"url":"https://one.example/a"}`, "one.example", "", []windlass.Secret{first}, ""},
		{"another URL and header", `{"url":"https://two.example/a","headers":{"X-Team":"red"}}`, "two.example", "red", []windlass.Secret{first}, ""},
		{"another secret", `{"url":"https://two.example/a"}`, "two.example", "", []windlass.Secret{second}, ""},
		{"no secret", `{"url":"https://two.example/a"}`, "", "", nil, "rotate it"},
		{"http, which is not allowed", `{"url":"http://two.example/a"}`, "", "", []windlass.Secret{second}, "give it an https URL"},
	} {
		sent = nil
		d := windlass.Destination{ID: "d", Type: webhook.Name, Settings: []byte(row.settings), Secrets: row.secrets}
		result := s.Send(t.Context(), d, windlass.Batch{ID: "msg_1", Body: []byte(`{}`)})
		if row.fault != "" {
			if sent != nil || !strings.Contains(result.Error, row.fault) {
				t.Errorf("%s: %+v", row.name, result)
			}
			continue
		}
		if sent == nil || result.Error != "" {
			t.Errorf("%s: %+v", row.name, result)
			continue
		}
		if sent.URL.Host != row.host || sent.Header.Get("X-Team") != row.header {
			t.Errorf("%s: went to %s with X-Team %q", row.name, sent.URL, sent.Header.Get("X-Team"))
		}
		key, err := signing.ParseKey(row.secrets[0].Reveal())
		if err == nil {
			_, err = signing.Verify([]signing.Key{key}, sent.Header, body, time.Now())
		}
		if err != nil {
			t.Errorf("%s: it is not signed with the destination's secret: %v", row.name, err)
		}
	}
}

type none struct{ webhook.Records }

type transport func(req *http.Request) (*http.Response, error)

func (f transport) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
