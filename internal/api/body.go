package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"windlass"
)

// readBody reads a body of JSON into a value, after all of it was checked against
// the type's schema.
func (a *API) readBody(c *call, t reflect.Type, into any) error {
	kind, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	charset := strings.ToLower(params["charset"])
	if err != nil || kind != "application/json" || (charset != "" && charset != "utf-8") {
		return &windlass.Error{
			Kind: unsupportedMedia, Message: "the body has to be JSON in UTF-8",
			Remedy: "send the header Content-Type: application/json",
		}
	}
	data, err := readLimited(c, a.bodyLimit)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return &windlass.Error{Kind: malformedRequest, Message: "the body is empty", Remedy: "send a JSON object"}
	}
	var found faults
	value, err := parseJSON(data, &found)
	if err != nil {
		return err
	}
	a.schemas.check(t, value, &found)
	if err := found.err(); err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		// The schema is what a client can read about; a value that it allows and the
		// type does not is a number out of range, at most.
		return &windlass.Error{Kind: windlass.Invalid, Message: "the body does not fit: " + plainTypeError(err)}
	}
	return nil
}

// readLimited reads the whole body, up to a limit in bytes.
func readLimited(c *call, limit int64) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, limit))
	if err := bodyError(err, limit); errors.Is(err, tooLarge) {
		return nil, err
	}
	if err != nil {
		return nil, &windlass.Error{Kind: malformedRequest, Message: "the body ended too early", Err: err}
	}
	return data, nil
}

func overLimit(limit int64) error {
	return &windlass.Error{Kind: tooLarge, Message: fmt.Sprintf("the body is larger than %d bytes", limit)}
}

// parseJSON reads a JSON text. A key that appears twice in an object is an issue:
// parsers differ in which of the two they use.
func parseJSON(data []byte, found *faults) (any, error) {
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return nil, &windlass.Error{
			Kind: malformedRequest, Message: "the body is not JSON: " + plainTypeError(err),
		}
	}
	if !printable(string(data)) {
		return nil, &windlass.Error{Kind: malformedRequest, Message: "the body is not UTF-8"}
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return value, checkKeys(decoder, nil, 0, found)
}

// How many keys an object may have, and how many values a body: what is checked one
// by one costs time.
const (
	maxMembers = 2000
	maxValues  = 50_000 // of a whole body
)

// checkKeys walks one value of a text that is known to be JSON, and fails where it
// is nested too deeply or a key is too long.
func checkKeys(decoder *json.Decoder, at *place, depth int, found *faults) error {
	if depth > maxBodyDepth {
		return &windlass.Error{
			Kind: malformedRequest, Message: fmt.Sprintf("the body is nested deeper than %d levels", maxBodyDepth),
		}
	}
	if found.full() {
		return nil
	}
	if found.values++; found.values > maxValues {
		return &windlass.Error{Kind: malformedRequest, Message: fmt.Sprintf("the body has more than %d values", maxValues)}
	}
	token, err := decoder.Token()
	if err != nil {
		return nil //nolint:nilerr // known to be JSON
	}
	switch token {
	case json.Delim('{'):
		seen := map[string]bool{}
		for decoder.More() && !found.full() {
			key, _ := decoder.Token() // known to be JSON
			name, _ := key.(string)
			if len(name) > maxBodyKey {
				return &windlass.Error{
					Kind: malformedRequest, Message: fmt.Sprintf("the body has a key of more than %d bytes", maxBodyKey),
				}
			}
			member := at.member(name)
			if seen[name] {
				found.add(member, "the key appears twice")
			}
			seen[name] = true
			if len(seen) > maxMembers {
				return &windlass.Error{
					Kind: malformedRequest, Message: fmt.Sprintf("the body has an object of more than %d keys", maxMembers),
				}
			}
			if err := checkKeys(decoder, member, depth+1, found); err != nil {
				return err
			}
		}
		_, _ = decoder.Token()
	case json.Delim('['):
		for i := 0; decoder.More() && !found.full(); i++ {
			if err := checkKeys(decoder, at.item(i), depth+1, found); err != nil {
				return err
			}
		}
		_, _ = decoder.Token()
	}
	return nil
}

func join(place, name string) string {
	if place == "" {
		return name
	}
	return place + "." + name
}

// plainTypeError explains an error of encoding/json without the names of Go types.
func plainTypeError(err error) string {
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("%s at byte %d", syntax.Error(), syntax.Offset)
	case errors.As(err, &mismatch):
		return fmt.Sprintf("%s is a %s, which does not fit", mismatch.Field, strings.Fields(mismatch.Value)[0])
	default:
		return "it ended too early"
	}
}

// invalid is the failure of a request with issues, or nil when there is none.
func invalid(issues []windlass.Issue) error {
	if len(issues) == 0 {
		return nil
	}
	message := "the request has " + fmt.Sprint(len(issues)) + " issues"
	if len(issues) == 1 {
		message = orElse(issues[0].Name, "the "+issues[0].In) + ": " + issues[0].Message
	}
	return &windlass.Error{Kind: windlass.Invalid, Message: message, Issues: issues}
}

// checkQuery checks the query against the parameters of the operation. Unknown
// parameters are ignored, as browsers and proxies add to queries.
func checkQuery(params []param, query url.Values) error {
	var issues []windlass.Issue
	report := func(name, message string) {
		issues = append(issues, windlass.Issue{In: "query", Name: name, Message: message})
	}
	for _, p := range params {
		values := query[p.name]
		switch {
		case len(values) > 1:
			report(p.name, "it appears twice")
		case p.required && (len(values) == 0 || values[0] == ""):
			report(p.name, "it is required")
		case len(values) == 0:
		case len(values[0]) > maxText:
			report(p.name, fmt.Sprintf("it is longer than %d bytes", maxText))
		case !printable(values[0]):
			report(p.name, "it contains bytes that are not text")
		case p.kind == "bool" && values[0] != "true" && values[0] != "false":
			report(p.name, "it is either true or false")
		case p.kind == "int" && !isCount(values[0]):
			report(p.name, "it is a number above zero")
		case len(p.oneOf) > 0 && !slices.Contains(p.oneOf, values[0]):
			report(p.name, "it is one of "+strings.Join(p.oneOf, ", "))
		}
	}
	return invalid(issues)
}

// isCount reports whether a text is a positive number of a reasonable length.
func isCount(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n > 0
}
