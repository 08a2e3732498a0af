package read

import (
	"context"
	"log/slog"
	"time"

	"windlass"
	"windlass/internal/logkey"
)

// named names an operation in the log of the process.
func (s *step) named() []any {
	return []any{
		slog.String(logOperation, s.p.ID), slog.String(logkey.Project, s.p.ProjectID), slog.String(logInstallation, s.p.InstallationID),
		slog.String(logObject, s.p.Object), slog.String(logkey.Trigger, s.p.Trigger),
	}
}

// tellBegun logs that an operation has begun: with its first step.
func (s *step) tellBegun(ctx context.Context) {
	if s.p.Started.Equal(s.began) {
		s.opts.Logger.InfoContext(ctx, "a read began", s.named()...)
	}
}

// tellEnded logs how an operation has ended, if it has.
func (s *step) tellEnded(ctx context.Context) {
	if s.over == nil {
		return
	}
	p := s.over.p
	attrs := append(s.named(),
		slog.String(logkey.Status, windlass.OperationSuccess), slog.Int64(logRecords, p.Records), slog.Int64(logPages, p.Pages),
		slog.Int64(logRequests, p.Requests), slog.Duration(logTook, s.now().Sub(p.Started).Round(time.Millisecond)))
	if s.over.cause != nil {
		attrs[len(s.named())] = slog.String(logkey.Status, windlass.OperationFailure)
		attrs = append(attrs, slog.String(logReason, plain(s.over.cause)))
	}
	s.opts.Logger.InfoContext(ctx, "a read ended", attrs...)
}

// tellPage logs a page, for whoever looks for what takes so long.
func (s *step) tellPage(ctx context.Context, move windlass.Progress) {
	s.opts.Logger.DebugContext(ctx, "a page was read", append(s.named(),
		slog.Int64(logkey.Page, s.p.Pages), slog.Int64(logRecords, move.Records), slog.Int64(logMessages, move.Batches),
		slog.Int64(logRequests, move.Requests))...)
}

// ofObject names an object that is read, in the log of the process.
func ofObject(in windlass.Installation, name string) []any {
	return []any{slog.String(logkey.Project, in.ProjectID), slog.String(logInstallation, in.ID), slog.String(logObject, name)}
}
