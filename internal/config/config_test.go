package config_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"windlass"
	"windlass/internal/config"
)

func TestAConfigIsReadOnceForEveryone(t *testing.T) {
	t.Parallel()
	c, err := config.Parse(json.RawMessage(`{"provider":"bitbucket",
		"read":{"objects":{"repositories":{"objectName":"repositories","destination":"hook",
			"fieldFilters":[{"fieldName":"slug","operator":"eq","value":"a"}],
			"backfill":{"defaultPeriod":{"days":3},"fieldFilters":[{"fieldName":"is_private","operator":"eq","value":true}]}},
			"members":{"objectName":"members","disabled":true}}},
		"write":{"objects":{"projects":{"objectName":"projects","deletionSettings":{"enabled":true}}, "hooks":{"objectName":"hooks"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.ReadNames(); !slices.Equal(got, []string{"members", "repositories"}) {
		t.Errorf("read names: %v", got)
	}
	if got := c.EnabledNames(); !slices.Equal(got, []string{"repositories"}) {
		t.Errorf("enabled: %v", got)
	}
	if got := c.WriteNames(); !slices.Equal(got, []string{"hooks", "projects"}) {
		t.Errorf("write names: %v", got)
	}
	o, found := c.Reads("repositories")
	if !found || len(o.Filters(false)) != 1 || len(o.Filters(true)) != 2 || len(o.Filters(false)) != 1 {
		t.Errorf("filters: %v of %v", o.Filters(true), o)
	}
	for object, deletes := range map[string]bool{"projects": true, "hooks": false} {
		if w, found := c.Writes(object); !found || w.Deletes() != deletes {
			t.Errorf("%s: found %t, deletes %t", object, found, w.Deletes())
		}
	}
	if !c.SendsTo([]string{"hook"}) || c.SendsTo([]string{"other"}) {
		t.Error("the destinations of a config are not those that it names")
	}
	empty, err := config.Parse(json.RawMessage(`{}`))
	if _, found := empty.Reads("repositories"); err != nil || found || len(empty.EnabledNames()) > 0 || len(empty.WriteNames()) > 0 {
		t.Errorf("an empty config has something: %v, %v", empty, err)
	}
	if _, err := config.Parse(json.RawMessage(`[]`)); !errors.Is(err, windlass.Invalid) {
		t.Errorf("a list for a config: %v", err)
	}
}

func TestARevisionSaysHowAnObjectIsReadAndWritten(t *testing.T) {
	t.Parallel()
	revision := windlass.Revision{ID: "r1", Content: json.RawMessage(`{"name":"i","provider":"bitbucket",
		"read":{"objects":[{"objectName":"projects","mapToName":"project","destination":"hook","requiredFields":[{"fieldName":"name","mapToName":"title"}]}]},
		"write":{"objects":[{"objectName":"projects","inheritMapping":true}]}}`)}
	entry, err := config.ReadEntry(revision, "projects")
	if err != nil || entry.MapToName != "project" {
		t.Fatalf("got %+v, %v", entry, err)
	}
	if gone, err := config.ReadEntry(revision, "members"); err != nil || gone.ObjectName != "members" || gone.Destination != "" {
		t.Errorf("an object that the revision does not have: %+v, %v", gone, err)
	}
	if w, err := config.WriteEntry(revision, "members"); err != nil || w != nil {
		t.Errorf("an object that is not written: %+v, %v", w, err)
	}
	c, err := config.Parse(json.RawMessage(`{"write":{"objects":{"projects":{"objectName":"projects",
		"selectedValueDefaults":{"description":{"value":"new"}},"selectedFieldSettings":{"key":{"default":{"stringValue":"HOIST"}}}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := c.WritePlan(revision, "projects")
	if err != nil {
		t.Fatal(err)
	}
	got, err := plan.Create(json.RawMessage(`{"title":"Hoist"}`))
	if err != nil {
		t.Fatal(err)
	}
	var record map[string]string
	if err := json.Unmarshal(got.Record, &record); err != nil || record["name"] != "Hoist" || record["description"] != "new" || record["key"] != "HOIST" {
		t.Errorf("got %s, %v", got.Record, err)
	}
	damaged := windlass.Revision{ID: "r2", Content: json.RawMessage(`nothing`)}
	if _, err := config.ReadEntry(damaged, "projects"); !errors.Is(err, windlass.Invalid) {
		t.Errorf("a damaged revision: %v", err)
	}
	if _, err := c.WritePlan(damaged, "projects"); !errors.Is(err, windlass.Invalid) {
		t.Errorf("a plan from a damaged revision: %v", err)
	}
}
