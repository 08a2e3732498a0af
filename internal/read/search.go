package read

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/config"
	"windlass/internal/mapping"
	"windlass/internal/operation"
)

// SearchRequest is the body of a search in the published contract.
type SearchRequest struct {
	// ObjectName is the object, or what the product calls it.
	ObjectName   string         `json:"objectName"`
	FieldFilters []SearchFilter `json:"fieldFilters" maxItems:"50"`
	GroupRef     string         `json:"-"` // of the query
}

// SearchFilter lets through only those records whose field has the value.
type SearchFilter struct {
	// FieldName is that of a mapped field, or else of one of the provider's.
	FieldName string `json:"fieldName"`
	Operator  string `json:"operator" enum:"eq"`
	// Value is a string, a boolean or a number.
	Value json.RawMessage `json:"value"`
}

// PurposeSearch is a search, while its caller waits for the answer.
const PurposeSearch = "search"

// The bounds of a search, whose caller waits: see Config.
const (
	defaultSearchPages = 20
	defaultSearch      = 30 * time.Second
	defaultSearchBytes = 8 << 20
)

const opSearch = "search the records"

// Search reads an object from its beginning and returns the entries of the records
// that pass all filters, as a message would have them. Nothing is kept, and the
// filters of the installation's config hold, too. The provider is not asked to
// filter, so that mapped names mean the same everywhere: a search costs as many
// requests as a read of everything. It fails with windlass.Invalid for an object
// that is not read, and where there is more than a search may go through.
func (f *Flow) Search(ctx context.Context, project, integration string, r SearchRequest) ([]json.RawMessage, error) {
	if issues := r.check(); len(issues) > 0 {
		return nil, placed(invalid("the request is wrong", issues...))
	}
	in, err := f.ofGroup(ctx, project, integration, r.GroupRef)
	if err != nil {
		return nil, placed(err)
	}
	s, err := f.newSearch(ctx, in, r)
	if err != nil {
		return nil, placed(err)
	}
	bounded, cancel := context.WithTimeout(ctx, f.opts.Search)
	defer cancel()
	reader, err := f.opts.Open(bounded, in.Connection, PurposeSearch)
	if err == nil {
		err = s.walk(bounded, reader)
	}
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		return nil, &windlass.Error{
			Kind: windlass.Unavailable, Op: opSearch, Err: err,
			Message: fmt.Sprintf("the search of %s took longer than %v", s.object, f.opts.Search), Remedy: searchLess,
		}
	}
	return s.found, err
}

// searchLess is what to do where a search is too large.
const searchLess = "read the object, and search in what is delivered"

func (r SearchRequest) check() (issues []windlass.Issue) {
	if r.GroupRef == "" {
		issues = append(issues, windlass.Issue{In: "query", Name: "groupRef", Message: "is missing: say for whom to search"})
	}
	for i, filter := range r.FieldFilters {
		at := fmt.Sprintf("fieldFilters[%d].", i)
		if filter.FieldName == "" {
			issues = append(issues, windlass.Issue{In: "body", Name: at + "fieldName", Message: "is missing"})
		}
		if filter.Operator != "eq" {
			issues = append(issues, windlass.Issue{In: "body", Name: at + "operator", Message: fmt.Sprintf("is %q: write eq, the one operator there is", clip(filter.Operator))})
		}
		if !sameScalar(filter.Value, filter.Value) {
			issues = append(issues, windlass.Issue{In: "body", Name: at + "value", Message: "is neither a string, nor a boolean, nor a number"})
		}
	}
	return issues
}

// placed says of a failure that it is one of a search.
func placed(err error) error {
	if failure, ours := windlass.Own(err); ours && failure.Op == opTrigger {
		failure.Op = opSearch
		for i := range failure.Issues {
			if failure.Issues[i].Name == "objectName" {
				failure.Issues[i].In = "body"
			}
		}
	}
	return err
}

// A search is one walk through an object.
type search struct {
	object   string
	plan     *mapping.Plan
	own      []config.Filter // by the provider's names
	mapped   []config.Filter // by the product's
	maxPages int
	maxBytes int

	seen  map[string]bool
	size  int // bytes found
	found []json.RawMessage
}

func (f *Flow) newSearch(ctx context.Context, in windlass.Installation, r SearchRequest) (*search, error) {
	revision, err := f.store.Revision(ctx, in.IntegrationID, in.Config.RevisionID)
	if err != nil {
		return nil, err
	}
	c, err := config.Parse(in.Config.Content)
	if err != nil {
		return nil, err
	}
	name, err := readable(c, in, r.ObjectName, revision)
	if err != nil {
		return nil, err
	}
	entry, err := config.ReadEntry(revision, name)
	if err != nil {
		return nil, err
	}
	chosen, _ := c.Reads(name)
	s := &search{
		object: name, own: chosen.Filters(false), maxPages: f.opts.SearchPages, maxBytes: f.opts.SearchBytes,
		seen: map[string]bool{}, found: []json.RawMessage{},
	}
	for _, filter := range r.FieldFilters {
		wanted := config.Filter{FieldName: filter.FieldName, Operator: filter.Operator, Value: filter.Value}
		if chosen.MapsTo(entry, filter.FieldName) {
			s.mapped = append(s.mapped, wanted)
		} else {
			s.own = append(slices.Clip(s.own), wanted)
		}
	}
	s.plan, err = chosen.Plan(entry)
	return s, err
}

// walk goes through all pages.
func (s *search) walk(ctx context.Context, reader connector.Reader) error {
	var cursor connector.Cursor
	for pages := 1; ; pages++ {
		page, err := reader.Read(ctx, connector.ReadRequest{Object: s.object, Cursor: cursor})
		if err != nil {
			return err
		}
		if err := s.take(page.Records); err != nil {
			return err
		}
		if page.Next == "" {
			return nil
		}
		// Where the provider says how much there is, one page is enough to tell.
		if pages >= s.maxPages || pages == 1 && page.Size > len(page.Records)*s.maxPages && len(page.Records) > 0 {
			return s.tooMuch(page.Size)
		}
		cursor = page.Next
	}
}

func (s *search) tooMuch(size int) error {
	there := "more"
	if size > 0 {
		there = strconv.Itoa(size) + " records"
	}
	return &windlass.Error{
		Kind: windlass.Invalid, Op: opSearch, Remedy: searchLess,
		Message: fmt.Sprintf("a search goes through %d pages, and there are %s of %s", s.maxPages, there, s.object),
	}
}

// take keeps the entries of those records that pass. A record that comes twice, as
// it does when a list changes meanwhile, is found once.
func (s *search) take(records []connector.Record) error {
	for i := range records {
		record := &records[i]
		if s.seen[record.ID] || !passes(record.Raw, s.own) {
			continue
		}
		s.seen[record.ID] = true
		entry, err := s.plan.AppendEntry(nil, record.Raw)
		if err != nil {
			return &windlass.Error{Kind: windlass.Malformed, Op: "search " + s.object, Message: "record " + record.ID + " cannot be shown: " + operation.Plain(err), Err: err, Provider: &windlass.ProviderDetails{}}
		}
		if !s.passesMapped(entry) {
			continue
		}
		if s.size += len(entry); s.size > s.maxBytes {
			return &windlass.Error{
				Kind: windlass.Invalid, Op: opSearch, Remedy: "filter for fewer of them, or " + searchLess,
				Message: fmt.Sprintf("more than %d bytes of %s pass the filters", s.maxBytes, s.object),
			}
		}
		s.found = append(s.found, slices.Clip(entry))
	}
	return nil
}

func (s *search) passesMapped(entry []byte) bool {
	if len(s.mapped) == 0 {
		return true
	}
	var parts struct {
		MappedFields json.RawMessage `json:"mappedFields"`
	}
	return json.Unmarshal(entry, &parts) == nil && passes(parts.MappedFields, s.mapped)
}
