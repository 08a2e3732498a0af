package install

import (
	"context"
	"errors"
	"maps"
	"slices"

	"windlass"
	"windlass/internal/input"
)

// UpdateInstallationRequest is the body of PATCH …/installations/{id}.
type UpdateInstallationRequest struct {
	// UpdateMask may name connectionId, config.createdBy, config.revisionId,
	// config.content, config.content.<action>, config.content.<action>.objects,
	// config.content.<action>.objects.<object> or one key of such an object, and
	// config.content.proxy.enabled. A value of null removes what is named.
	UpdateMask   []string `json:"updateMask"`
	Installation struct {
		ConnectionID string        `json:"connectionId,omitempty"`
		Config       ConfigRequest `json:"config,omitzero"`
	} `json:"installation"`
	SkipSampling bool `json:"-"`
}

// PatchConfigRequest is the body of PATCH …/objects/{o}/config-content.
type PatchConfigRequest struct {
	// GroupRef or InstallationID is set.
	GroupRef       string  `json:"groupRef,omitempty"`
	InstallationID string  `json:"installationId,omitempty"`
	Action         string  `json:"action"` // read, write or subscribe
	Changes        []Patch `json:"changes"`
}

const (
	opUpdate = "update the installation"
	opPatch  = "update the config"
)

// UpdateInstallation changes what the mask names. A config that changes is one of
// the integration's latest revision from then on, or of the one that
// config.revisionId names, and is filled in from it as a new one is.
func (f *Flow) UpdateInstallation(ctx context.Context, project, integration, id string, r UpdateInstallationRequest) (windlass.Installation, error) {
	var changed windlass.Installation
	err := retryMoved(opUpdate, func() error {
		in, err := f.findIntegration(ctx, project, integration)
		if err != nil {
			return err
		}
		i, err := f.installation(ctx, opUpdate, in, id)
		if err != nil {
			return err
		}
		u := &update{request: r, at: "installation.config.content"}
		changed, err = f.change(ctx, opUpdate, in, i, u)
		return err
	})
	return changed, err
}

// PatchConfig changes the config of one object by operations of RFC 6902. An
// object that the config does not have yet is begun.
func (f *Flow) PatchConfig(ctx context.Context, project, integration, object string, r PatchConfigRequest) (windlass.Installation, error) {
	var changed windlass.Installation
	err := retryMoved(opPatch, func() error {
		in, err := f.findIntegration(ctx, project, integration)
		if err != nil {
			return err
		}
		var i windlass.Installation
		switch {
		case (r.GroupRef == "") == (r.InstallationID == ""):
			return input.Invalid(opPatch, "the request names no installation, or two", "send either groupRef or installationId")
		case r.GroupRef != "":
			i, err = f.ofGroup(ctx, opPatch, in, r.GroupRef)
		default:
			i, err = f.installation(ctx, opPatch, in, r.InstallationID)
		}
		if err != nil {
			return err
		}
		changed, err = f.change(ctx, opPatch, in, i, &objectPatch{object: object, request: r})
		return err
	})
	return changed, err
}

// An update changes what a mask names.
type update struct {
	request UpdateInstallationRequest
	at      string
}

func (u *update) place() string { return u.at }

func (u *update) revision() string {
	if slices.Contains(u.request.UpdateMask, "config.revisionId") {
		return u.request.Installation.Config.RevisionID
	}
	return ""
}

func (u *update) change(ctx context.Context, d *draft, i *windlass.Installation) (content bool, err error) {
	to := u.request.Installation
	var given map[string]any
	if len(to.Config.Content) > 0 {
		if given, err = input.Tree(to.Config.Content); err != nil {
			d.Addf(u.at, "%v", err)
			return false, nil
		}
	}
	known := d.knownObjects(given)
	if len(u.request.UpdateMask) == 0 {
		d.Addf("updateMask", "names nothing to update")
	}
	var later error
	for n, path := range u.request.UpdateMask {
		at := item("updateMask", n)
		keys, inContent := contentPath(path, known)
		switch {
		case inContent:
			content = true
			if !d.copyContent(given, keys) {
				d.Addf(at, "there is no value for %s in installation: send one, or null to remove it", input.Shorten(path))
			}
		case path == "connectionId":
			content = true // the fields are those of another workspace now
			if d.Need(to.ConnectionID, "installation.connectionId") {
				if later = d.connect(ctx, to.ConnectionID, owner{groupRef: i.Group.Ref}, "installation.connectionId"); later != nil && !errors.Is(later, windlass.Conflict) {
					return false, later
				}
				i.Connection, i.Healthy = d.connection, true
			}
		case path == "config.createdBy":
			d.Label(to.Config.CreatedBy, "installation.config.createdBy")
			i.Config.CreatedBy = to.Config.CreatedBy
		case path == "config.revisionId":
			content = true
			d.Need(to.Config.RevisionID, "installation.config.revisionId")
		default:
			d.Addf(at, "%q cannot be updated: the mask may name connectionId, config.createdBy, config.revisionId, %s, "+
				"%s.<action>.objects and %s.<action>.objects.<object>, where the action is read, write or subscribe, and %s.proxy.enabled",
				input.Shorten(path), contentMask, contentMask, contentMask, contentMask)
		}
	}
	return content, later
}

// copyContent copies the value at a path from a request into the draft.
func (d *draft) copyContent(given map[string]any, keys []string) bool {
	value, found := input.Lookup(given, keys)
	switch {
	case !found || given == nil:
		return false
	case len(keys) == 0:
		d.tree = given
	default:
		input.Put(d.tree, keys, value)
	}
	return true
}

// knownObjects lists the names that a path in a mask may hold.
func (d *draft) knownObjects(given map[string]any) []string {
	var names []string
	for _, o := range d.providers.Objects(d.entry.Provider) {
		names = append(names, o.Name)
	}
	for _, in := range []map[string]any{d.tree, given} {
		for _, action := range actions {
			objects, _ := input.Lookup(in, []string{action, "objects"})
			if objects, isObject := objects.(map[string]any); isObject {
				names = append(names, slices.Sorted(maps.Keys(objects))...)
			}
		}
	}
	return names
}

// An objectPatch changes the config of one object.
type objectPatch struct {
	object  string
	request PatchConfigRequest
}

func (p *objectPatch) place() string { return contentMask }

func (p *objectPatch) revision() string { return "" }

func (p *objectPatch) change(_ context.Context, d *draft, _ *windlass.Installation) (content bool, err error) {
	if !slices.Contains(actions, p.request.Action) {
		d.Addf("action", "%q is not an action: write read, write or subscribe", input.Shorten(p.request.Action))
	}
	if len(p.request.Changes) == 0 {
		d.Addf("changes", "is empty: name at least one change")
	}
	path := []string{p.request.Action, "objects", p.object}
	found, _ := input.Lookup(d.tree, path)
	object, isObject := found.(map[string]any)
	if !isObject {
		object = map[string]any{"objectName": p.object}
	}
	for n, change := range p.request.Changes {
		if wrong := change.apply(object); wrong != "" {
			d.Addf(item("changes", n), "%s", wrong)
		}
	}
	input.Put(d.tree, path, object)
	return true, nil
}
