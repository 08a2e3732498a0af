package ui

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"windlass"
	"windlass/internal/deliver"
)

type deliveriesView struct {
	Batches      []windlass.Batch
	More         string
	Filter       deliveryFilter
	Destinations []windlass.Destination
	Replayed     string
}

// deliveryFilter is what the page was asked to show.
type deliveryFilter struct {
	Status, Destination, Installation, Operation string
}

func (r *request) deliveryFilter() deliveryFilter {
	q := r.URL.Query()
	return deliveryFilter{q.Get("status"), q.Get("destination"), q.Get("installation"), q.Get("operation")}
}

// Query is the filter as a part of an address.
func (f deliveryFilter) Query() string {
	values := url.Values{}
	for name, value := range map[string]string{
		"status": f.Status, "destination": f.Destination, "installation": f.Installation, "operation": f.Operation,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values.Encode()
}

func (r *request) deliveriesPage() error {
	f := r.deliveryFilter()
	all, err := r.ui.config.Deliver.Batches(r.Context(), r.Project.ID, windlass.BatchFilter{
		Status: f.Status, DestinationID: f.Destination, InstallationID: f.Installation, OperationID: f.Operation,
		Before: r.URL.Query().Get("before"), Limit: pageSize + 1,
	})
	if err != nil {
		return err
	}
	v := deliveriesView{Filter: f, Replayed: r.URL.Query().Get("replayed")}
	v.Batches, v.More = cut(all, func(b windlass.Batch) string { return b.ID })
	if v.Destinations, err = r.ui.config.Setup.Destinations(r.Context(), r.Project.ID, windlass.Page{Limit: pageSize}); err != nil {
		return err
	}
	return r.ok("deliveries", "Deliveries", v)
}

type deliveryView struct {
	Batch       windlass.Batch
	Attempts    []windlass.Attempt
	Destination windlass.Destination
	Body        string
	Cut         bool // the body is longer than what is shown
}

// maxShown is how much of a body a page shows, in bytes.
const maxShown = 64 << 10

func (r *request) deliveryPage() error {
	b, attempts, err := r.ui.config.Deliver.Batch(r.Context(), r.Project.ID, r.PathValue("delivery"))
	if err != nil {
		return err
	}
	v := deliveryView{Batch: b, Attempts: attempts}
	v.Destination, err = r.ui.config.Setup.Destination(r.Context(), r.Project.ID, b.DestinationID, nil)
	if err != nil && !errors.Is(err, windlass.NotFound) { // it may be gone
		return err
	}
	var pretty bytes.Buffer
	body := b.Body
	if len(body) <= maxShown && json.Indent(&pretty, body, "", "  ") == nil {
		body = pretty.Bytes()
	}
	v.Cut = len(b.Body) > maxShown
	v.Body = string(body[:min(len(body), 4*maxShown)])
	return r.ok("delivery", "Delivery", v)
}

func (r *request) replayDelivery() error {
	id := r.PathValue("delivery")
	err := r.change("delivery.replay", id, nil, func(ctx context.Context) error {
		_, err := r.ui.config.Deliver.Replay(ctx, r.Project.ID, deliver.ReplayRequest{BatchID: id})
		return err
	})
	if err != nil {
		return err
	}
	return r.done("deliveries/"+id, "replayed")
}

// replayDeliveries replays those of a destination, or all that have failed.
func (r *request) replayDeliveries() error {
	what := deliver.ReplayRequest{Destination: r.field("destination"), Failed: r.field("status") != "any"}
	if hours := r.field("since"); hours != "" {
		d, err := time.ParseDuration(hours)
		if err != nil {
			return &windlass.Error{Kind: windlass.Invalid, Message: "the time is not valid", Remedy: "choose one from the list"}
		}
		what.Since = r.ui.config.Now().Add(-d)
	}
	// Many batches are replayed in many transactions: the note comes after.
	n, err := r.ui.config.Deliver.Replay(r.Context(), r.Project.ID, what)
	if err != nil {
		return err
	}
	err = r.change("deliveries.replay", what.Destination, map[string]string{"replayed": count(n)}, func(context.Context) error { return nil })
	if err != nil {
		return err
	}
	r.redirect(r.path("deliveries") + "?" + url.Values{"replayed": {count(n)}}.Encode())
	return nil
}
