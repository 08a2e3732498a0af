package read

import (
	"context"
	"log/slog"
	"time"

	"windlass"
	"windlass/internal/logkey"
	"windlass/internal/operation"
)

// named names an operation in the log of the process.
func (s *step) named() []any {
	return []any{
		slog.String(logkey.Operation, s.Op.ID), slog.String(logkey.Project, s.Op.ProjectID), slog.String(logkey.Installation, s.Op.InstallationID),
		slog.String(logkey.Object, s.Op.Object), slog.String(logkey.Trigger, s.Op.Trigger),
	}
}

// tellBegun logs that an operation has begun: with its first turn.
func (s *step) tellBegun(ctx context.Context) {
	if s.Op.Started.Before(s.Began) {
		return
	}
	s.store.Afterwards(ctx, func() { s.opts.Logger.InfoContext(ctx, "a read began", s.named()...) })
}

// tellEnded logs how an operation has ended.
func (s *step) tellEnded(ctx context.Context, cause error) {
	status := windlass.OperationSuccess
	if cause != nil {
		status = windlass.OperationFailure
	}
	attrs := append(s.named(),
		slog.String(logkey.Status, status), slog.Int64(logkey.Records, s.Op.Records), slog.Int64(logkey.Pages, s.Op.Pages),
		slog.Int64(logkey.Requests, s.Op.Requests), slog.Duration(logkey.Duration, s.now().Sub(s.Op.Started).Round(time.Millisecond)))
	if cause != nil {
		attrs = append(attrs, slog.String(logkey.Error, operation.Plain(cause)))
	}
	s.opts.Logger.InfoContext(ctx, "a read ended", attrs...)
}

// tellPage logs a page, for those who look for what takes so long.
func (s *step) tellPage(ctx context.Context, move windlass.Progress, requests int64) {
	s.opts.Logger.DebugContext(ctx, "a page was read", append(s.named(),
		slog.Int64(logkey.Page, s.Op.Pages), slog.Int64(logkey.Records, move.Records), slog.Int64(logkey.Messages, move.Batches),
		slog.Int64(logkey.Requests, requests))...)
}

// ofObject names an object that is read, in the log of the process.
func ofObject(in windlass.Installation, name string) []any {
	return []any{slog.String(logkey.Project, in.ProjectID), slog.String(logkey.Installation, in.ID), slog.String(logkey.Object, name)}
}
