package install

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"windlass"
	"windlass/internal/config"
	"windlass/internal/fields"
	"windlass/internal/input"
	"windlass/manifest"
)

// A draft is a config that is being prepared from a request.
type draft struct {
	*Flow
	input.Issues

	op          string
	at          string // where the content stands in the request
	projectID   string
	integration windlass.Integration
	revision    windlass.Revision
	entry       manifest.Integration
	connection  windlass.Connection
	tree        map[string]any
	config      config.Config
	before      config.Config // empty for a new installation
	tables      map[string]*fields.Table
}

// begin makes a draft for a revision: the one that is named, or the latest.
func (f *Flow) begin(ctx context.Context, op, at, revisionAt string, in windlass.Integration, revisionID string) (*draft, error) {
	d := &draft{Flow: f, op: op, at: at, projectID: in.ProjectID, integration: in, revision: in.Latest, tables: map[string]*fields.Table{}}
	if revisionID != "" && revisionID != in.Latest.ID {
		r, err := f.store.Revision(ctx, in.ID, revisionID)
		switch {
		case errors.Is(err, windlass.NotFound):
			d.Addf(revisionAt, "is not a revision of integration %q: its latest one is %s", in.Name, in.Latest.ID)
		case err != nil:
			return nil, err
		default:
			d.revision = r
		}
	}
	var err error
	d.entry, err = config.Entry(d.revision)
	return d, err
}

// connect finds the connection that an installation is to use: the one named, or
// the only one that the group has. It returns a conflict where the customer's
// connections have to change; errors of the request become issues.
func (d *draft) connect(ctx context.Context, id string, of owner, at string) error {
	d.connection = windlass.Connection{Provider: d.entry.Provider} // to check fields with until there is one
	var c windlass.Connection
	var err error
	if id == "" {
		if c, err = d.groupConnection(ctx, d.op, d.projectID, d.entry.Provider, of); err != nil {
			return err
		}
	} else {
		c, err = d.store.Connection(ctx, d.projectID, id)
		if errors.Is(err, windlass.NotFound) {
			d.Addf(at, "there is no connection %q in this project", input.Shorten(id))
			return nil
		}
		if err != nil {
			return err
		}
	}
	switch {
	case c.Provider != d.entry.Provider:
		d.Addf(at, "is a connection with %s, and the integration needs %s", c.Provider, d.entry.Provider)
		return nil
	case c.Group.Ref != of.groupRef:
		d.Addf(at, "is a connection of group %q, not of %q", c.Group.Ref, input.Shorten(of.groupRef))
		return nil
	}
	d.connection = c
	if c.Status == windlass.ConnectionBad {
		why := ""
		if c.StatusReason != "" {
			why = " (" + c.StatusReason + ")"
		}
		return input.Conflict(d.op, fmt.Sprintf("the credentials of connection %s no longer work%s", c.ID, why), "let the customer connect again, or name another connection")
	}
	return nil
}

// complete decodes the tree into a config, fills it in from the revision, and checks
// it. Errors become issues.
func (d *draft) complete(ctx context.Context) error {
	before := len(d.Issues)
	if d.readTree(); len(d.Issues) > before {
		return nil // a config of the wrong form cannot be checked further
	}
	d.fill()
	return d.check(ctx)
}

// readTree decodes the tree into a config.
func (d *draft) readTree() {
	input.WithoutNulls(d.tree)
	respell(d.tree)
	before := len(d.Issues)
	if d.Sizes(d.tree, d.at, longTexts...); len(d.Issues) > before {
		return
	}
	if d.Shape(d.tree, reflect.TypeFor[config.Config](), d.at); len(d.Issues) > before {
		return
	}
	d.config = config.Config{}
	text, err := json.Marshal(d.tree)
	if err == nil {
		err = json.Unmarshal(text, &d.config)
	}
	if err != nil {
		d.Addf(d.at, "cannot be read: %v", err)
	}
}

// failure returns the error of the draft: its issues, or else later.
func (d *draft) failure(later error) error {
	if err := d.Err(d.op, input.Unprocessable); err != nil {
		return err
	}
	return later
}

// fields returns the fields of an object.
func (d *draft) fields(object string) *fields.Table {
	if t, asked := d.tables[object]; asked {
		return t
	}
	t, err := fields.Of(d.providers, d.connection.Provider, object)
	if err != nil {
		t = nil // a provider that is down is no reason to refuse a config; the sample and the reads will tell
	}
	d.tables[object] = t
	return t
}

// sample tries the objects on the provider. Only a refusal of the config itself counts:
// other errors say nothing about it.
func (d *draft) sample(ctx context.Context, in windlass.Installation, objects []string) error {
	if d.opts.Sampler == nil {
		return nil
	}
	var is input.Issues
	for _, name := range objects {
		err := d.opts.Sampler.Sample(ctx, in, name)
		if errors.Is(err, windlass.Invalid) {
			is.Addf(input.Within(d.at, "read.objects."+name), "one record was read to try it, and %s refused: %s", in.Connection.Provider, input.ErrorText(err))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return is.Err(d.op, input.Unprocessable)
}
