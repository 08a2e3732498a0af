package auth

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"time"

	"windlass"
	"windlass/internal/ids"
)

// Store is the storage that this package needs. Every error carries a
// windlass.Kind.
type Store interface {
	In(ctx context.Context, do func(ctx context.Context) error) error
	Administrator
	Sessions
	AppendAudit(ctx context.Context, entry windlass.AuditEntry) error
	Audit(ctx context.Context, filter windlass.AuditFilter) ([]windlass.AuditEntry, error)
}

// Administrator is how the one account of the server's own signs in.
type Administrator interface {
	AdminPassword(ctx context.Context) (hash string, err error)
	SetAdminPassword(ctx context.Context, hash string, now time.Time) error
	SetSignInLink(ctx context.Context, hash string, expires, now time.Time) error
	TakeSignInLink(ctx context.Context, hash string, now time.Time) error
}

// Sessions are the browsers of those who have signed in.
type Sessions interface {
	CreateSession(ctx context.Context, session windlass.Session) error
	Session(ctx context.Context, hash string) (windlass.Session, error)
	TouchSession(ctx context.Context, hash string, seen time.Time) error
	EndSession(ctx context.Context, hash string) error
	EndSessions(ctx context.Context, subject, but string) error
}

// Options are the optional parts of People; the zero value is useful.
type Options struct {
	Now      func() time.Time // nil is time.Now
	Idle     time.Duration    // 0 is 12 hours
	Lifetime time.Duration    // 0 is 7 days
}

// Admin is the subject of a person who signs in by password or link.
const Admin = "admin"

// linkLife is how long a sign-in link works.
const linkLife = 24 * time.Hour

// People signs people in. It is safe for concurrent use.
type People struct {
	store    Store
	opts     Options
	attempts attempts
}

// New makes a People. opts may be nil.
func New(store Store, opts *Options) *People {
	p := &People{store: store}
	if opts != nil {
		p.opts = *opts
	}
	if p.opts.Now == nil {
		p.opts.Now = time.Now
	}
	p.opts.Idle = cmp.Or(p.opts.Idle, 12*time.Hour)
	p.opts.Lifetime = cmp.Or(p.opts.Lifetime, 7*24*time.Hour)
	return p
}

func (p *People) now() time.Time { return p.opts.Now().UTC().Truncate(time.Microsecond) }

// Invite makes a token that signs the administrator in once, within a day. The
// one before ends.
func (p *People) Invite(ctx context.Context) (windlass.Secret, error) {
	token := newToken()
	return token, p.store.SetSignInLink(ctx, token.Hash(), p.now().Add(linkLife), p.now())
}

// Reset takes the administrator's password and sessions away, and makes a token
// that signs in once.
func (p *People) Reset(ctx context.Context) (token windlass.Secret, err error) {
	err = p.store.In(ctx, func(ctx context.Context) error {
		if err := p.store.SetAdminPassword(ctx, "", p.now()); err != nil {
			return err
		}
		if err := p.store.EndSessions(ctx, Admin, ""); err != nil {
			return err
		}
		token, err = p.Invite(ctx)
		return err
	})
	return token, err
}

// HasPassword reports whether the administrator has set a password.
func (p *People) HasPassword(ctx context.Context) (bool, error) {
	hash, err := p.store.AdminPassword(ctx)
	return hash != "", err
}

// Redeem signs the administrator in by a token of [People.Invite]. address is where
// the attempt comes from. It fails with windlass.Unauthorized when the token is not
// valid, and with windlass.RateLimited after too many failures.
func (p *People) Redeem(ctx context.Context, token windlass.Secret, address string) (windlass.Secret, windlass.Session, error) {
	return p.attempt(ctx, address, nil, func(ctx context.Context) error {
		return p.store.TakeSignInLink(ctx, token.Hash(), p.now())
	}, "the sign-in link is not valid: it was used already, is older than a day, or another one was made since",
		"make a new one with windlass admin reset, on the machine of the server")
}

// SignIn signs the administrator in by the password. It fails as Redeem does.
func (p *People) SignIn(ctx context.Context, password windlass.Secret, address string) (windlass.Secret, windlass.Session, error) {
	return p.attempt(ctx, address, func(ctx context.Context) error {
		hash, err := p.store.AdminPassword(ctx)
		if err != nil {
			return err
		}
		if !matches(ctx, password, hash) {
			return windlass.NotFound
		}
		return nil
	}, nil, "the password is wrong", "use the sign-in link that the server printed, or make a new one with windlass admin reset")
}

// attempt checks a credential, counts failures, and begins a session. check runs before
// the transaction, so that hashing does not delay it, and take runs inside it.
func (p *People) attempt(
	ctx context.Context, address string, check, take func(ctx context.Context) error, message, remedy string,
) (token windlass.Secret, session windlass.Session, err error) {
	const op = "sign in"
	if wait := p.attempts.wait(address, p.now()); wait > 0 {
		return token, session, &windlass.Error{
			Kind: windlass.RateLimited, Op: op, Message: "too many attempts have failed", Remedy: "wait a while, then try again", RetryAfter: wait,
		}
	}
	if check != nil {
		err = check(ctx)
	}
	if err == nil {
		err = p.store.In(ctx, func(ctx context.Context) error {
			if take != nil {
				if err := take(ctx); err != nil {
					return err
				}
			}
			token, session, err = p.begin(ctx, Admin, "Administrator", windlass.Editor)
			return err
		})
	}
	if errors.Is(err, windlass.NotFound) {
		p.attempts.failed(address, p.now())
		return windlass.Secret{}, windlass.Session{}, &windlass.Error{Kind: windlass.Unauthorized, Op: op, Message: message, Remedy: remedy}
	}
	return token, session, err
}

// begin begins a session, in the transaction of ctx.
func (p *People) begin(ctx context.Context, subject, name string, role windlass.Role) (windlass.Secret, windlass.Session, error) {
	token, now := newToken(), p.now()
	session := windlass.Session{
		Hash: token.Hash(), Subject: subject, Name: name, Role: role, Created: now, Seen: now, Expires: now.Add(p.opts.Lifetime),
	}
	if err := p.store.CreateSession(ctx, session); err != nil {
		return token, session, err
	}
	return token, session, p.Note(ctx, session, "", "sign-in", "", nil)
}

// Session finds the session of a cookie's token, and notes that it was used. It
// fails with windlass.Unauthorized when there is none or it has ended.
func (p *People) Session(ctx context.Context, token windlass.Secret) (windlass.Session, error) {
	ended := &windlass.Error{Kind: windlass.Unauthorized, Op: "find the session", Message: "you are not signed in", Remedy: "sign in"}
	if token.IsZero() {
		return windlass.Session{}, ended
	}
	session, err := p.store.Session(ctx, token.Hash())
	now := p.now()
	switch {
	case errors.Is(err, windlass.NotFound):
		return windlass.Session{}, ended
	case err != nil:
		return windlass.Session{}, err
	case !now.Before(session.Expires) || now.Sub(session.Seen) >= p.opts.Idle:
		return windlass.Session{}, errors.Join(ended, p.store.EndSession(ctx, session.Hash))
	case now.Sub(session.Seen) >= time.Minute: // a page that is looked at is no write
		session.Seen = now
		return session, p.store.TouchSession(ctx, session.Hash, now)
	default:
		return session, nil
	}
}

// Still fails with windlass.Unauthorized once a session has ended. Unlike
// [People.Session] it does not count as use of the session: what a page does by
// itself does not keep a person signed in.
func (p *People) Still(ctx context.Context, session windlass.Session) error {
	now, err := p.store.Session(ctx, session.Hash)
	if err == nil && p.now().Before(now.Expires) && p.now().Sub(now.Seen) < p.opts.Idle {
		return nil
	}
	if err != nil && !errors.Is(err, windlass.NotFound) {
		return err
	}
	return &windlass.Error{Kind: windlass.Unauthorized, Op: "find the session", Message: "the session has ended", Remedy: "sign in"}
}

// SignOut ends a session. Ending it again does nothing.
func (p *People) SignOut(ctx context.Context, session windlass.Session) error {
	return p.store.EndSession(ctx, session.Hash)
}

// SetPassword sets the administrator's password, and ends all sessions but the one
// that asks. current is checked where there is a password already. It fails with
// windlass.Invalid for a password that is too short, and with windlass.Unauthorized
// when current is wrong.
func (p *People) SetPassword(ctx context.Context, session windlass.Session, current, next windlass.Secret) error {
	const op = "set the password"
	if n := len([]rune(next.Reveal())); n < MinPassword || n > maxPassword {
		return &windlass.Error{
			Kind: windlass.Invalid, Op: op, Message: "the password has fewer than 12 or more than 256 characters", Remedy: "choose a longer one; several words are easy to remember",
			Issues: []windlass.Issue{{In: "body", Name: "password", Message: "has 12 to 256 characters"}},
		}
	}
	if session.Subject != Admin {
		return &windlass.Error{Kind: windlass.Forbidden, Op: op, Message: "you sign in with an account of your organization", Remedy: "change the password there"}
	}
	before, err := p.store.AdminPassword(ctx)
	if err != nil {
		return err
	}
	if before != "" && !matches(ctx, current, before) {
		return &windlass.Error{
			Kind: windlass.Unauthorized, Op: op, Message: "the current password is wrong",
			Issues: []windlass.Issue{{In: "body", Name: "current", Message: "is not right"}},
		}
	}
	hash, err := hashPassword(ctx, next)
	if err != nil {
		return err
	}
	return p.store.In(ctx, func(ctx context.Context) error {
		if now, err := p.store.AdminPassword(ctx); err != nil || now != before {
			return errors.Join(err, &windlass.Error{Kind: windlass.Conflict, Op: op, Message: "it was changed in another browser meanwhile", Remedy: "sign in again"})
		}
		if err := p.store.SetAdminPassword(ctx, hash, p.now()); err != nil {
			return err
		}
		if err := p.store.EndSessions(ctx, Admin, session.Hash); err != nil {
			return err
		}
		return p.Note(ctx, session, "", "password.change", "", nil)
	})
}

// Note writes the audit log. It belongs in the transaction of what it is about, so that
// the entry exists if and only if the change does.
func (p *People) Note(ctx context.Context, session windlass.Session, projectID, action, target string, details map[string]string) error {
	return p.store.AppendAudit(ctx, windlass.AuditEntry{
		ID: ids.New(), ProjectID: projectID, Time: p.now(), Subject: session.Subject, Name: session.Name,
		Action: action, Target: target, Details: details,
	})
}

// Audit lists entries of the audit log, the newest first.
func (p *People) Audit(ctx context.Context, filter windlass.AuditFilter) ([]windlass.AuditEntry, error) {
	return p.store.Audit(ctx, filter)
}

func newToken() windlass.Secret { return windlass.NewSecret(rand.Text() + rand.Text()[:6]) }
