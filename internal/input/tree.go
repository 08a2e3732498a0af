package input

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// What a mask or a patch changes travels as a tree of maps, lists and values, because
// both lead to any place in it. It becomes a value of a type when its form has been
// checked.

// Tree reads a JSON object. Whole numbers keep all of their digits.
func Tree(text json.RawMessage) (map[string]any, error) {
	value, err := Anything(text)
	if err != nil {
		return nil, err
	}
	if object, isObject := value.(map[string]any); isObject {
		return object, nil
	}
	return nil, errors.New("is not an object")
}

// Anything reads any JSON. Numbers keep all of their digits.
func Anything(text json.RawMessage) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, errors.New("is not JSON")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("has data after its end")
	}
	return value, nil
}

// Lookup returns the value that a path of keys leads to.
func Lookup(in map[string]any, path []string) (any, bool) {
	var value any = in
	for _, key := range path {
		object, isObject := value.(map[string]any)
		if !isObject {
			return nil, false
		}
		var found bool
		if value, found = object[key]; !found {
			return nil, false
		}
	}
	return value, true
}

// Put sets the value that a path of keys leads to, or removes it when it is
// null. Objects on the way are made.
func Put(in map[string]any, path []string, value any) {
	last := len(path) - 1
	for _, key := range path[:last] {
		object, isObject := in[key].(map[string]any)
		if !isObject {
			object = map[string]any{}
			in[key] = object
		}
		in = object
	}
	if value == nil {
		delete(in, path[last])
		return
	}
	in[path[last]] = value
}

// WithoutNulls removes what is null, which means the same as absent.
func WithoutNulls(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, inside := range value {
			if inside == nil {
				delete(value, key)
				continue
			}
			value[key] = WithoutNulls(inside)
		}
	case []any:
		for i := range value {
			value[i] = WithoutNulls(value[i])
		}
	}
	return value
}

// Shape holds a tree against a type, and says of each value that does not fit
// what it should be. The types' tags are the only list of keys there is.
func (is *Issues) Shape(value any, want reflect.Type, at string) {
	switch want.Kind() {
	case reflect.Pointer:
		is.Shape(value, want.Elem(), at)
	case reflect.Struct:
		is.shapeOfStruct(value, want, at)
	case reflect.Map:
		if object, fits := fit[map[string]any](is, value, "an object", at); fits {
			for key := range UntilFull(is, object) {
				is.Shape(object[key], want.Elem(), Within(at, key))
			}
		}
	case reflect.Slice:
		if want == reflect.TypeFor[json.RawMessage]() {
			return // anything
		}
		if list, fits := fit[[]any](is, value, "a list", at); fits {
			for i, item := range list {
				if is.Full() {
					return
				}
				is.Shape(item, want.Elem(), fmt.Sprintf("%s[%d]", at, i))
			}
		}
	case reflect.Bool:
		fit[bool](is, value, "true or false", at)
	case reflect.String:
		fit[string](is, value, "a text", at)
	case reflect.Int, reflect.Int64:
		if number, fits := fit[json.Number](is, value, "a whole number", at); fits {
			if _, err := strconv.ParseInt(number.String(), 10, want.Bits()); err != nil {
				is.Addf(at, "is %s: write a smaller integer", Shorten(number.String()))
			}
		}
	default:
	}
}

func (is *Issues) shapeOfStruct(value any, want reflect.Type, at string) {
	object, fits := fit[map[string]any](is, value, "an object", at)
	if !fits {
		return
	}
	keys := make([]string, want.NumField())
	for i := range keys {
		keys[i], _, _ = strings.Cut(want.Field(i).Tag.Get("json"), ",")
	}
	for key := range UntilFull(is, object) {
		i := slices.Index(keys, key)
		if i < 0 {
			is.Addf(Within(at, Shorten(key)), "is not known: %s", Suggest(key, keys, "the keys here are "+strings.Join(keys, ", ")))
			continue
		}
		is.Shape(object[key], want.Field(i).Type, Within(at, key))
	}
}

// fit adds an issue when a value is not of a type, and reports whether it is.
func fit[T any](is *Issues, value any, what, at string) (T, bool) {
	typed, fits := value.(T)
	if !fits {
		is.Addf(at, "is not %s", what)
	}
	return typed, fits
}
