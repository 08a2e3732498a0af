package jobs

import (
	"context"
)

// Stats counts the jobs in each state, for metrics: available, running,
// scheduled, retryable, completed, discarded (out of attempts) and cancelled
// (dropped).
func (e *Engine) Stats(ctx context.Context) (map[string]int64, error) {
	const op = "count the jobs"
	stats := map[string]int64{
		"available": 0, "running": 0, "scheduled": 0, "retryable": 0, "completed": 0, "discarded": 0, "cancelled": 0,
	}
	rows, err := e.db.DB().QueryContext(ctx, `SELECT CAST(state AS TEXT), COUNT(*) FROM river_job GROUP BY state`)
	if err != nil {
		return nil, e.db.Explain(op, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err below says what went wrong
	for rows.Next() {
		var state string
		var n int64
		if err := rows.Scan(&state, &n); err != nil {
			return nil, e.db.Explain(op, err)
		}
		stats[state] = n
	}
	return stats, e.db.Explain(op, rows.Err())
}
