package write

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"windlass"
	"windlass/connector"
	"windlass/internal/config"
	"windlass/internal/mapping"
)

// task is a request that may be carried out.
type task struct {
	request     Request
	in          windlass.Installation
	integration string // its name
	object      string
	plan        *mapping.WritePlan
}

// locate checks a request by itself, and finds the installation it is for.
func (f *Flow) locate(ctx context.Context, project, integration, object string, r Request) (*task, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return nil, err
	}
	i, err := f.store.Integration(ctx, p.ID, integration)
	if err != nil {
		return nil, err
	}
	t := &task{request: r, integration: i.Name, object: object}
	t.in, err = f.ofGroup(ctx, i, r.GroupRef)
	return t, err
}

// accept checks a task against all that decides whether it may be carried out.
// Nothing has been sent or kept when it fails.
func (f *Flow) accept(ctx context.Context, t *task) error {
	revision, err := f.store.Revision(ctx, t.in.IntegrationID, t.in.Config.RevisionID)
	if err != nil {
		return err
	}
	c, err := config.Parse(t.in.Config.Content)
	if err != nil {
		return err
	}
	if err := f.permit(t, c, revision); err != nil {
		return err
	}
	if t.plan, err = c.WritePlan(revision, t.object); err != nil {
		return err
	}
	return t.try()
}

// ofGroup finds a group's installation of an integration.
func (f *Flow) ofGroup(ctx context.Context, i windlass.Integration, groupRef string) (windlass.Installation, error) {
	all, err := f.store.Installations(ctx, windlass.InstallationFilter{ProjectID: i.ProjectID, IntegrationID: i.ID, GroupRef: groupRef, Limit: 1})
	if err == nil && len(all) == 0 {
		return windlass.Installation{}, &windlass.Error{
			Kind: windlass.NotFound, Op: opWrite, Message: fmt.Sprintf("integration %q is not installed for group %q", i.Name, clip(groupRef)),
			Remedy: "install it first, or check groupRef",
		}
	}
	if err != nil {
		return windlass.Installation{}, err
	}
	return all[0], nil
}

// permit says why a write is not allowed: by the revision, the config, the
// provider, or the scopes of the connection.
func (f *Flow) permit(t *task, c config.Config, revision windlass.Revision) error {
	entry, err := config.WriteEntry(revision, t.object)
	if err != nil {
		return err
	}
	chosen, enabled := c.Writes(t.object)
	var known connector.Object
	writable := false
	if provider := f.provider(t.in.Connection); provider != nil {
		known, writable = connector.ObjectNamed(provider.Objects(), t.object)
	}
	switch {
	case entry == nil:
		return refuse("objectName", fmt.Sprintf("the integration does not write %q", clip(t.object)),
			"add it to write.objects in amp.yaml, deploy it, and enable it in the installation's config")
	case !enabled:
		return refuse("objectName", t.object+" is not enabled in the installation's config, which writes "+enabledOf(c),
			"add it to config.content.write.objects")
	case !writable || !does(known, t.request.Type):
		return refuse("objectName", fmt.Sprintf("the provider has no %s of %s", t.request.Type, t.object), "")
	case t.request.Type == windlass.WriteDelete && !chosen.Deletes():
		return refuse("type", "deleting "+t.object+" is not enabled in the installation's config",
			"set deletionSettings.enabled to true for the object")
	case t.in.Connection.Status == windlass.ConnectionBad:
		return &windlass.Error{
			Kind: windlass.NeedsReconnect, Op: opWrite, Message: "the connection's credentials do not work",
			Remedy: "have the customer connect again",
		}
	default:
		return f.permitScopes(t, known)
	}
}

// permitScopes compares the scopes that a write needs with those of the
// connection, where they are known.
func (f *Flow) permitScopes(t *task, known connector.Object) error {
	needed := known.WriteScopes
	switch t.request.Type {
	case windlass.WriteUpdate: // what is there is looked at first
		needed = slices.Concat(known.ReadScopes, known.WriteScopes)
	case windlass.WriteDelete:
		needed = known.DeleteScopes
	}
	if len(t.in.Connection.Scopes) == 0 {
		return nil // unknown: the provider will say
	}
	missing := f.provider(t.in.Connection).Missing(t.in.Connection.Scopes, needed)
	if len(missing) == 0 {
		return nil
	}
	return &windlass.Error{
		Kind: windlass.Forbidden, Op: opWrite,
		Message: fmt.Sprintf("the connection lacks the scope %s, without which the provider does not let it %s %s",
			strings.Join(missing, ", "), t.request.Type, t.object),
		Remedy: "add the scope to the OAuth consumer, or to the token, and have the customer connect again",
	}
}

func does(o connector.Object, what string) bool {
	switch what {
	case windlass.WriteCreate:
		return o.Create
	case windlass.WriteUpdate:
		return o.Update
	default:
		return o.Delete
	}
}

func enabledOf(c config.Config) string {
	names := c.WriteNames()
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

func refuse(name, message, remedy string) error {
	in := "path"
	if name == "type" {
		in = "body"
	}
	return &windlass.Error{
		Kind: windlass.Invalid, Op: opWrite, Message: message, Remedy: remedy,
		Issues: []windlass.Issue{{In: in, Name: name, Message: message}},
	}
}

// try maps every record, so that what cannot be mapped is said before anything is
// sent. Updates that depend on what the provider has can only be tried then.
func (t *task) try() error {
	if t.request.Type == windlass.WriteDelete {
		return nil
	}
	var found issues
	for place, record := range t.request.all() {
		var err error
		switch {
		case t.request.Type == windlass.WriteCreate:
			_, err = t.plan.Create(without(record))
		case len(t.plan.NeedsCurrent()) == 0:
			_, err = t.plan.Update(without(record), nil)
		}
		if err != nil {
			found.addf("body", t.request.place(place), "cannot be mapped: %v", err)
		}
	}
	return found.failure()
}

// records are those of the request, as they are kept.
func (t *task) records(operationID string) []windlass.WriteRecord {
	var all []windlass.WriteRecord
	for place, record := range t.request.all() {
		all = append(all, windlass.WriteRecord{
			OperationID: operationID, Position: place, Record: without(record), RecordID: idOf(record["id"]), Status: windlass.RecordOpen,
		})
	}
	return all
}
