package read_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/store"
)

// provider is a workspace: 100 records a page, in the order of creation, or, for
// a read by time, in the order of change and paged by that key.
type provider struct {
	mu       sync.Mutex
	records  []connector.Record // in the order of creation
	requests int
	// before is called before a request is answered; its error is the answer.
	before func(req connector.ReadRequest) error
	// after is called with a page before it is returned.
	after func(req connector.ReadRequest, page *connector.Page)
	// unfiltered: the provider cannot read by time. unkeyed: its pages are counted.
	unfiltered, unkeyed bool
}

const pageSize = 100

func repository(i int, updated time.Time, pad int) connector.Record {
	return connector.Record{
		ID: fmt.Sprintf("{%06d}", i), Updated: updated,
		Raw: json.RawMessage(fmt.Sprintf(`{"uuid":"{%06d}","slug":"repo-%d","full_name":"acme/repo-%d","updated_on":%q,"pad":"%s"}`,
			i, i, i, updated.Format(time.RFC3339Nano), strings.Repeat("x", pad))),
	}
}

// fill makes n repositories that changed before the tests begin.
func (p *provider) fill(n, pad int) {
	for i := range n {
		p.records = append(p.records, repository(i, noon.Add(-24*time.Hour).Add(time.Duration(i)*time.Millisecond), pad))
	}
}

// edit changes a repository, or makes a new one.
func (p *provider) edit(i int, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i == len(p.records) {
		p.records = append(p.records, connector.Record{})
	}
	p.records[i] = repository(i, at, 10)
}

func (p *provider) asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests
}

func (p *provider) Read(ctx context.Context, req connector.ReadRequest) (connector.Page, error) {
	p.mu.Lock()
	p.requests++
	before, after := p.before, p.after
	p.mu.Unlock()
	if before != nil {
		if err := before(req); err != nil {
			return connector.Page{}, err
		}
	}
	if err := ctx.Err(); err != nil {
		return connector.Page{}, &windlass.Error{Kind: windlass.Canceled, Err: err, Provider: &windlass.ProviderDetails{}}
	}
	p.mu.Lock()
	page := p.page(req)
	p.mu.Unlock()
	if after != nil {
		after(req, &page)
	}
	return page, nil
}

func (p *provider) page(req connector.ReadRequest) connector.Page {
	records := slices.Clone(p.records)
	bounded := !req.Since.IsZero() || !req.Until.IsZero()
	size := pageSize
	if req.PageSize > 0 {
		size = req.PageSize
	}
	if bounded && !p.unfiltered {
		return byTime(records, req, size)
	}
	from, _ := strconv.Atoi(string(req.Cursor))
	page := connector.Page{Size: len(records), Full: bounded, Keyed: !p.unkeyed}
	page.Records = records[min(from, len(records)):min(from+size, len(records))]
	if from+size < len(records) {
		page.Next = connector.Cursor(strconv.Itoa(from + size))
	}
	return page
}

// byTime's cursor is how many came, and the time and id of the last.
func byTime(records []connector.Record, req connector.ReadRequest, size int) connector.Page {
	records = slices.DeleteFunc(records, func(r connector.Record) bool {
		return r.Updated.Before(req.Since) || !req.Until.IsZero() && !r.Updated.Before(req.Until)
	})
	key := func(r connector.Record) string { return r.Updated.Format("2006-01-02T15:04:05.000000") + r.ID }
	slices.SortFunc(records, func(a, b connector.Record) int { return strings.Compare(key(a), key(b)) })
	came, last, _ := strings.Cut(string(req.Cursor), "|")
	seen, _ := strconv.Atoi(came)
	records = slices.DeleteFunc(records, func(r connector.Record) bool { return key(r) <= last && last != "" })
	page := connector.Page{Size: seen + len(records), Keyed: true, Records: records[:min(size, len(records))]}
	if len(records) > size {
		page.Next = connector.Cursor(strconv.Itoa(seen+size) + "|" + key(records[size-1]))
	}
	return page
}

// outbox keeps batches, jobs and notifications in the store's own database, so
// that they are there exactly if their transaction was committed.
type outbox struct {
	t     testing.TB
	store *store.Store

	mu   sync.Mutex
	fail error // of AddBatches
	// sink, if set, gets the batches instead: for tests that count memory.
	sink  func([]windlass.Batch)
	tried map[string]time.Time
}

func newOutbox(tb testing.TB, s *store.Store) *outbox {
	tb.Helper()
	_, err := s.DB().ExecContext(tb.Context(), `CREATE TABLE test_outbox (n BIGINT, kind TEXT, id TEXT, lane TEXT, records BIGINT, body TEXT)`)
	if err != nil {
		tb.Fatal(err)
	}
	return &outbox{t: tb, store: s, tried: map[string]time.Time{}}
}

func (o *outbox) insert(ctx context.Context, kind, id, lane string, records int, body []byte) error {
	tx := o.store.Tx(ctx)
	if tx == nil {
		return errors.New("the outbox is used outside of a transaction")
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO test_outbox (n, kind, id, lane, records, body)
		VALUES ((SELECT COUNT(*) FROM test_outbox), $1, $2, $3, $4, $5)`, kind, id, lane, records, string(body))
	return err
}

func (o *outbox) AddBatches(ctx context.Context, batches []windlass.Batch) error {
	o.mu.Lock()
	fail, sink := o.fail, o.sink
	o.mu.Unlock()
	if fail != nil {
		return fail
	}
	if sink != nil {
		sink(batches)
		return nil
	}
	for _, b := range batches {
		if b.Status != windlass.BatchPending || b.Kind != windlass.BatchRead || b.DestinationID == "" || len(b.Body) > 300_000 {
			o.t.Errorf("the batch %s is not fit to be sent: %+v", b.ID, b)
		}
		if err := o.insert(ctx, "batch", b.ID, b.Lane, b.Records, b.Body); err != nil {
			return err
		}
		if b.Aside != nil {
			if err := o.store.KeepLargeRecord(ctx, *b.Aside); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *outbox) Enqueue(ctx context.Context, id string, _ time.Time) error {
	return o.insert(ctx, "job", id, "", 0, nil)
}

func (o *outbox) Notify(ctx context.Context, _, kind string, data any) error {
	body, err := json.Marshal(map[string]any{"notificationType": kind, "data": data})
	if err != nil {
		return err
	}
	return o.insert(ctx, "notification", kind, "", 0, body)
}

func (o *outbox) lastAttempt(_ context.Context, batchID string) (time.Time, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.tried[batchID], nil
}

type entry struct {
	kind, id, lane string
	records        int
	body           string
}

// all returns what there is of a kind, in order.
func (o *outbox) all(kind string) []entry {
	o.t.Helper()
	rows, err := o.store.DB().QueryContext(o.t.Context(), `SELECT kind, id, lane, records, body FROM test_outbox WHERE kind = $1 ORDER BY n`, kind)
	if err != nil {
		o.t.Fatal(err)
	}
	defer rows.Close()
	var all []entry
	for rows.Next() {
		var e entry
		if err := rows.Scan(&e.kind, &e.id, &e.lane, &e.records, &e.body); err != nil {
			o.t.Fatal(err)
		}
		all = append(all, e)
	}
	if err := rows.Err(); err != nil {
		o.t.Fatal(err)
	}
	return all
}

// clear forgets everything.
func (o *outbox) clear() {
	o.t.Helper()
	if _, err := o.store.DB().ExecContext(o.t.Context(), `DELETE FROM test_outbox`); err != nil {
		o.t.Fatal(err)
	}
}

type delivered struct {
	ObjectName    string `json:"objectName"`
	RawObjectName string `json:"rawObjectName"`
	ReadType      string `json:"readType"`
	OperationID   string `json:"operationId"`
	ResultInfo    struct {
		Type        string `json:"type"`
		DownloadURL string `json:"downloadUrl"`
		NumRecords  int    `json:"numRecords"`
	} `json:"resultInfo"`
	Result []struct {
		Fields       map[string]json.RawMessage `json:"fields"`
		MappedFields map[string]json.RawMessage `json:"mappedFields"`
		Raw          json.RawMessage            `json:"raw"`
	} `json:"result"`
}

func (o *outbox) messages() []delivered {
	o.t.Helper()
	var all []delivered
	for _, e := range o.all("batch") {
		var d delivered
		if err := json.Unmarshal([]byte(e.body), &d); err != nil {
			o.t.Fatalf("%v in %.200s", err, e.body)
		}
		if d.ResultInfo.NumRecords != e.records || d.ResultInfo.Type == "inline" && len(d.Result) != e.records {
			o.t.Fatalf("the message says %d records, has %d, and the batch counts %d", d.ResultInfo.NumRecords, len(d.Result), e.records)
		}
		all = append(all, d)
	}
	return all
}

// slugs are those of the records delivered, in order.
func (o *outbox) slugs() []string {
	o.t.Helper()
	var all []string
	for _, d := range o.messages() {
		for _, r := range d.Result {
			all = append(all, strings.Trim(string(r.Fields["slug"]), `"`))
		}
	}
	return all
}

// wantSlugs checks that these records were delivered, each once.
func (w *world) wantSlugs(want ...string) {
	w.Helper()
	got := w.outbox.slugs()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.Fatalf("delivered were %v, want %v", got, want)
	}
}

// wantAll checks that all records were delivered once, in the order of the
// provider, with their own bytes.
func (w *world) wantAll() {
	w.Helper()
	n := 0
	for _, d := range w.outbox.messages() {
		for _, r := range d.Result {
			if n >= len(w.provider.records) || string(r.Raw) != string(w.provider.records[n].Raw) {
				w.Fatalf("record %d delivered is %.100s", n, r.Raw)
			}
			n++
		}
	}
	if n != len(w.provider.records) {
		w.Fatalf("%d records were delivered of %d", n, len(w.provider.records))
	}
}
