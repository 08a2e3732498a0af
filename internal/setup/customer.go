package setup

import (
	"context"
	"fmt"
	"time"

	"windlass"
	"windlass/internal/input"
)

// GroupRequest is the body of POST …/groups.
type GroupRequest struct {
	GroupRef string `json:"groupRef"`
	// GroupName is what people read; empty: the one that is known, or the ref.
	GroupName string `json:"groupName,omitempty"`
}

// ConsumerRequest is the body of POST …/consumers.
type ConsumerRequest struct {
	ConsumerRef  string `json:"consumerRef"`
	ConsumerName string `json:"consumerName,omitempty"`
}

// How many customers browsers may add to a project: keys for front ends are public.
const (
	customersAtOnce = 1000
	customersWithin = time.Hour
)

// KeepGroup adds a group, or renames it: it may be repeated. fromBrowser is for
// requests that anyone can make, which may add so many an hour only.
func (f *Flow) KeepGroup(ctx context.Context, project string, r GroupRequest, fromBrowser bool) (windlass.Group, error) {
	p, err := f.mayKeep(ctx, "keep the group", project, customerRef{r.GroupRef, "groupRef", r.GroupName, "groupName"}, fromBrowser)
	if err != nil {
		return windlass.Group{}, err
	}
	return f.store.KeepGroup(ctx, windlass.Group{ProjectID: p.ID, Ref: r.GroupRef, Name: r.GroupName, Updated: f.now()})
}

// KeepConsumer does for a consumer what KeepGroup does for a group.
func (f *Flow) KeepConsumer(ctx context.Context, project string, r ConsumerRequest, fromBrowser bool) (windlass.Consumer, error) {
	p, err := f.mayKeep(ctx, "keep the consumer", project, customerRef{r.ConsumerRef, "consumerRef", r.ConsumerName, "consumerName"}, fromBrowser)
	if err != nil {
		return windlass.Consumer{}, err
	}
	return f.store.KeepConsumer(ctx, windlass.Consumer{ProjectID: p.ID, Ref: r.ConsumerRef, Name: r.ConsumerName, Updated: f.now()})
}

// customerRef is a reference and a name, each with its place in the request.
type customerRef struct{ ref, refAt, name, nameAt string }

// mayKeep checks a customer that is to be kept, and finds its project.
func (f *Flow) mayKeep(ctx context.Context, op, project string, c customerRef, fromBrowser bool) (windlass.Project, error) {
	var is input.Issues
	if is.Need(c.ref, c.refAt) {
		is.Short(c.ref, c.refAt)
	}
	is.Short(c.name, c.nameAt)
	if err := is.Err(op, nil); err != nil {
		return windlass.Project{}, err
	}
	p, err := f.store.Project(ctx, project)
	if err != nil || !fromBrowser {
		return p, err
	}
	groups, consumers, err := f.store.CountCustomers(ctx, p.ID, f.now().Add(-customersWithin), customersAtOnce)
	if err == nil && max(groups, consumers) >= customersAtOnce {
		err = &windlass.Error{
			Kind: windlass.RateLimited, Op: op, RetryAfter: time.Minute,
			Message: fmt.Sprintf("%d customers were added within %v", customersAtOnce, customersWithin),
			Remedy:  "add them with a key of scope full, from a server",
		}
	}
	return p, err
}
