package connect_test

import (
	"testing"
	"time"

	"windlass/internal/connect"
)

func TestKeepAlive(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, row := range []struct {
		name   string
		after  time.Duration
		change func(w *world)
		want   connect.Kept
	}{
		{"leaves alone what was refreshed lately", 29 * day, nil, connect.Kept{}},
		{"refreshes what lies idle", 31 * day, nil, connect.Kept{Refreshed: 2}},
		{"comes too late after three months", 91 * day, nil, connect.Kept{Bad: 2}},
		{"finds out what was revoked", 31 * day, func(w *world) { w.server.RevokeConsent(w.app.ClientID) }, connect.Kept{Bad: 2}},
		{"asks once when the provider is down", 31 * day, func(w *world) { w.inject("status=503," + tokens) }, connect.Kept{Waiting: 2}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			virtually(t, scene{}, func(w *world) {
				s := w.service()
				w.connected(s)
				second := w.ask()
				second.ConsumerRef = "person-2"
				begun, err := s.Start(w.ctx(), second, connect.Opener{})
				w.must(err)
				_, err = s.Callback(w.ctx(), w.consent(begun))
				w.must(err)
				w.clock.pass(row.after)
				if row.change != nil {
					row.change(w)
				}
				asks := w.asks(func() {
					got, err := s.KeepAlive(w.ctx(), w.clock.Now())
					w.must(err)
					if got != row.want {
						t.Errorf("did %+v, want %+v", got, row.want)
					}
				})
				if want := row.want.Refreshed + row.want.Bad + min(row.want.Waiting, 1); asks != want {
					t.Errorf("%d token requests, want %d", asks, want)
				}
				again, err := s.KeepAlive(w.ctx(), w.clock.Now())
				w.must(err)
				if again.Refreshed != 0 || again.Bad != 0 {
					t.Errorf("at once again it did %+v", again)
				}
			})
		})
	}
}
