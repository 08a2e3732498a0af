package jobs

import (
	"context"
	"log/slog"

	"windlass/internal/logkey"
)

// atLeast lets only records of a level through: what River finds worth telling
// at a lower one, such as every failed attempt, Options.Observe hears of.
type atLeast struct {
	level slog.Level
	slog.Handler
}

func (a atLeast) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= a.level && a.Handler.Enabled(ctx, level)
}

func (a atLeast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeast{a.level, a.Handler.WithAttrs(attrs)}
}

func (a atLeast) WithGroup(name string) slog.Handler {
	return atLeast{a.level, a.Handler.WithGroup(name)}
}

// The keys of what is logged.
const (
	logError = logkey.Error
	logJobs  = logkey.Jobs
)
