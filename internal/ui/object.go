package ui

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"windlass"
	"windlass/internal/config"
	"windlass/internal/install"
	"windlass/manifest"
)

type objectView struct {
	Installation windlass.Installation
	Name         string
	Config       config.ReadObject
	Schedule     string
	Required     []manifest.Field
	Fields       []fieldRow
	Mappings     []mappingRow
	Gone         bool // the manifest does not have the object any more
	Problem      *Problem
}

// A fieldRow is a field that may be chosen.
type fieldRow struct {
	manifest.FieldMetadata
	Chosen bool
}

// A mappingRow is a field of the product's and the provider's field it comes from.
type mappingRow struct{ To, From string }

func (r *request) objectPage() error { return r.object(http.StatusOK, nil) }

func (r *request) object(status int, problem *Problem) error {
	in, name, chosen, err := r.objectOf()
	if err != nil {
		return err
	}
	v := objectView{Installation: in, Name: name, Config: chosen, Schedule: chosen.Schedule, Problem: problem}
	if problem != nil {
		v.Schedule = r.field("schedule")
	}
	integration, err := r.ui.config.Deploy.Integration(r.Context(), r.Project.ID, in.IntegrationID)
	if err != nil {
		return err
	}
	offered, err := config.Offers(integration.Latest, name)
	if err != nil {
		return err
	}
	v.Gone = !offered
	entry, err := config.ReadEntry(integration.Latest, name)
	if err != nil {
		return err
	}
	v.Required = entry.RequiredFields
	required := map[string]bool{}
	for _, field := range entry.RequiredFields {
		required[field.FieldName] = true
	}
	known, err := r.ui.config.Install.ObjectMetadata(r.Context(), r.Project.ID, install.MetadataQuery{
		Integration: integration.ID, GroupRef: in.Group.Ref, Object: name,
	})
	if err != nil && !errors.Is(err, windlass.NotFound) { // an object that the provider no longer has can still be switched off
		return err
	}
	for _, field := range slices.Sorted(maps.Keys(known.Fields)) {
		if !required[field] {
			v.Fields = append(v.Fields, fieldRow{known.Fields[field], chosen.SelectedFields[field]})
		}
	}
	for _, to := range slices.Sorted(maps.Keys(chosen.SelectedFieldMappings)) {
		v.Mappings = append(v.Mappings, mappingRow{to, chosen.SelectedFieldMappings[to]})
	}
	return r.page(status, "object", name+" of "+cmp.Or(in.Group.Name, in.Group.Ref), v)
}

// objectOf finds the installation and the object that a page is about.
func (r *request) objectOf() (in windlass.Installation, name string, chosen config.ReadObject, err error) {
	if in, err = r.of(); err != nil {
		return in, "", chosen, err
	}
	c, err := config.Parse(in.Config.Content)
	if err != nil {
		return in, "", chosen, err
	}
	name = r.PathValue("object")
	chosen, there := c.Reads(name)
	if !there {
		return in, name, chosen, &windlass.Error{
			Kind: windlass.NotFound, Message: "the installation does not read such an object", Remedy: "choose one on the installation's page",
		}
	}
	return in, name, chosen, nil
}

// updateObject changes how one object is read. What is not in the form (mappings,
// filters, the destination) stays as it is, as do chosen fields that the provider's
// list does not have.
func (r *request) updateObject() error {
	if err := r.ParseForm(); err != nil {
		return &windlass.Error{Kind: windlass.Invalid, Message: "the form cannot be read", Remedy: "send it from the page again", Err: err}
	}
	in, name, chosen, err := r.objectOf()
	if err != nil {
		return err
	}
	fields := map[string]bool{}
	for field, on := range chosen.SelectedFields {
		if on && !slices.Contains(r.PostForm["shown"], field) {
			fields[field] = true
		}
	}
	for _, field := range r.PostForm["field"] {
		fields[field] = true
	}
	auto := ""
	if r.field("all") != "" {
		auto = manifest.All
	}
	patch := install.PatchConfigRequest{InstallationID: in.ID, Action: "read"}
	for _, set := range []struct {
		path  string
		value any
	}{{"/selectedFields", fields}, {"/selectedFieldsAuto", auto}, {"/schedule", r.field("schedule")}, {"/disabled", r.field("disabled") != ""}} {
		value, err := json.Marshal(set.value)
		if err != nil {
			return err
		}
		patch.Changes = append(patch.Changes, install.Patch{Op: "add", Path: set.path, Value: value})
	}
	// The provider may be asked for its fields: the note comes after.
	_, err = r.ui.config.Install.PatchConfig(r.Context(), r.Project.ID, in.IntegrationID, name, patch)
	if shown, problem := wrong(err); shown {
		return r.object(statusOf(err), problem)
	}
	if err != nil {
		return err
	}
	err = r.change("installation.config", in.ID, map[string]string{
		"object": name, "schedule": r.field("schedule"), "disabled": strconv.FormatBool(r.field("disabled") != ""),
		"fields": strings.Join(slices.Sorted(maps.Keys(fields)), " "), "selectedFieldsAuto": auto,
	}, func(context.Context) error { return nil })
	if err != nil {
		return err
	}
	return r.done(r.path("installations/"+in.ID)+"/objects/"+escapePath(name), "saved")
}
