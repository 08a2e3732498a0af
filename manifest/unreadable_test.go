package manifest_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"windlass/manifest"
)

func TestUnreadableTextSaysWhereAndWhatToDo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, want string }{
		{"nothing at all", "", `amp.yaml:1:1: the manifest is empty: begin with "specVersion: 1.0.0"`},
		{"only a comment", "# later\n", "amp.yaml:1:1: the manifest is empty"},
		{"only a null", "~\n", "amp.yaml:1:1: the manifest has no value"},
		{"a tab for indentation", "integrations:\n\t- name: x\n", "amp.yaml:2:1: not valid YAML: found character that cannot start any token while scanning for the next token: indent with spaces, not with tabs"},
		{"a schedule without quotes", "schedule: */10 * * * *\n", `a value that begins with * needs quotes, as in schedule: "*/10 * * * *"`},
		{"the schedule's place", "a: 1\nschedule: */10 * * * *\n", "amp.yaml:2:16: "},
		{"a quote that stays open", "a: \"x\nb: 1\nc: 2\n", "amp.yaml:1:4: not valid YAML: found unexpected end of stream while scanning a quoted scalar: close the quotes that open here"},
		{"a bracket that stays open", "a: [1, 2\nb: 3\n", "(begun in line 1)"},
		{"a colon in a value", "a: b: c\n", `put a value that contains ": " in quotes`},
		{"a reserved character", "a: @all\n", "amp.yaml:1:4: not valid YAML: found character that cannot start any token while scanning for the next token: put the value in quotes"},
		{"keys in different columns", "a:\n  - b: 1\n   c: 2\n", "amp.yaml:3:4: not valid YAML"},
		{"an anchor that is not defined", "a: *x\n", "amp.yaml:1:4: not valid YAML: unknown anchor 'x' referenced"},
		{"a key that is a list", "? [a]\n: b\n", "amp.yaml:1:3: a key is a list or a mapping"},
		{"a NUL byte", "a: 1\nb: é\x00\n", "amp.yaml:2:5: the control character U+0000 cannot be part of a manifest: remove it"},
		{"a bell", "a: \a\n", "amp.yaml:1:4: the control character U+0007"},
		{"Latin-1", "a: 1\r\nb: caf\xe9\r\n", "amp.yaml:2:7: byte 0xe9 is not UTF-8 text: save the file as UTF-8"},
		{"UTF-16", "\xff\xfea\x00:\x00", "amp.yaml:1:1: the manifest is in UTF-16: save it as UTF-8"},
		{"a byte order mark is no fault", "\ufeff%YAML 1.2\n---\nspecVersion: 2\n", "amp.yaml:3:14: specVersion is the number 2"},
		{"a zip instead of YAML", "PK\x03\x04", "amp.yaml:1:3: the control character U+0003"},
		{"too deep", strings.Repeat("[", 100), "exceeded max depth of 64"},
		{"too deep to close", strings.Repeat("- ", 100_000), "exceeded max depth of 64"},
		{"JSON cut short is YAML cut short", `{"specVersion": "1.0.0", "integrations": [`, "amp.yaml:2:1: not valid YAML"},
		{"another version of YAML", "%YAML 2.0\n---\na: 1\n", "amp.yaml:1:1: not valid YAML: found incompatible YAML document"},
		{"a second document that is broken", "a: 1\n---\n[\n", "not valid YAML"},
		{"more than a mebibyte", "#" + strings.Repeat("x", 1<<20), "amp.yaml: the manifest has 1048577 bytes, and may have at most 1048576"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := manifest.Parse([]byte(test.text), &manifest.Options{File: "amp.yaml"})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got:\n%v\nwant a line with:\n%s", err, test.want)
			}
		})
	}
}

// Every text here was made to be expensive, and has to end in a bounded number of
// problems. What is bounded is work, not time, which depends on the machine: a
// text whose cost grew with its square would not end before the test does. They
// have a sixteenth of what is allowed, because the race detector is slow.
func TestHostileTextEnds(t *testing.T) {
	const size = 1 << 16
	for name, text := range map[string]string{
		"a list of as many entries as fit":   "[" + strings.Repeat("a,", size/2-2) + "]",
		"a long key above many values":       strings.Repeat("k", size/2) + ": [" + strings.Repeat("a,", size/4-10) + "]",
		"as many unknown keys as fit":        strings.Repeat("ke: 1\n", size/6),
		"as many keys merged into as many":   "<<: {" + numbered(2_700, "m%: 1,") + "}\n" + numbered(2_700, "k%: 1\n"),
		"as many schedules as fit":           "integrations:\n- read:\n    objects:\n" + strings.Repeat("    - schedule: 0 0 31 * 1\n", size/29),
		"as many mapped fields as fit":       "integrations: [{read: {objects: [{requiredFields: [" + numbered(2_500, "{mapToName: n%},") + "]}]}}]",
		"aliases of aliases":                 "a: &a [1]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\nd: [" + strings.Repeat("*c,", size/4) + "]",
		"one path of as many steps as fit":   "integrations: [{read: {objects: [{requiredFields: [{fieldName: \"$" + strings.Repeat("['a']", size/6) + "\"}]}]}}]",
		"one schedule with as much as fits":  "integrations: [{read: {objects: [{schedule: \"" + strings.Repeat("1,", size/3) + "1 * * * *\"}]}}]",
		"brackets that open and never close": strings.Repeat("[", size),
		"mappings that open and never close": strings.Repeat("{a: ", size/5),
		"as many dashes as fit":              strings.Repeat("-\n", size/2),
		"as many anchors as fit":             "[" + numbered(4_200, "&a% 1,") + "]",
		"a scalar folded over as many lines": "a: >\n" + strings.Repeat(" x\n", size/4),
	} {
		t.Run(name, func(t *testing.T) {
			if len(text) > size {
				t.Fatalf("it has %d bytes", len(text))
			}
			_, err := manifest.Parse([]byte(text), nil)
			if problems, found := errors.AsType[manifest.Problems](err); !found || len(problems) > 501 {
				t.Errorf("got %d problems (%.100v)", len(problems), err)
			}
		})
	}
}

// numbered repeats a text, with a number for its percent sign.
func numbered(count int, text string) string {
	var out strings.Builder
	for i := range count {
		out.WriteString(strings.ReplaceAll(text, "%", strconv.Itoa(i)))
	}
	return out.String()
}
