package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

// A listing is a list of records without code of its own: how many are on a page,
// how the page is wrapped, which records the caller gets and what one looks like.
type listing[T any] struct {
	length int // unless asked otherwise
	wrap   envelope
	items  func(*call) ([]T, error)
	body   func(*call, T) object
}

func (l listing[T]) list(c *call) (*answer, error) {
	items, err := l.items(c)
	if err != nil {
		return nil, err
	}
	return c.paged(l.length, len(items), l.wrap, func(b []byte, i int) []byte {
		return appendObject(b, l.body(c, items[i]))
	})
}

// A resource is a kind of record that is listed, and created, read, changed and
// deleted by UUID, all in the way that most of Bitbucket's endpoints do.
type resource[T any] struct {
	length  int // as in listing
	wrap    envelope
	param   string                     // of the route, with the UUID of one
	missing func() error               // there is none with that UUID
	kept    func(*call) (*[]*T, error) // the records that the path names, for a caller who may see them
	uuid    func(*T) string
	address func(*call) string // of the list
	body    func(*call, *T) object
	fresh   func(*call, document) (*T, error)     // a new record of what a POST says
	change  func(*call, *T, document) (*T, error) // the record after a PUT
}

func (r resource[T]) list(c *call) (*answer, error) {
	return listing[*T]{length: r.length, wrap: r.wrap, body: r.body, items: func(c *call) ([]*T, error) {
		kept, err := r.kept(c)
		if err != nil {
			return nil, err
		}
		return *kept, nil
	}}.list(c)
}

// find finds the one in the path, and the list it is in.
func (r resource[T]) find(c *call) (*[]*T, int, error) {
	kept, err := r.kept(c)
	if err != nil {
		return nil, 0, err
	}
	want := "{" + strings.Trim(c.param(r.param), "{}") + "}"
	i := slices.IndexFunc(*kept, func(one *T) bool { return r.uuid(one) == want })
	if i < 0 {
		return nil, 0, r.missing()
	}
	return kept, i, nil
}

func (r resource[T]) get(c *call) (*answer, error) {
	kept, i, err := r.find(c)
	if err != nil {
		return nil, err
	}
	return reply(r.body(c, (*kept)[i]))
}

func (r resource[T]) create(c *call) (*answer, error) {
	kept, err := r.kept(c)
	if err != nil {
		return nil, err
	}
	doc, err := c.document()
	if err != nil {
		return nil, err
	}
	one, err := r.fresh(c, doc)
	if err != nil {
		return nil, err
	}
	*kept = append(*kept, one)
	return created(http.StatusCreated, r.address(c)+"/"+escapeUUID(r.uuid(one)), r.body(c, one))
}

// put leaves the record as it was where the document is refused.
func (r resource[T]) put(c *call) (*answer, error) {
	kept, i, err := r.find(c)
	if err != nil {
		return nil, err
	}
	doc, err := c.document()
	if err != nil {
		return nil, err
	}
	one, err := r.change(c, (*kept)[i], doc)
	if err != nil {
		return nil, err
	}
	(*kept)[i] = one
	return reply(r.body(c, one))
}

func (r resource[T]) remove(c *call) (*answer, error) {
	kept, i, err := r.find(c)
	if err != nil {
		return nil, err
	}
	*kept = slices.Delete(*kept, i, i+1)
	return nothing()
}
