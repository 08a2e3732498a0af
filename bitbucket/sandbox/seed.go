package sandbox

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// Everything seeded is a pure function of (seed, kind, number), so no record
// has to be kept to be served again, and none depends on another being asked
// for first.

// kinds keep the streams of numbers apart.
const (
	kindUser uint64 = iota + 1
	kindWorkspace
	kindProject
	kindRepository
	kindHook
	kindVariable
	kindSnippet
	kindText
	kindGrant
	kindTie
	kindToken
	kindCreated
	kindComment
)

// mix is the finalizer of SplitMix64 over the three numbers.
func mix(seed, kind, n uint64) uint64 {
	x := seed + kind*0x9e3779b97f4a7c15 + n*0xd1342543de82ef95
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

func pick(words []string, h uint64) string { return words[h%uint64(len(words))] }

// uuidOf is a version 4 UUID in braces.
func uuidOf(seed, kind, n uint64) string {
	var b [16]byte
	h := mix(seed, kind, n)
	binary.BigEndian.PutUint64(b[:8], h)
	binary.BigEndian.PutUint64(b[8:], mix(h, kind, n+1))
	return formatUUID(b)
}

func formatUUID(b [16]byte) string {
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var s [38]byte
	s[0], s[37] = '{', '}'
	hex.Encode(s[1:9], b[:4])
	s[9] = '-'
	hex.Encode(s[10:14], b[4:6])
	s[14] = '-'
	hex.Encode(s[15:19], b[6:8])
	s[19] = '-'
	hex.Encode(s[20:24], b[8:10])
	s[24] = '-'
	hex.Encode(s[25:37], b[10:])
	return string(s[:])
}

// A repository's UUID must lead back to its number without a table, or a
// million of them would cost a hundred bytes each. Its first 48 bits are
// therefore the number, enciphered by a four-round Feistel network.

const half = 1<<24 - 1

func encipher(seed, n uint64) uint64 {
	l, r := n>>24&half, n&half
	for round := range uint64(4) {
		l, r = r, l^mix(seed, round, r)&half
	}
	return l<<24 | r
}

func decipher(seed, n uint64) uint64 {
	l, r := n>>24&half, n&half
	for round := range uint64(4) {
		l, r = r^mix(seed, 3-round, l)&half, l
	}
	return l<<24 | r
}

func repositoryUUID(seed, n uint64) string {
	var b [16]byte
	head := encipher(seed, n)
	for i := range 6 {
		b[i] = byte(head >> (40 - 8*i))
	}
	tail := mix(seed, kindRepository, n)
	b[6], b[7] = byte(tail>>3), byte(tail>>11)
	binary.BigEndian.PutUint64(b[8:], tail)
	return formatUUID(b)
}

// repositoryNumber undoes repositoryUUID for well-formed input; the caller
// compares the UUID of the number it gets.
func repositoryNumber(seed uint64, uuid string) (uint64, bool) {
	if len(uuid) != 38 {
		return 0, false
	}
	var b [6]byte
	if _, err := hex.Decode(b[:4], []byte(uuid[1:9])); err != nil {
		return 0, false
	}
	if _, err := hex.Decode(b[4:], []byte(uuid[10:14])); err != nil {
		return 0, false
	}
	var head uint64
	for _, c := range b {
		head = head<<8 | uint64(c)
	}
	return decipher(seed, head), true
}

// slugify does what Bitbucket does to a name to make it an address: lower
// case, runs of anything but letters, digits, dots and underscores to one
// dash.
func slugify(name string) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '_':
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			dash = false
			b.WriteRune(r)
		default:
			dash = true
		}
	}
	return b.String()
}

func escapeUUID(uuid string) string {
	return "%7B" + strings.Trim(uuid, "{}") + "%7D"
}
