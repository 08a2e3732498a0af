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
