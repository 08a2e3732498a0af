package connect_test

import (
	"errors"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"windlass"
	"windlass/internal/connect"
)

// scenarios are what has to hold however many processes share a store, and
// whichever store it is. w.store is the first process's.
var scenarios = []struct {
	name string
	test func(w *world, processes []kept)
}{
	{"a hundred uses of an expired connection make one token request", oneRefresh},
	{"a hundred uses with a token that nears its end make one token request", oneEarlyRefresh},
	{"of many callbacks with one state one succeeds", oneCallback},
	{"a refused refresh is told of once", oneError},
	{"an answer that is not saved is asked for again", notSaved},
	{"a customer who connects again during a refresh wins", reconnectDuringRefresh},
	{"consents replace, and deletes erase", cameAndWent},
	{"an import is used, and replaced by a consent", importedThenConnected},
	{"a Connect app stands beside the person who installed it", appBesidePerson},
	{"two first consents that end at once are one connection", firstConsentsAtOnce},
}

func TestProcessesOnOneStore(t *testing.T) {
	t.Parallel()
	for _, scenario := range scenarios {
		t.Run(scenario.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := newMemory()
				w := newWorld(t, scene{}, store, &clock{virtual: true})
				scenario.test(w, []kept{store, store, store})
			})
		})
	}
}

// services starts one process on each store.
func (w *world) services(processes []kept) []*connect.Service {
	services := make([]*connect.Service, 0, len(processes))
	for _, store := range processes {
		services = append(services, w.serviceOn(store))
	}
	return services
}

// hundred lets a hundred callers use a connection at once.
func (w *world) hundred(services []*connect.Service, c windlass.Connection) {
	var callers sync.WaitGroup
	begin := make(chan struct{})
	for i := range 100 {
		callers.Go(func() {
			<-begin
			client, err := services[i%len(services)].Client(w.ctx(), c, nil)
			if err != nil {
				w.Error(err)
				return
			}
			resp, err := client.Get(api + "/user")
			if err != nil {
				w.Error(err)
				return
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				w.Errorf("answered with %d", resp.StatusCode)
			}
		})
	}
	close(begin)
	callers.Wait()
}

func oneRefresh(w *world, processes []kept) {
	services := w.services(processes)
	c := w.connected(services[0])
	for round := range int64(3) {
		w.clock.pass(3 * time.Hour)
		w.inject("latency=300ms,times=1," + tokens) // long enough for all to come
		before := w.server.TokenRequests()
		w.hundred(services, c)
		if asked := w.server.TokenRequests() - before; asked != 1 {
			w.Errorf("%d token requests, want 1", asked)
		}
		if version := w.credentials(c).Version; version != round+2 {
			w.Errorf("the credentials have version %d, want %d", version, round+2)
		}
	}
}

func oneEarlyRefresh(w *world, processes []kept) {
	services := w.services(processes)
	c := w.connected(services[0])
	w.clock.pass(119 * time.Minute)
	w.inject("latency=300ms,times=1," + tokens)
	before := w.server.TokenRequests()
	w.hundred(services, c)
	for _, s := range services {
		s.Wait()
	}
	if asked := w.server.TokenRequests() - before; asked != 1 {
		w.Errorf("%d token requests, want 1", asked)
	}
}

func oneCallback(w *world, processes []kept) {
	services := w.services(processes)
	begun, err := services[0].Start(w.ctx(), w.ask(), connect.Opener{Origin: origin})
	w.must(err)
	answer := w.consent(begun)
	var succeeded atomic.Int64
	var callers sync.WaitGroup
	for i := range 12 {
		callers.Go(func() {
			_, err := services[i%len(services)].Callback(w.ctx(), answer)
			w.seen.failed(err)
			switch {
			case err == nil:
				succeeded.Add(1)
			case !errors.Is(err, windlass.NotFound):
				w.Errorf("got %v", err)
			}
		})
	}
	callers.Wait()
	if succeeded.Load() != 1 {
		w.Errorf("%d callbacks succeeded", succeeded.Load())
	}
}

func oneError(w *world, processes []kept) {
	services := w.services(processes)
	c := w.connected(services[0])
	w.clock.pass(3 * time.Hour)
	w.server.RevokeConsent(w.app.ClientID)
	var callers sync.WaitGroup
	for i := range 30 {
		callers.Go(func() {
			_, err := services[i%len(services)].Credential(w.ctx(), c)
			w.seen.failed(err)
			if !errors.Is(err, windlass.NeedsReconnect) {
				w.Errorf("got %v", err)
			}
		})
	}
	callers.Wait()
	if got := w.stored(c); got.Status != windlass.ConnectionBad || got.StatusReason == "" {
		w.Errorf("it is %s: %s", got.Status, got.StatusReason)
	}
	w.told(connect.EventCreated, connect.EventError)
}

func notSaved(w *world, processes []kept) {
	broken := &failing{kept: processes[0]}
	dying, living := w.serviceOn(broken), w.serviceOn(processes[1])
	c := w.connected(living)
	w.clock.pass(3 * time.Hour)
	broken.saves.Store(1000)
	_, err := dying.Credential(w.ctx(), c)
	w.fails(err, windlass.Unavailable, "could not be stored")
	w.clock.pass(time.Minute) // the lease ends
	if status := w.get(living, c, "/user"); status != 200 {
		w.Errorf("answered with %d", status)
	}
	if version := w.credentials(c).Version; version != 2 {
		w.Errorf("the credentials have version %d, want 2", version)
	}
}

func reconnectDuringRefresh(w *world, processes []kept) {
	services := w.services(processes)
	c := w.connected(services[0])
	w.clock.pass(3 * time.Hour)
	w.spy.on(func() {
		w.spy.on(nil)
		w.connected(services[1])
	})
	got, err := services[0].Credential(w.ctx(), c)
	w.must(err)
	if stored := w.credentials(c); got.AccessToken != stored.AccessToken || stored.Version != 2 {
		w.Errorf("version %d is used, version %d is stored", got.Version, stored.Version)
	}
	w.told(connect.EventCreated, connect.EventUpdated)
}

func cameAndWent(w *world, processes []kept) {
	services := w.services(processes)
	c := w.connected(services[0])
	if got := w.stored(c); c.Group.Created.IsZero() || c.Consumer.Created.IsZero() ||
		!got.Group.Created.Equal(c.Group.Created) || !got.Created.Equal(c.Created) {
		w.Errorf("%+v was stored, %+v returned", got, c)
	}
	if again := w.connected(services[1]); again.ID != c.ID || again.Group.Name != "Acme" {
		w.Errorf("consenting again made %+v", again)
	}
	begun, err := services[1].Reconnect(w.ctx(), projectID, c.ID, connect.Opener{Origin: origin})
	w.must(err)
	outcome, err := services[0].Callback(w.ctx(), w.consent(begun))
	w.must(err)
	got := w.stored(c)
	if outcome.Connection.ID != c.ID || got.Status != windlass.ConnectionWorking || len(got.Scopes) == 0 ||
		got.Metadata["workspaceId"].Value != w.server.Credentials().WorkspaceUUID {
		w.Errorf("it became %+v", got)
	}
	w.must(services[0].Delete(w.ctx(), projectID, c.ID))
	_, err = services[1].Credential(w.ctx(), c)
	w.fails(err, windlass.NotFound)
	w.told(connect.EventCreated, connect.EventUpdated, connect.EventUpdated, connect.EventDeleted)
}

func importedThenConnected(w *world, processes []kept) {
	services := w.services(processes)
	key := w.server.Credentials()
	w.seen.secret(key.APIToken)
	outcome, err := services[0].Generate(w.ctx(), connect.Import{
		Ask: w.ask(), Credentials: windlass.Credentials{Username: key.Email, Password: windlass.NewSecret(key.APIToken)},
	})
	w.must(err)
	if status := w.get(services[1], outcome.Connection, "/user"); status != 200 {
		w.Errorf("answered with %d", status)
	}
	c := w.connected(services[1])
	if got := w.stored(c); c.ID != outcome.Connection.ID || got.Scheme != windlass.AuthOAuth || got.ProviderAppID != appID {
		w.Errorf("it became %+v", got)
	}
	if !w.credentials(c).Password.IsZero() {
		w.Error("the API token was kept")
	}
}

func appBesidePerson(w *world, processes []kept) {
	services := w.services(processes)
	k := w.server.Credentials()
	w.seen.secret(k.ConnectSharedSecret, k.AccessToken)
	given := func(credentials windlass.Credentials) windlass.Connection {
		w.Helper()
		outcome, err := services[0].Generate(w.ctx(), connect.Import{Ask: w.ask(), Credentials: credentials})
		w.must(err)
		return outcome.Connection
	}
	app := windlass.Credentials{AppKey: k.ConnectAppKey, ClientKey: k.ConnectClientKey, SharedSecret: windlass.NewSecret(k.ConnectSharedSecret)}
	person, beside := w.connected(services[0]), given(app)
	if person.ID == beside.ID {
		w.Fatal("the app took the person's connection")
	}
	for _, c := range []windlass.Connection{person, beside} {
		if got := w.stored(c); got.Scheme != c.Scheme || got.Status != windlass.ConnectionWorking || w.credentials(c).Version != 1 {
			w.Errorf("it became %+v", got)
		}
	}
	// Each finds its own again.
	if again := w.connected(services[1]); again.ID != person.ID {
		w.Errorf("consenting again is connection %s, want %s", again.ID, person.ID)
	}
	if again := given(app); again.ID != beside.ID {
		w.Errorf("importing the app again is connection %s, want %s", again.ID, beside.ID)
	}
	// An access token authenticates in the same way as far as the contract says.
	if again := given(windlass.Credentials{APIKey: windlass.NewSecret(k.AccessToken)}); again.ID != person.ID {
		w.Errorf("an access token is connection %s, want %s", again.ID, person.ID)
	}
	if again := given(app); again.ID != beside.ID {
		w.Errorf("importing the app beside an access token is connection %s, want %s", again.ID, beside.ID)
	}
}

func firstConsentsAtOnce(w *world, processes []kept) {
	services := w.services(processes)
	var answers []connect.Answer
	for range 6 {
		begun, err := services[0].Start(w.ctx(), w.ask(), connect.Opener{Origin: origin})
		w.must(err)
		answers = append(answers, w.consent(begun))
	}
	ids := make([]string, len(answers))
	var callers sync.WaitGroup
	begin := make(chan struct{})
	for i := range answers {
		callers.Go(func() {
			<-begin
			outcome, err := services[i%len(services)].Callback(w.ctx(), answers[i])
			if err != nil {
				w.Error(err)
			}
			ids[i] = outcome.Connection.ID
		})
	}
	close(begin)
	callers.Wait()
	if slices.Sort(ids); len(slices.Compact(ids)) != 1 {
		w.Errorf("they became the connections %v", ids)
	}
}
