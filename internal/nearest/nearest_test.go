package nearest_test

import (
	"strings"
	"testing"

	"windlass/internal/nearest"
)

func TestTo(t *testing.T) {
	t.Parallel()
	names := []string{"repositories", "hooks", "hook_events", "user/emails", "user/permissions/repositories", "updated_on", "Naïve"}
	for _, row := range []struct{ why, typed, want string }{
		{"a letter too many", "hookss", "hooks"},
		{"a letter too few", "hoks", "hooks"},
		{"another letter", "hoots", "hooks"},
		{"two letters swapped", "hooks_events", "hook_events"},
		{"swapped neighbours count once", "rpeositories", "repositories"},
		{"another ending", "repositorys", "repositories"},
		{"case does not count", "HOOKS", "hooks"},
		{"the beginning of one", "repos", "repositories"},
		{"the beginning of two is no sign", "user/", ""},
		{"two letters are no sign", "up", ""},
		{"letters beyond ASCII", "naive", "Naïve"},
		{"nothing near", "pullrequests", ""},
		{"nothing", "", ""},
		{"endless", strings.Repeat("hooks", 1000), ""},
	} {
		if got := nearest.To(row.typed, names); got != row.want {
			t.Errorf("%s: %q is taken for %q, want %q", row.why, row.typed, got, row.want)
		}
	}
	if got := nearest.To("x", []string{strings.Repeat("x", 1000)}); got != "" {
		t.Errorf("an endless name: %q", got)
	}
}
