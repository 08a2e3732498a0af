package store

import (
	"context"
	"encoding/json"
	"time"

	"windlass"
)

// secretsOf is the form in which credentials are sealed: windlass.Secret would marshal
// as dots.
type secretsOf struct {
	AccessToken  string    `json:"accessToken,omitempty"`
	AccessExpiry time.Time `json:"accessExpiry,omitzero"`
	AccessIssued time.Time `json:"accessIssued,omitzero"`
	RefreshToken string    `json:"refreshToken,omitempty"`
	APIKey       string    `json:"apiKey,omitempty"`
	Username     string    `json:"username,omitempty"`
	Password     string    `json:"password,omitempty"`
	AppKey       string    `json:"appKey,omitempty"`
	ClientKey    string    `json:"clientKey,omitempty"`
	SharedSecret string    `json:"sharedSecret,omitempty"`
}

func (s *Store) sealCredentials(connectionID string, c windlass.Credentials) ([]byte, error) {
	plain, err := json.Marshal(secretsOf{
		AccessToken: c.AccessToken.Reveal(), AccessExpiry: c.AccessExpiry.UTC(), AccessIssued: c.AccessIssued.UTC(),
		RefreshToken: c.RefreshToken.Reveal(), APIKey: c.APIKey.Reveal(),
		Username: c.Username, Password: c.Password.Reveal(),
		AppKey: c.AppKey, ClientKey: c.ClientKey, SharedSecret: c.SharedSecret.Reveal(),
	})
	if err != nil {
		return nil, err
	}
	return s.seal(credentialsSealed, connectionID, plain)
}

func (s *Store) unsealCredentials(connectionID string, sealed []byte) (windlass.Credentials, error) {
	plain, err := s.unseal(credentialsSealed, connectionID, sealed)
	if err != nil {
		return windlass.Credentials{}, err
	}
	var c secretsOf
	if err := json.Unmarshal(plain, &c); err != nil {
		return windlass.Credentials{}, &windlass.Error{
			Kind: windlass.Internal, Message: "the credentials of the connection " + connectionID + " are not what was kept",
		}
	}
	return windlass.Credentials{
		AccessToken: windlass.NewSecret(c.AccessToken), AccessExpiry: c.AccessExpiry, AccessIssued: c.AccessIssued,
		RefreshToken: windlass.NewSecret(c.RefreshToken), APIKey: windlass.NewSecret(c.APIKey),
		Username: c.Username, Password: windlass.NewSecret(c.Password),
		AppKey: c.AppKey, ClientKey: c.ClientKey, SharedSecret: windlass.NewSecret(c.SharedSecret),
	}, nil
}

// Credentials opens a connection's credentials. Outside a transaction it locks
// nothing and waits for no one; inside it locks the connection.
func (s *Store) Credentials(ctx context.Context, connectionID string) (windlass.Credentials, error) {
	op := "read the credentials of the connection " + connectionID
	if err := s.holdConnection(ctx, connectionID); err != nil {
		return windlass.Credentials{}, s.fail(op, err, connectionSays)
	}
	c, err := first(ctx, s, func(r row) (c windlass.Credentials, err error) {
		var sealed []byte
		var version int64
		if err := r.Scan(&sealed, &version); err != nil {
			return c, err
		}
		c, err = s.unsealCredentials(connectionID, sealed)
		c.Version = version
		return c, err
	}, `SELECT sealed, version FROM credentials WHERE connection_id = ?1`, connectionID)
	return c, s.fail(op, err, connectionSays)
}

// ReplaceCredentials gives a connection new credentials, as when its customer
// has connected again: the version goes up by one, a refresh under way loses its
// lease, and the status is "created", without a reason.
func (s *Store) ReplaceCredentials(ctx context.Context, connectionID string, c windlass.Credentials) error {
	op := "replace the credentials of the connection " + connectionID
	sealed, err := s.sealCredentials(connectionID, c)
	if err != nil {
		return s.fail(op, err, connectionSays)
	}
	return s.In(ctx, func(ctx context.Context) error {
		if err := s.holdConnection(ctx, connectionID); err != nil {
			return s.fail(op, err, connectionSays)
		}
		if err := s.update(ctx, op, connectionSays, `UPDATE credentials SET sealed = ?2, version = version + 1,
			lease_holder = '', lease_until = 0 WHERE connection_id = ?1`, connectionID, sealed); err != nil {
			return err
		}
		return s.renewed(ctx, op, connectionID, windlass.ConnectionCreated)
	})
}

// renewed sets a connection's status after its credentials were written in the
// same transaction, which holds the lock on them.
func (s *Store) renewed(ctx context.Context, op, connectionID string, status windlass.ConnectionStatus) error {
	return s.update(ctx, op, connectionSays,
		`UPDATE connections SET status = ?2, status_reason = '', used = ?3, updated = ?3 WHERE id = ?1`,
		connectionID, status, micros(s.now()))
}

// LeaseRefresh takes the lease to refresh a connection's credentials until a time
// (invariant 4). One owner has it at a time; the lease of one that vanished is free
// again at its end. An owner is one refresh, not one process: asking again while it has
// the lease does not win.
func (s *Store) LeaseRefresh(ctx context.Context, connectionID, owner string, now, until time.Time) (won bool, err error) {
	op := "lease the refresh of the connection " + connectionID
	n, err := s.exec(ctx, `UPDATE credentials SET lease_holder = ?2, lease_until = ?4
		WHERE connection_id = ?1 AND (lease_holder = '' OR lease_until <= ?3)`,
		connectionID, owner, micros(now), micros(until))
	if err != nil || n > 0 {
		return err == nil, s.fail(op, err, connectionSays)
	}
	_, err = first(ctx, s, scanNumber, `SELECT version FROM credentials WHERE connection_id = ?1`, connectionID)
	return false, s.fail(op, err, connectionSays)
}

// SaveRefreshed stores refreshed credentials, ends the lease and marks the connection
// as working. When it returns nil the new refresh token is durable, and the access
// token may be used (invariant 4). Conflict when the lease was lost: another process
// refreshes, or has replaced the credentials.
func (s *Store) SaveRefreshed(ctx context.Context, connectionID, owner string, c windlass.Credentials) error {
	op := "save the refreshed credentials of the connection " + connectionID
	sealed, err := s.sealCredentials(connectionID, c)
	if err != nil {
		return s.fail(op, err, connectionSays)
	}
	return s.In(ctx, func(ctx context.Context) error {
		if err := s.holdConnection(ctx, connectionID); err != nil {
			return s.fail(op, err, connectionSays)
		}
		n, err := s.exec(ctx, `UPDATE credentials SET sealed = ?3, version = version + 1, lease_holder = '', lease_until = 0
			WHERE connection_id = ?1 AND lease_holder = ?2 AND lease_holder <> ''`, connectionID, owner, sealed)
		if err != nil {
			return s.fail(op, err, connectionSays)
		}
		if n == 0 {
			return &windlass.Error{
				Kind: windlass.Conflict, Op: op, Message: "another refresh or another consent came in between",
				Remedy: "read the credentials again",
			}
		}
		return s.renewed(ctx, op, connectionID, windlass.ConnectionWorking)
	})
}

// ReleaseRefresh gives a lease back without new credentials, and sets the connection's
// status reason. It does nothing when the lease was lost.
func (s *Store) ReleaseRefresh(ctx context.Context, connectionID, owner, reason string) error {
	op := "end the refresh of the connection " + connectionID
	return s.In(ctx, func(ctx context.Context) error {
		if err := s.holdConnection(ctx, connectionID); err != nil {
			return s.fail(op, err, connectionSays)
		}
		n, err := s.exec(ctx, `UPDATE credentials SET lease_holder = '', lease_until = 0
			WHERE connection_id = ?1 AND lease_holder = ?2 AND lease_holder <> ''`, connectionID, owner)
		if err == nil && n > 0 {
			_, err = s.exec(ctx, `UPDATE connections SET status_reason = ?2, updated = ?3
				WHERE id = ?1 AND status_reason <> ?2`, connectionID, reason, micros(s.now()))
		}
		return s.fail(op, err, connectionSays)
	})
}
