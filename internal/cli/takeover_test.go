package cli_test

import (
	"net/http"
	"syscall"
	"testing"
	"time"

	"windlass/bitbucket/sandbox"
)

// A process is killed while a product waits for a write, which has no job: another
// one, or on SQLite the next, carries the write on as soon as it sees that the
// process is gone, and makes nothing twice.
func TestAKilledProcessIsTakenOver(t *testing.T) {
	t.Parallel()
	for _, driver := range []string{"sqlite", "postgres"} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			c := newClusterOf(t, driver, &sandbox.Options{Latency: time.Second, Limit: -1})
			killed := c.start()
			c.letHooksBeWritten(killed)
			var others *process
			if driver == "postgres" {
				others = c.start()
			}
			before := c.bitbucket.Requests()
			go func() {
				resp, err := http.DefaultClient.Do(c.request(killed, http.MethodPost, oneProject+"/integrations/hooks/objects/hooks", map[string]any{
					"groupRef": "customer", "type": "create", "mode": "synchronous",
					"record": map[string]any{"url": "https://product.example.com/once", "events": []string{"repo:push"}},
				}))
				if err == nil {
					resp.Body.Close()
				}
			}()
			for begun := time.Now(); c.bitbucket.Requests() == before; time.Sleep(5 * time.Millisecond) {
				if time.Since(begun) > time.Minute {
					t.Fatal("the write never reached Bitbucket")
				}
			}
			if _, err := killed.end(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			died := time.Now()
			if others == nil {
				others = c.start()
			} else {
				others.until(t, "took over from a process that is gone")
			}
			taken := time.Since(died)
			c.succeeds(others, c.onlyOperation(others))
			t.Logf("taken over after %v, done after %v", taken, time.Since(died))
			if n := c.hooks()["https://product.example.com/once"]; n != 1 {
				t.Errorf("the webhook is there %d times", n)
			}
		})
	}
}

// onlyOperation returns the id of the one operation that there is.
func (c *cluster) onlyOperation(p *process) string {
	c.Helper()
	const hooks = oneProject + "/integrations/hooks/installations"
	var installations, operations []struct{ ID string }
	var page struct{ Results []struct{ ID string } }
	c.must(p, http.MethodGet, hooks, nil, &installations)
	if len(installations) != 1 {
		c.Fatalf("%d installations", len(installations))
	}
	c.must(p, http.MethodGet, hooks+"/"+installations[0].ID+"/operations", nil, &page)
	if operations = page.Results; len(operations) != 1 {
		c.Fatalf("%d operations", len(operations))
	}
	return operations[0].ID
}
