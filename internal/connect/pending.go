package connect

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"windlass"
	"windlass/internal/origin"
)

// How many consents may be pending in a project and in one group. Any owner of a
// frontend key can begin them.
const (
	maxPending      = 2000
	maxPendingGroup = 50
)

// roomFor forgets what has expired, and fails when too many are pending.
func (s *Service) roomFor(ctx context.Context, connection windlass.Connection) error {
	if err := s.store.ForgetStates(ctx, s.now()); err != nil {
		return err
	}
	pending, err := s.store.PendingStates(ctx, connection.ProjectID, connection.Group.Ref, s.now())
	if err != nil || pending.Project < maxPending && pending.Group < maxPendingGroup {
		return err
	}
	whose := "the group " + quote(connection.Group.Ref)
	if pending.Project >= maxPending {
		whose = "the project"
	}
	return &windlass.Error{
		Kind: windlass.RateLimited, Message: whose + " has too many unfinished consents",
		Remedy: "finish one, or wait: they expire after " + StateLife.String(), RetryAfter: max(pending.Next.Sub(s.now()), time.Second),
	}
}

// mayOpen refuses a page whose origin is invalid, or not one of the project's.
func (s *Service) mayOpen(ctx context.Context, op, projectID, from string) (windlass.Project, error) {
	project, err := s.store.Project(ctx, projectID)
	if err != nil {
		return project, explain(op, err)
	}
	refuse := func(kind windlass.Kind, message, remedy string) (windlass.Project, error) {
		return project, &windlass.Error{
			Kind: kind, Op: op, Message: quote(from) + " " + message, Remedy: remedy,
			Issues: []windlass.Issue{{In: "header", Name: "Origin", Message: message}},
		}
	}
	switch {
	case from == "":
		return project, nil // no page: no warning
	case !origin.Is(from):
		return refuse(windlass.Invalid, "is not an origin", "an origin is a scheme and a host, as in https://app.example.com")
	case len(project.Origins) > 0 && !slices.Contains(project.Origins, from):
		return refuse(windlass.Forbidden, "is not an origin from which this project's consents may begin",
			"add it to the project's allowedOrigins, if the page is the product's")
	case len(project.Origins) == 0:
		if _, warned := s.warned.LoadOrStore(projectID, true); !warned {
			s.log.WarnContext(ctx, "a project's consents may begin from any page: set its allowedOrigins", logProject, projectID)
		}
	}
	return project, nil
}

// sweeper deletes states when they expire, without waiting for a request.
type sweeper struct {
	mu    sync.Mutex
	timer *time.Timer
	last  time.Time // when the last one that was begun here expires
	ended bool
}

// sweepAt schedules the deletion of states that expire at a time.
func (s *Service) sweepAt(expires time.Time) {
	s.sweeps.mu.Lock()
	defer s.sweeps.mu.Unlock()
	if expires.After(s.sweeps.last) {
		s.sweeps.last = expires
	}
	if s.sweeps.timer == nil && !s.sweeps.ended {
		s.sweeps.timer = time.AfterFunc(expires.Sub(s.now())+time.Second, s.sweep)
	}
}

func (s *Service) sweep() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.store.ForgetStates(ctx, s.now()); err != nil {
		s.log.WarnContext(ctx, "consents that have expired could not be deleted", slog.String(logReason, err.Error()))
	}
	s.sweeps.mu.Lock()
	last := s.sweeps.last
	s.sweeps.timer = nil
	s.sweeps.mu.Unlock()
	if last.After(s.now()) {
		s.sweepAt(last)
	}
}

func (s *Service) endSweeps() {
	s.sweeps.mu.Lock()
	defer s.sweeps.mu.Unlock()
	s.sweeps.ended = true
	if s.sweeps.timer != nil {
		s.sweeps.timer.Stop()
		s.sweeps.timer = nil
	}
}
