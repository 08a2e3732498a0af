package cli_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"windlass/bitbucket/sandbox"
)

// A productSide is what a product receives: which records of which operation, and
// whether what came again was the same.
type productSide struct {
	*httptest.Server

	mu       sync.Mutex
	messages map[string][sha256.Size]byte
	records  map[string]map[string]int // by customer and operation: how many messages each was in
	again    int
	faults   []string
}

func newProductSide(t *testing.T) *productSide {
	t.Helper()
	side := &productSide{messages: map[string][sha256.Size]byte{}, records: map[string]map[string]int{}}
	side.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // its process was killed in the middle
		}
		time.Sleep(2 * time.Millisecond)
		side.keep(r.Header.Get("Webhook-Id"), body)
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(side.Close)
	return side
}

func (s *productSide) keep(id string, body []byte) {
	var m struct {
		GroupRef    string `json:"groupRef"`
		OperationID string `json:"operationId"`
		Result      []struct {
			Raw struct {
				UUID string `json:"uuid"`
			} `json:"raw"`
		} `json:"result"`
	}
	err := json.Unmarshal(body, &m)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.faults = append(s.faults, err.Error())
	}
	sum := sha256.Sum256(body)
	if before, known := s.messages[id]; known {
		s.again++
		if before != sum {
			s.faults = append(s.faults, "other bytes under the id "+id)
		}
		return
	}
	s.messages[id] = sum
	if s.records[m.GroupRef] == nil {
		s.records[m.GroupRef] = map[string]int{}
	}
	for _, r := range m.Result {
		s.records[m.GroupRef][r.Raw.UUID]++
		if n := s.records[m.GroupRef][r.Raw.UUID]; n == 2 {
			s.faults = append(s.faults, "a record came under two ids, of operation "+m.OperationID)
		}
	}
}

// complete counts the customers of whom so many different records came.
func (s *productSide) complete(records int) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, all := range s.records {
		if len(all) == records {
			n++
		}
	}
	return n
}

const oneObject = `specVersion: 1.0.0
integrations:
  - name: repos
    provider: bitbucket
    read:
      objects:
        - objectName: repositories
          destination: webhook
          optionalFieldsAuto: all
          backfill:
            defaultPeriod:
              fullHistory: true
`

// reading is a cluster whose processes read a sandbox to a product.
func reading(t *testing.T, driver string, repositories int) (*cluster, *productSide) {
	t.Helper()
	c := newClusterOf(t, driver, &sandbox.Options{Repositories: repositories, Latency: 5 * time.Millisecond, Limit: -1})
	c.env = append(c.env, "WINDLASS_ALLOW_HTTP_DESTINATIONS=true", "WINDLASS_ALLOW_PRIVATE_DESTINATIONS=127.0.0.1",
		"WINDLASS_HOURLY_LIMIT=1000000", "WINDLASS_LEASE=10s")
	return c, newProductSide(t)
}

func (c *cluster) must(p *process, method, path string, in, out any) {
	c.Helper()
	if status, body := c.call(p, method, path, in, out); status/100 != 2 {
		c.Fatalf("%s %s: %d %s", method, path, status, body)
	}
}

// deployed deploys the one integration, to a product.
func (c *cluster) deployed(p *process, side *productSide) {
	c.Helper()
	c.must(p, http.MethodPost, oneProject+"/destinations", map[string]any{
		"name": "webhook", "type": "webhook", "metadata": map[string]string{"url": side.URL},
	}, nil)
	c.must(p, http.MethodPut, oneProject+"/integrations:batch", map[string]string{"sourceYaml": oneObject}, nil)
}

// customer connects and installs one more.
func (c *cluster) customer(p *process, group string) {
	c.Helper()
	known := c.bitbucket.Credentials()
	var made struct{ ID string }
	c.must(p, http.MethodPost, oneProject+"/connections:generate", map[string]any{
		"provider": "bitbucket", "groupRef": group, "consumerRef": "ann", "providerWorkspaceRef": known.Workspace, "apiKey": known.AccessToken,
	}, &made)
	c.must(p, http.MethodPost, oneProject+"/integrations/repos/installations?skipSampling=true", map[string]any{
		"groupRef": group, "connectionId": made.ID,
		"config": map[string]any{"content": map[string]any{"provider": "bitbucket", "read": map[string]any{"objects": map[string]any{
			"repositories": map[string]any{"objectName": "repositories", "selectedFields": map[string]bool{}, "selectedFieldMappings": map[string]string{}},
		}}}},
	}, nil)
}

// whole waits until every customer's records are there, and checks that nothing
// came that must not.
func (c *cluster) whole(side *productSide, customers, records int, patience time.Duration) {
	c.Helper()
	for begun := time.Now(); side.complete(records) < customers; time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > patience {
			c.Fatalf("after %s the records of %d customers are there, of %d", patience, side.complete(records), customers)
		}
	}
	side.mu.Lock()
	defer side.mu.Unlock()
	for i, fault := range side.faults {
		if i < 3 {
			c.Error(fault)
		}
	}
	c.Logf("%d messages, %d of them came again", len(side.messages), side.again)
}

// kills is how often processes are killed; WINDLASS_TEST_KILLS says another number.
func kills(t *testing.T) int {
	t.Helper()
	if text := os.Getenv("WINDLASS_TEST_KILLS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 20
}

// Whenever a process is killed, and killed again, nothing is lost; what comes twice
// has the same id and the same bytes.
func TestNothingIsLostWhenProcessesAreKilled(t *testing.T) {
	t.Parallel()
	const repositories = 700
	for _, driver := range []string{"sqlite", "postgres"} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			c, side := reading(t, driver, repositories)
			p := c.start()
			c.deployed(p, side)
			moments := kills(t)
			for i := range moments {
				c.customer(p, fmt.Sprintf("customer-%d", i))
				time.Sleep(rand.N(250 * time.Millisecond))
				if _, err := p.end(syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
				p = c.start()
			}
			c.whole(side, moments, repositories, 3*time.Minute)
		})
	}
}

// Three processes share the work; when one is killed the others do its part.
func TestTheWorkOfAKilledProcessGoesOn(t *testing.T) {
	t.Parallel()
	const repositories, customers = 1500, 6
	c, side := reading(t, "postgres", repositories)
	first := c.start()
	second, third := c.start(), c.start()
	c.deployed(first, side)
	for i := range customers {
		c.customer([]*process{first, second, third}[i%3], fmt.Sprintf("customer-%d", i))
	}
	for begun := time.Now(); len(c.seenOf(side)) == 0 && time.Since(begun) < time.Minute; {
		time.Sleep(time.Millisecond)
	}
	if _, err := second.end(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c.whole(side, customers, repositories, 2*time.Minute)
}

func (c *cluster) seenOf(side *productSide) map[string][sha256.Size]byte {
	side.mu.Lock()
	defer side.mu.Unlock()
	return maps.Clone(side.messages)
}
