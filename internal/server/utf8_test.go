package server_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"windlass/bitbucket/sandbox"
	"windlass/internal/server"
)

// spoiling puts bytes that are not UTF-8 into the lists of repositories.
type spoiling struct{ base http.RoundTripper }

func (s spoiling) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := s.base.RoundTrip(req)
	if err != nil || !strings.HasPrefix(req.URL.Path, "/2.0/repositories/") {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	body = bytes.ReplaceAll(body, []byte(`"scm":"git"`), []byte("\"scm\":\"g\xfft\""))
	body = bytes.ReplaceAll(body, []byte(`"scm": "git"`), []byte("\"scm\": \"g\xfft\""))
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Del("Content-Length")
	return resp, nil
}

// A receiver can verify and parse every message, whatever bytes Bitbucket sent.
func TestBytesThatAreNotUTF8ReachNoReceiver(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, config server.Config) {
		bitbucket := sandbox.New(&sandbox.Options{Repositories: 20, Limit: -1})
		to := newReceiver(t)
		config = delivering(config, bitbucket)
		config.Base = spoiling{config.Base}
		r := connectedTo(t, config, bitbucket, to)
		var made struct{ ID string }
		const installations = inProject + "/integrations/bitbucket/installations"
		r.must(http.MethodPost, installations+"?skipSampling=true", installation, &made)
		to.await(t, 20, time.Minute)
		to.check(t)
		r.logOf(installations+"/"+made.ID, "not valid UTF-8")
		to.mu.Lock()
		defer to.mu.Unlock()
		replaced := 0
		for _, body := range to.bodies {
			replaced += bytes.Count(body, []byte("g\uFFFDt"))
			if !utf8.Valid(body) {
				t.Errorf("%q", body)
			}
		}
		if replaced == 0 {
			t.Error("no message has what was replaced")
		}
	})
}
