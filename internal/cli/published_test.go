package cli_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"windlass/internal/cli"
	"windlass/internal/cli/command"
)

// The manifest that the contract's publisher gives as a sample deploys as it is.
func TestPublishedSampleDeploys(t *testing.T) {
	t.Parallel()
	path := filepath.Join(os.Getenv("WINDLASS_SHARED"), "contract", "ampersand", "sample-bitbucket-amp.yaml")
	if _, err := os.Stat(path); err != nil || os.Getenv("WINDLASS_SHARED") == "" {
		if os.Getenv("WINDLASS_SHARED_REQUIRED") == "1" {
			t.Fatalf("WINDLASS_SHARED_REQUIRED=1, but: %v", err)
		}
		t.Skip("the sample is found where WINDLASS_SHARED points; make sets it")
	}
	c := newCluster(t, "sqlite")
	p := c.start()
	for _, args := range [][]string{{"validate", path}, {"deploy", path}} {
		var stdout, stderr strings.Builder
		code := cli.Main(t.Context(), command.Env{
			Args: args, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
			Getenv: func(name string) string {
				return map[string]string{"WINDLASS_URL": p.url, "WINDLASS_API_KEY": c.key}[name]
			},
		})
		if code != 0 || !strings.Contains(stdout.String(), "integration-bitbucket") {
			t.Errorf("windlass %s: exit code %d: %s%s", args[0], code, &stdout, &stderr)
		}
	}
	if status, body := c.call(p, http.MethodGet, oneProject+"/integrations/integration-bitbucket", nil, nil); status != http.StatusOK || !strings.Contains(body, `"workspaces"`) {
		t.Errorf("the integration: %d %s", status, body)
	}
}
