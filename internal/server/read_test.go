package server_test

import (
	"fmt"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"windlass/bitbucket/sandbox"
	"windlass/internal/server"
)

// delivering is a config of a server that reads a sandbox and may send to this
// machine.
func delivering(config server.Config, bitbucket *sandbox.Server) server.Config {
	config.Base = bitbucket.Transport()
	config.AllowHTTPDestinations, config.AllowPrivateDestinations = true, []string{"127.0.0.0/8", "::1"}
	config.HourlyLimit = 10_000_000
	return config
}

// connectedTo sets a server up until just before an installation.
func connectedTo(tb testing.TB, config server.Config, bitbucket *sandbox.Server, to *receiver) *running {
	tb.Helper()
	r := start(tb, config)
	r.product(bitbucket)
	r.receives(to)
	r.consent(bitbucket)
	return r
}

// WINDLASS_TEST_REPOSITORIES says another number than ten thousand.
func TestABackfillArrivesWholeAndForTheFewestRequests(t *testing.T) {
	t.Parallel()
	repositories := sized(t, "WINDLASS_TEST_REPOSITORIES", 10_000)
	each(t, func(t *testing.T, config server.Config) {
		bitbucket := sandbox.New(&sandbox.Options{Repositories: repositories, Limit: -1})
		to := newReceiver(t)
		r := connectedTo(t, delivering(config, bitbucket), bitbucket, to)
		r.must(http.MethodPost, inProject+"/integrations/bitbucket/installations?skipSampling=true", installation, nil)
		before := bitbucket.Requests()
		to.await(t, repositories, 2*time.Minute+time.Duration(repositories)*time.Millisecond)
		// One or two more are the pages of a slice that a busy machine broke off.
		const brokenOff = 2
		if n := bitbucket.Requests() - before; n > repositories/100+brokenOff {
			t.Errorf("it took %d requests", n)
		}
		to.check(t)
		records, messages, again := to.seen()
		if records != repositories || to.twice() != 0 {
			t.Errorf("%d records came, %d of them twice", records, to.twice())
		}
		if again > 0 {
			t.Errorf("%d of %d messages came twice", again, messages)
		}
		if n := r.metric("windlass_read_records_total"); int(n) != repositories {
			t.Errorf("the metric counts %v records", n)
		}
		if n := r.metric("windlass_budget_requests"); int(n) < repositories/100 {
			t.Errorf("the budget counts %v requests", n)
		}
		// An attempt is counted when its answer has been read: a moment after the receiver has seen it.
		awaitUntil(t, fmt.Sprintf("%d attempts in the metric", messages), func() bool {
			return int(r.metric("windlass_delivery_attempts_total")) >= messages
		})
	})
}

func splitLines(text string) iter.Seq[string] { return strings.SplitSeq(text, "\n") }

// cutName takes the name and the labels off a line of metrics.
func cutName(line, name string) (value string, found bool) {
	rest, found := strings.CutPrefix(line, name)
	if !found || rest == "" || (rest[0] != ' ' && rest[0] != '{') {
		return "", false
	}
	return rest[strings.LastIndex(rest, " ")+1:], true
}
