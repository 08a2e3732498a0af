package workspace

import (
	"encoding/csv"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

const sample = `{"uuid":"{1}","name":"A \"b\", c","project":{"key":"P","name":"Pé","links":{}},"size":12,"private":true,"none":null,"tags":[{"n":1,"x":2},{"x":3}],"text":"two\nlines"}`

func TestEncoders(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		make   encoder
		record string
		want   string
	}{
		{"a record keeps its own bytes", wholeLines{}, `{ "b" : 1.0,"a": "<&>"  }`, `{ "b" : 1.0,"a": "<&>"  }`},
		{"a record with line breaks becomes one line", wholeLines{}, "{\r\n  \"b\": 1.0,\n  \"a\": \"<\\n>\"\n}", `{"b":1.0,"a":"<\n>"}`},
		{"fields come in the order asked for", pickedLines{newPicker([]string{"size", "uuid"})}, sample, `{"size":12,"uuid":"{1}"}`},
		{"nested fields come out nested, together", pickedLines{newPicker([]string{"project.name", "uuid", "project.key"})}, sample, `{"project":{"name":"Pé","key":"P"},"uuid":"{1}"}`},
		{"a field that is absent stays absent", pickedLines{newPicker([]string{"language", "uuid", "project.uuid"})}, sample, `{"uuid":"{1}"}`},
		{"absent fields first and last", pickedLines{newPicker([]string{"a.b", "uuid", "c.d"})}, sample, `{"uuid":"{1}"}`},
		{"nothing present", pickedLines{newPicker([]string{"a", "b.c"})}, sample, `{}`},
		{"null stays null", pickedLines{newPicker([]string{"none", "none.x"})}, sample, `{"none":null}`},
		{"null above a field stays null", pickedLines{newPicker([]string{"none.x"})}, sample, `{"none":null}`},
		{"a plain value has no fields", pickedLines{newPicker([]string{"size.x", "uuid"})}, sample, `{"uuid":"{1}"}`},
		{"a path takes in the longer ones", pickedLines{newPicker([]string{"project.key", "project"})}, sample, `{"project":{"key":"P","name":"Pé","links":{}}}`},
		{"and the shorter comes first", pickedLines{newPicker([]string{"project", "project.key"})}, sample, `{"project":{"key":"P","name":"Pé","links":{}}}`},
		{"fields of a list's elements", pickedLines{newPicker([]string{"tags.n"})}, sample, `{"tags":[{"n":1},{}]}`},
		{"columns", newCSV([]string{"uuid", "size", "private", "none", "language"}), sample, `{1},12,true,,`},
		{"quotes and commas are quoted", newCSV([]string{"name", "uuid"}), sample, `"A ""b"", c",{1}`},
		{"line breaks are quoted", newCSV([]string{"text", "uuid"}), sample, "\"two\nlines\",{1}"},
		{"nested values are compact JSON", newCSV([]string{"project", "uuid"}), strings.ReplaceAll(sample, `"key":`, `"key" : `), `"{""key"":""P"",""name"":""Pé"",""links"":{}}",{1}`},
		{"a nested field is its value", newCSV([]string{"project.name", "project.links"}), sample, `Pé,{}`},
		{"a field of a list's elements is a list", newCSV([]string{"tags.x", "tags.n"}), sample, `"[2,3]",[1]`},
		{"a single empty value is no empty line", newCSV([]string{"language"}), sample, `""`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := test.make.appendRecord([]byte("before|"), json.RawMessage(test.record))
			if err != nil {
				t.Fatal(err)
			}
			if want := "before|" + test.want + "\n"; string(got) != want {
				t.Errorf("got  %swant %s", got, want)
			}
		})
	}
}

func TestEncodersRefuseWhatIsNotJSON(t *testing.T) {
	t.Parallel()
	for _, encode := range []encoder{wholeLines{}, pickedLines{newPicker([]string{"a.b"})}, newCSV([]string{"a.b"})} {
		if _, err := encode.appendRecord(nil, json.RawMessage("{\"a\":\n{")); err == nil {
			t.Errorf("%T took half a record", encode)
		}
	}
}

// FuzzCSV holds that whatever a value is, the standard library's reader gets it
// back.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{"", "a", `"`, `""`, "a,b", "a\nb", "a\r\nb", " a ", "é", `\.`, "'=1+1"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		record, err := json.Marshal(map[string]string{"a": a, "b": b})
		if err != nil {
			t.Skip()
		}
		for _, names := range [][]string{{"a"}, {"a", "b"}} {
			line, err := newCSV(names).appendRecord(newCSV(names).appendHeader(nil), record)
			if err != nil {
				t.Fatal(err)
			}
			rows, err := csv.NewReader(strings.NewReader(string(line))).ReadAll()
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			want := [][]string{names}
			row := []string{}
			for _, value := range []string{a, b}[:len(names)] {
				// The reader turns \r\n inside quotes into \n by itself.
				row = append(row, strings.ReplaceAll(strings.ToValidUTF8(value, "\uFFFD"), "\r\n", "\n"))
			}
			want = append(want, row)
			if !sameRows(rows, want) {
				t.Errorf("%q: got %q, want %q", line, rows, want)
			}
		}
	})
}

// sameRows compares up to how invalid UTF-8 is replaced: byte by byte or in runs.
func sameRows(a, b [][]string) bool {
	for _, rows := range [][][]string{a, b} {
		for _, row := range rows {
			for i := range row {
				row[i] = strings.ReplaceAll(row[i], "\uFFFD", "")
			}
		}
	}
	return reflect.DeepEqual(a, b)
}

func FuzzPicker(f *testing.F) {
	f.Add(sample, "project.key,tags.n,uuid")
	f.Add(`{"a":[[{"b":1}],null,3]}`, "a.b")
	f.Fuzz(func(t *testing.T, record, fields string) {
		if !json.Valid([]byte(record)) || !strings.HasPrefix(record, "{") {
			t.Skip()
		}
		for _, r := range fields {
			if r < ' ' || r > '~' {
				t.Skip() // names of fields are plain ASCII
			}
		}
		line, err := pickedLines{newPicker(strings.Split(fields, ","))}.appendRecord(nil, json.RawMessage(record))
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(line) || strings.Count(string(line), "\n") != 1 {
			t.Errorf("%s of %s: got %q, which is not one line of JSON", fields, record, line)
		}
	})
}
