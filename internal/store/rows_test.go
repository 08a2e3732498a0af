package store_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"windlass"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

func TestInstallations(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s)
		in := w.installation
		wantSame(t, got(s.Installation(ctx, w.project.ID, in.ID))(t), in)
		wantSame(t, got(s.Schedules(ctx, in.ID))(t), []windlass.Schedule{w.schedule})

		twin := in
		twin.ID = newID(t)
		wantKind(t, s.CreateInstallation(ctx, twin, nil), windlass.Conflict)
		twin.Group = windlass.Group{ProjectID: w.project.ID, Ref: "group-2", Created: noon, Updated: noon}
		must(t, s.CreateInstallation(ctx, twin, nil))
		orphan := twin
		orphan.ID, orphan.Group.Ref, orphan.Connection.ID = newID(t), "group-3", "none"
		wantKind(t, s.CreateInstallation(ctx, orphan, nil), windlass.NotFound)

		for _, test := range []struct {
			name   string
			filter windlass.InstallationFilter
			want   []windlass.Installation
		}{
			{"no filter finds all, in order of id", windlass.InstallationFilter{}, []windlass.Installation{in, twin}},
			{"a group finds its own", windlass.InstallationFilter{IntegrationID: in.IntegrationID, GroupRef: "group-2"}, []windlass.Installation{twin}},
			{"a connection finds its users", windlass.InstallationFilter{ConnectionID: in.Connection.ID}, []windlass.Installation{in, twin}},
			{"a page has its limit", windlass.InstallationFilter{ProjectID: w.project.ID, Limit: 1}, []windlass.Installation{in}},
			{"the next page goes on", windlass.InstallationFilter{ProjectID: w.project.ID, Limit: 1, After: in.ID}, []windlass.Installation{twin}},
			{"the page after the last is empty", windlass.InstallationFilter{Limit: 1, After: twin.ID}, nil},
		} {
			t.Run(test.name, func(t *testing.T) { wantSame(t, got(s.Installations(ctx, test.filter))(t), test.want) })
		}

		in.Healthy, in.LastStatus, in.Updated = false, "failure", noon.Add(time.Hour)
		in.Config.Content, in.Config.ID = []byte(`{"read":{"objects":{}}}`), newID(t)
		schedule := w.schedule
		schedule.ID, schedule.Object, schedule.Paused = newID(t), "projects", true
		must(t, s.UpdateInstallation(ctx, in, []windlass.Schedule{schedule}))
		wantSame(t, got(s.Installation(ctx, w.project.ID, in.ID))(t), in)
		wantSame(t, got(s.Schedules(ctx, in.ID))(t), []windlass.Schedule{schedule})

		must(t, s.DeleteInstallation(ctx, w.project.ID, in.ID))
		wantSame(t, len(got(s.Schedules(ctx, in.ID))(t)), 0)
		wantKind(t, s.DeleteInstallation(ctx, w.project.ID, in.ID), windlass.NotFound)
		_, err := s.Installation(ctx, w.project.ID, in.ID)
		wantKind(t, err, windlass.NotFound)
	})
}

func TestDestinations(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s)
		d := w.destination
		wantSame(t, got(s.Destination(ctx, w.project.ID, d.ID))(t), d)
		wantSame(t, got(s.Destination(ctx, w.project.ID, "hook"))(t), d)
		plain := windlass.Destination{ID: newID(t), ProjectID: w.project.ID, Name: "plain", Created: noon, Updated: noon}
		must(t, s.CreateDestination(ctx, plain))
		wantSame(t, got(s.Destinations(ctx, w.project.ID, windlass.Page{}))(t), []windlass.Destination{d, plain})
		plain.Name = "hook"
		wantKind(t, s.UpdateDestination(ctx, plain), windlass.Conflict)
		d.Secrets, d.Disabled, d.Settings, d.Updated = d.Secrets[:1], true, nil, noon.Add(time.Hour)
		must(t, s.UpdateDestination(ctx, d))
		wantSame(t, got(s.Destination(ctx, w.project.ID, "hook"))(t), d)
		must(t, s.DeleteDestination(ctx, w.project.ID, d.ID))
		wantKind(t, s.DeleteDestination(ctx, w.project.ID, d.ID), windlass.NotFound)
	})
}

func TestKeys(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s)
		secret := windlass.NewSecret("wlk_id_secret")
		k := windlass.APIKey{
			ID: newID(t), ProjectID: w.project.ID, Key: secret, Label: "ci", Scopes: []string{"full"}, Active: true, Created: noon, Updated: noon,
		}
		must(t, s.CreateAPIKey(ctx, k))
		wantKind(t, s.CreateAPIKey(ctx, k), windlass.Conflict)
		k.Key = windlass.Secret{} // the store cannot know it
		wantSame(t, got(s.APIKeyByHash(ctx, secret.Hash()))(t), k)
		_, err := s.APIKeyByHash(ctx, windlass.NewSecret("another").Hash())
		wantKind(t, err, windlass.NotFound)
		k.Active, k.Updated = false, noon.Add(time.Hour)
		must(t, s.UpdateAPIKey(ctx, k))
		wantSame(t, got(s.APIKey(ctx, w.project.ID, k.ID))(t), k)
		wantSame(t, got(s.APIKeys(ctx, w.project.ID, false, windlass.Page{}))(t), []windlass.APIKey{k})
		must(t, s.DeleteAPIKey(ctx, w.project.ID, k.ID))
		wantKind(t, s.DeleteAPIKey(ctx, w.project.ID, k.ID), windlass.NotFound)

		j := windlass.JWTKey{
			ID: newID(t), ProjectID: w.project.ID, Label: "front", Algorithm: "RS256", PublicKeyPEM: "PEM", Active: true, Created: noon, Updated: noon,
		}
		must(t, s.CreateJWTKey(ctx, j))
		wantSame(t, got(s.JWTKey(ctx, j.ID))(t), j)
		j.Label, j.Active, j.Updated = "old", false, noon.Add(time.Hour)
		must(t, s.UpdateJWTKey(ctx, j))
		wantSame(t, got(s.JWTKeys(ctx, w.project.ID, false, windlass.Page{}))(t), []windlass.JWTKey{j})
		must(t, s.DeleteJWTKey(ctx, w.project.ID, j.ID))
		_, err = s.JWTKey(ctx, j.ID)
		wantKind(t, err, windlass.NotFound)
		j.ProjectID = "none"
		wantKind(t, s.CreateJWTKey(ctx, j), windlass.NotFound)
	})
}

func TestPendingConsents(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		for i, of := range [][2]string{{"p1", "g1"}, {"p1", "g1"}, {"p1", "g2"}, {"p2", "g1"}} {
			must(t, s.CreateState(ctx, windlass.ConnectState{
				Hash: string(rune('a' + i)), Data: []byte(`{}`), Expires: noon.Add(time.Duration(i+1) * time.Minute), ProjectID: of[0], GroupRef: of[1],
			}))
		}
		wantSame(t, got(s.PendingStates(ctx, "p1", "g1", noon))(t), windlass.PendingStates{Project: 3, Group: 2, Next: noon.Add(time.Minute)})
		wantSame(t, got(s.PendingStates(ctx, "p1", "g1", noon.Add(time.Minute)))(t), windlass.PendingStates{Project: 2, Group: 1, Next: noon.Add(2 * time.Minute)})
		wantSame(t, got(s.PendingStates(ctx, "p3", "g1", noon))(t), windlass.PendingStates{})

		// A look leaves it there.
		for range 2 {
			wantSame(t, got(s.State(ctx, "b", noon))(t), []byte(`{}`))
		}
		_, err := s.State(ctx, "b", noon.Add(2*time.Minute))
		wantKind(t, err, windlass.Gone)
		_, err = s.State(ctx, "x", noon)
		wantKind(t, err, windlass.NotFound)

		must(t, s.ForgetStates(ctx, noon.Add(2*time.Minute)))
		_, err = s.State(ctx, "b", noon)
		wantKind(t, err, windlass.NotFound)
		wantSame(t, got(s.State(ctx, "c", noon))(t), []byte(`{}`))
	})
}

func TestStatesAndUploads(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		state := windlass.ConnectState{Hash: "h", Data: []byte(`{"provider":"bitbucket"}`), Expires: noon.Add(time.Minute)}
		must(t, s.CreateState(ctx, state))
		wantSame(t, got(s.TakeState(ctx, "h", noon))(t), state.Data)
		_, err := s.TakeState(ctx, "h", noon)
		wantKind(t, err, windlass.NotFound)
		must(t, s.CreateState(ctx, state))
		_, err = s.TakeState(ctx, "h", noon.Add(time.Minute))
		wantKind(t, err, windlass.Gone)
		_, err = s.TakeState(ctx, "h", noon) // an expired one is used up as well
		wantKind(t, err, windlass.NotFound)

		u := windlass.Upload{ID: "u", TokenHash: "t", MD5: "m", Expires: noon.Add(time.Minute)}
		must(t, s.CreateUpload(ctx, u))
		wantSame(t, got(s.Upload(ctx, "u"))(t), u)
		_, err = s.TakeUpload(ctx, "", "u")
		wantKind(t, err, windlass.NotFound)
		zip := bytes.Repeat([]byte{0, 1, 0xff}, 1000)
		wantKind(t, s.PutUpload(ctx, "none", "t", zip, noon), windlass.NotFound)
		wantKind(t, s.PutUpload(ctx, "u", "forged", zip, noon), windlass.Unauthorized)
		wantKind(t, s.PutUpload(ctx, "u", "t", zip, u.Expires), windlass.Gone)
		must(t, s.PutUpload(ctx, "u", "t", zip, noon))
		wantKind(t, s.PutUpload(ctx, "u", "t", zip, noon), windlass.Conflict)
		wantText(t, inside(t, s, func(ctx context.Context) error {
			got(s.TakeUpload(ctx, "", "u"))(t)
			return errors.New("not a zip")
		}), "not a zip")
		wantSame(t, got(s.TakeUpload(ctx, "", "u"))(t), zip)
		_, err = s.TakeUpload(ctx, "", "u")
		wantKind(t, err, windlass.NotFound)
	})
}

func TestPruneAndStats(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s)
		for _, name := range []string{"a", "b", "c"} {
			must(t, s.CreateState(ctx, windlass.ConnectState{Hash: name, Expires: noon}))
			must(t, s.CreateUpload(ctx, windlass.Upload{ID: name, Expires: noon}))
		}
		wantSame(t, got(s.Prune(ctx, windlass.Cutoffs{}, 10))(t), 0)
		wantSame(t, got(s.Prune(ctx, windlass.Cutoffs{States: noon, Uploads: noon}, 10))(t), 0)
		later := windlass.Cutoffs{States: noon.Add(1 * time.Second), Uploads: noon.Add(time.Second)}
		wantSame(t, got(s.Prune(ctx, later, 2))(t), 4)
		wantSame(t, got(s.Prune(ctx, later, 2))(t), 2)
		wantSame(t, got(s.Prune(ctx, later, 2))(t), 0)

		stats := got(s.Stats(ctx))(t)
		for name, want := range map[string]int64{"projects": 1, "connections": 1, "connections_created": 1, "installations": 1, "schedules_paused": 0} {
			if have, there := stats[name]; !there || have != want {
				t.Errorf("%s is %d, want %d (all: %v)", name, have, want, stats)
			}
		}
		_ = w
	})
}

func TestClaimDue(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s)
		due := func(id string, next time.Time) windlass.Schedule {
			return windlass.Schedule{ID: id, Kind: windlass.ScheduleRetention, ProjectID: w.project.ID, Cron: "@daily", Next: next}
		}
		paused := due("paused", noon)
		paused.Paused = true
		for _, d := range []windlass.Schedule{due("late", noon.Add(-time.Hour)), due("now", noon), due("later", noon.Add(time.Second)), paused} {
			must(t, s.SaveSchedule(ctx, d))
		}
		daily := func(d windlass.Schedule) time.Time { return d.Next.Add(24 * time.Hour) }
		var claimed []string
		note := func(_ context.Context, all []windlass.Schedule) error {
			for _, d := range all {
				claimed = append(claimed, d.ID)
			}
			return nil
		}
		// A failure to enqueue leaves it due.
		_, err := s.ClaimDue(ctx, noon, 10, daily, func(context.Context, []windlass.Schedule) error { return errors.New("no room") })
		wantText(t, err, "no room")
		wantSame(t, got(s.ClaimDue(ctx, noon, 1, daily, note))(t), 1)
		wantSame(t, claimed, []string{"late"})
		wantSame(t, got(s.ClaimDue(ctx, noon, 10, daily, note))(t), 1)
		wantSame(t, claimed, []string{"late", "now"})
		wantSame(t, got(s.ClaimDue(ctx, noon, 10, daily, note))(t), 0)

		never := func(windlass.Schedule) time.Time { return time.Time{} }
		wantSame(t, got(s.ClaimDue(ctx, noon.Add(time.Second), 10, never, note))(t), 1)
		for _, d := range got(s.Schedules(ctx, ""))(t) {
			wantSame(t, d.Paused, d.ID == "paused" || d.ID == "later")
		}
		must(t, s.DeleteSchedule(ctx, "now"))
		wantKind(t, s.DeleteSchedule(ctx, "now"), windlass.NotFound)
		orphan := due("orphan", noon)
		orphan.InstallationID = "none"
		wantKind(t, s.SaveSchedule(ctx, orphan), windlass.NotFound)
	})
}

// However many claim at once, each schedule is enqueued once per time.
func TestClaimDueFromManyProcesses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		stores := []*store.Store{open()}
		if stores[0].Driver() == store.Postgres {
			stores = append(stores, open(), open())
		}
		w := found(t, stores[0])
		const schedules = 60
		for range schedules {
			must(t, stores[0].SaveSchedule(t.Context(), windlass.Schedule{ID: newID(t), Kind: windlass.ScheduleRetention, ProjectID: w.project.ID, Next: noon}))
		}
		var mu sync.Mutex
		claims := map[string]int{}
		var group sync.WaitGroup
		for i := range 9 {
			group.Go(func() {
				for {
					n, err := stores[i%len(stores)].ClaimDue(t.Context(), noon, 7,
						func(d windlass.Schedule) time.Time { return d.Next.Add(time.Hour) },
						func(_ context.Context, all []windlass.Schedule) error {
							mu.Lock()
							defer mu.Unlock()
							for _, d := range all {
								claims[d.ID]++
							}
							return nil
						})
					if err != nil {
						t.Error(err)
					}
					if n == 0 {
						return
					}
				}
			})
		}
		group.Wait()
		wantSame(t, len(claims), schedules)
		for id, n := range claims {
			if n != 1 {
				t.Errorf("schedule %s was claimed %d times", id, n)
			}
		}
	})
}
