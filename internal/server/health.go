package server

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// pinger is how the database is asked for a sign of life.
type pinger interface {
	Ping(ctx context.Context) error
}

// handleHealth answers that the process is there. It asks no other system: a database that
// is down is no reason to start the process anew.
func (s *Server) handleHealth(w http.ResponseWriter, _ *http.Request) {
	writeHealth(w, http.StatusOK, map[string]string{"status": "up"})
}

// handleReady answers whether requests should be sent here: the database answers
// (it was brought up to date before the server began to listen), jobs run, and the
// server is not about to stop.
func (s *Server) handleReady(w http.ResponseWriter, r *http.Request) {
	const patience = 2 * time.Second
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	checks := map[string]string{"status": "ready", "database": "up"}
	status := http.StatusOK
	refuse := func(check, why string) {
		checks[check], checks["status"], status = why, "not ready", http.StatusServiceUnavailable
	}
	if err := s.database.Ping(ctx); err != nil {
		refuse("database", "down")
	}
	if s.config.has(RoleWorker) {
		checks["jobs"] = "running"
		if !s.working.Load() {
			refuse("jobs", "not running")
		}
	}
	if s.stopping.Load() {
		refuse("server", "stopping")
	}
	writeHealth(w, status, checks)
}

func writeHealth(w http.ResponseWriter, status int, checks map[string]string) {
	body, err := json.Marshal(checks)
	if err != nil {
		body = []byte("{}") // words: it cannot be
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a caller that went away needs no answer
}
