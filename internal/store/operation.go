package store

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"windlass"
)

const operationColumns = `p.id, p.project_id, p.integration_id, p.installation_id, p.config_id, p.revision_id, p.workspace,
	p.object, p.action, p.began_by, p.status, p.result, p.since, p.until, p.cursor, p.pages, p.records, p.batches, p.requests,
	p.walked, p.estimate, p.restarts, p.whole, p.wait_until, p.attempt, p.created, p.started, p.ended, p.updated`

func scanOperation(r row) (p windlass.Operation, err error) {
	err = r.Scan(&p.ID, &p.ProjectID, &p.IntegrationID, &p.InstallationID, &p.ConfigID, &p.RevisionID, &p.Workspace,
		&p.Object, &p.Action, &p.Trigger, &p.Status, &p.Result, when{&p.Since}, when{&p.Until}, &p.Cursor,
		&p.Pages, &p.Records, &p.Batches, &p.Requests, &p.Walked, &p.Estimate, &p.Restarts, &p.Full,
		when{&p.Wait}, &p.Attempt, when{&p.Created}, when{&p.Started}, when{&p.Ended}, when{&p.Updated})
	return p, err
}

var operationSays = says{Missing: "there is no such operation", Taken: "the operation exists already"}

// BeginOperation adds an operation and keeps the config that it begins with.
// Conflict when it is a read and another read of the same object of the
// installation is still under way; that does not undo a transaction that it is
// called in.
func (s *Store) BeginOperation(ctx context.Context, p windlass.Operation, config json.RawMessage) error {
	op := "begin the operation " + p.ID
	if _, err := s.exec(ctx, `INSERT INTO operation_configs (id, content, created) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING`,
		p.ConfigID, string(config), micros(p.Created)); err != nil {
		return s.fail(op, err, operationSays)
	}
	n, err := s.exec(ctx, `INSERT INTO operations (id, project_id, integration_id, installation_id, config_id, revision_id, workspace,
		object, action, began_by, status, result, since, until, cursor, pages, records, batches, requests,
		walked, estimate, restarts, whole, wait_until, attempt, created, started, ended, updated)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
			?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29)
		ON CONFLICT DO NOTHING`,
		p.ID, p.ProjectID, p.IntegrationID, p.InstallationID, p.ConfigID, p.RevisionID, p.Workspace,
		p.Object, p.Action, p.Trigger, p.Status, p.Result, micros(p.Since), micros(p.Until), p.Cursor,
		p.Pages, p.Records, p.Batches, p.Requests, p.Walked, p.Estimate, p.Restarts, p.Full,
		micros(p.Wait), p.Attempt, micros(p.Created), micros(p.Started), micros(p.Ended), micros(p.Updated))
	if err == nil && n == 0 {
		return &windlass.Error{
			Kind: windlass.Conflict, Op: op, Message: "a read of " + p.Object + " of this installation is under way",
			Remedy: "wait for it to end",
		}
	}
	return s.fail(op, err, operationSays)
}

// OperationConfig returns the content of the config that an operation began
// with.
func (s *Store) OperationConfig(ctx context.Context, configID string) (json.RawMessage, error) {
	content, err := first(ctx, s, func(r row) (content json.RawMessage, err error) {
		err = r.Scan(raw{&content})
		return content, err
	}, `SELECT content FROM operation_configs WHERE id = ?1`, configID)
	return content, s.fail("find the config "+configID, err, says{Missing: "no operation began with such a config"})
}

// Operation finds an operation.
func (s *Store) Operation(ctx context.Context, projectID, id string) (windlass.Operation, error) {
	p, err := first(ctx, s, scanOperation, `SELECT `+operationColumns+` FROM operations p WHERE p.id = ?1 AND p.project_id = ?2`, id, projectID)
	return p, s.fail("find the operation "+id, err, operationSays)
}

// Operations lists operations, the latest first, a page at a time if a limit is
// given.
func (s *Store) Operations(ctx context.Context, want windlass.OperationFilter) ([]windlass.Operation, error) {
	var f filter
	project := "p.project_id"
	if want.InstallationID != "" {
		project += unindexed // an installation's are fewer than the project's, which SQLite does not know
	}
	f.equal(project, want.ProjectID)
	f.equal("p.installation_id", want.InstallationID)
	f.equal("p.object", want.Object)
	f.equal("p.action", want.Action)
	f.equal("p.began_by", want.Trigger)
	f.equal("p.status", want.Status)
	if want.Before != "" {
		f.compare("p.id", "<", want.Before)
	}
	query := `SELECT ` + operationColumns + ` FROM operations p` + f.where + ` ORDER BY p.id DESC` + f.limit(want.Limit)
	all, err := list(ctx, s, scanOperation, query, f.args...)
	return all, s.fail("list the operations", err, operationSays)
}

// StalledOperations lists at most limit running operations of one kind, which is
// their action, that are not leased and should have gone on before the given time.
func (s *Store) StalledOperations(ctx context.Context, kind string, before time.Time, limit int) ([]windlass.Operation, error) {
	all, err := list(ctx, s, scanOperation, `SELECT `+operationColumns+` FROM operations p
		WHERE p.status = 'in_progress' AND p.action = ?3 AND p.updated < ?1 AND p.wait_until < ?1 AND p.lease_until < ?1
		ORDER BY p.updated LIMIT ?2`, micros(before), limit, kind)
	return all, s.fail("list the operations that stand still", err, operationSays)
}

// AppendLogs adds lines to the logs of operations.
func (s *Store) AppendLogs(ctx context.Context, lines []windlass.OperationLog) error {
	for i := range lines {
		l := &lines[i]
		if _, err := s.exec(ctx, `INSERT INTO operation_logs (id, operation_id, time, severity, message, details)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6)`, l.ID, l.OperationID, micros(l.Time), l.Severity, l.Message, text(l.Details)); err != nil {
			return s.fail("write the log of the operation "+l.OperationID, err,
				says{Taken: "the line is there already", Dangling: "there is no such operation", kind: windlass.NotFound})
		}
	}
	return nil
}

// OperationLogs returns the log of an operation, the oldest line first: only
// those behind the line with the id after, if one is given, and at most limit
// unless that is 0.
func (s *Store) OperationLogs(ctx context.Context, operationID, after string, limit int) ([]windlass.OperationLog, error) {
	var f filter
	f.equal("l.operation_id", operationID)
	if after != "" {
		f.compare("l.id", ">", after)
	}
	return s.logs(ctx, operationID, f.where+` ORDER BY l.id`+f.limit(limit), f.args)
}

// LatestLogs returns the last lines of the log of an operation, at most limit, the
// oldest first.
func (s *Store) LatestLogs(ctx context.Context, operationID string, limit int) ([]windlass.OperationLog, error) {
	all, err := s.logs(ctx, operationID, ` WHERE l.operation_id = ?1 ORDER BY l.id DESC LIMIT ?2`, []any{operationID, limit})
	slices.Reverse(all)
	return all, err
}

func (s *Store) logs(ctx context.Context, operationID, which string, args []any) ([]windlass.OperationLog, error) {
	all, err := list(ctx, s, func(r row) (l windlass.OperationLog, err error) {
		err = r.Scan(&l.ID, &l.OperationID, when{&l.Time}, &l.Severity, &l.Message, fromText{&l.Details})
		return l, err
	}, `SELECT l.id, l.operation_id, l.time, l.severity, l.message, l.details FROM operation_logs l`+which, args...)
	return all, s.fail("read the log of the operation "+operationID, err, operationSays)
}
