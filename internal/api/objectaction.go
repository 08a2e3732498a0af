package api

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"reflect"

	"windlass"
	"windlass/internal/read"
)

// readBegun is the answer to a read that was asked for.
type readBegun struct {
	OperationID string `json:"operationId"`
}

// actsOnObject is the one operation of the contract that is two: what its body
// asks for is a write when it has a type, and else a read.
func actsOnObject() operation {
	reading := takes((*API).triggerRead)
	return operation{in: reflect.TypeFor[read.TriggerRequest](), out: reflect.TypeFor[readBegun](), run: func(a *API, c *call) (any, error) {
		writes, err := a.asksForWrite(c)
		if err != nil {
			return nil, err
		}
		if writes {
			return nil, &windlass.Failure{
				Kind: unprocessable, Message: "this Windlass does not write yet", Remedy: "leave type out to read",
			}
		}
		return reading.run(a, c)
	}}
}

// asksForWrite looks whether the body has a type, and leaves the body to be read.
func (a *API) asksForWrite(c *call) (bool, error) {
	data, err := readLimited(c, a.bodyLimit)
	if err != nil {
		return false, err
	}
	c.r.Body = io.NopCloser(bytes.NewReader(data))
	var body map[string]json.RawMessage
	if json.Unmarshal(data, &body) != nil {
		return false, nil // whoever reads it says what is wrong with it
	}
	_, has := body["type"]
	return has, nil
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
