package api

import (
	"encoding/json"
	"strconv"
	"time"

	"windlass"
	"windlass/internal/read"
)

// operationAnswer is one read or write, in the contract's shape.
type operationAnswer struct {
	ID             string            `json:"id"`
	ProjectID      string            `json:"projectId"`
	IntegrationID  string            `json:"integrationId"`
	InstallationID string            `json:"installationId"`
	ConfigID       string            `json:"configId"`
	ActionType     string            `json:"actionType" enum:"read,write"`
	Status         string            `json:"status" enum:"in_progress,success,failure"`
	Result         string            `json:"result,omitempty"`
	Metadata       operationMetadata `json:"metadata"`
	CreateTime     time.Time         `json:"createTime"`
}

type operationMetadata struct {
	Objects  []string  `json:"objects"`
	Progress *progress `json:"progress,omitempty"`
}

// progress is how far a read is. The total is what the provider says, and not
// there when it says nothing.
type progress struct {
	InstallationID        string `json:"installationId"`
	ObjectName            string `json:"objectName"`
	OperationID           string `json:"operationId"`
	RecordsProcessed      int64  `json:"recordsProcessed"`
	RecordsEstimatedTotal *int64 `json:"recordsEstimatedTotal,omitempty"`
}

func asProgress(p windlass.Operation) progress {
	out := progress{InstallationID: p.InstallationID, ObjectName: p.Object, OperationID: p.ID, RecordsProcessed: p.Walked}
	if p.Estimate >= 0 {
		out.RecordsEstimatedTotal = &p.Estimate
	}
	return out
}

func asOperation(p windlass.Operation) operationAnswer {
	out := operationAnswer{
		ID: p.ID, ProjectID: p.ProjectID, IntegrationID: p.IntegrationID, InstallationID: p.InstallationID, ConfigID: p.ConfigID,
		ActionType: p.Action, Status: p.Status, Result: p.Result, Metadata: operationMetadata{Objects: []string{p.Object}}, CreateTime: p.Created.UTC(),
	}
	if p.Action == windlass.ActionRead {
		far := asProgress(p)
		out.Metadata.Progress = &far
	}
	return out
}

// pagination ends a page: there is a token exactly when there is more.
type pagination struct {
	Done          bool   `json:"done"`
	NextPageToken string `json:"nextPageToken,omitempty"`
}

type operationPage struct {
	Results    []operationAnswer `json:"results"`
	Pagination pagination        `json:"pagination"`
}

func (a *API) listOperations(c *call) (operationPage, error) {
	in, err := a.ownInstallation(c)
	if err != nil {
		return operationPage{}, err
	}
	page, err := a.reads.Operations(c.ctx(), c.project.ID, in.IntegrationID, in.ID, read.OperationQuery{
		Object: c.query.Get("objectName"), Status: c.query.Get("status"),
		PageSize: c.number("pageSize"), PageToken: c.query.Get("pageToken"),
	})
	return operationPage{each(page.Results, asOperation), pagination{page.Next == "", page.Next}}, err
}

// number is a parameter of the query that was checked to be one; 0 is absent.
func (c *call) number(name string) int {
	n, _ := strconv.Atoi(c.query.Get(name))
	return n
}

func (a *API) getOperation(c *call) (operationAnswer, error) {
	found, err := a.ownOperation(c)
	return asOperation(found), err
}

// ownOperation finds the operation of the path, if the caller may see it.
func (a *API) ownOperation(c *call) (windlass.Operation, error) {
	id := c.param("operationId")
	found, err := a.reads.Operation(c.ctx(), c.project.ID, id)
	if err != nil || !c.who.IsPerson() {
		return found, err
	}
	// Its owner is not known any more when the installation is gone.
	in, err := a.install.Installation(c.ctx(), c.project.ID, found.IntegrationID, found.InstallationID)
	if err != nil || !c.who.SeesGroup(in.Group.Ref) {
		return windlass.Operation{}, notFound("operation", id)
	}
	return found, nil
}

// logLine is a line of an operation's log, in the contract's shape.
type logLine struct {
	Timestamp time.Time  `json:"timestamp"`
	Severity  string     `json:"severity" enum:"info,warning,error"`
	Message   logMessage `json:"message"`
}

type logMessage struct {
	Msg         string            `json:"msg"`
	OperationID string            `json:"operation_id"`
	Details     map[string]string `json:"details,omitempty"`
}

func (a *API) operationLogs(c *call, p windlass.Page) (listed[logLine], error) {
	found, err := a.ownOperation(c)
	if err != nil {
		return listed[logLine]{}, err
	}
	lines, err := a.reads.Logs(c.ctx(), c.project.ID, found.ID, p.After, p.Limit)
	return asList(p, lines, func(x windlass.OperationLog) string { return x.ID }, func(l windlass.OperationLog) logLine {
		return logLine{l.Time.UTC(), l.Severity, logMessage{l.Message, l.OperationID, l.Details}}
	}), err
}

// backfillProgress is how far a backfill is, in the contract's shape.
type backfillProgress struct {
	progress

	CreateTime time.Time `json:"createTime"`
	UpdateTime time.Time `json:"updateTime"`
}

func (a *API) backfillProgress(c *call) (backfillProgress, error) {
	in, err := a.ownInstallation(c)
	if err != nil {
		return backfillProgress{}, err
	}
	p, err := a.reads.BackfillProgress(c.ctx(), c.project.ID, in.IntegrationID, in.ID, c.param("objectName"))
	return backfillProgress{asProgress(p), p.Created.UTC(), p.Updated.UTC()}, err
}

func (a *API) pauseReads(c *call, r read.PauseRequest) error {
	return a.reads.Pause(c.ctx(), c.project.ID, c.param("integrationId"), c.param("installationId"), r)
}

func (a *API) unpauseReads(c *call, r read.PauseRequest) error {
	return a.reads.Unpause(c.ctx(), c.project.ID, c.param("integrationId"), c.param("installationId"), r)
}

// getLargeRecord answers with a list of one entry, as the result of a message is.
// The URL contains the token, so it needs no key.
func (a *API) getLargeRecord(c *call) (json.RawMessage, error) {
	return a.downloads.Download(c.ctx(), c.param("recordId"), windlass.NewSecret(c.query.Get("token")))
}
