package mapping_test

import (
	"errors"
	"strings"
	"testing"

	"windlass"
	"windlass/internal/mapping"
	"windlass/manifest"
)

type (
	object = manifest.ReadObject
	fields = []manifest.Field
	names  = map[string]string
	picks  = map[string]bool
	values = map[string]map[string]string
)

func TestAppendEntry(t *testing.T) {
	t.Parallel()
	const repository = `{"uuid":"{1}","Name":"Rope","size":12.50,"mainbranch":{"name":"main"},"owner":null,` +
		`"links":{"clone":[{"name":"https","href":"h"},{"name":"ssh","href":"s"},{"name":"odd"}]},"scm":"git"}`
	for _, row := range []struct {
		name      string
		selection mapping.Selection
		record    string
		fields    string
		mapped    string
	}{
		{
			name:      "required fields are there without being selected",
			selection: mapping.Selection{Object: object{RequiredFields: fields{{FieldName: "uuid"}}}},
			fields:    `{"uuid":"{1}"}`,
		},
		{
			name:      "optional fields are there when selected, in lower case and in order",
			selection: mapping.Selection{Object: object{OptionalFields: fields{{FieldName: "Name"}, {FieldName: "scm"}}}, SelectedFields: picks{"size": true, "Name": true, "scm": false}},
			fields:    `{"name":"Rope","size":12.50}`,
		},
		{
			name:      "what the record does not have is absent, and null is null",
			selection: mapping.Selection{SelectedFields: picks{"missing": true, "owner": true}, SelectedFieldMappings: names{"who": "owner", "not": "gone"}, Object: object{RequiredFields: fields{{FieldName: "owner"}}}},
			fields:    `{"owner":null}`, mapped: `{"who":null}`,
		},
		{
			name:      "a field with another name is mapped, and its own name is gone",
			selection: mapping.Selection{Object: object{RequiredFields: fields{{FieldName: "uuid", MapToName: "ID"}}}, SelectedFields: picks{"uuid": true}},
			mapped:    `{"ID":"{1}"}`,
		},
		{
			name:      "an optional one with another name has to be selected",
			selection: mapping.Selection{Object: object{OptionalFields: fields{{FieldName: "uuid", MapToName: "id"}, {FieldName: "scm", MapToName: "kind"}}}, SelectedFields: picks{"scm": true}},
			mapped:    `{"kind":"git"}`,
		},
		{
			name:      "the customer chooses the field for a name",
			selection: mapping.Selection{Object: object{RequiredFields: fields{{MapToName: "title", Default: "uuid"}}}, SelectedFields: picks{"Name": true}, SelectedFieldMappings: names{"title": "Name"}},
			mapped:    `{"title":"Rope"}`,
		},
		{
			name:      "a name that was not chosen is absent",
			selection: mapping.Selection{Object: object{RequiredFields: fields{{MapToName: "title", Default: "uuid"}}}, SelectedFieldMappings: names{"title": ""}},
		},
		{
			name:      "what the product requires stays when the customer maps it, too",
			selection: mapping.Selection{Object: object{RequiredFields: fields{{FieldName: "scm"}}}, SelectedFieldMappings: names{"kind": "scm"}},
			fields:    `{"scm":"git"}`, mapped: `{"kind":"git"}`,
		},
		{
			name:      "nested targets share the objects on the way",
			selection: mapping.Selection{SelectedFieldMappings: names{"$['a']['b']": "uuid", "$['a']['c']['d']": "scm", "z": "size"}},
			mapped:    `{"a":{"b":"{1}","c":{"d":"git"}},"z":12.50}`,
		},
		{
			name:      "a nested target without a value leaves no empty object",
			selection: mapping.Selection{SelectedFieldMappings: names{"$['a']['b']['c']": "missing", "z": "scm"}},
			mapped:    `{"z":"git"}`,
		},
		{
			name:      "nested sources, by path and by dotted name",
			selection: mapping.Selection{SelectedFieldMappings: names{"branch": "$['mainbranch']['name']", "again": "mainbranch.name"}, SelectedFields: picks{"$['links']['Missing']": true}},
			mapped:    `{"again":"main","branch":"main"}`,
		},
		{
			name:      "a nested field keeps its name when it is not mapped",
			selection: mapping.Selection{SelectedFields: picks{"$['mainbranch']['name']": true, "links.none": true}},
			fields:    `{"$['mainbranch']['name']":"main"}`,
		},
		{
			name:      "a key that has dots comes before what they could mean",
			selection: mapping.Selection{SelectedFields: picks{"a.b": true}},
			record:    `{"a":{"b":1},"a.b":2}`,
			fields:    `{"a.b":2}`,
		},
		{
			name:      "[*] collects what the entries have",
			selection: mapping.Selection{SelectedFieldMappings: names{"urls": "$['links']['clone'][*]['href']", "all": "$['links']['clone'][*]"}},
			mapped:    `{"all":[{"name":"https","href":"h"},{"name":"ssh","href":"s"},{"name":"odd"}],"urls":["h","s"]}`,
		},
		{
			name:      "several [*] give one list",
			selection: mapping.Selection{SelectedFieldMappings: names{"x": "$['a'][*]['b'][*]['c']"}},
			record:    `{"a":[{"b":[{"c":1},{"c":null}]},{"b":{"c":9}},{"b":[{"c":3},{}]},7]}`,
			mapped:    `{"x":[1,null,3]}`,
		},
		{
			name:      "an empty list is an empty list, and no list is nothing",
			selection: mapping.Selection{SelectedFieldMappings: names{"x": "$['a'][*]['b']", "y": "$['c'][*]", "z": "$['d'][*]"}},
			record:    `{"a":[],"c":{},"d":null}`,
			mapped:    `{"x":[]}`,
		},
		{
			name:      "all fields, but those that are mapped or not wanted",
			selection: mapping.Selection{SelectedFieldsAuto: "all", SelectedFields: picks{"size": false}, SelectedFieldMappings: names{"kind": "scm", "branch": "mainbranch.name"}, Object: object{OptionalFieldsAuto: "all"}},
			record:    `{"UUID":1,"size":2,"scm":"git","mainbranch":{"name":"main"},"\u0041\"é":[ 1 ]}`,
			fields:    `{"uuid":1,"mainbranch":{"name":"main"},"a\"é":[ 1 ]}`, mapped: `{"branch":"main","kind":"git"}`,
		},
		{
			name:      "optionalFieldsAuto alone selects nothing",
			selection: mapping.Selection{Object: object{OptionalFieldsAuto: "all"}},
		},
		{
			name:      "a dynamic mapping with a field holds by itself, another when chosen",
			selection: mapping.Selection{Dynamic: []mapping.DynamicMapping{{MapToName: "a", FieldName: "uuid"}, {MapToName: "b"}, {MapToName: "c"}}, SelectedFieldMappings: names{"b": "scm"}},
			mapped:    `{"a":"{1}","b":"git"}`,
		},
		{
			name: "values are mapped by field, by target, in lists, and nowhere else",
			selection: mapping.Selection{
				SelectedFields: picks{"state": true}, SelectedFieldMappings: names{"stage": "phase", "tags": "$['t'][*]['v']", "list": "l"},
				SelectedValueMappings: values{"state": {"open": "OPEN"}, "stage": {"won": "closed \"won\""}, "tags": {"yes": "y"}, "list": {"yes": "y"}},
			},
			record: `{"state":"OPEN","phase":"closed \u0022won\"","t":[{"v":"y"},{"v":"n"},{"v":true}],"l":[ "y", ["y"], "n" ]}`,
			fields: `{"state":"open"}`, mapped: `{"list":[ "yes", ["y"], "n" ],"stage":"won","tags":["yes","n",true]}`,
		},
		{
			name:      "of repeated keys the last counts, at every depth",
			selection: mapping.Selection{SelectedFields: picks{"a": true}, SelectedFieldMappings: names{"b": "$['b']['c']", "l": "$['l'][*]['m']"}},
			record:    `{"a":1,"b":{"c":1},"b":{"d":1},"a":2,"l":[{"m":1,"m":2}],"l":[{"m":3,"m":4},{"m":5,"n":0,"m":6}]}`,
			fields:    `{"a":2}`, mapped: `{"l":[4,6]}`,
		},
		{
			name:      "and so does the last of keys that differ in case",
			selection: mapping.Selection{SelectedFieldsAuto: "all"},
			record:    `{"a":1,"b":2,"A":3,"":4}`,
			fields:    `{"b":2,"a":3,"":4}`,
		},
		{
			name:      "white space around values is not theirs",
			selection: mapping.Selection{SelectedFieldsAuto: "all", SelectedFieldMappings: names{"x": "b"}},
			record:    " { \"a\" : 1 ,\n\"b\"\t: [ ] } ",
			fields:    `{"a":1}`, mapped: `{"x":[ ]}`,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			plan, err := mapping.Compile(row.selection)
			if err != nil {
				t.Fatal(err)
			}
			record := row.record
			if record == "" {
				record = repository
			}
			or := func(text string) string {
				if text == "" {
					return "{}"
				}
				return text
			}
			for range 2 { // what is used again must have forgotten the record before
				got, err := plan.AppendEntry([]byte("["), []byte(record))
				if want := `[{"fields":` + or(row.fields) + `,"mappedFields":` + or(row.mapped) + `,"raw":` + record + `}`; err != nil || string(got) != want {
					t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
				}
			}
		})
	}
}

func TestARecordThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	plan, err := mapping.Compile(mapping.Selection{SelectedFieldsAuto: "all", SelectedFieldMappings: names{"x": "$['a'][*]['b']"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, record, says string }{
		{"nothing", "", "is empty"},
		{"white space", " \n", "is empty"},
		{"a list", `[{}]`, "not a JSON object but a list"},
		{"null", `null`, "not a JSON object but null"},
		{"a number", `-1`, "a number"},
		{"a string", `"{}"`, "a string"},
		{"one that breaks off", `{"a":[{"b":1`, "breaks off"},
		{"two of them", `{}{}`, "byte 2"},
		{"a comma too many", `{"a":1,}`, "byte 7"},
		{"something that is not JSON", `<html>`, "byte 0"},
		{"a control character", "{\"a\":\"\n\"}", "byte 6"},
		{"one that is too deep", strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000), "deeper than"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, err := plan.AppendEntry([]byte("before"), []byte(row.record))
			if !errors.Is(err, windlass.Malformed) || !strings.Contains(err.Error(), row.says) || string(got) != "before" {
				t.Errorf("%v, and the output is %.60q; want an error that says %q", err, got, row.says)
			}
		})
	}
}

func TestCompileRefusesConflicts(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		selection mapping.Selection
		says      string
	}{
		{"two fields for one name", mapping.Selection{Object: object{RequiredFields: fields{{FieldName: "a", MapToName: "x"}}}, SelectedFieldMappings: names{"x": "b"}}, `"x" is mapped from "a" as well as from "b"`},
		{"a name inside of another", mapping.Selection{SelectedFieldMappings: names{"x": "a", "$['x']['y']": "b"}}, "overlaps"},
		{"the same name in two spellings", mapping.Selection{SelectedFieldMappings: names{"x": "a", "$['x']": "b"}}, "overlaps"},
		{"a target with [*]", mapping.Selection{SelectedFieldMappings: names{"$['x'][*]": "a"}}, "more than one place"},
		{"a source that cannot be read", mapping.Selection{SelectedFields: picks{"$['a'": true}}, "does not close"},
		{"a target that cannot be read", mapping.Selection{SelectedFieldMappings: names{"$": "a"}}, "leads nowhere"},
		{"fields that differ in case only", mapping.Selection{SelectedFields: picks{"a": true, "A": true}}, `both delivered as "a"`},
		{"two values for one of the provider's", mapping.Selection{SelectedFields: picks{"a": true}, SelectedValueMappings: values{"a": {"x": "1", "y": "1"}}}, `both as "x" and as "y"`},
		{"an unknown way to select", mapping.Selection{SelectedFieldsAuto: "some"}, `"some"`},
		{"a mapping to nothing", mapping.Selection{SelectedFieldMappings: names{"": "a"}}, "empty"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if _, err := mapping.Compile(row.selection); !errors.Is(err, windlass.Invalid) || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%v; want an error that says %q", err, row.says)
			}
		})
	}
}

func TestTheSameFieldInTwoSpellingsIsNoConflict(t *testing.T) {
	t.Parallel()
	_, err := mapping.Compile(mapping.Selection{
		Object:         object{RequiredFields: fields{{FieldName: "$['a']", MapToName: "x"}}},
		SelectedFields: picks{"a": true, "$['a']": true}, SelectedFieldMappings: names{"x": "a"},
	})
	if err != nil {
		t.Error(err)
	}
}

func TestFieldsNamesWhatAPlanNeeds(t *testing.T) {
	t.Parallel()
	plan, err := mapping.Compile(mapping.Selection{SelectedFields: picks{"uuid": true, "mainbranch.name": true}, SelectedFieldMappings: names{"x": "$['links']['clone'][*]['href']", "y": "$['a']['b']"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(plan.Fields(), " "); got != "a.b links.clone mainbranch.name uuid" {
		t.Errorf("the plan needs %s", got)
	}
	if plan, err = mapping.Compile(mapping.Selection{SelectedFieldsAuto: "all"}); err != nil || plan.Fields() != nil {
		t.Errorf("%v: a plan that needs everything names %v", err, plan.Fields())
	}
}
