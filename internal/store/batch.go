package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"windlass"
)

const batchColumns = `b.id, b.project_id, b.destination_id, b.installation_id, b.operation_id, b.object, b.kind,
	b.lane, b.seq, b.records, b.status, b.next_attempt, b.attempts, b.tries, b.waits, b.replays, b.created, b.updated`

// batchFields are the scan targets of the columns of a batch.
func batchFields(b *windlass.Batch) []any {
	return []any{
		&b.ID, &b.ProjectID, &b.DestinationID, &b.InstallationID, &b.OperationID, &b.Object, &b.Kind,
		&b.Lane, &b.Seq, &b.Records, &b.Status,
		when{&b.NextAttempt},
		&b.Attempts, &b.Tries,
		waiting{&b.HeldBack},
		&b.Replays,
		when{&b.Created},
		when{&b.Updated},
	}
}

// heldBack is the value of column waits for a batch that is held back.
const heldBack = 2

// waiting reads that column.
type waiting struct{ heldBack *bool }

func (w waiting) Scan(value any) error {
	n, ok := value.(int64)
	if !ok {
		return fmt.Errorf("how a batch waits is a %T", value)
	}
	*w.heldBack = n == heldBack
	return nil
}

var batchSays = says{
	Missing: "there is no such batch", Taken: "a batch of that id exists already",
	Dangling: "there is no such destination", kind: windlass.NotFound,
}

// rowsAtOnce is how many rows one statement inserts: enough that the statement
// costs little beside its rows.
const rowsAtOnce = 64

// AddBatches queues batches, in the order given: each gets the next
// Seq of its lane, which is written into the slice. They are due at NextAttempt,
// or when they were Created; in a lane none is due before those ahead of it. What
// they hold aside is kept with them.
// Call it in the transaction that makes their content true (invariant 1).
func (s *Store) AddBatches(ctx context.Context, batches []windlass.Batch) error {
	const op = "add batches"
	if len(batches) == 0 {
		return nil
	}
	return s.In(ctx, func(ctx context.Context) error {
		for _, lane := range lanesOf(batches) {
			if err := s.extendLane(ctx, batches, lane); err != nil {
				return s.fail(op, err, batchSays)
			}
		}
		for chunk := range slices.Chunk(batches, rowsAtOnce) {
			if err := s.insertBatches(ctx, chunk); err != nil {
				return s.fail(op, err, batchSays)
			}
		}
		for i := range batches {
			if aside := batches[i].Aside; aside != nil {
				if err := s.KeepLargeRecord(ctx, *aside); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// A laneKey names a lane.
type laneKey struct{ destinationID, name string }

// lanesOf lists the lanes of batches in the order in which all transactions lock them.
func lanesOf(batches []windlass.Batch) []laneKey {
	var lanes []laneKey
	for i := range batches {
		if key := (laneKey{batches[i].DestinationID, batches[i].Lane}); !slices.Contains(lanes, key) {
			lanes = append(lanes, key)
		}
	}
	slices.SortFunc(lanes, func(a, b laneKey) int {
		return cmp.Or(cmp.Compare(a.destinationID, b.destinationID), cmp.Compare(a.name, b.name))
	})
	return lanes
}

// extendLane gives the batches of one lane their places and their times.
func (s *Store) extendLane(ctx context.Context, batches []windlass.Batch, lane laneKey) error {
	var mine []*windlass.Batch
	for i := range batches {
		if b := &batches[i]; b.DestinationID == lane.destinationID && b.Lane == lane.name {
			b.Status = cmp.Or(b.Status, windlass.BatchPending)
			if b.NextAttempt.IsZero() {
				b.NextAttempt = b.Created
			}
			mine = append(mine, b)
		}
	}
	type place struct{ seq, newest int64 }
	// The clocks of two processes differ: a batch is never due before the ones ahead of
	// it in the lane, or it would overtake them.
	places, err := change(ctx, s, func(r row) (p place, err error) {
		err = r.Scan(&p.seq, &p.newest)
		return p, err
	}, `INSERT INTO lanes (destination_id, name, seq, newest, due) VALUES (?1, ?2, ?3, ?4, ?4)
		ON CONFLICT (destination_id, name) DO UPDATE SET seq = lanes.seq + excluded.seq,
			newest = CASE WHEN excluded.newest > lanes.newest THEN excluded.newest ELSE lanes.newest END,
			due = CASE WHEN lanes.due > 0 AND lanes.due < excluded.newest THEN lanes.due
				WHEN excluded.newest > lanes.newest THEN excluded.newest ELSE lanes.newest END
		RETURNING seq, newest`, lane.destinationID, lane.name, len(mine), micros(mine[0].NextAttempt))
	if err != nil {
		return err
	}
	last := fromMicros(places[0].newest)
	for i, b := range mine {
		b.Seq = places[0].seq - int64(len(mine)-1-i)
		if b.NextAttempt.Before(last) {
			b.NextAttempt = last
		}
		last = b.NextAttempt
	}
	if micros(last) == places[0].newest {
		return nil
	}
	_, err = s.exec(ctx, `UPDATE lanes SET newest = ?3 WHERE destination_id = ?1 AND name = ?2`,
		lane.destinationID, lane.name, micros(last))
	return err
}

func (s *Store) insertBatches(ctx context.Context, batches []windlass.Batch) error {
	rows := make([]any, 0, 17*len(batches))
	bodies := make([]any, 0, 3*len(batches))
	for i := range batches {
		b := &batches[i]
		body, err := pack(b.Body)
		if err != nil {
			return err
		}
		bodies = append(bodies, b.ID, body, packKeys(b.RecordKeys))
		rows = append(rows, b.ID, b.ProjectID, b.DestinationID, b.InstallationID, b.OperationID, b.Object, b.Kind,
			b.Lane, b.Seq, b.Records, len(b.Body), b.Status, micros(b.NextAttempt), b.Attempts, b.Tries,
			micros(b.Created), micros(b.Updated))
	}
	if _, err := s.exec(ctx, `INSERT INTO batches (id, project_id, destination_id, installation_id, operation_id, object,
		kind, lane, seq, records, size, status, next_attempt, attempts, tries, created, updated) VALUES `+
		s.tuples(len(batches), 17), rows...); err != nil {
		return err
	}
	_, err := s.exec(ctx, `INSERT INTO batch_bodies (batch_id, body, keys) VALUES `+s.tuples(len(batches), 3), bodies...)
	return err
}

// tuples writes (?1, ?2), (?3, ?4) for two rows of two columns.
func (s *Store) tuples(rows, columns int) string {
	var text strings.Builder
	for i := range rows {
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString("(" + s.parameters(i*columns, columns) + ")")
	}
	return text.String()
}

// parameters writes ?4, ?5 for two parameters behind three others. For SQLite
// they go without their numbers, which are names to it: it would look for each
// among all of them.
func (s *Store) parameters(behind, count int) string {
	var text strings.Builder
	for i := range count {
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString("?")
		if s.driver == Postgres {
			text.WriteString(strconv.Itoa(behind + i + 1))
		}
	}
	return text.String()
}

// Batch finds a batch of a project, with its body.
func (s *Store) Batch(ctx context.Context, projectID, id string) (windlass.Batch, error) {
	op := "find the batch " + id
	b, err := first(ctx, s, func(r row) (b sized, err error) {
		err = r.Scan(append(append(batchFields(&b.Batch), whoseFields(&b.Batch)...), &b.size)...)
		return b, err
	}, `SELECT `+batchColumns+whoseColumns+`, b.size FROM batches b`+whoseJoin+` WHERE b.id = ?1 AND b.project_id = ?2`, id, projectID)
	if err != nil {
		return b.Batch, s.fail(op, err, batchSays)
	}
	found, err := s.withBodies(ctx, []sized{b})
	if err != nil {
		return b.Batch, s.fail(op, err, batchSays)
	}
	return found[0], nil
}

// withBodies reads the bodies of batches, and the keys of their records.
func (s *Store) withBodies(ctx context.Context, found []sized) ([]windlass.Batch, error) {
	ids, place := make([]any, len(found)), make(map[string]int, len(found))
	all := make([]windlass.Batch, len(found))
	for i := range found {
		ids[i], place[found[i].ID], all[i] = found[i].ID, i, found[i].Batch
	}
	if len(found) == 0 {
		return nil, nil
	}
	_, err := list(ctx, s, func(r row) (none struct{}, err error) {
		var id string
		var stored, keys []byte
		if err := r.Scan(&id, &stored, &keys); err != nil {
			return none, err
		}
		i := place[id]
		if all[i].RecordKeys, err = unpackKeys(keys); err != nil {
			return none, err
		}
		all[i].Body, err = unpack(stored, found[i].size)
		return none, err
	}, `SELECT x.batch_id, x.body, x.keys FROM batch_bodies x WHERE x.batch_id IN (`+s.parameters(0, len(ids))+`)`, ids...)
	return all, err
}

// sized is a batch and the size of its body.
type sized struct {
	windlass.Batch
	size int64
}

func scanSized(r row) (b sized, err error) {
	err = r.Scan(append(batchFields(&b.Batch), &b.size)...)
	return b, err
}

// The names of a batch's owner and destination, for display: in one statement, however
// many batches there are.
const (
	whoseColumns = `, COALESCE(i.group_ref, ''), COALESCE(i.integration_id, ''), COALESCE(t.name, '')`
	whoseJoin    = ` LEFT JOIN installations i ON i.id = b.installation_id LEFT JOIN destinations t ON t.id = b.destination_id`
)

func whoseFields(b *windlass.Batch) []any {
	return []any{&b.GroupRef, &b.IntegrationID, &b.DestinationName}
}

// Batches lists batches without their bodies, the newest first.
func (s *Store) Batches(ctx context.Context, f windlass.BatchFilter) ([]windlass.Batch, error) {
	var where filter
	// Without statistics SQLite cannot tell which of the conditions chooses the fewest
	// rows: the query is written so that it uses the index for that one.
	few, project := "", ""
	switch {
	case f.Status == windlass.BatchPending || f.Status == windlass.BatchFailed:
		few = unindexed
		where.and("b.status = '" + f.Status + "'") // as in the partial indexes
	case f.DestinationID != "" || f.InstallationID != "" || f.OperationID != "":
		project = unindexed
		where.equal("b.status", f.Status)
	default:
		where.equal("b.status", f.Status)
	}
	where.equal("b.project_id"+project, f.ProjectID)
	where.equal("b.destination_id"+few, f.DestinationID)
	where.equal("b.installation_id"+few, f.InstallationID)
	where.equal("b.operation_id"+few, f.OperationID)
	if f.OperationID != "" {
		where.and("b.operation_id <> ''") // as in the partial index
	}
	where.between("b.created", f.Since, f.Until)
	if f.Before != "" {
		where.compare("b.id", "<", f.Before)
	}
	query := `SELECT ` + batchColumns + whoseColumns + ` FROM batches b` + whoseJoin + where.where + ` ORDER BY b.id DESC` + where.limit(cmp.Or(f.Limit, 100))
	all, err := list(ctx, s, func(r row) (b windlass.Batch, err error) {
		err = r.Scan(append(batchFields(&b), whoseFields(&b)...)...)
		return b, err
	}, query, where.args...)
	return all, s.fail("list the batches", err, batchSays)
}

// between adds the conditions of a time: since is included, until is not.
func (f *filter) between(column string, since, until time.Time) {
	if !since.IsZero() {
		f.compare(column, ">=", micros(since))
	}
	if !until.IsZero() {
		f.compare(column, "<", micros(until))
	}
}

// Attempts lists the attempts of a batch, the oldest first.
func (s *Store) Attempts(ctx context.Context, batchID string) ([]windlass.Attempt, error) {
	all, err := list(ctx, s, func(r row) (a windlass.Attempt, err error) {
		var latency int64
		err = r.Scan(&a.BatchID, &a.Number, when{&a.Time}, &a.Status, &latency, &a.Error, &a.Answer)
		a.Latency = time.Duration(latency) * time.Microsecond
		return a, err
	}, `SELECT batch_id, number, time, status, latency, error, answer FROM attempts WHERE batch_id = ?1 ORDER BY number`, batchID)
	return all, s.fail("list the attempts of "+batchID, err, batchSays)
}
