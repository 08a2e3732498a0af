package api

import (
	"net/http"
	"reflect"
	"strings"

	"windlass/internal/auth"
)

// A route is one operation.
type route struct {
	method, path string
	id           string
	access       auth.Access
	status       int // of the answer when all went well
	summary      string
	query        []param
	op           operation
}

// A param is one parameter in the query. A kind of "bool" is true or false, "int" a
// number above zero, and any other word a string; oneOf closes the list of strings.
type param struct {
	name     string
	kind     string
	required bool
	oneOf    []string
	changes  bool // it makes a GET change something
	about    string
}

// resource is the type in which an operation answers the resource that it creates or
// changes; nil where it does neither.
func (r *route) resource() reflect.Type {
	switch {
	case r.op.in == nil:
		return nil
	case r.id == "createIntegration":
		return reflect.TypeFor[integration]()
	case r.id == "createJWTKey":
		return reflect.TypeFor[jwtKey]()
	case strings.HasPrefix(r.id, "create") && r.id != "createRevision", strings.HasPrefix(r.id, "update"):
		return r.op.out
	default:
		return nil
	}
}

// An operation is a handler and the types that go through it.
type operation struct {
	in, out reflect.Type // nil: nothing
	// parts are the types that in is one of; others are the answers with a status
	// that is not the route's; headers are those that the operation reads. Most
	// operations have none of them.
	parts   []reflect.Type
	others  map[int]reflect.Type
	headers []param
	// lists: it answers with a list, of which a page can be asked for.
	lists bool
	run   func(*API, *call) (any, error)
}

// takes is an operation with a body and an answer.
func takes[In, Out any](f func(*API, *call, In) (Out, error)) operation {
	in := reflect.TypeFor[In]()
	return operation{in: in, out: reflect.TypeFor[Out](), run: func(a *API, c *call) (any, error) {
		var body In
		if err := a.readBody(c, in, &body); err != nil {
			return nil, err
		}
		return f(a, c, body)
	}}
}

// gives is an operation with an answer only.
func gives[Out any](f func(*API, *call) (Out, error)) operation {
	return operation{out: reflect.TypeFor[Out](), run: func(a *API, c *call) (any, error) { return f(a, c) }}
}

// does is an operation that answers with its status alone.
func does(f func(*API, *call) error) operation {
	return operation{run: func(a *API, c *call) (any, error) { return nil, f(a, c) }}
}

// accepts is an operation with a body that answers with its status alone.
func accepts[In any](f func(*API, *call, In) error) operation {
	op := takes(func(a *API, c *call, body In) (struct{}, error) { return struct{}{}, f(a, c, body) })
	run := op.run
	op.out = nil
	op.run = func(a *API, c *call) (any, error) {
		_, err := run(a, c)
		return nil, err
	}
	return op
}

// text is an answer in plain text rather than JSON.
type text string

// answered is an answer with a status of its own.
type answered struct {
	status int
	body   any
}

// A page is an answer for people: it writes itself, whatever came of the request.
type page struct {
	write func(http.ResponseWriter)
}
