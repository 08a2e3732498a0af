package bitbucket

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/jsonscan"
)

// envelope is one page as Bitbucket sends it. Only values, and next on all
// pages but the last, are promised; a bare array is taken for one whole page.
type envelope struct {
	records []connector.Record
	first   string // the stable key of the first record, as sent
	last    string // that of the last one
	tied    bool   // the last two records have the same one
	jumbled bool   // the keys run backwards somewhere
	next    string // absolute, as sent
	size    int    // -1 when not said
	pagelen int    // 0 when not said
	mended  bool   // bytes that are not UTF-8 were replaced
	nulls   int    // records that are null, where the object has such
}

// notes says what was done to the page's text.
func (e *envelope) notes() []string {
	if !e.mended {
		return nil
	}
	return []string{"Some text on this page was not valid UTF-8: each bad byte sequence was replaced by U+FFFD."}
}

// key takes the next record's stable key.
func (e *envelope) key(key string) {
	if len(e.records) == 0 {
		e.first = key
	} else {
		e.tied = key == e.last
		e.jumbled = e.jumbled || earlier(key, e.last)
	}
	e.last = key
}

// earlier compares two times as sent. Bitbucket writes all of them alike, so
// that comparing the text is enough unless it says no.
func earlier(a, b string) bool {
	if len(a) == len(b) && a >= b {
		return false
	}
	return parseTime(a).Before(parseTime(b))
}

// parsePage reads a page of an object's list.
func parsePage(o *object, body []byte) (envelope, error) {
	page := envelope{size: -1}
	reader := newRecordReader(o)
	s := jsonscan.New(body)
	found := false
	take := func() error {
		found = true
		// A member named twice: the last one counts.
		page.records, page.first, page.last = make([]connector.Record, 0, maxPage), "", ""
		page.tied, page.jumbled, page.nulls = false, false, 0
		return s.Array(func() error { return reader.read(s, &page) })
	}
	var err error
	switch s.Peek() {
	case '[':
		err = take()
	case '{':
		err = s.Object(func(key []byte) error {
			switch string(key) {
			case "values":
				if s.Peek() == '[' {
					return take()
				}
			case "next":
				raw, err := s.Value()
				if page.next = jsonscan.Plain(raw); err == nil && page.next == "" && raw[0] != '"' && raw[0] != 'n' {
					err = errors.New("the link to the next page is no text") // taken for none, it would end the read early
				}
				return err
			case "size":
				raw, err := s.Value()
				if n, bad := strconv.Atoi(string(raw)); bad == nil && n >= 0 {
					page.size = n
				}
				return err
			case "pagelen":
				raw, err := s.Value()
				if n, bad := strconv.Atoi(string(raw)); bad == nil && n > 0 {
					page.pagelen = n
				}
				return err
			}
			return s.Skip()
		})
	default:
		err = s.Fail()
	}
	if err == nil {
		err = s.End()
	}
	if err == nil && !found {
		err = errors.New("there is no list of values in it")
	}
	return page, err
}

// recordReader reads the records of one object out of a page.
type recordReader struct {
	o     *object
	want  jsonscan.Wanted
	slots [][]byte
}

func newRecordReader(o *object) *recordReader {
	paths := append([]string{}, o.id...)
	paths = append(paths, or(o.moved, "-"), or(o.stable, "-"))
	return &recordReader{o: o, want: jsonscan.Want(paths...), slots: make([][]byte, len(paths))}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// read passes one record and adds it to the page.
func (r *recordReader) read(s *jsonscan.Scanner, page *envelope) error {
	clear(r.slots)
	s.Space()
	start := s.At()
	if r.o.nulls && s.Peek() == 'n' {
		page.nulls++
		return s.Skip()
	}
	if s.Peek() != '{' {
		return fmt.Errorf("a record is not an object at byte %d", start)
	}
	if err := s.Pluck(r.want, r.slots); err != nil {
		return err
	}
	record := connector.Record{Raw: s.Since(start)}
	n := len(r.o.id)
	record.ID = joinID(r.slots[:n], record.Raw)
	record.Updated = parseTime(jsonscan.Plain(r.slots[n]))
	page.key(jsonscan.Plain(r.slots[n+1]))
	page.records = append(page.records, record)
	return nil
}

// parseRecord reads one record that came by itself.
func parseRecord(o *object, body []byte) (connector.Record, error) {
	var page envelope
	s := jsonscan.New(body)
	if err := newRecordReader(o).read(s, &page); err != nil {
		return connector.Record{}, err
	}
	if err := s.End(); err != nil {
		return connector.Record{}, err
	}
	return page.records[0], nil
}

// idSeparator joins the parts of an id that has several.
const idSeparator = "/"

// madeUpID begins the ids of records that came without one.
const madeUpID = "sha256:"

// invented reports whether an id is one of ours, which no request may carry.
func invented(id string) bool { return strings.HasPrefix(id, madeUpID) }

// joinID makes a record's id. A record that lacks a part of it, as that of an
// account long deleted may, is neither lost nor in the way of the others: its
// id is made from its bytes.
func joinID(parts [][]byte, raw []byte) string {
	ids := make([]string, 0, len(parts))
	for _, part := range parts {
		id := jsonscan.Plain(part)
		if id == "" {
			sum := sha256.Sum256(raw)
			return madeUpID + hex.EncodeToString(sum[:])
		}
		ids = append(ids, id)
	}
	return strings.Join(ids, idSeparator)
}

// below makes an id that is unique among the records below one parent unique
// among those below all.
func below(parent, id string) string {
	if !invented(id) {
		return parent + idSeparator + id
	}
	sum := sha256.Sum256([]byte(parent + idSeparator + id)) // records of two parents can have the same bytes
	return madeUpID + hex.EncodeToString(sum[:])
}

// parseTime reads the times that Bitbucket writes: with an offset or Z, with
// or without a fraction, and in some old records without any zone, which then
// is UTC. It returns zero for anything else.
func parseTime(s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// malformed is the error for a body that is not what it should be.
func malformed(op string, a answer, err error) error {
	message := "the answer is not what Bitbucket's document promises: " + err.Error()
	if looksLikeHTML(a.body) {
		message = textOf(a.body) + " (" + err.Error() + ")"
	}
	return &windlass.Error{
		Kind: windlass.Malformed, Op: op, Provider: &windlass.ProviderDetails{Status: a.status, RequestID: requestID(a.header)},
		Message: message,
		Remedy:  "try again; if it stays so, something between here and Bitbucket changes the answers",
		Err:     err,
	}
}
