package store

import (
	"context"
	"strconv"

	"windlass"
)

var writeSays = says{
	Missing: "there is no such write", Taken: "the write exists already",
	Dangling: "there is no such operation", kind: windlass.NotFound,
}

func scanWrite(r row) (w windlass.Write, err error) {
	err = r.Scan(&w.OperationID, &w.Type, &w.Mode, &w.Batch, when{&w.Deadline}, &w.Collects, &w.Size)
	return w, err
}

const writeColumns = `w.operation_id, w.type, w.mode, w.batch, w.deadline, w.collects, w.size`

// CreateWrite adds a write to the operation that was begun for it, with its
// records. Conflict when another one collects under the same name.
func (s *Store) CreateWrite(ctx context.Context, w windlass.Write, records []windlass.WriteRecord) error {
	op := "begin the write " + w.OperationID
	return s.In(ctx, func(ctx context.Context) error {
		n, err := s.exec(ctx, `INSERT INTO writes (operation_id, type, mode, batch, deadline, collects, size)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING`,
			w.OperationID, w.Type, w.Mode, w.Batch, micros(w.Deadline), w.Collects, w.Size)
		if err == nil && n == 0 {
			return &windlass.Error{Kind: windlass.Conflict, Op: op, Message: "another write collects the same"}
		}
		if err != nil {
			return s.fail(op, err, writeSays)
		}
		return s.addWriteRecords(ctx, op, records)
	})
}

func (s *Store) addWriteRecords(ctx context.Context, op string, records []windlass.WriteRecord) error {
	for i := range records {
		r := &records[i]
		id := writeRecordID(r.OperationID, r.Position)
		sealed, err := s.seal(writeRecord, id, r.Record)
		if err == nil {
			_, err = s.exec(ctx, `INSERT INTO write_records (id, operation_id, position, record, record_id, status, sent, attempts, error)
				VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)`,
				id, r.OperationID, r.Position, sealed, r.RecordID, r.Status, micros(r.Sent), r.Attempts, r.Error)
		}
		if err != nil {
			return s.fail(op, err, writeSays)
		}
	}
	return nil
}

func writeRecordID(operationID string, position int) string {
	return operationID + "/" + strconv.Itoa(position)
}

// Write finds what there is to know of a write that has not ended.
func (s *Store) Write(ctx context.Context, operationID string) (windlass.Write, error) {
	w, err := first(ctx, s, scanWrite, `SELECT `+writeColumns+` FROM writes w WHERE w.operation_id = ?1`+s.locked(ctx), operationID)
	return w, s.fail("find the write "+operationID, err, writeSays)
}

// CollectingWrite finds the write that others may join under a name.
func (s *Store) CollectingWrite(ctx context.Context, collects string) (windlass.Write, error) {
	w, err := first(ctx, s, scanWrite, `SELECT `+writeColumns+` FROM writes w WHERE w.collects = ?1 AND w.collects <> ''`+s.locked(ctx), collects)
	return w, s.fail("find a write to join", err, writeSays)
}

// JoinWrite adds a record to a write that collects. Conflict when it is closed.
func (s *Store) JoinWrite(ctx context.Context, record windlass.WriteRecord) error {
	op := "join the write " + record.OperationID
	return s.In(ctx, func(ctx context.Context) error {
		n, err := s.exec(ctx, `UPDATE writes SET size = size + 1 WHERE operation_id = ?1 AND collects <> ''`, record.OperationID)
		if err == nil && n == 0 {
			return &windlass.Error{Kind: windlass.Conflict, Op: op, Message: "it is closed"}
		}
		if err != nil {
			return s.fail(op, err, writeSays)
		}
		return s.addWriteRecords(ctx, op, []windlass.WriteRecord{record})
	})
}

// CloseWrite lets no request join a write any more. It may be repeated.
func (s *Store) CloseWrite(ctx context.Context, operationID string) error {
	_, err := s.exec(ctx, `UPDATE writes SET collects = '' WHERE operation_id = ?1 AND collects <> ''`, operationID)
	return s.fail("close the write "+operationID, err, writeSays)
}

// WriteRecords lists the records of a write that has not ended, in their order.
func (s *Store) WriteRecords(ctx context.Context, operationID string) ([]windlass.WriteRecord, error) {
	all, err := list(ctx, s, func(r row) (w windlass.WriteRecord, err error) {
		var sealed []byte
		if err := r.Scan(&w.OperationID, &w.Position, &sealed, &w.RecordID, &w.Status, when{&w.Sent}, &w.Attempts, &w.Error); err != nil {
			return w, err
		}
		w.Record, err = s.unseal(writeRecord, writeRecordID(w.OperationID, w.Position), sealed)
		return w, err
	}, `SELECT r.operation_id, r.position, r.record, r.record_id, r.status, r.sent, r.attempts, r.error
		FROM write_records r WHERE r.operation_id = ?1 ORDER BY r.position`, operationID)
	return all, s.fail("list the records of the write "+operationID, err, writeSays)
}

// SaveWriteRecord keeps how a record stands; what is to be written stays.
func (s *Store) SaveWriteRecord(ctx context.Context, r windlass.WriteRecord) error {
	return s.update(ctx, "save a record of the write "+r.OperationID, writeSays,
		`UPDATE write_records SET record_id = ?2, status = ?3, sent = ?4, attempts = ?5, error = ?6 WHERE id = ?1`,
		writeRecordID(r.OperationID, r.Position), r.RecordID, r.Status, micros(r.Sent), r.Attempts, r.Error)
}

// EraseWrite erases the records of a write that has ended, and notes its status as
// the installation's last one. Whether the installation is healthy is not said by it:
// what is wrong with a write is most often wrong with its record.
func (s *Store) EraseWrite(ctx context.Context, operationID string) error {
	op := "erase the write " + operationID
	return s.In(ctx, func(ctx context.Context) error {
		for _, statement := range []string{
			`DELETE FROM write_records WHERE operation_id = ?1`,
			`DELETE FROM writes WHERE operation_id = ?1`,
			`UPDATE installations SET last_status = (SELECT status FROM operations WHERE id = ?1)
				WHERE id = (SELECT installation_id FROM operations WHERE id = ?1)
					AND last_status <> (SELECT status FROM operations WHERE id = ?1)`,
		} {
			if _, err := s.exec(ctx, statement, operationID); err != nil {
				return s.fail(op, err, writeSays)
			}
		}
		return nil
	})
}
