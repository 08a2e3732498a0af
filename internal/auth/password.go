package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"

	"windlass"
)

// MinPassword is how many characters a password has at least.
const MinPassword = 12

const maxPassword = 256

// The cost of a hash, by OWASP's advice for argon2id: 19 MiB, two passes, one lane.
const (
	passes  = 2
	memory  = 19 * 1024
	lanes   = 1
	saltLen = 16
	keyLen  = 32
)

// hashing lets few hash at once: each takes 19 MiB.
var hashing = make(chan struct{}, 2)

// hashPassword returns a password's hash, with all that checking it needs.
func hashPassword(ctx context.Context, password windlass.Secret) (string, error) {
	salt := make([]byte, saltLen)
	_, _ = rand.Read(salt) // it never fails
	key, err := derive(ctx, password, salt)
	if err != nil {
		return "", err
	}
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memory, passes, lanes, encode(salt), encode(key)), nil
}

func derive(ctx context.Context, password windlass.Secret, salt []byte) ([]byte, error) {
	select {
	case hashing <- struct{}{}:
		defer func() { <-hashing }()
	case <-ctx.Done():
		return nil, &windlass.Error{Kind: windlass.Canceled, Op: "check the password", Err: ctx.Err()}
	}
	return argon2.IDKey([]byte(password.Reveal()), salt, passes, memory, lanes, keyLen), nil
}

// matches reports whether a password is the one of a hash. Where there is no hash
// it takes as long as where there is one.
func matches(ctx context.Context, password windlass.Secret, hash string) bool {
	parts := strings.Split(hash, "$")
	salt, want := make([]byte, saltLen), []byte(nil)
	if len(parts) == 6 {
		var bad error
		if salt, bad = base64.RawStdEncoding.DecodeString(parts[4]); bad != nil {
			return false
		}
		if want, bad = base64.RawStdEncoding.DecodeString(parts[5]); bad != nil {
			return false
		}
	}
	if len(password.Reveal()) > 4*maxPassword {
		return false
	}
	got, err := derive(ctx, password, salt)
	return err == nil && len(want) == keyLen && subtle.ConstantTimeCompare(got, want) == 1
}

// Failed attempts are counted by address, and in total.
const (
	failuresEach = 5
	failuresAll  = 50
	failuresFor  = 15 * time.Minute
	maxAddresses = 1000
)

// attempts counts the failures of the last quarter of an hour, in this process.
type attempts struct {
	mu   sync.Mutex // guards what follows
	from map[string][]time.Time
	all  []time.Time
}

// wait returns for how long an address may not try; zero when it may.
func (a *attempts) wait(address string, now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = recent(a.all, now)
	mine := recent(a.from[address], now)
	switch {
	case len(mine) >= failuresEach:
		return mine[0].Add(failuresFor).Sub(now)
	case len(a.all) >= failuresAll:
		return a.all[0].Add(failuresFor).Sub(now)
	default:
		return 0
	}
}

func (a *attempts) failed(address string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(recent(a.all, now), now)
	if a.from == nil || len(a.from) >= maxAddresses { // the total count bounds the attempts that this allows
		a.from = map[string][]time.Time{}
	}
	a.from[address] = append(recent(a.from[address], now), now)
}

func recent(times []time.Time, now time.Time) []time.Time {
	for len(times) > 0 && now.Sub(times[0]) >= failuresFor {
		times = times[1:]
	}
	return times
}
