package cli_test

import (
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A stop breaks off a read at once: with an hour to stop, a page that hangs is not
// waited for.
func TestAStopBreaksOffAPageThatHangs(t *testing.T) {
	t.Parallel()
	c, side := reading(t, "sqlite", 3)
	asked, answers := make(chan struct{}), c.site.Config.Handler
	var once sync.Once
	c.site.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The workspace is named by its id, or by its name.
		if strings.HasPrefix(r.URL.Path, "/2.0/repositories/") && strings.Contains(r.URL.RawQuery, "pagelen=100") {
			once.Do(func() { close(asked) })
			<-r.Context().Done()
			return
		}
		answers.ServeHTTP(w, r)
	})
	c.env = append(c.env, "WINDLASS_STOP_DEADLINE=1h")
	p := c.start()
	c.deployed(p, side)
	c.customer(p, "group")
	select {
	case <-asked:
	case <-time.After(time.Minute):
		t.Fatal("the page was not asked for")
	}
	_ = p.command.Process.Signal(syscall.SIGTERM)
	p.until(t, `"stopped"`)
	if code, err := p.end(syscall.SIGKILL); code != 0 || err != nil {
		t.Errorf("it ended with %d, %v: %s", code, err, p.stderr)
	}
}

// A stop while a refresh is under way: the answer counts if it comes soon, or the
// customer would have to consent again once the old refresh token is dead.
func TestAStopKeepsTheAnswerToARefresh(t *testing.T) {
	t.Parallel()
	for _, driver := range []string{"sqlite", "postgres"} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, driver)
			p, id, answer := c.stoppedAtARefresh("1h")
			close(answer)
			if code, err := p.end(syscall.Signal(0)); code != 0 || err != nil {
				t.Errorf("it ended with %d, %v: %s", code, err, p.stderr)
			}
			asked := c.bitbucket.TokenRequests()
			if got := c.after(id, time.Hour); got != "working" {
				t.Errorf("the connection is %s when the old token is dead", got)
			}
			if n := c.bitbucket.TokenRequests() - asked; n != 1 {
				t.Errorf("it was refreshed %d times, an hour later", n)
			}
		})
	}
}

// A refresh that is not answered holds up a stop no longer than that, nor do the
// requests that wait for it, however long the stop may take.
func TestAStopBreaksOffARefreshThatHangs(t *testing.T) {
	t.Parallel()
	for _, driver := range []string{"sqlite", "postgres"} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, driver)
			p, id, answer := c.stoppedAtARefresh("1h")
			t.Cleanup(func() { close(answer) })
			p.until(t, "refreshes that take long are broken off")
			p.until(t, `"stopped"`)
			if code, err := p.end(syscall.Signal(0)); code != 0 || err != nil {
				t.Errorf("it ended with %d, %v: %s", code, err, p.stderr)
			}
			c.onToken.Store(nil)
			if got := c.after(id, 2*time.Minute); got != "working" {
				t.Errorf("the connection is %s while the old token still works", got)
			}
		})
	}
}

// stoppedAtARefresh is a process that is told to stop while it waits for the answer to
// a refresh, which is sent when the channel is closed.
func (c *cluster) stoppedAtARefresh(deadline string) (p *process, id string, answer chan struct{}) {
	c.Helper()
	c.env = append(c.env, "WINDLASS_STOP_DEADLINE="+deadline)
	p = c.start()
	id = c.connected(p, time.Hour)
	asked, answer := make(chan struct{}), make(chan struct{})
	var once sync.Once
	hold := func() {
		once.Do(func() {
			close(asked)
			<-answer
		})
	}
	c.onToken.Store(&hold)
	go c.call(p, http.MethodGet, oneProject+"/connections/"+id+"?refresh=force", nil, nil)
	<-asked
	_ = p.command.Process.Signal(syscall.SIGTERM)
	p.until(c.T, `"stopping"`)
	return p, id, answer
}
