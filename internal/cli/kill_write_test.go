package cli_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"windlass/bitbucket"
	"windlass/bitbucket/sandbox"
	"windlass/connector"
)

const writesHooks = `specVersion: 1.0.0
integrations:
  - name: hooks
    provider: bitbucket
    write:
      objects:
        - objectName: hooks
`

// Whenever a process is killed in the middle of asynchronous writes, none is lost
// and none is made twice: Bitbucket takes any number of webhooks with one URL, so
// that a second one would be there to see.
func TestNoWriteIsLostOrMadeTwiceWhenProcessesAreKilled(t *testing.T) {
	t.Parallel()
	const batch, moments = 5, 8
	for _, driver := range []string{"sqlite", "postgres"} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			c := newClusterOf(t, driver, &sandbox.Options{Latency: 10 * time.Millisecond, Limit: -1})
			c.env = append(c.env, "WINDLASS_HOURLY_LIMIT=1000000", "WINDLASS_LEASE=10s")
			p := c.start()
			c.letHooksBeWritten(p)
			operations := make([]string, 0, moments)
			for i := range moments {
				var records []map[string]any
				for j := range batch {
					records = append(records, map[string]any{"record": map[string]any{
						"url": fmt.Sprintf("https://product.example.com/%d/%d", i, j), "events": []string{"repo:push"},
					}})
				}
				var begun struct{ OperationID string }
				c.must(p, http.MethodPost, oneProject+"/integrations/hooks/objects/hooks", map[string]any{
					"groupRef": "customer", "type": "create", "mode": "asynchronous", "batch": records,
				}, &begun)
				operations = append(operations, begun.OperationID)
				time.Sleep(rand.N(150 * time.Millisecond))
				if _, err := p.end(syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
				p = c.start()
			}
			for _, id := range operations {
				c.succeeds(p, id)
			}
			for url, n := range c.hooks() {
				if strings.HasPrefix(url, "https://product.example.com/") && n != 1 {
					t.Errorf("%s is there %d times", url, n)
				}
			}
			for i := range moments {
				for j := range batch {
					if url := fmt.Sprintf("https://product.example.com/%d/%d", i, j); c.hooks()[url] == 0 {
						t.Errorf("%s is lost", url)
					}
				}
			}
		})
	}
}

// letHooksBeWritten deploys the integration and installs it for one customer.
func (c *cluster) letHooksBeWritten(p *process) {
	c.Helper()
	known := c.bitbucket.Credentials()
	c.must(p, http.MethodPut, oneProject+"/integrations:batch", map[string]string{"sourceYaml": writesHooks}, nil)
	var made struct{ ID string }
	c.must(p, http.MethodPost, oneProject+"/connections:generate", map[string]any{
		"provider": "bitbucket", "groupRef": "customer", "consumerRef": "ann", "providerWorkspaceRef": known.Workspace, "apiKey": known.AccessToken,
	}, &made)
	c.must(p, http.MethodPost, oneProject+"/integrations/hooks/installations?skipSampling=true", map[string]any{
		"groupRef": "customer", "connectionId": made.ID,
		"config": map[string]any{"content": map[string]any{"provider": "bitbucket", "write": map[string]any{
			"objects": map[string]any{"hooks": map[string]any{"objectName": "hooks"}},
		}}},
	}, nil)
}

// succeeds waits for an operation to end well.
func (c *cluster) succeeds(p *process, id string) {
	c.Helper()
	var operation struct{ Status, Result string }
	for begun := time.Now(); operation.Status != "success"; time.Sleep(50 * time.Millisecond) {
		c.must(p, http.MethodGet, oneProject+"/operations/"+id, nil, &operation)
		if operation.Status == "failure" || time.Since(begun) > 2*time.Minute {
			c.Fatalf("%s is %+v", id, operation)
		}
	}
}

// hooks counts the workspace's webhooks by their URLs, as Bitbucket has them.
func (c *cluster) hooks() map[string]int {
	c.Helper()
	credential, err := bitbucket.AccessToken(c.bitbucket.Credentials().AccessToken)
	if err != nil {
		c.Fatal(err)
	}
	transport, err := bitbucket.NewTransport(credential, "", c.bitbucket.Transport())
	if err != nil {
		c.Fatal(err)
	}
	reader, err := bitbucket.New(&http.Client{Transport: transport}, &bitbucket.Options{Workspace: c.bitbucket.Credentials().Workspace})
	if err != nil {
		c.Fatal(err)
	}
	found := map[string]int{}
	for record, err := range reader.All(c.Context(), connector.ReadRequest{Object: "hooks"}) {
		if err != nil {
			c.Fatal(err)
		}
		var hook struct {
			URL string `json:"url"`
		}
		if err := json.Unmarshal(record.Raw, &hook); err != nil {
			c.Fatal(err)
		}
		found[hook.URL]++
	}
	return found
}
