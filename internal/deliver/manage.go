package deliver

import (
	"context"
	"log/slog"

	"windlass"
)

// Batches lists a project's batches without their bodies, the newest first. The
// filter's destination may be an id or a name.
func (s *Service) Batches(ctx context.Context, project string, filter windlass.BatchFilter) ([]windlass.Batch, error) {
	p, err := s.store.Project(ctx, project)
	if err != nil {
		return nil, err
	}
	filter.ProjectID = p.ID
	if filter.DestinationID != "" {
		d, err := s.store.Destination(ctx, p.ID, filter.DestinationID)
		if err != nil {
			return nil, err
		}
		filter.DestinationID = d.ID
	}
	return s.store.Batches(ctx, filter)
}

// Batch returns a batch with its body, and what was tried with it.
func (s *Service) Batch(ctx context.Context, project, id string) (windlass.Batch, []windlass.Attempt, error) {
	p, err := s.store.Project(ctx, project)
	if err != nil {
		return windlass.Batch{}, nil, err
	}
	b, err := s.store.Batch(ctx, p.ID, id)
	if err != nil {
		return windlass.Batch{}, nil, err
	}
	attempts, err := s.store.Attempts(ctx, b.ID)
	return b, attempts, err
}

// Health says how the deliveries to a destination stand.
func (s *Service) Health(ctx context.Context, project, destination string) (windlass.Health, error) {
	d, err := s.find(ctx, project, destination)
	if err != nil {
		return windlass.Health{}, err
	}
	return s.store.Health(ctx, d.ID)
}

// Enable enables a destination: what has waited for it goes out, and its
// failures are forgotten.
func (s *Service) Enable(ctx context.Context, project, destination string) (windlass.Destination, error) {
	return s.set(ctx, project, destination, false, "")
}

// ByHand is why a destination is disabled that the server did not disable by itself.
const ByHand = "disabled by hand"

// Disable keeps everything that is for a destination until it is enabled. What
// is being sent arrives, for some seconds. by is who asks, for those who look later.
func (s *Service) Disable(ctx context.Context, project, destination, by string) (windlass.Destination, error) {
	return s.set(ctx, project, destination, true, by)
}

func (s *Service) set(ctx context.Context, project, destination string, disabled bool, by string) (windlass.Destination, error) {
	d, err := s.find(ctx, project, destination)
	if err != nil {
		return d, err
	}
	changed, err := s.store.SetDestinationDisabled(ctx, d.ID, disabled, windlass.Disabling{Why: ByHand, By: by}, s.now())
	if err != nil {
		return d, err
	}
	switch about := []slog.Attr{slog.String(logProject, d.ProjectID), slog.String(logDestination, d.ID)}; {
	case changed && disabled:
		s.log.LogAttrs(ctx, slog.LevelInfo, "a destination was disabled: what is for it is kept", about...)
	case changed:
		s.log.LogAttrs(ctx, slog.LevelInfo, "a destination was enabled", about...)
	}
	s.Wake(d.ID)
	return s.find(ctx, project, d.ID)
}

func (s *Service) find(ctx context.Context, project, destination string) (windlass.Destination, error) {
	p, err := s.store.Project(ctx, project)
	if err != nil {
		return windlass.Destination{}, err
	}
	d, err := s.store.Destination(ctx, p.ID, destination)
	d.Secrets = nil
	return d, err
}
