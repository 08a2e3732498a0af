package deliver

import (
	"cmp"
	"context"
	"log/slog"

	"windlass"
	"windlass/internal/logkey"
)

// The keys of what is logged.
const (
	logDestination  = logkey.Destination
	logProject      = logkey.Project
	logReason       = logkey.Error
	logBatch        = logkey.Batch
	logInstallation = logkey.Installation
	logOperation    = logkey.Operation
	logAttempt      = logkey.Attempt
	logStatus       = logkey.Status
	logDuration     = logkey.Duration
	logNext         = logkey.Next
	logUntil        = logkey.Until
	logSince        = logkey.Since
	logFailures     = logkey.Failures
)

// tell logs attempts that have been recorded: each for those who debug, and for an
// operator what was not accepted, what was given up and what came through after all.
func (d *drain) tell(ctx context.Context, group []entry, health windlass.Health) {
	for i := range group {
		if group[i].outcome != nil {
			d.tellAttempt(ctx, &group[i])
		}
	}
	down := health.Failures >= circuitAfter
	switch {
	case down && !d.down:
		d.log.InfoContext(ctx, "a destination accepts nothing: one message at a time is sent until it does",
			slog.String(logProject, d.target.Load().ProjectID), slog.String(logDestination, d.id),
			slog.Int(logFailures, health.Failures), slog.Time(logSince, health.FailingSince), slog.Time(logUntil, health.HoldUntil))
	case !down && d.down:
		d.log.InfoContext(ctx, "a destination accepts messages again",
			slog.String(logProject, d.target.Load().ProjectID), slog.String(logDestination, d.id))
	}
	d.down = down
}

func (d *drain) tellAttempt(ctx context.Context, e *entry) {
	o := e.outcome
	level, says := slog.LevelDebug, "a message was delivered"
	switch {
	case o.Status == windlass.BatchFailed:
		level, says = slog.LevelInfo, "a message was given up: replay it when the receiver accepts it"
	case o.Status == windlass.BatchPending:
		level, says = slog.LevelInfo, "a message was not accepted, and is tried again"
	case e.batch.Tries > 0:
		level, says = slog.LevelInfo, "a message that was not accepted before was delivered"
	}
	if !d.log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String(logBatch, o.Attempt.BatchID), slog.String(logProject, e.batch.ProjectID), slog.String(logDestination, d.id),
		slog.Int(logAttempt, o.Attempt.Number), slog.Int(logStatus, o.Attempt.Status), slog.Duration(logDuration, o.Attempt.Latency),
	}
	if e.batch.InstallationID != "" {
		attrs = append(attrs, slog.String(logInstallation, e.batch.InstallationID))
	}
	if e.batch.OperationID != "" {
		attrs = append(attrs, slog.String(logOperation, e.batch.OperationID))
	}
	if reason := cmp.Or(e.detail, o.Attempt.Error); reason != "" {
		attrs = append(attrs, slog.String(logReason, reason))
	}
	if !o.Next.IsZero() {
		attrs = append(attrs, slog.Time(logNext, o.Next))
	}
	d.log.LogAttrs(ctx, level, says, attrs...) //nolint:sloglint // one of the four above
}
