package sandbox

import (
	"net/http"
	"slices"

	"windlass/bitbucket/sandbox/internal/bbql"
)

// A filterable list understands q and sort over the fields it names. Lists
// without one ignore both parameters, as Bitbucket does.
type filterable[T any] struct {
	fields   bbql.Fields // that q may name
	sortable bbql.Fields // that sort may name; nil means those of q
	get      func(item T, field string) any
}

// criteria reads q and sort; a field that is not supported is a 400.
func (c *call) criteria(fields, sortable bbql.Fields) (*bbql.Expr, bbql.Sort, error) {
	if sortable == nil {
		sortable = fields
	}
	q, err := bbql.Parse(c.query.Get("q"), fields)
	if err != nil {
		return nil, bbql.Sort{}, fail(http.StatusBadRequest, err.Error())
	}
	sort, err := bbql.ParseSort(c.query.Get("sort"), sortable)
	if err != nil {
		return nil, bbql.Sort{}, fail(http.StatusBadRequest, err.Error())
	}
	return q, sort, nil
}

// choose returns the items that q lets through, in the order of sort.
func choose[T any](c *call, f filterable[T], items []T) ([]T, error) {
	q, sort, err := c.criteria(f.fields, f.sortable)
	if err != nil {
		return nil, err
	}
	var chosen []T
	for _, item := range items {
		if q.Match(func(field string) any { return f.get(item, field) }) {
			chosen = append(chosen, item)
		}
	}
	if sort.Field != "" {
		slices.SortStableFunc(chosen, func(a, b T) int {
			return sort.Compare(
				func(field string) any { return f.get(a, field) },
				func(field string) any { return f.get(b, field) })
		})
	}
	return chosen, nil
}

// text gives a nullable text as BBQL wants it: nil, and not a nil pointer.
func text(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}
