package server

import (
	"context"

	"windlass"
	"windlass/internal/budget"
	"windlass/internal/write"
)

// newWrites makes the flow of writes.
func (s *Server) newWrites() (err error) {
	s.writes, err = write.New(write.Config{
		Store: s.store, Jobs: &operationJobs{s, windlass.ActionWrite}, Providers: s.config.Providers, Open: s.openWriter, Notifier: s.notify,
		Options: s.operationOptions(), Alive: s.presence.context,
	})
	return err
}

// openWriter opens a connection's workspace. It tries nothing again: the flow knows what
// may be. No caller waits for an asynchronous write: it leaves alone the share of
// those that have one.
func (s *Server) openWriter(ctx context.Context, c windlass.Connection, mode string) (write.Target, error) {
	class := budget.Interactive
	if mode == windlass.WriteAsync {
		class = budget.Scheduled
	}
	target, err := s.openTo(ctx, c, class, false)
	if err != nil {
		return nil, err
	}
	return target, nil
}
