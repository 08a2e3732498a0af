package bbql

import "time"

// bounds gathers what every match must satisfy about one field of type Time.
type bounds struct {
	field  string
	lo, hi time.Time
	exact  bool
}

func (b *bounds) add(n node) {
	switch n := n.(type) {
	case allOf:
		for _, term := range n {
			b.add(term)
		}
	case *comparison:
		b.compare(n)
	default:
		b.exact = false
	}
}

func (b *bounds) compare(c *comparison) {
	if c.field != b.field || c.typ != Time || c.values[0].null {
		b.exact = false
		return
	}
	at := c.values[0].time
	switch c.op {
	case opEqual:
		b.atLeast(at)
		b.atMost(at)
	case opGreater:
		b.atLeast(at.Add(time.Nanosecond))
	case opGreaterEqual:
		b.atLeast(at)
	case opLess:
		b.atMost(at.Add(-time.Nanosecond))
	case opLessEqual:
		b.atMost(at)
	default:
		b.exact = false
	}
}

func (b *bounds) atLeast(at time.Time) {
	// The zero time means "no bound", so the moment itself cannot be one.
	if at.IsZero() {
		b.exact = false
	}
	if b.lo.IsZero() || at.After(b.lo) {
		b.lo = at
	}
}

func (b *bounds) atMost(at time.Time) {
	if at.IsZero() {
		b.exact = false
	}
	if b.hi.IsZero() || at.Before(b.hi) {
		b.hi = at
	}
}
