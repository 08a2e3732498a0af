package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// parseJSON turns a text into a tree. It returns nil when the text cannot be
// read, and has reported why.
func parseJSON(data []byte, r *report) *node {
	if !readable(data, r) {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	root, err := readJSON(decoder, 0)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the end of the manifest")
		}
	}
	if err == nil {
		return root
	}
	offset := int(decoder.InputOffset())
	if syntax, found := errors.AsType[*json.SyntaxError](err); found {
		offset = offending(data, syntax)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		offset, err = len(data), errors.New("it ends too early")
	}
	r.addAt(placeOf(data, offset), "", "not valid JSON: "+err.Error(), "check it with a JSON formatter")
	return nil
}

// offending returns the offset of the character that the error is about. The
// standard library counts it in where a value is wrong, and does not where
// something between two values is.
func offending(data []byte, err *json.SyntaxError) int {
	offset := int(err.Offset)
	if offset < len(data) && strings.HasPrefix(err.Error(), "invalid character "+strconv.QuoteRune(rune(data[offset]))) {
		return offset
	}
	return min(max(0, offset-1), len(data))
}

func readJSON(decoder *json.Decoder, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("it is nested deeper than %d levels", maxDepth)
	}
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch value := token.(type) {
	case json.Delim:
		if value == '[' {
			return readArray(decoder, depth)
		}
		return readObject(decoder, depth)
	case string:
		return &node{kind: text, text: value}, nil
	case bool:
		return &node{kind: boolean, text: fmt.Sprint(value)}, nil
	case json.Number:
		return &node{kind: plain(value.String()), text: value.String()}, nil
	default:
		return &node{kind: null}, nil
	}
}

func readArray(decoder *json.Decoder, depth int) (*node, error) {
	out := &node{kind: list}
	for decoder.More() {
		value, err := readJSON(decoder, depth+1)
		if err != nil {
			return nil, err
		}
		out.items = append(out.items, value)
	}
	_, err := decoder.Token() // the bracket
	return out, err
}

func readObject(decoder *json.Decoder, depth int) (*node, error) {
	out := &node{kind: mapping}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		value, err := readJSON(decoder, depth+1)
		if err != nil {
			return nil, err
		}
		out.entries = append(out.entries, entry{key: fmt.Sprint(key), value: value})
	}
	_, err := decoder.Token() // the brace
	return out, err
}
