package auth_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"windlass"
	"windlass/internal/auth"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// clock is a clock that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time       { return c.at }
func (c *clock) pass(d time.Duration) { c.at = c.at.Add(d) }

func newClock() *clock { return &clock{time.Date(2026, time.November, 27, 9, 0, 0, 0, time.UTC)} }

func wantKind(t *testing.T, what string, err error, kind windlass.Kind) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s: got %v, want %s", what, err, kind)
	}
}

func secret(text string) windlass.Secret { return windlass.NewSecret(text) }

func TestALinkSignsInOnceWithinADay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		moved := newClock()
		people := auth.New(open(), &auth.Options{Now: moved.now})
		first, err := people.Invite(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		second, err := people.Invite(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = people.Redeem(t.Context(), first, "a")
		wantKind(t, "a link that another one has replaced", err, windlass.Unauthorized)
		token, session, err := people.Redeem(t.Context(), second, "a")
		if err != nil || session.Role != windlass.Editor || session.Subject != auth.Admin {
			t.Fatalf("got %+v, %v", session, err)
		}
		if found, err := people.Session(t.Context(), token); err != nil || found.Hash != session.Hash || found.Hash == token.Reveal() {
			t.Errorf("the session is found as %+v, %v", found, err)
		}
		_, _, err = people.Redeem(t.Context(), second, "a")
		wantKind(t, "a link that was used", err, windlass.Unauthorized)
		third, err := people.Invite(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		moved.pass(24 * time.Hour)
		_, _, err = people.Redeem(t.Context(), third, "b")
		wantKind(t, "a link of yesterday", err, windlass.Unauthorized)
		_, _, err = people.Redeem(t.Context(), secret(""), "c")
		wantKind(t, "no link at all", err, windlass.Unauthorized)
	})
}

func TestAPasswordSignsInAndItsChangeEndsOtherSessions(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		moved := newClock()
		people := auth.New(open(), &auth.Options{Now: moved.now})
		_, _, err := people.SignIn(t.Context(), secret(""), "a")
		wantKind(t, "no password where none is set", err, windlass.Unauthorized)
		link, err := people.Invite(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, session, err := people.Redeem(t.Context(), link, "a")
		if err != nil {
			t.Fatal(err)
		}
		wantKind(t, "a short password", people.SetPassword(t.Context(), session, secret(""), secret("elevenchars")), windlass.Invalid)
		if err := people.SetPassword(t.Context(), session, secret(""), secret("correct horse")); err != nil {
			t.Fatal(err)
		}
		if has, err := people.HasPassword(t.Context()); err != nil || !has {
			t.Errorf("has a password: %t, %v", has, err)
		}
		other, second, err := people.SignIn(t.Context(), secret("correct horse"), "b")
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = people.SignIn(t.Context(), secret("correct horsf"), "b")
		wantKind(t, "a wrong password", err, windlass.Unauthorized)
		wantKind(t, "a change without the present one", people.SetPassword(t.Context(), session, secret("wrong"), secret("battery staple")), windlass.Unauthorized)
		if err := people.SetPassword(t.Context(), session, secret("correct horse"), secret("battery staple")); err != nil {
			t.Fatal(err)
		}
		_, err = people.Session(t.Context(), other)
		wantKind(t, "another browser after the change", err, windlass.Unauthorized)
		_, _, err = people.SignIn(t.Context(), secret("correct horse"), "c")
		wantKind(t, "the password of before", err, windlass.Unauthorized)
		entries, err := people.Audit(t.Context(), windlass.AuditFilter{})
		if err != nil || len(entries) != 4 || entries[0].Action != "password.change" || entries[1].Name != second.Name {
			t.Errorf("the audit log has %+v, %v", entries, err)
		}
	})
}

func TestAResetEndsPasswordAndSessions(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		people := auth.New(open(), nil)
		link, err := people.Invite(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		token, session, err := people.Redeem(t.Context(), link, "a")
		if err != nil {
			t.Fatal(err)
		}
		if err := people.SetPassword(t.Context(), session, secret(""), secret("correct horse")); err != nil {
			t.Fatal(err)
		}
		again, err := people.Reset(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = people.Session(t.Context(), token)
		wantKind(t, "a session after the reset", err, windlass.Unauthorized)
		_, _, err = people.SignIn(t.Context(), secret("correct horse"), "a")
		wantKind(t, "the password after the reset", err, windlass.Unauthorized)
		if _, _, err := people.Redeem(t.Context(), again, "a"); err != nil {
			t.Error(err)
		}
	})
}

func TestASessionEnds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		moved := newClock()
		people := auth.New(open(), &auth.Options{Now: moved.now, Idle: time.Hour, Lifetime: 3 * time.Hour})
		begin := func() windlass.Secret {
			link, err := people.Invite(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			token, _, err := people.Redeem(t.Context(), link, "a")
			if err != nil {
				t.Fatal(err)
			}
			return token
		}
		idle := begin()
		moved.pass(time.Hour)
		_, err := people.Session(t.Context(), idle)
		wantKind(t, "a session after an idle hour", err, windlass.Unauthorized)

		followed := begin()
		session, err := people.Session(t.Context(), followed)
		if err != nil {
			t.Fatal(err)
		}
		moved.pass(59 * time.Minute)
		if err := people.Still(t.Context(), session); err != nil {
			t.Fatalf("a session within its idle hour: %v", err)
		}
		moved.pass(time.Minute)
		wantKind(t, "a session that only a page by itself has used", people.Still(t.Context(), session), windlass.Unauthorized)

		used := begin()
		for range 3 {
			moved.pass(59 * time.Minute)
			if _, err := people.Session(t.Context(), used); err != nil {
				t.Fatalf("a session in use: %v", err)
			}
		}
		moved.pass(3 * time.Minute)
		_, err = people.Session(t.Context(), used)
		wantKind(t, "a session at the end of its lifetime", err, windlass.Unauthorized)

		left := begin()
		if session, err = people.Session(t.Context(), left); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(people.SignOut(t.Context(), session), people.SignOut(t.Context(), session)); err != nil {
			t.Fatal(err)
		}
		_, err = people.Session(t.Context(), left)
		wantKind(t, "a session after sign-out", err, windlass.Unauthorized)
		wantKind(t, "what follows a session after sign-out", people.Still(t.Context(), session), windlass.Unauthorized)
		_, err = people.Session(t.Context(), secret(""))
		wantKind(t, "no cookie", err, windlass.Unauthorized)
	})
}

func TestGuessingIsSlow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		moved := newClock()
		people := auth.New(open(), &auth.Options{Now: moved.now})
		link, err := people.Invite(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			_, _, err := people.Redeem(t.Context(), secret("guess"), "a")
			wantKind(t, "a guess", err, windlass.Unauthorized)
		}
		_, _, err = people.Redeem(t.Context(), link, "a")
		wantKind(t, "the sixth attempt, though it is right", err, windlass.RateLimited)
		if failure, ok := windlass.Own(err); !ok || failure.RetryAfter != 15*time.Minute {
			t.Errorf("it says to wait for %+v", failure)
		}
		for i := range 45 {
			_, _, err := people.Redeem(t.Context(), secret("guess"), strconv.Itoa(i))
			wantKind(t, "a guess from elsewhere", err, windlass.Unauthorized)
		}
		_, _, err = people.Redeem(t.Context(), link, "new")
		wantKind(t, "an attempt from a new address after fifty failures", err, windlass.RateLimited)
		moved.pass(15 * time.Minute)
		if _, _, err := people.Redeem(t.Context(), link, "a"); err != nil {
			t.Errorf("after a quarter of an hour: %v", err)
		}
	})
}

func TestTheAuditLogIsPaged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		people := auth.New(open(), nil)
		who := windlass.Session{Subject: "s", Name: "Ann"}
		for i := range 5 {
			if err := people.Note(t.Context(), who, []string{"p1", "p2", ""}[i%3], "thing.change", strconv.Itoa(i), map[string]string{"n": "1"}); err != nil {
				t.Fatal(err)
			}
		}
		page, err := people.Audit(t.Context(), windlass.AuditFilter{ProjectID: "p1", Limit: 2})
		if err != nil || len(page) != 2 || page[0].Target != "3" || page[1].Target != "2" || page[0].Details["n"] != "1" {
			t.Fatalf("got %+v, %v", page, err)
		}
		page, err = people.Audit(t.Context(), windlass.AuditFilter{ProjectID: "p1", Before: page[1].ID})
		if err != nil || len(page) != 1 || page[0].Target != "0" {
			t.Errorf("got %+v, %v", page, err)
		}
	})
}
