package api

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"windlass"
	"windlass/internal/read"
	"windlass/internal/write"
)

// readBegun is the answer to a read that was asked for.
type readBegun struct {
	OperationID string `json:"operationId"`
}

// objectRequest is a body that asks for a write or for a read.
type objectRequest struct{}

// Schema says that it is one of the two.
func (objectRequest) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		r.Schema(reflect.TypeFor[write.Request](), true, ""), r.Schema(reflect.TypeFor[read.TriggerRequest](), true, ""),
	}}
}

// actsOnObject is one operation of the contract that does two things: a write when its
// body has a type, and otherwise a read.
func actsOnObject() operation {
	reading, writing := takes((*API).triggerRead), takes((*API).write)
	written := reflect.TypeFor[write.Answer]()
	return operation{
		in: reflect.TypeFor[objectRequest](), out: reading.out, parts: []reflect.Type{reading.in, writing.in},
		others:  map[int]reflect.Type{http.StatusOK: written, http.StatusUnprocessableEntity: written},
		headers: []param{{name: idempotencyKey, about: "For writes: requests with the same key within a day are one write, and all get its answer."}},
		run: func(a *API, c *call) (any, error) {
			writes, err := a.asksForWrite(c)
			switch {
			case err != nil:
				return nil, err
			case writes:
				return writing.run(a, c)
			default:
				return reading.run(a, c)
			}
		},
	}
}

// idempotencyKey is the header by which a request that is sent again is recognized.
const idempotencyKey = "Idempotency-Key"

// write carries a write out. What the provider refused is an answer, too.
func (a *API) write(c *call, r write.Request) (any, error) {
	if a.writes == nil {
		return nil, &windlass.Error{Kind: unprocessable, Message: "this server does not write records", Remedy: "leave type out to read"}
	}
	if err := c.who.MustBe(r.GroupRef, ""); err != nil {
		return nil, err
	}
	keys := c.r.Header.Values(idempotencyKey)
	if len(keys) > 1 || len(keys) == 1 && keys[0] == "" {
		return nil, invalid([]windlass.Issue{{In: "header", Name: idempotencyKey, Message: "it is empty, or appears twice"}})
	}
	written, err := a.writes.Write(c.ctx(), c.project.ID, c.param("integrationId"), c.param("objectName"), r, strings.Join(keys, ""))
	if err != nil {
		return nil, err
	}
	status := http.StatusOK
	if written.Failed() {
		status = http.StatusUnprocessableEntity
	}
	return answered{status, written}, nil
}

// asksForWrite reports whether the body has a key of a write, and leaves the body to be
// read. A write without its type gets an error that says so.
func (a *API) asksForWrite(c *call) (bool, error) {
	data, err := readLimited(c, a.bodyLimit)
	if err != nil {
		return false, err
	}
	c.r.Body = io.NopCloser(bytes.NewReader(data))
	var body map[string]json.RawMessage
	if json.Unmarshal(data, &body) != nil {
		return false, nil //nolint:nilerr // the handler that reads it reports what is wrong with it
	}
	for _, name := range []string{"type", "record", "batch"} {
		if _, has := body[name]; has {
			return true, nil
		}
	}
	return false, nil
}

func (a *API) objectStates(c *call) ([]read.ObjectState, error) {
	return a.reads.ObjectStates(c.ctx(), c.project.ID, c.param("integrationId"), c.param("installationId"))
}

func (a *API) triggerRead(c *call, r read.TriggerRequest) (readBegun, error) {
	begun, err := a.reads.Trigger(c.ctx(), c.project.ID, c.param("integrationId"), c.param("objectName"), r)
	return readBegun{begun.ID}, err
}

// mayAccept is an operation whose body may be left out, and that answers with its
// status alone.
func mayAccept[In any](f func(*API, *call, In) error) operation {
	op := accepts(f)
	run := op.run
	op.run = func(a *API, c *call) (any, error) {
		if c.r.ContentLength == 0 || c.r.Body == nil || c.r.Body == http.NoBody {
			var none In
			return nil, f(a, c, none)
		}
		return run(a, c)
	}
	return op
}
