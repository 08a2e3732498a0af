package write

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"windlass"
)

// The first request with a key is waited for by looking at it again and again,
// after longer and longer.
const (
	firstLook = 20 * time.Millisecond
	lastLook  = time.Second
)

// once carries out the first of all requests that carry a key, and gives the
// others its answer. While the first is under way the others wait for it; when its
// process has died, one of them carries it on.
func (f *Flow) once(ctx context.Context, t *task, key string) (Answer, error) {
	if len(key) > 255 || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		var found issues
		found.addf("header", "Idempotency-Key", "is not up to 255 printable characters without spaces")
		return Answer{}, found.failure()
	}
	k := windlass.WriteKey{ID: hash(t.in.ID, key), Fingerprint: t.fingerprint()}
	accepted := false
	for wait := firstLook; ; wait = min(2*wait, lastLook) {
		known, err := f.known(ctx, t, k)
		switch {
		case err != nil:
			return Answer{}, err
		case known.answer != nil:
			return *known.answer, nil
		case known.running:
			s, err := f.takeOver(ctx, t, known.key)
			if err != nil {
				return Answer{}, err
			}
			if s != nil {
				return s.sync(ctx)
			}
			if err := pause(ctx, wait); err != nil {
				return Answer{}, err
			}
			continue
		}
		if !accepted {
			if err := f.accept(ctx, t); err != nil {
				return Answer{}, err
			}
			accepted = true
		}
		a, done, err := f.first(ctx, t, k, known.key)
		if done || err != nil {
			return a, err
		}
		if err := pause(ctx, wait); err != nil { // another one was faster
			return Answer{}, err
		}
	}
}

// known is what there is of a key already.
type known struct {
	key     windlass.WriteKey // its OperationID is empty when there is nothing
	answer  *Answer
	running bool
}

func (f *Flow) known(ctx context.Context, t *task, k windlass.WriteKey) (known, error) {
	found, err := f.store.WriteKey(ctx, k.ID)
	switch {
	case errors.Is(err, windlass.NotFound):
		return known{}, nil
	case err != nil:
		return known{}, err
	case !f.now().Before(found.Expires):
		return known{key: windlass.WriteKey{OperationID: found.OperationID}}, nil
	case found.Fingerprint != k.Fingerprint:
		return known{}, &windlass.Error{
			Kind: windlass.Conflict, Op: opWrite, Message: "another request came with the same Idempotency-Key",
			Remedy: "send a key of its own with each request, and the same body with the same key",
			Issues: []windlass.Issue{{In: "header", Name: "Idempotency-Key", Message: "came with another request before"}},
		}
	case found.Answer != nil:
		var a Answer
		if err := json.Unmarshal(found.Answer, &a); err != nil {
			return known{}, &windlass.Error{Kind: windlass.Internal, Op: opWrite, Message: "the first answer cannot be read", Err: err}
		}
		return known{key: found, answer: &a}, nil
	}
	p, err := f.store.Operation(ctx, t.in.ProjectID, found.OperationID)
	if err != nil && !errors.Is(err, windlass.NotFound) {
		return known{}, err
	}
	return known{key: found, running: err == nil && p.Status == windlass.OperationRunning}, nil
}

// errFaster undoes what another request has begun before.
var errFaster = &windlass.Error{Kind: windlass.Conflict, Op: opWrite, Message: "another request was faster"}

// first begins the write of a key in place of what was there before. done is false
// when another request was faster.
func (f *Flow) first(ctx context.Context, t *task, k, before windlass.WriteKey) (a Answer, done bool, err error) {
	k.Began, k.Expires = f.now(), f.now().Add(keyLife)
	if !before.Began.IsZero() { // what was sent then may have happened
		k.Began, k.Expires = before.Began, before.Expires
	}
	var s *step
	err = f.store.In(ctx, func(ctx context.Context) error {
		// The one before may have been answered since it was looked at.
		now, err := f.store.WriteKey(ctx, k.ID)
		if err == nil && now.Answer != nil && f.now().Before(now.Expires) {
			return errFaster
		}
		if err != nil && !errors.Is(err, windlass.NotFound) {
			return err
		}
		if t.request.AutoBatch != nil {
			if k.OperationID, err = f.gather(ctx, t); err != nil {
				return err
			}
		} else {
			if s, err = f.begin(ctx, t, before.Began); err != nil {
				return err
			}
			k.OperationID = s.Op.ID
		}
		if t.request.Mode == windlass.WriteAsync {
			a = Answer{OperationID: k.OperationID}
			if k.Answer, err = json.Marshal(a); err != nil {
				return err
			}
		}
		saved, err := f.store.SaveWriteKey(ctx, k, before.OperationID)
		if err == nil && !saved {
			return errFaster
		}
		return err
	})
	switch {
	case errors.Is(err, windlass.Conflict):
		return a, false, nil
	case err != nil || k.Answer != nil:
		return a, true, err
	}
	s.key = &k
	a, err = s.sync(ctx)
	return a, true, err
}

// takeOver carries on the write of a key whose process has died. It returns nil
// while another request has it, and when it has just ended.
func (f *Flow) takeOver(ctx context.Context, t *task, k windlass.WriteKey) (*step, error) {
	s := &step{Flow: f, key: &k, integration: t.integration, marked: none}
	s.Turn = f.Turn(s)
	won, _, err := s.Take(ctx, k.OperationID)
	if err != nil || !won {
		return nil, err
	}
	if err := s.load(ctx); err != nil {
		return nil, err
	}
	return s, s.Log(ctx, windlass.SeverityWarning, "The process that wrote has died. The request was sent again, and is carried on.", nil)
}

// pause waits until it is worth looking again.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return &windlass.Error{
			Kind: windlass.Unavailable, Op: opWrite, Message: "the first request with this Idempotency-Key is still under way",
			Remedy: "send it again in a while, with the same key", RetryAfter: time.Second, Err: ctx.Err(),
		}
	}
}

// fingerprint is the same for two requests that ask for the same.
func (t *task) fingerprint() string {
	data, err := json.Marshal(t.request)
	if err != nil {
		return "" // it came as JSON, and is
	}
	return hash(t.object, string(data))
}

func hash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}
