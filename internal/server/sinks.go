package server

import (
	"context"
	"net/url"
	"time"

	"windlass"
	"windlass/internal/guard"
	"windlass/internal/sink"
	"windlass/internal/sink/webhook"
)

// downloadPath is where records are that are too large for a message.
const downloadPath = "/v1/large-records/"

// newSinks makes the table of the types of destinations: the one place that names
// them.
func (s *Server) newSinks() error {
	allowed, err := guard.ParseAllowed(s.config.AllowPrivateDestinations)
	if err != nil {
		return err
	}
	s.webhooks, err = webhook.New(webhook.Config{
		Transport: guard.Transport(&guard.Options{Allow: allowed}), CheckAddress: guard.New(allowed...).Check,
		AllowHTTP: s.config.AllowHTTPDestinations, Records: s.store, LastAttempt: s.lastAttempt, Now: s.config.Now,
		DownloadURL: func(id string, token windlass.Secret) string {
			return s.config.PublicURL + downloadPath + url.PathEscape(id) + "?token=" + url.QueryEscape(token.Reveal())
		},
	})
	if err != nil {
		return err
	}
	s.sinks, err = sink.NewTable(append([]sink.Type{s.webhooks.Type()}, s.config.Sinks...)...)
	return err
}

// lastAttempt is when the delivery of a batch was tried last.
func (s *Server) lastAttempt(ctx context.Context, batchID string) (time.Time, error) {
	all, err := s.store.Attempts(ctx, batchID)
	if err != nil || len(all) == 0 {
		return time.Time{}, err
	}
	return all[len(all)-1].Time, nil
}
