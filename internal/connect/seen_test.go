package connect_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"windlass"
	"windlass/bitbucket"
	"windlass/connector"
	"windlass/internal/connect"
)

// spying is the provider, whose consents the spy watches.
type spying struct {
	bitbucket.Provider
	spy *spy
}

func (s *spying) OAuth(http.RoundTripper) connector.OAuth { return s.spy }

// spy is the provider's side of a consent, and sees every secret that passes.
type spy struct {
	*bitbucket.OAuth
	seen *seen

	mu        sync.Mutex
	refreshed func() // called between the provider's answer and its return
	refusal   string // what refreshes are refused with instead of being made
	refused   windlass.Secret
}

// refuse makes every refresh fail in these words; empty ends it.
func (s *spy) refuse(words string) { s.refuseToken(windlass.Secret{}, words) }

// refuseToken makes the refreshes with one token fail so.
func (s *spy) refuseToken(token windlass.Secret, words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused, s.refusal = token, words
}

func (s *spy) Exchange(ctx context.Context, app windlass.ProviderApp, code string, consent connector.Consent) (connector.Grant, error) {
	s.seen.secret(consent.Verifier.Reveal())
	grant, err := s.OAuth.Exchange(ctx, app, code, consent)
	s.seen.failed(err)
	s.seen.secret(code, grant.AccessToken.Reveal(), grant.RefreshToken.Reveal())
	return grant, err
}

func (s *spy) Refresh(ctx context.Context, app windlass.ProviderApp, token windlass.Secret) (connector.Grant, error) {
	oauth := *s.OAuth
	s.mu.Lock()
	if words := s.refusal; words != "" && (s.refused.IsZero() || s.refused == token) {
		oauth.Base = roundTripper(func(*http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: http.StatusBadRequest, Header: http.Header{"Content-Type": {"application/json"}},
				Body: io.NopCloser(strings.NewReader(`{"error":"invalid_request","error_description":"` + words + `"}`)),
			}, nil
		})
	}
	s.mu.Unlock()
	grant, err := oauth.Refresh(ctx, app, token)
	s.seen.failed(err)
	s.seen.secret(token.Reveal(), grant.AccessToken.Reveal(), grant.RefreshToken.Reveal())
	s.mu.Lock()
	refreshed := s.refreshed
	s.mu.Unlock()
	if refreshed != nil {
		refreshed()
	}
	return grant, err
}

// on sets what happens between the provider's answer to a refresh and its
// return; nil is nothing.
func (s *spy) on(refreshed func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refreshed = refreshed
}

// notices are the events that the product was told of.
type notices struct {
	mu     sync.Mutex
	events []connect.Event
	failed error
}

// fail has every notice fail from now on, unless err is nil.
func (n *notices) fail(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.failed = err
}

func (n *notices) Notify(_ context.Context, event connect.Event) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.failed == nil {
		n.events = append(n.events, event)
	}
	return n.failed
}

// types are those of the events so far; those of refreshes are left out.
func (n *notices) types() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	types := []string{}
	for _, event := range n.events {
		if event.Type != connect.EventRefreshed {
			types = append(types, event.Type)
		}
	}
	return types
}

func (w *world) told(want ...string) {
	w.Helper()
	if got := w.notices.types(); !slices.Equal(got, want) {
		w.Errorf("the product was told of %v, want %v", got, want)
	}
}

type logs struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// seen are the secrets that passed, and everything that was said.
type seen struct {
	mu      sync.Mutex
	secrets []string
	words   []string
}

func (s *seen) secret(secrets ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range secrets {
		if secret != "" {
			s.secrets = append(s.secrets, secret)
		}
	}
}

func (s *seen) said(words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.words = append(s.words, words)
}

// failed keeps an error in every form that something could print it in.
func (s *seen) failed(err error) {
	for ; err != nil; err = errors.Unwrap(err) {
		s.said(fmt.Sprintf("%v %+v %#v", err, err, err))
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			for _, one := range many.Unwrap() {
				s.failed(one)
			}
		}
	}
}

// search looks for every secret in all that was said (invariant 5).
func (s *seen) search(tb testing.TB, logs string) {
	tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, words := range append(s.words, logs) {
		for _, secret := range s.secrets {
			if strings.Contains(words, secret) || strings.Contains(words, url.QueryEscape(secret)) {
				tb.Errorf("a secret was said: %.200s", words)
			}
		}
	}
}

// connectorKind is the kind of an error that came out of a client.
func connectorKind(err error) windlass.Kind {
	known, ok := windlass.FromProvider(err)
	if !ok {
		return ""
	}
	return known.Kind
}
