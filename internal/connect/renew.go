package connect

import (
	"context"
	"errors"
	"slices"
	"time"

	"windlass"
	"windlass/connector"
)

// errLeaseLost says that this process took longer than its lease: another one
// refreshes now, and its outcome counts.
var errLeaseLost = errors.New("the lease on the refresh was lost")

// maxSaveAttempts is how often saving refreshed credentials is tried. The pauses between
// add up to two seconds: the lease lasts ten longer than the provider may take.
const maxSaveAttempts = 4

// renewAs asks the provider and stores what it answers, as owner of the lease.
func (s *Service) renewAs(
	ctx context.Context, owner string, connection windlass.Connection, seen int64, force bool,
) (windlass.Credentials, error) {
	const op = "refresh a connection"
	stored, old, err := s.load(ctx, connection.ProjectID, connection.ID)
	if err != nil {
		return windlass.Credentials{}, explain(op, err) // the lease ends by itself
	}
	release := func(reason string) error { return s.store.ReleaseRefresh(ctx, stored.ID, owner, reason) }
	if old.Version != seen {
		// Another process refreshed between our read and our lease.
		return old, release(stored.StatusReason)
	}
	if stored.Status == windlass.ConnectionBad && !force {
		return windlass.Credentials{}, errors.Join(needsReconnect(stored), release(stored.StatusReason))
	}
	app, err := s.app(ctx, stored.ProjectID, stored.Provider, stored.ProviderAppID)
	if err != nil {
		return windlass.Credentials{}, errors.Join(explain(op, err), release(stored.StatusReason))
	}
	if !force {
		if failure := s.apps.admit(stored, app, s.now(), true); failure != nil {
			return windlass.Credentials{}, errors.Join(failure, release(waits(failure, s.now())))
		}
	}
	asking := s.now()
	grant, err := s.ask(ctx, stored.Provider, app, old)
	if err == nil {
		s.restoreApp(ctx, stored, app)
		return s.keep(ctx, owner, stored, granted(old, grant, asking), grant.Scopes)
	}
	failure, appRefused := explain(op+" to "+quote(stored.Workspace), err), false
	if failure.Kind == windlass.NeedsReconnect || failure.Kind == windlass.Unauthorized {
		who, shown := s.apps.judge(stored, app, s.now(), failure)
		if failure = shown; who == blameConnection {
			return s.markInvalid(ctx, stored, old, "the provider refused the refresh token: "+message(failure), owner)
		}
		appRefused = who == blameApp
	}
	// The connection may still be good: it stays so, with the reason for waiting.
	if appRefused { // all of its connections wait alike: see appTroubles
		s.log.WarnContext(ctx, "a provider app is refused: its connections cannot be refreshed, and stay as they are",
			logProject, stored.ProjectID, logApp, app.ID, logReason, message(failure), logUntil, s.now().Add(failure.RetryAfter).UTC())
	} else {
		failure = s.holds.failed(connection.ID, s.now(), failure)
	}
	if err := release(waits(failure, s.now())); err != nil {
		failure.Err = errors.Join(failure.Err, err)
	}
	return windlass.Credentials{}, failure
}

// restoreApp notes that the provider accepts a provider app again. Connections that
// were marked bad meanwhile are tried once more: it may have been the app's fault.
func (s *Service) restoreApp(ctx context.Context, connection windlass.Connection, app windlass.ProviderApp) {
	recovered, again := s.apps.works(app.ID, connection.ID, s.now())
	if !recovered {
		return
	}
	s.log.InfoContext(ctx, "a provider app is accepted again", logProject, app.ProjectID, logApp, app.ID)
	for _, r := range again {
		s.flights.running.Go(func() {
			if _, _, err := s.Get(ctx, r.project, r.connection, Force); err != nil {
				s.log.WarnContext(ctx, "a connection that was marked bad while its provider app was refused could not be tried again",
					logConnection, r.connection, logReason, err.Error())
			}
		})
	}
}

// ask makes the one request, well within the lease.
func (s *Service) ask(
	ctx context.Context, name string, app windlass.ProviderApp, old windlass.Credentials,
) (connector.Grant, error) {
	provider, err := s.provider("", name)
	if err != nil {
		return connector.Grant{}, err
	}
	oauth, err := s.oauth("", provider)
	if err != nil {
		return connector.Grant{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	defer context.AfterFunc(s.ending, cancel)() //nolint:contextcheck // two reasons end a refresh: its caller's and the process's
	grant, err := oauth.Refresh(ctx, app, old.RefreshToken)
	if err != nil && s.ending.Err() != nil {
		err = &windlass.Error{Kind: windlass.Unavailable, Message: "this process is stopping, and the provider is slow to answer", Err: err}
	}
	return grant, err
}

// keep stores refreshed credentials and only then returns them. Invariant 4: a
// rotated refresh token is durable before its access token is used.
func (s *Service) keep(
	ctx context.Context, owner string, connection windlass.Connection, fresh windlass.Credentials, scopes []string,
) (windlass.Credentials, error) {
	const op = "save refreshed credentials"
	if scopes != nil {
		slices.Sort(scopes)
		connection.Scopes = scopes
	}
	missing, err := s.Missing(ctx, connection)
	if err != nil {
		missing = nil // only a status reason is lost; the tokens matter more
	}
	for try := range maxSaveAttempts {
		err = s.store.In(ctx, func(ctx context.Context) error {
			return s.keepIn(ctx, owner, connection, fresh, missing)
		})
		if err == nil || errors.Is(err, windlass.Conflict) || errors.Is(err, windlass.NotFound) || try == maxSaveAttempts-1 {
			break
		}
		pause(ctx, 100*time.Millisecond<<(2*try))
	}
	switch {
	case err == nil:
		s.holds.clear(connection.ID)
		fresh.Version++
		return fresh, nil
	case errors.Is(err, windlass.Conflict):
		return windlass.Credentials{}, errLeaseLost
	case errors.Is(err, windlass.NotFound):
		return windlass.Credentials{}, explain(op, err) // deleted meanwhile
	}
	// The access token works, and must not be used: if this process dies no one
	// has its refresh token. The old one still works for some minutes, and the
	// next owner of the lease asks again.
	return windlass.Credentials{}, &windlass.Error{
		Kind: windlass.Unavailable, Op: op, Message: "the provider answered, but the answer could not be stored",
		Remedy: "repair the database: the connection recovers by itself within ten minutes", RetryAfter: leaseLife, Err: err,
	}
}

// keepIn stores it all in one transaction.
func (s *Service) keepIn(
	ctx context.Context, owner string, connection windlass.Connection, fresh windlass.Credentials, missing []string,
) error {
	if err := s.store.SaveRefreshed(ctx, connection.ID, owner, fresh); err != nil {
		return err
	}
	current, err := s.store.Connection(ctx, connection.ProjectID, connection.ID)
	if err != nil {
		return err
	}
	current.Status, current.StatusReason = windlass.ConnectionWorking, missingScopes(missing)
	current.Scopes = connection.Scopes
	current.Used, current.Updated = s.now(), s.now()
	if err := s.store.UpdateConnection(ctx, current); err != nil {
		return err
	}
	if connection.Status == windlass.ConnectionBad { // before this refresh
		s.logEvent(ctx, msgReauthorized, current)
	}
	return s.notify(ctx, Event{Type: EventRefreshed, Connection: current})
}
