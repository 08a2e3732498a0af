package server_test

import (
	"net/http"
	"testing"
	"time"

	"windlass"
	"windlass/bitbucket/sandbox"
	"windlass/internal/pgtemp"
)

// PostgreSQL is restarted in the middle of a backfill: what is under way breaks
// off, waits, and goes on by itself.
func TestABackfillSurvivesARestartOfPostgreSQL(t *testing.T) {
	t.Parallel()
	const repositories = 3_000
	postgres, err := pgtemp.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := postgres.Stop(); err != nil {
			t.Error(err)
		}
	})
	bitbucket := sandbox.New(&sandbox.Options{Repositories: repositories, Limit: -1, Latency: 20 * time.Millisecond})
	to := newReceiver(t)
	config := configOf(t, "sqlite")
	config.Database = windlass.NewSecret(postgres.URL())
	config.Lease = 10 * time.Second // a step that breaks off may leave its lease behind
	r := connectedTo(t, delivering(config, bitbucket), bitbucket, to)
	r.must(http.MethodPost, inProject+"/integrations/bitbucket/installations?skipSampling=true", installation, nil)
	to.await(t, repositories/10, time.Minute)
	if records, _, _ := to.seen(); records == repositories {
		t.Fatal("it was too fast to be disturbed")
	}
	if err := postgres.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	to.await(t, repositories, 4*time.Minute)
	to.check(t)
	if records, _, _ := to.seen(); records != repositories {
		t.Errorf("%d records came", records)
	}
}
