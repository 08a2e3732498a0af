package jsonscan_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"windlass/internal/jsonscan"
)

func whole(data []byte) error {
	s := jsonscan.New(data)
	if err := s.Skip(); err != nil {
		return err
	}
	return s.End()
}

var texts = []string{
	`{}`, `[]`, `""`, `0`, `-0`, `1.5e+7`, `true`, `false`, `null`, ` [ 1 , "a" ] `, `{"a":{"b":[{"c":"\u00e9\"\\/\b\f\n\r\t"}]}}`,
	`{"a":1,"b":"x","c":[true,null,{}],"long":"` + strings.Repeat("x", 100) + `"}`,
	"", "{", "}", "[1,]", "{,}", `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `{"a":1 "b":2}`, `[1 2]`, `01`, `1.`, `.5`, `-`, `1e`, `tru`, `nul`, `"`, `"\x"`, `"\u12g4"`, `"\u12`, "\"\x01\"",
	`{"a":1]`, `[1}`, `[[[`, `1 2`, `{"a":1}}`, "\x00", `{1:2}`, `[,]`, `{"a":"b":"c"}`, `["a":1]`,
	strings.Repeat("[", 900) + strings.Repeat("]", 900),
}

func TestItAcceptsWhatEncodingJSONAccepts(t *testing.T) {
	t.Parallel()
	for _, text := range texts {
		if err := whole([]byte(text)); (err == nil) != json.Valid([]byte(text)) {
			t.Errorf("%.40q: %v; encoding/json says it is valid: %t", text, err, json.Valid([]byte(text)))
		}
	}
	if whole([]byte(strings.Repeat("[", 5000)+strings.Repeat("]", 5000))) == nil {
		t.Error("there is no limit to the depth")
	}
}

func FuzzSkip(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := whole(data)
		if valid := json.Valid(data); (err == nil) != valid && bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) < 900 {
			t.Errorf("%q: %v; encoding/json says it is valid: %t", data, err, valid)
		}
	})
}

func TestPluck(t *testing.T) {
	t.Parallel()
	const record = `{"uuid": "{1}", "user":{"uuid":"{2}","links":{}}, "n":17, "\u0061":"escaped", "n":18, "user.uuid":"no"} `
	slots := make([][]byte, 5)
	s := jsonscan.New([]byte(record))
	if err := s.Pluck(jsonscan.Want("uuid", "user.uuid", "n", "a", "missing"), slots); err != nil {
		t.Fatal(err)
	}
	if err := s.End(); err != nil {
		t.Error(err)
	}
	for i, want := range []string{"{1}", "{2}", "18", "escaped", ""} {
		if got := jsonscan.Plain(slots[i]); got != want {
			t.Errorf("slot %d holds %q, want %q", i, got, want)
		}
	}
}

func TestObjectsAndArraysAreVisited(t *testing.T) {
	t.Parallel()
	s := jsonscan.New([]byte(`{"values":[1,{"a":2}],"next":null}`))
	var seen []string
	err := s.Object(func(key []byte) error {
		seen = append(seen, string(key))
		if string(key) != "values" {
			return s.Skip()
		}
		return s.Array(func() error {
			value, err := s.Value()
			seen = append(seen, string(value))
			return err
		})
	})
	if got := strings.Join(seen, " "); err != nil || got != `values 1 {"a":2} next` {
		t.Errorf("%v, %s", err, got)
	}
}
