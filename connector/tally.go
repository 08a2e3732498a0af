package connector

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// Tally counts the records of a read by identity: a record that comes twice
// counts once, whatever the number of lines. The zero value is ready for the
// first pass. It keeps about 20 bytes a record and is not safe for concurrent
// use.
//
// A read that is repeated to find what an earlier pass has missed begins each
// pass with [Tally.Again]; records of earlier passes are then known, and count
// once more for the new pass.
type Tally struct {
	known identities

	pass     int64
	distinct int // in this pass
	versions int // in this pass
	before   int // distinct in the pass before
	again    int // of those, the ones that came in this pass too

	news []byte // what Drain returns
}

type identity [16]byte

const entrySize = len(identity{}) + 8

// Take adds a record, and reports whether it is new or has changed since it last came.
func (t *Tally) Take(r Record) bool {
	sum := sha256.Sum256([]byte(r.ID))
	var updated int64
	if !r.Updated.IsZero() {
		updated = r.Updated.UnixMicro()
	}
	return t.take(identity(sum[:len(identity{})]), updated)
}

func (t *Tally) take(id identity, updated int64) (pass bool) {
	millis := min(max(updated/1000, 0), millisLimit-1)
	counted := true
	t.known.put(id, func(was known, there bool) known {
		newer := !there || millis > was.millis
		switch {
		case !there || was.pass != t.pass:
			t.distinct++
			if there && was.pass == t.pass-1 {
				t.again++
			}
		case !newer:
			counted = false
			return was
		}
		pass = newer
		return known{max(millis, was.millis), t.pass}
	})
	if !counted {
		return false
	}
	t.versions++
	t.news, _ = binary.Append(append(t.news, id[:]...), binary.BigEndian, updated) // a number: it cannot fail
	return pass
}

// Again begins another pass over the same records. There may be 62.
func (t *Tally) Again() {
	t.pass++
	t.before, t.distinct, t.versions, t.again = t.distinct, 0, 0, 0
}

// Count is how many records came in this pass.
func (t *Tally) Count() int { return t.distinct }

// Versions is how many states of records came in this pass: a record that
// changed while the pass went on, and came again, counts twice. That is what a
// provider counts in a list by the time of change.
func (t *Tally) Versions() int { return t.versions }

// Known is how many records came in all passes.
func (t *Tally) Known() int { return t.known.count }

// Agrees reports whether this pass brought exactly the records of the one before.
func (t *Tally) Agrees() bool {
	return t.pass > 0 && t.again == t.distinct && t.before == t.distinct
}

// Drain returns what was noted since the last Drain, to be kept and given to
// Restore later. The bytes are valid until the next Take.
func (t *Tally) Drain() []byte {
	news := t.news
	t.news = t.news[:0]
	return news
}

// Restore notes what Drain returned in the same pass.
func (t *Tally) Restore(news []byte) error {
	if len(news)%entrySize != 0 {
		return fmt.Errorf("the stored record keys have %d bytes, which is not a multiple of %d", len(news), entrySize)
	}
	for ; len(news) > 0; news = news[entrySize:] {
		var updated int64
		if _, err := binary.Decode(news[len(identity{}):entrySize], binary.BigEndian, &updated); err != nil {
			return err
		}
		t.take(identity(news[:len(identity{})]), updated)
	}
	t.news = t.news[:0]
	return nil
}

// Complete reports whether as many came as the provider counts, whose size is -1
// when it does not. byTime says that the read was bounded by time.
func (t *Tally) Complete(size int, byTime bool) bool {
	if byTime {
		return t.versions >= size
	}
	return t.distinct >= size
}
