package connector

import "encoding/binary"

// identities keeps what a Tally knows of each record in 16 bytes, and some 20 with
// the room that a hash table needs. It holds no pointers, and grows a part at a
// time, so that memory stays near to what is kept.
type identities struct {
	parts [256]part // by the first byte of the identity
	count int
}

type part struct {
	slots []slot
	count int
}

// A slot is 10 bytes of an identity's hash and 6 of what is known of it: the time of
// the last change in milliseconds since 1970, and one more than the pass. Two records
// of 500,000 share 10 bytes once in 10^13 reads. An empty slot is zero.
type slot [16]byte

const (
	keySize     = 10
	passBits    = 6
	maxPasses   = 1<<passBits - 1
	millisLimit = 1 << (8*(16-keySize) - passBits) // of the year 2109
)

// known is what is known of a record.
type known struct {
	millis int64 // when it last changed; 0: it does not say
	pass   int64
}

func (s *slot) known() known {
	var wide [8]byte
	copy(wide[2:], s[keySize:])
	value := int64(binary.BigEndian.Uint64(wide[:])) //nolint:gosec // 48 bits
	return known{value >> passBits, value&maxPasses - 1}
}

func (s *slot) set(id identity, k known) {
	copy(s[:keySize], id[:keySize])
	var wide [8]byte
	binary.BigEndian.PutUint64(wide[:], uint64(k.millis<<passBits|(k.pass+1))) //nolint:gosec // neither is negative
	copy(s[keySize:], wide[2:])
}

func (s *slot) empty() bool { return *s == slot{} }

// find returns the slot of an identity: one that has it, or an empty one for it.
func (p *part) find(key []byte) *slot {
	at := int(uint64(binary.BigEndian.Uint32(key[1:5])) * uint64(len(p.slots)) >> 32)
	for {
		s := &p.slots[at]
		if s.empty() || [keySize]byte(s[:keySize]) == [keySize]byte(key) {
			return s
		}
		if at++; at == len(p.slots) {
			at = 0
		}
	}
}

// put notes what is known of an identity, and returns what was before.
func (t *identities) put(id identity, next func(was known, there bool) known) {
	p := &t.parts[id[0]]
	if 10*(p.count+1) > 9*len(p.slots) {
		p.grow()
	}
	s := p.find(id[:keySize])
	there := !s.empty()
	now := next(s.known(), there)
	if !there {
		p.count++
		t.count++
	}
	s.set(id, now)
}

// grow makes a quarter more room.
func (p *part) grow() {
	before := p.slots
	p.slots = make([]slot, max(8, len(before)+len(before)/4+1))
	for i := range before {
		if !before[i].empty() {
			*p.find(before[i][:keySize]) = before[i]
		}
	}
}
