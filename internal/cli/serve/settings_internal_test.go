package serve

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The guide's table of settings is the one in the code.
func TestGuideHasTheSettings(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../../docs/server.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	want.WriteString("| setting | variable | default | |\n|---|---|---|---|\n")
	for i := range settings {
		s := &settings[i]
		def := ""
		if s.def != "" {
			def = "`" + s.def + "`"
		}
		fmt.Fprintf(&want, "| `%s` | `%s` | %s | %s |\n", s.key, s.env(), def, s.about)
	}
	if !strings.Contains(string(guide), want.String()) {
		t.Errorf("docs/server.md lacks this table:\n%s", &want)
	}
}

// What a setting hides is hidden wherever it is shown.
func TestSettingsHideSecrets(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"postgres://u:s3cret@db/windlass", "postgres://db/windlass?user=u&password=s3cret",
		"postgresql://u:s3cret@db:5432/windlass?sslmode=disable", "postgres://u:s3cret@[bad",
	} {
		if shown := withoutPassword(address); strings.Contains(shown, "s3cret") {
			t.Errorf("%s is shown as %s", address, shown)
		}
	}
	if shown := withoutPassword("data/windlass.db"); shown != "data/windlass.db" {
		t.Errorf("a file is shown as %s", shown)
	}
}
