package ui

import (
	"fmt"
	"strings"
	"testing"
)

func shown(lines []diffLine) string {
	var text []string
	for _, line := range lines {
		text = append(text, line.Mark+line.Text)
	}
	return strings.Join(text, "\n")
}

func TestDiff(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, before, after, want string }{
		{"alike", "a\nb", "a\nb", ""},
		{"a line more", "a\nc", "a\nb\nc", " a\n+b\n c"},
		{"a line less", "a\nb\nc", "a\nc", " a\n-b\n c"},
		{"another line", "a\nb\nc", "a\nx\nc", " a\n-b\n+x\n c"},
		{"moved", "a\nb\nc\nd", "b\nc\nd\na", "-a\n b\n c\n d\n+a"},
		{"two changes", "a\nb\nc\nd\ne", "x\nb\nc\nd\ny", "-a\n+x\n b\n c\n d\n-e\n+y"},
		{"from nothing", "", "a", "-\n+a"},
		{"far apart", "a\n1\n2\n3\n4\n5\n6\n7\n8\nb", "x\n1\n2\n3\n4\n5\n6\n7\n8\ny", "-a\n+x\n 1\n 2\n 3\n…\n 6\n 7\n 8\n-b\n+y"},
		{"in the middle", "1\n2\n3\n4\n5\na\n6\n7\n8\n9\n0", "1\n2\n3\n4\n5\n6\n7\n8\n9\n0", " 3\n 4\n 5\n-a\n 6\n 7\n 8"},
	} {
		if got := shown(diff(row.before, row.after)); got != row.want {
			t.Errorf("%s: got\n%s\nwant\n%s", row.name, got, row.want)
		}
	}
}

// Two texts that are too long to compare are different altogether.
func TestDiffOfLongTexts(t *testing.T) {
	t.Parallel()
	var a, b strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&a, "a %d\n", i)
		fmt.Fprintf(&b, "b %d\n", i)
	}
	lines := diff(a.String(), b.String())
	if len(lines) != 6001 || lines[0] != (diffLine{"-", "a 0"}) || lines[3000] != (diffLine{"+", "b 0"}) {
		t.Errorf("got %d lines", len(lines))
	}
}
