package read

import (
	"context"
	"errors"
	"fmt"
	"time"

	"windlass"
	"windlass/internal/config"
)

// TriggerRequest is the body of POST …/objects/{o} that asks for a read.
type TriggerRequest struct {
	GroupRef string `json:"groupRef"`
	// Mode is async: the answer is the operation, the records come as messages.
	Mode string `json:"mode"`
	// SinceTimestamp and UntilTimestamp, in RFC 3339, bound the records by the
	// time they changed: the former is included, the latter not. Without them
	// everything is read.
	SinceTimestamp string `json:"sinceTimestamp,omitempty"`
	UntilTimestamp string `json:"untilTimestamp,omitempty"`
}

const opTrigger = "start the read"

// Trigger begins a read because a client asks for it. The object needs no
// schedule. It fails with windlass.NotFound for an integration that the group has
// not installed, with windlass.Invalid for an object that is unknown or disabled
// and for times that make no sense, and with windlass.Conflict while the reads are
// paused, another read of the object is under way, or the customer has to connect
// again.
func (f *Flow) Trigger(ctx context.Context, project, integration, object string, r TriggerRequest) (windlass.Operation, error) {
	since, until, issues := f.span(r)
	if r.GroupRef == "" {
		issues = append(issues, windlass.Issue{In: "body", Name: "groupRef", Message: "is missing: say for whom to read"})
	}
	if r.Mode != "async" {
		issues = append(issues, windlass.Issue{In: "body", Name: "mode", Message: fmt.Sprintf("is %q: write async, the one mode there is", clip(r.Mode))})
	}
	if len(issues) > 0 {
		return windlass.Operation{}, invalid("the request is wrong", issues...)
	}
	in, err := f.ofGroup(ctx, project, integration, r.GroupRef)
	if err != nil {
		return windlass.Operation{}, err
	}
	revision, err := f.store.Revision(ctx, in.IntegrationID, in.Config.RevisionID)
	if err != nil {
		return windlass.Operation{}, err
	}
	var begun windlass.Operation
	err = f.store.In(ctx, func(ctx context.Context) error {
		if in, err = f.store.Installation(ctx, in.ProjectID, in.ID); err != nil {
			return err
		}
		name, err := f.triggered(ctx, in, object, revision)
		if err != nil {
			return err
		}
		begun, err = f.begin(ctx, in, windlass.Operation{Object: name, Trigger: windlass.TriggerAsked, Since: since, Until: until})
		return err
	})
	if err != nil {
		return windlass.Operation{}, err
	}
	return begun, nil
}

// triggered finds the object that a request names, and says why it is not read.
func (f *Flow) triggered(ctx context.Context, in windlass.Installation, object string, revision windlass.Revision) (string, error) {
	c, err := config.Parse(in.Config.Content)
	if err != nil {
		return "", err
	}
	name, err := readable(c, in, object, revision)
	if err != nil {
		return "", err
	}
	mark, err := f.store.ReadState(ctx, in.ID, name)
	if err != nil && !errors.Is(err, windlass.NotFound) {
		return "", err
	}
	if mark.Paused {
		return "", conflict("reads of "+name+" are paused: "+mark.Reason, "end the pause first")
	}
	return name, nil
}

// readable finds the object that a request names among those that an installation
// reads, and says why it cannot be read.
func readable(c config.Config, in windlass.Installation, object string, revision windlass.Revision) (string, error) {
	name, err := objectCalled(c, object, revision)
	if err != nil {
		return "", err
	}
	if name == "" {
		return "", invalid(unknown(c, object), windlass.Issue{In: "path", Name: "objectName", Message: unknown(c, object)})
	}
	if chosen, _ := c.Reads(name); chosen.Disabled {
		message := name + " is disabled in the installation's config"
		failure := invalid(message, windlass.Issue{In: "path", Name: "objectName", Message: message})
		failure.Remedy = "enable it there first"
		return "", failure
	}
	if in.Connection.Status == windlass.ConnectionBad {
		return "", conflict("the connection's credentials do not work", "have the customer connect again")
	}
	return name, nil
}

// span reads the times of a request.
func (f *Flow) span(r TriggerRequest) (since, until time.Time, issues []windlass.Issue) {
	read := func(text, name string) time.Time {
		if text == "" {
			return time.Time{}
		}
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			issues = append(issues, windlass.Issue{In: "body", Name: name, Message: fmt.Sprintf("%q is no time: write one such as 2026-07-01T18:22:30Z", clip(text))})
		}
		return at.UTC().Truncate(time.Microsecond)
	}
	since, until = read(r.SinceTimestamp, "sinceTimestamp"), read(r.UntilTimestamp, "untilTimestamp")
	switch {
	case len(issues) > 0:
	case since.After(f.now()):
		issues = append(issues, windlass.Issue{In: "body", Name: "sinceTimestamp", Message: "is in the future: nothing can have changed since then"})
	case !since.IsZero() && !until.IsZero() && !since.Before(until):
		issues = append(issues, windlass.Issue{In: "body", Name: "untilTimestamp", Message: "is not after sinceTimestamp: nothing is between the two"})
	}
	return since, until, issues
}

// ofGroup finds a group's installation of an integration.
func (f *Flow) ofGroup(ctx context.Context, project, integration, groupRef string) (windlass.Installation, error) {
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return windlass.Installation{}, err
	}
	i, err := f.store.Integration(ctx, p.ID, integration)
	if err != nil {
		return windlass.Installation{}, err
	}
	all, err := f.store.Installations(ctx, windlass.InstallationFilter{ProjectID: p.ID, IntegrationID: i.ID, GroupRef: groupRef, Limit: 1})
	if err == nil && len(all) == 0 {
		return windlass.Installation{}, &windlass.Error{
			Kind: windlass.NotFound, Op: opTrigger, Message: fmt.Sprintf("integration %q is not installed for group %q", i.Name, clip(groupRef)),
			Remedy: "install it first, or check groupRef",
		}
	}
	if err != nil {
		return windlass.Installation{}, err
	}
	return all[0], nil
}

// find finds an installation by its id.
func (f *Flow) find(ctx context.Context, op, project, integration, installation string) (windlass.Installation, error) {
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return windlass.Installation{}, err
	}
	i, err := f.store.Integration(ctx, p.ID, integration)
	if err != nil {
		return windlass.Installation{}, err
	}
	in, err := f.store.Installation(ctx, p.ID, installation)
	if err == nil && in.IntegrationID != i.ID {
		return windlass.Installation{}, &windlass.Error{
			Kind: windlass.NotFound, Op: op, Message: fmt.Sprintf("integration %q has no installation %s", i.Name, clip(installation)),
			Remedy: "it is one of another integration",
		}
	}
	return in, err
}

func invalid(message string, issues ...windlass.Issue) *windlass.Error {
	return &windlass.Error{Kind: windlass.Invalid, Op: opTrigger, Message: message, Issues: issues}
}

func conflict(message, remedy string) error {
	return &windlass.Error{Kind: windlass.Conflict, Op: opTrigger, Message: message, Remedy: remedy}
}
