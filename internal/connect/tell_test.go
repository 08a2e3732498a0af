package connect_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/internal/connect"
)

// The operator of the server sees in its log when a connection is made, goes bad, is good
// again and is deleted: with its ids, and once it is true.
func TestTheLogSaysWhatBecomesOfAConnection(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		c := w.connected(s)
		w.clock.pass(3 * time.Hour)
		w.server.RevokeConsent(w.app.ClientID)
		_, err := s.Credential(w.ctx(), c)
		w.fails(err, windlass.NeedsReconnect)
		again := func() error {
			begun, err := s.Reconnect(w.ctx(), projectID, c.ID, connect.Opener{Origin: origin})
			w.must(err)
			_, err = s.Callback(w.ctx(), w.consent(begun))
			return err
		}
		w.notices.fail(errors.New("undone"))
		if err := again(); err == nil {
			t.Error("a consent whose notice is not kept is taken for saved")
		}
		w.notices.fail(nil)
		w.must(again())
		w.must(s.Delete(w.ctx(), projectID, c.ID))

		var said []string
		for line := range strings.Lines(w.logs.String()) {
			if !strings.Contains(line, "connection_id="+c.ID) {
				continue
			}
			for _, want := range []string{"project_id=" + projectID, "provider_app_id=" + c.ProviderAppID} {
				if !strings.Contains(line, want) {
					t.Errorf("%q lacks %s", line, want)
				}
			}
			_, message, _ := strings.Cut(line, `msg="`)
			message, _, _ = strings.Cut(message, `"`)
			said = append(said, message)
		}
		want := []string{
			"a connection was made", "a connection has to be authorized again", "a connection is authorized again", "a connection was deleted",
		}
		if !slices.Equal(said, want) {
			t.Errorf("the log says %q, want %q", said, want)
		}
	})
}

// Credentials that could not be checked when they were given are found to work, once.
func TestTheLogSaysThatAConnectionWorks(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		c := w.connected(s)
		credentials := w.credentials(c)
		w.must(w.store.ReplaceCredentials(w.ctx(), c.ID, credentials)) // not used yet
		for range 2 {
			if status := w.get(s, w.stored(c), "/user"); status != 200 {
				t.Fatal(status)
			}
		}
		if log := w.logs.String(); strings.Count(log, `msg="a connection works" project_id=`+projectID+" connection_id="+c.ID) != 1 {
			t.Error(log)
		}
	})
}
