package config

import (
	"hash/fnv"
	"time"

	"windlass/manifest"
)

// NextDue is when the schedule of this id is due after a time; the zero time for
// never. Schedules are spread: each is due later than its expression says, always by
// the same time, so that those with the same expression are not all due at once.
//
// One that is due every hour or more often says how often, and is due at any time in
// between; one that is due less often names a time of day, and is due soon after it.
func NextDue(cron manifest.Schedule, id string, after time.Time) time.Time {
	late := spread(id, cron.MinGap())
	next := cron.Next(after.Add(-late))
	if next.IsZero() {
		return next
	}
	return next.Add(late)
}

// spread is how much later than its expression says a schedule is due.
func spread(id string, gap time.Duration) time.Duration {
	if gap > time.Hour {
		gap = manifest.ShortestGap
	}
	seconds := uint64(gap / time.Second)
	if seconds == 0 {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))                            // a hash takes everything
	return time.Duration(h.Sum64()%seconds) * time.Second //nolint:gosec // it is less than an hour
}
