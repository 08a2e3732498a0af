package install

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"windlass"
	"windlass/internal/config"
	"windlass/manifest"
)

// A draft is a config that is being prepared from a request.
type draft struct {
	*Flow
	issues

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
	tables      map[string]*fieldTable
}

// begin makes a draft for a revision: the one that is named, or the latest.
func (f *Flow) begin(ctx context.Context, op, at, revisionAt string, in windlass.Integration, revisionID string) (*draft, error) {
	d := &draft{Flow: f, op: op, at: at, projectID: in.ProjectID, integration: in, revision: in.Latest, tables: map[string]*fieldTable{}}
	if revisionID != "" && revisionID != in.Latest.ID {
		r, err := f.store.Revision(ctx, in.ID, revisionID)
		switch {
		case kindIs(err, windlass.NotFound):
			d.addf(revisionAt, "is not a revision of integration %q: its latest one is %s", in.Name, in.Latest.ID)
		case err != nil:
			return nil, err
		default:
			d.revision = r
		}
	}
	var err error
	d.entry, err = entryOf(d.revision)
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
		if kindIs(err, windlass.NotFound) {
			d.addf(at, "there is no connection %q in this project", shorten(id))
			return nil
		}
		if err != nil {
			return err
		}
	}
	switch {
	case c.Provider != d.entry.Provider:
		d.addf(at, "is a connection with %s, and the integration needs %s", c.Provider, d.entry.Provider)
		return nil
	case c.Group.Ref != of.groupRef:
		d.addf(at, "is a connection of group %q, not of %q", c.Group.Ref, shorten(of.groupRef))
		return nil
	}
	d.connection = c
	if c.Status == windlass.ConnectionBad {
		why := ""
		if c.StatusReason != "" {
			why = " (" + c.StatusReason + ")"
		}
		return conflict(d.op, fmt.Sprintf("the credentials of connection %s no longer work%s", c.ID, why), "let the customer connect again, or name another connection")
	}
	return nil
}

// complete decodes the tree into a config, fills it in from the revision, and checks
// it. Errors become issues.
func (d *draft) complete(ctx context.Context) error {
	before := len(d.issues)
	if d.readTree(); len(d.issues) > before {
		return nil // a config of the wrong form cannot be checked further
	}
	d.fill()
	return d.check(ctx)
}

// readTree decodes the tree into a config.
func (d *draft) readTree() {
	withoutNulls(d.tree)
	before := len(d.issues)
	if d.sizes(d.tree, nil, d.at); len(d.issues) > before {
		return
	}
	if d.shape(d.tree, reflect.TypeFor[config.Config](), d.at); len(d.issues) > before {
		return
	}
	d.config = config.Config{}
	text, err := json.Marshal(d.tree)
	if err == nil {
		err = json.Unmarshal(text, &d.config)
	}
	if err != nil {
		d.addf(d.at, "cannot be read: %v", err)
	}
}

// failure returns the error of the draft: its issues, or else later.
func (d *draft) failure(later error) error {
	if err := d.err(d.op, Unprocessable); err != nil {
		return err
	}
	return later
}

// fields returns the fields of an object.
func (d *draft) fields(object string) *fieldTable {
	if t, asked := d.tables[object]; asked {
		return t
	}
	t, err := d.table(d.connection.Provider, object)
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
	var is issues
	for _, name := range objects {
		err := d.opts.Sampler.Sample(ctx, in, name)
		if kindIs(err, windlass.Invalid) {
			is.addf(within(d.at, "read.objects."+name), "one record was read to try it, and %s refused: %s", in.Connection.Provider, errorText(err))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return is.err(d.op, Unprocessable)
}
