package api

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"strconv"

	"windlass"
)

// Lists are arrays in the published contract, which has no pages for them. A request
// that names no page gets all of a list, in an answer that is written while it is
// read from the store, part by part. One that names pageSize or pageToken gets a
// page, and in the header Link where the next one is.
const (
	defaultPageSize = 50
	maxPageSize     = 500
)

// A listed is a part of a list: next is the token of what follows, empty at the
// end.
type listed[T any] struct {
	items []T
	next  string
}

// asList makes a part of a list of what the store returned for a page, which had
// a limit of one more than is shown.
func asList[From, To any](page windlass.Page, all []From, id func(From) string, as func(From) To) listed[To] {
	if page.Limit == 0 || len(all) < page.Limit {
		return listed[To]{items: each(all, as)}
	}
	all = all[:page.Limit-1]
	return listed[To]{each(all, as), id(all[len(all)-1])}
}

// lists is an operation that answers with a list.
func lists[T any](f func(*API, *call, windlass.Page) (listed[T], error)) operation {
	return operation{out: reflect.TypeFor[[]T](), lists: true, run: func(a *API, c *call) (any, error) {
		size, token := c.number("pageSize"), c.query.Get("pageToken")
		if size == 0 && token == "" {
			return all(a, c, f)
		}
		if size == 0 {
			size = defaultPageSize
		}
		size = min(size, maxPageSize)
		found, err := f(a, c, windlass.Page{After: token, Limit: size + 1})
		if err != nil {
			return nil, err
		}
		if found.next != "" {
			c.w.Header().Set("Link", `<`+nextPage(c.query, size, found.next)+`>; rel="next"`)
		}
		return found.items, nil
	}}
}

// nextPage is a reference to the next page, relative to the request's URL.
func nextPage(query url.Values, size int, token string) string {
	next := maps.Clone(query)
	next.Set("pageSize", strconv.Itoa(size))
	next.Set("pageToken", token)
	return "?" + next.Encode()
}

// all answers with a whole list. A failure before anything is written is answered as an
// ordinary error.
func all[T any](a *API, c *call, f func(*API, *call, windlass.Page) (listed[T], error)) (any, error) {
	first, err := f(a, c, windlass.Page{Limit: maxPageSize + 1})
	if err != nil {
		return nil, err
	}
	if first.next == "" {
		return first.items, nil
	}
	return stream{status: c.route.status, write: func(w http.ResponseWriter) error {
		joint := "["
		for part := first; ; {
			for i := range part.items {
				item, err := encode(part.items[i])
				if err != nil {
					return err
				}
				if _, err := w.Write(append([]byte(joint), item...)); err != nil {
					return err
				}
				joint = ","
			}
			if part.next == "" {
				_, err := w.Write([]byte("]"))
				return err
			}
			if part, err = nextPart(a, c, f, part.next); err != nil {
				return err
			}
		}
	}}, nil
}

// nextPart reads one part more. The time of a request counts for each of them, as
// a long list takes longer.
func nextPart[T any](a *API, c *call, f func(*API, *call, windlass.Page) (listed[T], error), after string) (listed[T], error) {
	ctx, cancel := context.WithTimeout(c.whole, a.timeout)
	defer cancel()
	part := *c
	part.r = c.r.WithContext(ctx)
	return f(a, &part, windlass.Page{After: after, Limit: maxPageSize + 1})
}

// A stream is an answer in JSON that is made while it is written.
type stream struct {
	status int
	write  func(http.ResponseWriter) error
}

// send writes a stream. An answer that cannot be ended is cut off, so that no
// client takes it for the whole.
func (s stream) send(a *API, c *call) {
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(s.status)
	if c.r.Method == http.MethodHead {
		return
	}
	if err := s.write(c.w); err != nil {
		if c.whole.Err() == nil { // else the caller went away
			a.logFailure(c, err)
		}
		panic(http.ErrAbortHandler)
	}
}
