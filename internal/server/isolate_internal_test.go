package server

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestPanicIsAnsweredAndSaid(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	handler := isolate(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a defect") }), slog.New(slog.NewTextHandler(&said, nil)))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusInternalServerError || !strings.Contains(said.String(), "a defect") {
		t.Errorf("answered %d, said %s", w.Code, said.String())
	}
}

func TestClientsMayNotTakeTheirTime(t *testing.T) {
	t.Parallel()
	s := newHTTPServer(http.NotFoundHandler(), time.Second, func(*http.Request) bool { return false }, slog.New(slog.DiscardHandler))
	if s.ReadHeaderTimeout == 0 || s.ReadHeaderTimeout > 15*time.Second || s.ReadTimeout == 0 || s.WriteTimeout == 0 || s.IdleTimeout == 0 || s.MaxHeaderBytes == 0 {
		t.Errorf("a server without bounds: %+v", s)
	}
}

type down struct{}

func (down) Ping(context.Context) error { return errors.New("no") }

func TestNotReady(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		spoil func(s *Server)
		says  string
	}{
		{"a database that is down", func(s *Server) { s.database = down{} }, `"database":"down"`},
		{"jobs that do not run", func(s *Server) { s.working.Store(false) }, `"jobs":"not running"`},
		{"a server that stops", func(s *Server) { s.stopping.Store(true) }, `"server":"stopping"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := &Server{config: Config{Roles: Roles}, database: up{}}
			s.working.Store(true)
			test.spoil(s)
			w := httptest.NewRecorder()
			s.handleReady(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
			if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), test.says) {
				t.Errorf("answered %d %s", w.Code, w.Body)
			}
		})
	}
}

type up struct{}

func (up) Ping(context.Context) error { return nil }
