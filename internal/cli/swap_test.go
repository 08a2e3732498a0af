package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"windlass/bitbucket/sandbox"
)

const swapped = 3

// swap is an object whose records are deleted and created while a read of it lies
// still: as many of each, so that their number stays the same.
type swap struct {
	object  string
	list    string // its path at Bitbucket
	records int
	swap    func(c *cluster)
}

func swaps() []swap {
	return []swap{
		{"repositories", "/2.0/repositories/acme", 600, func(c *cluster) {
			for _, item := range c.bitbucketList("/2.0/repositories/acme?sort=created_on")[:swapped] {
				if err := c.bitbucket.DeleteRepository(item.Slug); err != nil {
					c.Error(err)
				}
			}
			for i := range swapped {
				if _, err := c.bitbucket.CreateRepository(fmt.Sprint("Made meanwhile ", i), ""); err != nil {
					c.Error(err)
				}
			}
		}},
		{"hooks", "/2.0/workspaces/acme/hooks", 350, func(c *cluster) {
			for _, item := range c.bitbucketList("/2.0/workspaces/acme/hooks")[:swapped] {
				c.bitbucketCall(http.MethodDelete, "/2.0/workspaces/acme/hooks/"+item.UUID, nil)
			}
			for i := range swapped {
				c.bitbucketCall(http.MethodPost, "/2.0/workspaces/acme/hooks", map[string]any{
					"description": fmt.Sprint("made meanwhile ", i), "url": "https://example.com/hook", "active": true, "events": []string{"repo:push"},
				})
			}
		}},
	}
}

type listed struct{ UUID, Slug string }

// bitbucketCall is a request of another client to Bitbucket.
func (c *cluster) bitbucketCall(method, path string, in any) []byte {
	c.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		c.Error(err)
	}
	req, err := http.NewRequestWithContext(c.Context(), method, c.site.URL+strings.NewReplacer("{", "%7B", "}", "%7D").Replace(path), bytes.NewReader(body))
	if err != nil {
		c.Error(err)
		return nil
	}
	if in == nil {
		req.Body, req.ContentLength = nil, 0
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.bitbucket.Credentials().AccessToken)
	req.Header.Set("X-Other-Client", "yes")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.Error(err)
		return nil
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 {
		c.Errorf("%s %s: %d %s, %v", method, path, resp.StatusCode, answer, err)
	}
	return answer
}

func (c *cluster) bitbucketList(path string) []listed {
	c.Helper()
	var page struct{ Values []listed }
	if err := json.Unmarshal(c.bitbucketCall(http.MethodGet, path, nil), &page); err != nil {
		c.Error(err)
	}
	return page.Values
}

// before runs do once, while the server waits for the page of a list with this
// number. The channel is closed when it has run.
func (c *cluster) before(list string, number int64, do func()) <-chan struct{} {
	var n atomic.Int64
	done := make(chan struct{})
	known := c.bitbucket.Credentials()
	told := func(r *http.Request) {
		path := strings.Replace(r.URL.Path, known.WorkspaceUUID, known.Workspace, 1) // the server asks by the id
		if r.Method == http.MethodGet && path == list && r.Header.Get("X-Other-Client") == "" && n.Add(1) == number {
			do()
			close(done)
		}
	}
	c.onRequest.Store(&told)
	return done
}

func manifestOf(object string) string { return strings.ReplaceAll(oneObject, "repositories", object) }

// installs connects a customer who has one object read, and returns the path of
// the installation.
func (c *cluster) installs(p *process, side *productSide, object string) string {
	c.Helper()
	c.must(p, http.MethodPost, oneProject+"/destinations", map[string]any{
		"name": "webhook", "type": "webhook", "metadata": map[string]string{"url": side.URL},
	}, nil)
	c.must(p, http.MethodPut, oneProject+"/integrations:batch", map[string]string{"sourceYaml": manifestOf(object)}, nil)
	known := c.bitbucket.Credentials()
	var connection, installation struct{ ID string }
	c.must(p, http.MethodPost, oneProject+"/connections:generate", map[string]any{
		"provider": "bitbucket", "groupRef": "customer", "consumerRef": "ann", "providerWorkspaceRef": known.Workspace, "apiKey": known.AccessToken,
	}, &connection)
	const path = oneProject + "/integrations/repos/installations"
	c.must(p, http.MethodPost, path+"?skipSampling=true", map[string]any{
		"groupRef": "customer", "connectionId": connection.ID,
		"config": map[string]any{"content": map[string]any{"provider": "bitbucket", "read": map[string]any{"objects": map[string]any{
			object: map[string]any{"objectName": object, "selectedFields": map[string]bool{}, "selectedFieldMappings": map[string]string{}},
		}}}},
	}, &installation)
	return path + "/" + installation.ID
}

// logged waits until the log of the installation's read says something.
func (c *cluster) logged(p *process, installation, want string) {
	c.Helper()
	text := ""
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(20 * time.Millisecond) {
		var operations struct{ Results []struct{ ID string } }
		if _, text = c.call(p, http.MethodGet, installation+"/operations", nil, &operations); len(operations.Results) == 0 {
			continue
		}
		_, text = c.call(p, http.MethodGet, oneProject+"/operations/"+operations.Results[0].ID+"/logs", nil, nil)
		if strings.Contains(text, want) {
			return
		}
	}
	c.Fatalf("the log never said %q: %s", want, text)
}

// TestWhatChangesWhileAReadLiesStillIsNotLost deletes records that a read has
// passed and creates as many, while it is paused or its process is dead. All that
// were there at first and all that were made arrive.
func TestWhatChangesWhileAReadLiesStillIsNotLost(t *testing.T) {
	t.Parallel()
	for _, driver := range []string{"sqlite", "postgres"} {
		for _, object := range swaps() {
			t.Run(driver+" a pause "+object.object, func(t *testing.T) {
				t.Parallel()
				c, side := swapping(t, driver)
				p := c.start()
				var once sync.Mutex
				installation := ""
				once.Lock()
				paused := c.before(object.list, 3, func() {
					once.Lock()
					c.must(p, http.MethodPost, installation+":pause", map[string]any{}, nil)
				})
				installation = c.installs(p, side, object.object)
				once.Unlock()
				<-paused
				c.logged(p, installation, "Reads are paused.")
				object.swap(c)
				c.must(p, http.MethodPost, installation+":unpause", map[string]any{}, nil)
				c.whole(side, 1, object.records+swapped, time.Minute)
				c.logged(p, installation, fmt.Sprintf("Read %d records of %s", object.records+swapped, object.object))
			})
			t.Run(driver+" a kill "+object.object, func(t *testing.T) {
				t.Parallel()
				c, side := swapping(t, driver)
				p := c.start()
				killed := c.before(object.list, 3, func() {
					if _, err := p.end(syscall.SIGKILL); err != nil {
						t.Error(err)
					}
				})
				installation := c.installs(p, side, object.object)
				<-killed
				object.swap(c)
				p = c.start()
				c.whole(side, 1, object.records+swapped, 2*time.Minute)
				c.logged(p, installation, fmt.Sprintf("Read %d records of %s", object.records+swapped, object.object))
			})
		}
	}
}

func swapping(t *testing.T, driver string) (*cluster, *productSide) {
	t.Helper()
	c := newClusterOf(t, driver, &sandbox.Options{Repositories: 600, Hooks: 350, Latency: 5 * time.Millisecond, Limit: -1})
	c.env = append(c.env, "WINDLASS_ALLOW_HTTP_DESTINATIONS=true", "WINDLASS_ALLOW_PRIVATE_DESTINATIONS=127.0.0.1",
		"WINDLASS_HOURLY_LIMIT=1000000", "WINDLASS_LEASE=10s")
	return c, newProductSide(t)
}
