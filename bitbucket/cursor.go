package bitbucket

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"hash/fnv"
	"slices"
	"strings"

	"windlass"
	"windlass/connector"
)

// place is what a Cursor holds: where a walk goes on, and what it has to know
// of the pages before. It holds paths below the API's base URL, never a host,
// so that a cursor cannot send a credential anywhere (invariant 6).
type place struct {
	Version int    `json:"v"`
	Object  string `json:"o"`
	// Request is a fingerprint of the workspace and the request, so that a
	// cursor is not continued with another one.
	Request string `json:"r"`
	// URI is the request to make next; Before is the one made before it in the
	// same list, to step back to.
	URI    string `json:"u"`
	Before string `json:"b,omitempty"`
	// Seen counts the records returned so far. Earlier of them lie outside the
	// list that URI is a page of; Size is that list's count when last told, -1
	// when never.
	Seen    int `json:"n"`
	Earlier int `json:"e,omitempty"`
	Size    int `json:"s"`
	// Last marks the records of the page before, so that those that slide over
	// the seam are not returned twice.
	Last marks `json:"l,omitempty"`
	// Key is the sort key of the last record returned.
	Key string `json:"k,omitempty"`
	// Link is the provider's link to the page that URI asks for by key, for a
	// provider that turns out to ignore the key. Left is how many records it
	// should have, -1 when unknown. Unkeyed says that the walk follows links.
	Link    string `json:"k2,omitempty"`
	Left    int    `json:"kl,omitempty"`
	Unkeyed bool   `json:"ku,omitempty"`
	// First is how many records the list had when its first page came, and -1 or
	// 0 when that is unknown.
	First int `json:"f,omitempty"`
	// Back says that URI is a step back, which has to overlap with Last.
	Back bool `json:"back,omitempty"`
	// Mark is a fingerprint of a link followed earlier, Since counts the links
	// after it: by them a circle of links is found (see circles).
	Mark  uint64 `json:"m,omitempty"`
	Since int    `json:"ms,omitempty"`
	// Full says that the read could not be bounded by time.
	Full bool `json:"full,omitempty"`
	// Subjects are the subjects of hook events still to walk, this one first.
	Subjects []string `json:"subjects,omitempty"`
	// Subjected is how many subjects there are.
	Subjected int `json:"sn,omitempty"`
	// Passed counts what was passed over: memberships without a workspace, or
	// subjects that were refused.
	Passed int `json:"po,omitempty"`
}

const placeVersion = 1

// cursor encodes a place.
func (p place) cursor() connector.Cursor {
	p.Version = placeVersion
	data, _ := json.Marshal(p) // strings and numbers only: it cannot fail
	return connector.Cursor(base64.RawURLEncoding.EncodeToString(data))
}

// parseCursor decodes a cursor and checks that it belongs to this request.
func parseCursor(cursor connector.Cursor, object, request string) (place, error) {
	var p place
	data, err := base64.RawURLEncoding.DecodeString(string(cursor))
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil || !strings.HasPrefix(p.URI, "/") || p.Seen < 0 || p.Earlier < 0 || p.Size < -1 {
		return place{}, &windlass.Error{
			Kind:    windlass.Invalid,
			Message: "the cursor is damaged",
			Remedy:  "begin the read again without it", Provider: &windlass.ProviderDetails{},
		}
	}
	if p.Version != placeVersion {
		return place{}, &windlass.Error{
			Kind:    windlass.CursorExpired,
			Message: "the cursor is from another version of Windlass",
			Remedy:  "begin the read again without it", Provider: &windlass.ProviderDetails{},
		}
	}
	if p.Object != object || p.Request != request {
		return place{}, &windlass.Error{
			Kind:    windlass.Invalid,
			Message: "the cursor belongs to another read",
			Remedy:  "go on with the same object, workspace, role, fields and times, or begin again without it", Provider: &windlass.ProviderDetails{},
		}
	}
	return p, nil
}

// mark is a fingerprint of one version of a record.
func mark(r connector.Record) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(r.ID)) // a hash never fails
	var moved [8]byte
	binary.BigEndian.PutUint64(moved[:], uint64(r.Updated.UnixMicro()))
	_, _ = h.Write(moved[:])
	return h.Sum64()
}

// circles reports whether a link has been followed before. It compares with one
// earlier link, which it takes anew after 1, 2, 4, 8… links: so a circle of any
// length ends, and a cursor stays short (Brent's algorithm).
func (p *place) circles(uri string) bool {
	h := fnv.New64a()
	_, _ = h.Write([]byte(uri)) // a hash never fails
	link := h.Sum64()
	if link == p.Mark {
		return true
	}
	if p.Since++; p.Since&(p.Since-1) == 0 {
		p.Mark = link
	}
	return false
}

// marks is a set of them, written as base64 to keep cursors short.
type marks []uint64

func (m marks) has(one uint64) bool {
	return slices.Contains(m, one)
}

// MarshalText writes eight bytes a mark, in base64.
func (m marks) MarshalText() ([]byte, error) {
	raw := make([]byte, 0, 8*len(m))
	for _, one := range m {
		raw = binary.BigEndian.AppendUint64(raw, one)
	}
	return base64.RawStdEncoding.AppendEncode(nil, raw), nil
}

// UnmarshalText reads what MarshalText wrote.
func (m *marks) UnmarshalText(text []byte) error {
	raw, err := base64.RawStdEncoding.AppendDecode(nil, text)
	if err != nil {
		return err
	}
	*m = (*m)[:0]
	for len(raw) >= 8 {
		*m = append(*m, binary.BigEndian.Uint64(raw))
		raw = raw[8:]
	}
	return nil
}
