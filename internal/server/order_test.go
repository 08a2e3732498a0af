package server_test

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"windlass/bitbucket/sandbox"
	"windlass/internal/server"
)

// A backfill's message is refused and waits, while the record changes and a newer
// read brings it once more: the receiver ends on the newer state (invariant 10).
func TestAReceiverThatRefusedOnceEndsOnTheNewestState(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, config server.Config) {
		bitbucket := sandbox.New(&sandbox.Options{Repositories: 1})
		to := newReceiver(t)
		var posts atomic.Int64
		refused := make(chan struct{})
		refuse := func() { // the first message, once
			first := posts.Add(1) == 1
			to.down.Store(first)
			if first {
				close(refused)
			}
		}
		to.onPost.Store(&refuse)
		r := connectedTo(t, delivering(config, bitbucket), bitbucket, to)
		installation := r.reads("repositories")
		<-refused
		r.logOf(installation, "Read 1 record")
		var slug string
		for _, one := range sandboxRepositories(t, bitbucket) {
			slug = one
		}
		if err := bitbucket.Push(slug); err != nil {
			t.Fatal(err)
		}
		r.must(http.MethodPost, inProject+"/integrations/bitbucket/objects/repositories", map[string]any{"groupRef": "group-1", "mode": "async"}, nil)
		var sizes []int64
		for began := time.Now(); len(sizes) < 2 && time.Since(began) < time.Minute; time.Sleep(20 * time.Millisecond) {
			sizes = to.sizes()
		}
		to.check(t)
		if len(sizes) != 2 || sizes[0] >= sizes[1] {
			t.Errorf("the states arrived in the order %v: the newest has to be the last", sizes)
		}
	})
}

// sizes are those of the repositories that arrived, in the order of their arrival.
func (r *receiver) sizes() (all []int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, body := range r.bodies {
		var m struct {
			Result []struct {
				Raw struct{ Size int64 } `json:"raw"`
			} `json:"result"`
		}
		if json.Unmarshal(body, &m) == nil && len(m.Result) == 1 {
			all = append(all, m.Result[0].Raw.Size)
		}
	}
	return all
}

// sandboxRepositories lists the slugs of the workspace's repositories.
func sandboxRepositories(t *testing.T, bitbucket *sandbox.Server) (slugs []string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.bitbucket.org/2.0/repositories/acme?role=member&pagelen=100", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+bitbucket.Credentials().AccessToken)
	resp, err := bitbucket.Transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var page struct{ Values []struct{ Slug string } }
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
		t.Fatal(err)
	}
	for _, one := range page.Values {
		slugs = append(slugs, one.Slug)
	}
	return slugs
}
