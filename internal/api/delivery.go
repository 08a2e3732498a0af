package api

import (
	"strconv"
	"time"

	"windlass"
	"windlass/internal/budget"
	"windlass/internal/deliver"
)

// A delivery is one message to one destination. The contract has no name for it.
type delivery struct {
	ID             string     `json:"id"`
	DestinationID  string     `json:"destinationId"`
	Destination    string     `json:"destinationName,omitempty"`
	InstallationID string     `json:"installationId,omitempty"`
	IntegrationID  string     `json:"integrationId,omitempty"` // of the installation, as long as there is one
	GroupRef       string     `json:"groupRef,omitempty"`      // likewise
	OperationID    string     `json:"operationId,omitempty"`
	ObjectName     string     `json:"objectName,omitempty"`
	Kind           string     `json:"kind"` // read, or the event of a notification
	NumRecords     int        `json:"numRecords"`
	Status         string     `json:"status" enum:"pending,delivered,failed"`
	Attempts       int        `json:"attempts"`
	NextAttempt    time.Time  `json:"nextAttemptTime,omitzero"`
	CreateTime     time.Time  `json:"createTime"`
	UpdateTime     time.Time  `json:"updateTime,omitzero"`
	Tried          *[]attempt `json:"tried,omitempty"`
	Body           string     `json:"body,omitempty"` // exactly what is sent
}

// An attempt is one try to deliver a message.
type attempt struct {
	Number  int       `json:"number"`
	Time    time.Time `json:"time"`
	Status  int       `json:"status,omitempty"` // of the answer; absent without one
	Latency float64   `json:"latencySeconds"`
	Error   string    `json:"error,omitempty"`
	Answer  string    `json:"answer,omitempty"`
}

func asDelivery(b windlass.Batch) delivery {
	out := delivery{
		ID: b.ID, DestinationID: b.DestinationID, Destination: b.DestinationName,
		InstallationID: b.InstallationID, IntegrationID: b.IntegrationID, GroupRef: b.GroupRef, OperationID: b.OperationID,
		ObjectName: b.Object, Kind: b.Kind, NumRecords: b.Records, Status: b.Status, Attempts: b.Attempts,
		CreateTime: b.Created.UTC(), UpdateTime: b.Updated.UTC(),
	}
	if b.Status == windlass.BatchPending {
		out.NextAttempt = b.NextAttempt.UTC()
	}
	return out
}

type deliveryPage struct {
	Results    []delivery `json:"results"`
	Pagination pagination `json:"pagination"`
}

func (a *API) listDeliveries(c *call) (deliveryPage, error) {
	const usual, most = 50, 500
	size := min(c.number("pageSize"), most)
	if size == 0 {
		size = usual
	}
	filter := windlass.BatchFilter{
		DestinationID: c.query.Get("destination"), InstallationID: c.query.Get("installationId"), OperationID: c.query.Get("operationId"),
		Status: c.query.Get("status"), Before: c.query.Get("pageToken"), Limit: size + 1,
	}
	var issues []windlass.Issue
	filter.Since, filter.Until = c.time("since", &issues), c.time("until", &issues)
	if err := invalid(issues); err != nil {
		return deliveryPage{}, err
	}
	all, err := a.deliver.Batches(c.ctx(), c.project.ID, filter)
	out := deliveryPage{Pagination: pagination{Done: len(all) <= size}}
	if !out.Pagination.Done {
		all = all[:size]
		out.Pagination.NextPageToken = all[size-1].ID
	}
	out.Results = each(all, asDelivery)
	return out, err
}

// time reads a time of the query; the zero time when it is absent.
func (c *call) time(name string, issues *[]windlass.Issue) time.Time {
	text := c.query.Get(name)
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		*issues = append(*issues, windlass.Issue{In: "query", Name: name, Message: "it is not a time: write one such as 2026-07-01T18:22:30Z"})
	}
	return at
}

func (a *API) getDelivery(c *call) (delivery, error) {
	found, tried, err := a.deliver.Batch(c.ctx(), c.project.ID, c.param("deliveryId"))
	if err != nil {
		return delivery{}, err
	}
	out := asDelivery(found)
	attempts := each(tried, func(t windlass.Attempt) attempt {
		return attempt{t.Number, t.Time.UTC(), t.Status, t.Latency.Seconds(), t.Error, t.Answer}
	})
	out.Tried = &attempts
	if c.flag("includeBody") {
		out.Body = string(found.Body)
	}
	return out, nil
}

// replayed is the number of messages that are sent again.
type replayed struct {
	Replayed int `json:"replayed"`
}

func (a *API) replayDelivery(c *call) (replayed, error) {
	n, err := a.deliver.Replay(c.ctx(), c.project.ID, deliver.ReplayRequest{BatchID: c.param("deliveryId")})
	return replayed{n}, err
}

// replayRequest chooses messages: all that fit.
type replayRequest struct {
	Destination string    `json:"destination,omitempty"`
	Failed      bool      `json:"failed,omitempty"`
	Since       time.Time `json:"since,omitzero"`
	Until       time.Time `json:"until,omitzero"`
}

func (a *API) replayDeliveries(c *call, r replayRequest) (replayed, error) {
	n, err := a.deliver.Replay(c.ctx(), c.project.ID, deliver.ReplayRequest{
		Destination: r.Destination, Failed: r.Failed, Since: r.Since, Until: r.Until,
	})
	return replayed{n}, err
}

// destinationHealth is the state of the deliveries to a destination.
type destinationHealth struct {
	Disabled     bool      `json:"disabled"`
	Reason       string    `json:"reason,omitempty"` // why nothing is sent
	DisabledTime time.Time `json:"disabledTime,omitzero"`
	DisabledBy   string    `json:"disabledBy,omitempty"` // who did it by hand: the public part of the key
	Failures     int       `json:"failuresInARow"`
	FailingSince time.Time `json:"failingSince,omitzero"`
	HeldUntil    time.Time `json:"heldUntil,omitzero"` // when it is tried again
}

func (a *API) destinationHealth(c *call) (destinationHealth, error) {
	found, err := a.setup.Destination(c.ctx(), c.project.ID, c.param("destination"), nil)
	return a.healthOf(c, found, err)
}

func (a *API) enableDestination(c *call) (destinationHealth, error) {
	found, err := a.deliver.Enable(c.ctx(), c.project.ID, c.param("destination"))
	return a.healthOf(c, found, err)
}

func (a *API) disableDestination(c *call) (destinationHealth, error) {
	found, err := a.deliver.Disable(c.ctx(), c.project.ID, c.param("destination"), c.who.Name)
	return a.healthOf(c, found, err)
}

func (a *API) healthOf(c *call, d windlass.Destination, err error) (destinationHealth, error) {
	if err != nil {
		return destinationHealth{}, err
	}
	h, err := a.deliver.Health(c.ctx(), c.project.ID, d.ID)
	if kindOf(err) == windlass.NotFound && err != nil {
		h, err = windlass.Health{}, nil // nothing was sent there yet
	}
	health := destinationHealth{Disabled: d.Disabled, Failures: h.Failures, FailingSince: h.FailingSince, HeldUntil: h.HoldUntil}
	if d.Disabled {
		health.DisabledTime, health.DisabledBy = d.Disabling.At.UTC(), d.Disabling.By
	}
	switch {
	case d.Disabled && d.Disabling.Why != "" && d.Disabling.Why != deliver.ByHand:
		health.Reason = d.Disabling.Why + ": fix the receiver, and enable the destination"
	case d.Disabled && d.Disabling.Why == "" && h.Failures > 0: // before that was kept
		health.Reason = strconv.Itoa(h.Failures) + " attempts in a row failed: fix the receiver, and enable the destination"
	case d.Disabled:
		health.Reason = "it was disabled by hand: enable it"
	case h.Failures > 0:
		health.Reason = strconv.Itoa(h.Failures) + " attempts in a row failed: it is tried again by itself"
	}
	return health, err
}

// budgetAnswer has the hourly limit of requests to the provider, and the requests made.
type budgetAnswer struct {
	Key string `json:"key"` // app: and a provider app's id, or credential: and a keyed hash of it
	// Connections are the project's that use the credential.
	Connections  []string    `json:"connections,omitempty"`
	Limit        int         `json:"limit"`
	Used         budgetClass `json:"used"`
	SetAside     budgetClass `json:"setAside"`
	Waiting      budgetClass `json:"waiting"` // customers
	BlockedUntil time.Time   `json:"blockedUntil,omitzero"`
}

// budgetClass is a number for each class.
type budgetClass struct {
	Interactive int `json:"interactive"`
	Scheduled   int `json:"scheduled"`
	Backfill    int `json:"backfill"`
}

func asClasses(n [budget.Classes]int) budgetClass {
	return budgetClass{n[budget.Interactive], n[budget.Scheduled], n[budget.Backfill]}
}

func (a *API) listBudgets(c *call) ([]budgetAnswer, error) {
	all, err := a.budgets.Budgets(c.ctx(), c.project.ID)
	return each(all, func(s budget.State) budgetAnswer {
		return budgetAnswer{s.Key, s.Payers, s.Limit, asClasses(s.Used), asClasses(s.SetAside), asClasses(s.Waiting), s.Blocked}
	}), err
}
