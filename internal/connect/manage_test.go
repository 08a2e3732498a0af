package connect_test

import (
	"slices"
	"testing"
	"time"

	"windlass"
	"windlass/internal/connect"
)

func TestReconnect(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		c := w.connected(s)
		w.clock.pass(3 * time.Hour)
		w.server.RevokeConsent(w.app.ClientID)
		_, err := s.Credential(w.ctx(), c)
		w.fails(err, windlass.NeedsReconnect)

		begun, err := s.Reconnect(w.ctx(), projectID, c.ID, connect.Opener{Origin: origin})
		w.must(err)
		outcome, err := s.Callback(w.ctx(), w.consent(begun))
		w.must(err)
		if outcome.Created || outcome.Connection.ID != c.ID || outcome.Origin != origin {
			t.Errorf("the outcome is %+v", outcome)
		}
		if got := w.stored(c); got.Status != windlass.ConnectionWorking || got.StatusReason != "" {
			t.Errorf("it is %s: %s", got.Status, got.StatusReason)
		}
		if status := w.get(s, c, "/user"); status != 200 {
			t.Errorf("answered with %d", status)
		}
		w.told(connect.EventCreated, connect.EventError, connect.EventUpdated)
	})
}

func TestReconnectThatFails(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(w *world, s *connect.Service, c windlass.Connection)
		kind   windlass.Kind
		says   string
	}{
		{
			"to a workspace whose name another one has now",
			func(w *world, _ *connect.Service, c windlass.Connection) {
				c.Metadata["workspaceId"] = windlass.MetadataValue{Value: "{of the one that was renamed}", Source: "provider"}
				w.must(w.store.UpdateConnection(w.ctx(), c))
			},
			windlass.Conflict, "not the one that was connected",
		},
		{
			"of a connection that was deleted meanwhile",
			func(w *world, s *connect.Service, c windlass.Connection) { w.must(s.Delete(w.ctx(), projectID, c.ID)) },
			windlass.NotFound, "deleted meanwhile",
		},
		{
			"while the workspace cannot be checked",
			func(w *world, _ *connect.Service, _ windlass.Connection) {
				w.inject("status=503,path=/2.0/workspaces/*")
			},
			windlass.Unavailable, "left as it was",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			virtually(t, scene{}, func(w *world) {
				s := w.service()
				c := w.connected(s)
				begun, err := s.Reconnect(w.ctx(), projectID, c.ID, connect.Opener{})
				w.must(err)
				answer := w.consent(begun)
				row.change(w, s, c)
				_, err = s.Callback(w.ctx(), answer)
				w.fails(err, row.kind, row.says)
			})
		})
	}
}

// A workspace that was renamed is the same one, and is shown by its new name.
func TestReconnectToARenamedWorkspace(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		c := w.connected(s)
		begun, err := s.Reconnect(w.ctx(), projectID, c.ID, connect.Opener{})
		w.must(err)
		answer := w.consent(begun)
		w.server.RenameWorkspace("acme-and-sons", "Acme and Sons")
		_, err = s.Callback(w.ctx(), answer)
		w.must(err)
		got, _, err := s.Get(w.ctx(), projectID, c.ID, connect.AsIs)
		w.must(err)
		if got.Workspace != "acme-and-sons" || got.Metadata["workspaceId"].DisplayName != "Acme and Sons" {
			t.Errorf("it is shown as %q, %+v", got.Workspace, got.Metadata)
		}
	})
}

func TestGetRefreshesAsAsked(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		fresh  connect.Freshness
		after  time.Duration
		revoke bool
		asks   int
		status windlass.ConnectionStatus
	}{
		{"not at all", connect.AsIs, 3 * time.Hour, false, 0, windlass.ConnectionWorking},
		{"if it has expired, and it has not", connect.IfExpired, 0, false, 0, windlass.ConnectionWorking},
		{"if it has expired, and it has", connect.IfExpired, 3 * time.Hour, false, 1, windlass.ConnectionWorking},
		{"by force", connect.Force, 0, false, 1, windlass.ConnectionWorking},
		{"to learn that it is bad", connect.IfExpired, 3 * time.Hour, true, 1, windlass.ConnectionBad},
		{"by force, to learn that it is bad", connect.Force, 0, true, 1, windlass.ConnectionBad},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			virtually(t, scene{}, func(w *world) {
				s := w.service()
				c := w.connected(s)
				w.clock.pass(row.after)
				if row.revoke {
					w.server.RevokeConsent(w.app.ClientID)
				}
				asks := w.asks(func() {
					got, credentials, err := s.Get(w.ctx(), projectID, c.ID, row.fresh)
					w.must(err)
					if got.Status != row.status || credentials.Version != w.credentials(c).Version {
						t.Errorf("it is %s, with version %d", got.Status, credentials.Version)
					}
				})
				if asks != row.asks {
					t.Errorf("%d token requests, want %d", asks, row.asks)
				}
			})
		})
	}
}

// Force is how a person finds out whether a connection is really dead.
func TestForceRevivesWhatWasGivenUp(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		c := w.connected(s)
		_, err := w.store.SetConnectionStatus(w.ctx(), c.ID, windlass.ConnectionBad, "a mistake", 1)
		w.must(err)
		_, err = s.Credential(w.ctx(), c)
		w.fails(err, windlass.NeedsReconnect, "a mistake")
		got, _, err := s.Get(w.ctx(), projectID, c.ID, connect.Force)
		w.must(err)
		if got.Status != windlass.ConnectionWorking {
			t.Errorf("it is %s: %s", got.Status, got.StatusReason)
		}
	})
}

func TestGetOfNobodys(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		c := w.connected(s)
		_, _, err := s.Get(w.ctx(), "another project", c.ID, connect.AsIs)
		w.fails(err, windlass.NotFound)
		_, _, err = s.Get(w.ctx(), projectID, c.ID, "sometimes")
		w.fails(err, windlass.Invalid, "refresh")
	})
}

func TestDeleteErases(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		c := w.connected(s)
		w.must(s.Delete(w.ctx(), projectID, c.ID))
		_, err := w.store.Credentials(w.ctx(), c.ID)
		w.fails(err, windlass.NotFound)
		_, err = s.Credential(w.ctx(), c)
		w.fails(err, windlass.NotFound)
		w.fails(s.Delete(w.ctx(), projectID, c.ID), windlass.NotFound)
		w.told(connect.EventCreated, connect.EventDeleted)
	})
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(w *world) connect.Change
		kind   windlass.Kind
		says   string
	}{
		{
			name: "the API token",
			change: func(w *world) connect.Change {
				k := w.server.Credentials()
				return connect.Change{Credentials: &windlass.Credentials{Username: k.Email, Password: windlass.NewSecret(k.APIToken)}}
			},
		},
		{name: "the workspace", change: func(w *world) connect.Change { return connect.Change{Workspace: w.server.Credentials().OtherWorkspace} }},
		{name: "metadata", change: func(*world) connect.Change {
			return connect.Change{Metadata: map[string]windlass.MetadataValue{"region": {Value: "eu", Source: "input"}}}
		}},
		{
			name: "an API token that does not work",
			change: func(w *world) connect.Change {
				return connect.Change{Credentials: &windlass.Credentials{Username: w.server.Credentials().Email, Password: windlass.NewSecret("3f1d-typo")}}
			},
			kind: windlass.Unauthorized, says: "not accepted",
		},
		{
			name: "another sort of credentials",
			change: func(*world) connect.Change {
				return connect.Change{Credentials: &windlass.Credentials{APIKey: windlass.NewSecret("3f1d-key")}}
			},
			kind: windlass.Invalid, says: "of the same sort",
		},
		{
			name: "the workspace where the other clients name it",
			change: func(w *world) connect.Change {
				other := w.server.Credentials().OtherWorkspace
				return connect.Change{Workspace: other, Metadata: map[string]windlass.MetadataValue{"workspace": {Value: other, Source: "input"}, "region": {Value: "eu", Source: "input"}}}
			},
		},
		{
			name: "two workspaces",
			change: func(w *world) connect.Change {
				return connect.Change{Workspace: w.server.Credentials().OtherWorkspace, Metadata: map[string]windlass.MetadataValue{"workspace": {Value: "acme", Source: "input"}}}
			},
			kind: windlass.Invalid, says: "two workspaces",
		},
		{name: "a workspace that is a path", change: func(*world) connect.Change { return connect.Change{Workspace: "acme/../other"} }, kind: windlass.Invalid, says: "workspace's name is not valid"},
		{name: "a workspace above", change: func(*world) connect.Change { return connect.Change{Workspace: ".."} }, kind: windlass.Invalid, says: "workspace's name is not valid"},
		{name: "a workspace that does not exist", change: func(*world) connect.Change { return connect.Change{Workspace: "nowhere"} }, kind: windlass.NotFound, says: "covers acme"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			virtually(t, scene{}, func(w *world) {
				s, k := w.service(), w.server.Credentials()
				w.seen.secret(k.APIToken, "3f1d-typo", "3f1d-key")
				outcome, err := s.Generate(w.ctx(), connect.Import{
					Ask: w.ask(), Credentials: windlass.Credentials{Username: k.Email, Password: windlass.NewSecret(k.APIToken)},
				})
				w.must(err)
				before := w.stored(outcome.Connection)
				change := row.change(w)
				got, err := s.Update(w.ctx(), projectID, before.ID, change)
				if row.kind != "" {
					w.fails(err, row.kind, row.says)
					if after := w.stored(before); after.Workspace != before.Workspace || w.credentials(before).Version != 1 {
						t.Errorf("half of it was done: %+v", after)
					}
					w.told(connect.EventCreated)
					return
				}
				w.must(err)
				after := w.stored(before)
				if got.ID != before.ID || after.Status != windlass.ConnectionWorking ||
					change.Workspace != "" && (after.Workspace != change.Workspace || after.Metadata["workspaceId"] == before.Metadata["workspaceId"]) ||
					change.Metadata != nil && after.Metadata["region"].Value != "eu" ||
					(change.Credentials != nil) != (w.credentials(before).Version == 2) {
					t.Errorf("it became %+v", after)
				}
				if !slices.Contains(w.notices.types(), connect.EventUpdated) {
					t.Error("no notification was sent")
				}
			})
		})
	}
}

// The check of an update uses the connection, and what that brings about stays.
func TestUpdateKeepsWhatTheCheckBroughtAbout(t *testing.T) {
	t.Parallel()
	change := connect.Change{Metadata: map[string]windlass.MetadataValue{"region": {Value: "eu", Source: "input"}}}
	t.Run("a connection that works after all", func(t *testing.T) {
		t.Parallel()
		virtually(t, scene{}, func(w *world) {
			s := w.service()
			w.inject("status=503,path=/2.0/workspaces/*,times=1")
			c := w.connected(s)
			if c.Status != windlass.ConnectionCreated {
				t.Fatalf("it is %s already", c.Status)
			}
			got, err := s.Update(w.ctx(), projectID, c.ID, change)
			w.must(err)
			if after := w.stored(c); got.Status != windlass.ConnectionWorking || after.Status != windlass.ConnectionWorking || after.StatusReason != "" {
				t.Errorf("it became %+v", after)
			}
		})
	})
	t.Run("tokens that were refreshed", func(t *testing.T) {
		t.Parallel()
		virtually(t, scene{}, func(w *world) {
			s := w.service()
			c := w.connected(s)
			w.clock.pass(3 * time.Hour)
			refreshed := w.clock.Now()
			_, err := s.Update(w.ctx(), projectID, c.ID, change)
			w.must(err)
			if after := w.stored(c); after.Used.Before(refreshed) || w.credentials(c).Version != 2 {
				t.Errorf("it became %+v", after)
			}
		})
	})
}
