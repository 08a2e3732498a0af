package store

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// The first byte of a stored body says how the rest is compressed.
const (
	plainBody   = 0
	deflateBody = 1
)

// writers are kept, because making one costs more than packing 2 kB.
var writers = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(io.Discard, flate.BestSpeed) // the level is valid
	return w
}}

// inflaters are kept for the same reason.
var inflaters = sync.Pool{New: func() any { return flate.NewReader(bytes.NewReader(nil)) }}

func inflate(packed []byte, size int64) ([]byte, error) {
	r, ok := inflaters.Get().(interface {
		io.Reader
		flate.Resetter
	})
	if !ok {
		return nil, errors.New("a reader that cannot begin again")
	}
	defer inflaters.Put(r)
	if err := r.Reset(bytes.NewReader(packed), nil); err != nil {
		return nil, err
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, err
	}
	return body, nil
}

// pack compresses a body where that makes it smaller. unpack returns the same bytes
// (invariant 2).
func pack(body []byte) ([]byte, error) {
	packed := bytes.NewBuffer(make([]byte, 0, len(body)/4+64))
	packed.WriteByte(deflateBody)
	w, ok := writers.Get().(*flate.Writer)
	if !ok {
		return nil, errors.New("a writer of another sort")
	}
	defer writers.Put(w)
	w.Reset(packed)
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if packed.Len() > len(body) {
		return append([]byte{plainBody}, body...), nil
	}
	return packed.Bytes(), nil
}

// packKeys writes four bytes for each key.
func packKeys(keys []uint32) []byte {
	packed := make([]byte, 0, 4*len(keys))
	for _, key := range keys {
		packed = binary.LittleEndian.AppendUint32(packed, key)
	}
	return packed
}

// unpackKeys returns what packKeys was given.
func unpackKeys(packed []byte) ([]uint32, error) {
	if len(packed)%4 != 0 {
		return nil, fmt.Errorf("the keys of records have %d bytes", len(packed))
	}
	var keys []uint32
	for ; len(packed) > 0; packed = packed[4:] {
		keys = append(keys, binary.LittleEndian.Uint32(packed))
	}
	return keys, nil
}

// unpack returns what pack was given, which had size bytes.
func unpack(stored []byte, size int64) ([]byte, error) {
	if len(stored) == 0 {
		return nil, errors.New("a body is stored as nothing")
	}
	var body []byte
	switch stored[0] {
	case plainBody:
		body = stored[1:]
	case deflateBody:
		var err error
		if body, err = inflate(stored[1:], size); err != nil {
			return nil, fmt.Errorf("unpack a body: %w", err)
		}
	default:
		return nil, fmt.Errorf("a body is packed in a way %d that this version does not know", stored[0])
	}
	if int64(len(body)) != size {
		return nil, fmt.Errorf("a body has %d bytes instead of %d", len(body), size)
	}
	return body, nil
}
