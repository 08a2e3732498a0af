package mapping_test

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"windlass"
	"windlass/internal/mapping"
)

type settings = map[string]mapping.Setting

func text(s string) *mapping.Default      { return &mapping.Default{StringValue: &s} }
func number(n int64) *mapping.Default     { return &mapping.Default{IntegerValue: &n} }
func boolean(b bool) *mapping.Default     { return &mapping.Default{BooleanValue: &b} }
func inherited(m names) mapping.Selection { return mapping.Selection{SelectedFieldMappings: m} }

func TestWrite(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		plan     mapping.WriteSelection
		update   bool
		record   string
		current  string
		want     string // or what the error says
		withheld string
	}{
		{name: "without a mapping a record passes", record: `{"b":1.50,"a.b":"<","c":[ 1 ]}`, want: `{"a.b":"<","b":1.50,"c":[1]}`},
		{
			name: "a mapping is applied backwards, and other names pass",
			plan: mapping.WriteSelection{InheritMapping: true, Read: inherited(names{"title": "name", "$['a']['b']": "$['project']['key']", "$['a']['c']": "scm", "no": "none"})},
			// The order of a record's keys means nothing.
			record: `{"a":{"c":"git","b":"K"},"title":"x","is_private":null}`, want: `{"is_private":null,"name":"x","project":{"key":"K"},"scm":"git"}`,
		},
		{
			name:   "mapped fields and plain ones meet in one object",
			plan:   mapping.WriteSelection{InheritMapping: true, Read: inherited(names{"k": "project.key"})},
			record: `{"k":"K","project.name":"P"}`, want: `{"project":{"key":"K","name":"P"}}`,
		},
		{
			name: "values go back to the provider's, of mapped fields and of plain ones",
			plan: mapping.WriteSelection{InheritMapping: true, Read: mapping.Selection{
				SelectedFieldMappings: names{"stage": "state"}, SelectedFields: picks{"kind": true},
				SelectedValueMappings: values{"stage": {"open": "OPEN"}, "kind": {"x": "X"}},
			}},
			record: `{"stage":"open","kind":["x","y"]}`, want: `{"kind":["X","y"],"state":"OPEN"}`,
		},
		{
			name:   "defaults fill what is missing, each as what it is",
			plan:   mapping.WriteSelection{Settings: settings{"s": {Default: text(`"<`)}, "i": {Default: number(7)}, "b": {Default: boolean(false)}, "$['o']['p']": {Default: number(1)}, "had": {Default: text("no")}, "null": {Default: text("no")}}},
			record: `{"had":"yes","null":null}`, want: `{"b":false,"had":"yes","i":7,"null":null,"o":{"p":1},"s":"\"<"}`,
		},
		{
			name:   "a default by the name that the field is mapped to",
			plan:   mapping.WriteSelection{InheritMapping: true, Read: inherited(names{"$['a']['t']": "name"}), Settings: settings{"$['a']['t']": {Default: text("x")}}},
			record: `{}`, want: `{"name":"x"}`,
		},
		{
			name:   "never on create keeps the field and its default out",
			plan:   mapping.WriteSelection{Settings: settings{"a": {OnCreate: mapping.Never}, "b": {OnCreate: mapping.Never, Default: text("x")}, "c.d": {OnCreate: mapping.Never}}},
			record: `{"a":1,"c":{"d":1},"e":1}`, want: `{"e":1}`, withheld: "a c.d",
		},
		{
			name: "and has no say on update", update: true,
			plan:   mapping.WriteSelection{Settings: settings{"a": {OnCreate: mapping.Never}, "b": {OnCreate: mapping.Never, Default: text("x")}}},
			record: `{"a":1}`, want: `{"a":1,"b":"x"}`,
		},
		{
			name: "never on update", update: true,
			plan:   mapping.WriteSelection{Settings: settings{"a": {OnUpdate: mapping.Never, Default: text("x")}, "b": {OnUpdate: mapping.Never, Default: text("x")}}},
			record: `{"a":1,"c":2}`, want: `{"c":2}`, withheld: "a",
		},
		{
			name: "a default that is for creating only leaves the field free", update: true,
			plan:   mapping.WriteSelection{Settings: settings{"a": {DefaultOnCreateOnly: true, Default: text("x")}, "b": {DefaultOnCreateOnly: true, Default: text("x")}}},
			record: `{"a":1}`, want: `{"a":1}`,
		},
		{
			name: "ifEmpty writes where the provider has nothing, null or an empty string", update: true,
			plan: mapping.WriteSelection{Settings: settings{
				"a": {OnUpdate: mapping.IfEmpty}, "b": {OnUpdate: mapping.IfEmpty}, "c": {OnUpdate: mapping.IfEmpty}, "d": {OnUpdate: mapping.IfEmpty},
				"$['p']['q']": {OnUpdate: mapping.IfEmpty, Default: text("x")}, "$['p']['r']": {OnUpdate: mapping.IfEmpty, Default: text("x")},
			}},
			record: `{"a":1,"b":2,"c":3,"d":4}`, current: `{"a":null,"b":"","d":false,"p":{"q":0}}`,
			want: `{"a":1,"b":2,"c":3,"p":{"r":"x"}}`, withheld: "d",
		},
		{name: "ifEmpty needs to know what there is", update: true, plan: mapping.WriteSelection{Settings: settings{"p.q": {OnUpdate: mapping.IfEmpty}}}, record: `{}`, want: "which fields are empty (p.q)"},
		{name: "one field from two names is a conflict", plan: mapping.WriteSelection{InheritMapping: true, Read: inherited(names{"x": "a", "y": "a"})}, record: `{"x":1,"y":2}`, want: `"y" cannot be written to a: "x" is written there`},
		{name: "unless both say the same", plan: mapping.WriteSelection{InheritMapping: true, Read: inherited(names{"x": "a", "y": "a"})}, record: `{"x":{"p":1,"q":2},"y":{"q":2,"p":1}}`, want: `{"a":{"p":1,"q":2}}`},
		{name: "a mapped name and the provider's own are a conflict", plan: mapping.WriteSelection{InheritMapping: true, Read: inherited(names{"x": "a"})}, record: `{"x":1,"a":2}`, want: `"a" cannot be written`},
		{name: "an object with more than what is mapped is a conflict", plan: mapping.WriteSelection{InheritMapping: true, Read: inherited(names{"$['a']['b']": "x"})}, record: `{"a":{"b":1,"c":{"d":2}}}`, want: `the record has $['a']['c'], which no field is mapped to`},
		{name: "so is something else than an object", plan: mapping.WriteSelection{InheritMapping: true, Read: inherited(names{"$['a']['b']": "x"})}, record: `{"a":[1]}`, want: `a is a list in the record`},
		{name: "what was read from a list cannot be written", plan: mapping.WriteSelection{InheritMapping: true, Read: inherited(names{"x": "$['l'][*]['a']"})}, record: `{"x":[1]}`, want: `from the entries of a list, $['l'][*]['a']`},
		{name: "but does not keep others from being written", plan: mapping.WriteSelection{InheritMapping: true, Read: inherited(names{"x": "$['l'][*]['a']"})}, record: `{"y":[1]}`, want: `{"y":[1]}`},
		{name: "a default without a place is a conflict", plan: mapping.WriteSelection{Settings: settings{"a.b": {Default: text("x")}}}, record: `{"a":1}`, want: `the default of "a.b" cannot be set`},
		{name: "a record has to be one", record: `[]`, want: "not a JSON object"},
		{name: "and whole", record: `{"a":`, want: "not a JSON object"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			plan, err := mapping.CompileWrite(row.plan)
			if err != nil {
				t.Fatal(err)
			}
			var got mapping.Written
			if row.update {
				got, err = plan.Update([]byte(row.record), []byte(row.current))
			} else {
				got, err = plan.Create([]byte(row.record))
			}
			if !strings.HasPrefix(row.want, "{") {
				if !errors.Is(err, windlass.Invalid) || !strings.Contains(err.Error(), row.want) {
					t.Errorf("%v; want an error that says %q", err, row.want)
				}
				return
			}
			if withheld := strings.Join(got.Withheld, " "); err != nil || string(got.Record) != row.want || withheld != row.withheld {
				t.Errorf("%v\ngot  %s without %q\nwant %s without %q", err, got.Record, withheld, row.want, row.withheld)
			}
		})
	}
}

func TestCompileWriteRefusesWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	both := text("x")
	both.IntegerValue = number(1).IntegerValue
	for _, row := range []struct {
		name string
		plan mapping.WriteSelection
		says string
	}{
		{"an unknown gate on create", mapping.WriteSelection{Settings: settings{"a": {OnCreate: mapping.IfEmpty}}}, `writeOnCreate of "a" is "ifEmpty"`},
		{"an unknown gate on update", mapping.WriteSelection{Settings: settings{"a": {OnUpdate: "often"}}}, `"often"`},
		{"a default of two types", mapping.WriteSelection{Settings: settings{"a": {Default: both}}}, "one of a string"},
		{"a default of none", mapping.WriteSelection{Settings: settings{"a": {Default: &mapping.Default{}}}}, "one of a string"},
		{"two settings for one field", mapping.WriteSelection{InheritMapping: true, Read: inherited(names{"x": "a"}), Settings: settings{"a": {}, "x": {}}}, "same field"},
		{"a setting for a list", mapping.WriteSelection{Settings: settings{"$['a'][*]": {}}}, "one by one"},
		{"a setting that cannot be read", mapping.WriteSelection{Settings: settings{"$[": {}}}, "cannot be read"},
		{"a mapping that cannot be read either", mapping.WriteSelection{InheritMapping: true, Read: inherited(names{"x": "a", "$['x']['y']": "b"})}, "overlaps"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if _, err := mapping.CompileWrite(row.plan); !errors.Is(err, windlass.Invalid) || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%v; want an error that says %q", err, row.says)
			}
		})
	}
}

// What was read and is written back arrives as it was, as far as it was selected
// and has one place to go to.
func TestReadAndWrittenBackIsTheSame(t *testing.T) {
	t.Parallel()
	source := rapid.SampledFrom([]string{"a", "b", "$['o']['p']", "$['o']['q']['r']", "$['c']"})
	rapid.Check(t, func(t *rapid.T) {
		s := mapping.Selection{
			Object:                object{ObjectName: "repositories"},
			SelectedFieldMappings: rapid.MapOfN(rapid.SampledFrom([]string{"x", "Y", "$['m']['n']", "$['m']['o']['p']", "$['z z']"}), source, 0, 4).Draw(t, "mappings"),
			SelectedFields:        rapid.MapOfN(rapid.SampledFrom([]string{"d", "e", "$['f']['g']"}), rapid.Bool(), 0, 3).Draw(t, "fields"),
			SelectedValueMappings: values{"a": {"one": "v"}, "x": {"two": "w"}, "d": {"three": "v"}},
		}
		plan, err := mapping.Compile(s)
		if err != nil {
			t.Fatal(err)
		}
		object := map[string]any{}
		for _, key := range []string{"a", "b", "c", "d", "e"} {
			if rapid.Bool().Draw(t, "has "+key) {
				object[key] = value(2).Draw(t, key)
			}
		}
		object["o"] = map[string]any{"p": value(1).Draw(t, "p"), "q": map[string]any{"r": value(1).Draw(t, "r")}}
		object["f"] = map[string]any{"g": value(1).Draw(t, "g")}
		record, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		entry, err := plan.AppendEntry(nil, record)
		if err != nil {
			t.Fatal(err)
		}
		read := decode(entry).(map[string]any)
		product := read["fields"].(map[string]any)
		maps.Copy(product, read["mappedFields"].(map[string]any))
		sent, err := json.Marshal(product)
		if err != nil {
			t.Fatal(err)
		}
		back, err := mapping.CompileWrite(mapping.WriteSelection{InheritMapping: true, Read: s})
		if err != nil {
			t.Fatal(err)
		}
		written, err := back.Create(sent)
		if err != nil {
			t.Fatalf("%s: %v", sent, err)
		}
		// Reading the written record again gives the same entry, but for raw.
		again, err := plan.AppendEntry(nil, written.Record)
		if err != nil {
			t.Fatal(err)
		}
		second := decode(again).(map[string]any)
		delete(read, "raw")
		delete(second, "raw")
		if first := decode(entry).(map[string]any); !reflect.DeepEqual(first["mappedFields"], second["mappedFields"]) || !reflect.DeepEqual(first["fields"], second["fields"]) {
			t.Errorf("read    %s\nwritten %s\nread    %s", entry, written.Record, again)
		}
	})
}

// Whatever is written, what comes out is a JSON object or an error.
func FuzzWrite(f *testing.F) {
	plan, err := mapping.CompileWrite(mapping.WriteSelection{
		InheritMapping: true,
		Read: mapping.Selection{
			SelectedFieldMappings: names{"x": "a", "$['m']['n']": "$['a']['b']", "$['m']['o']": "c.d"},
			SelectedValueMappings: values{"x": {"one": "1"}, "z": {"two": "2"}},
		},
		Settings: settings{"x": {OnUpdate: mapping.IfEmpty}, "c.e": {Default: text("d")}, "z": {OnUpdate: mapping.Never}},
	})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{`{"x":"one"}`, `{"m":{"n":1,"o":null}}`, `{"x":{"b":1},"m":{"n":1}}`, `{"a":{},"m":{}}`, `{"z":["two"],"c":1}`, `[]`, `{"a.b.c":1,"":2,"$":3}`, `{"m":{"n":1},"m":{}}`} {
		f.Add([]byte(seed), []byte(`{"a":""}`))
	}
	f.Fuzz(func(t *testing.T, record, current []byte) {
		created, createErr := plan.Create(record)
		updated, updateErr := plan.Update(record, current)
		for _, one := range []struct {
			mapping.Written
			err error
		}{{created, createErr}, {updated, updateErr}} {
			if one.err != nil {
				if !errors.Is(one.err, windlass.Invalid) {
					t.Errorf("%q: %v", record, one.err)
				}
				continue
			}
			if _, isObject := decode(one.Record).(map[string]any); !isObject || !json.Valid(one.Record) {
				t.Errorf("%q became %q", record, one.Record)
			}
		}
	})
}
