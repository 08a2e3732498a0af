package install

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

	"windlass/internal/config"
)

// A config is a tree of maps, lists and values while a mask or a patch changes it,
// because both can change any value in it. It becomes a [Config] when its form has been
// checked.

// tree reads a JSON object. Whole numbers keep all of their digits.
func tree(text json.RawMessage) (map[string]any, error) {
	value, err := anything(text)
	if err != nil {
		return nil, err
	}
	if object, isObject := value.(map[string]any); isObject {
		return object, nil
	}
	return nil, errors.New("is not an object")
}

func anything(text json.RawMessage) (any, error) {
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

// treeOf turns a config into a tree of its own.
func treeOf(c config.Config) (map[string]any, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return tree(text)
}

// lookup returns the value that a path of keys leads to.
func lookup(in map[string]any, path []string) (any, bool) {
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

// put sets the value that a path of keys leads to, or removes it when it is
// null. Objects on the way are made.
func put(in map[string]any, path []string, value any) {
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

// withoutNulls removes what is null, which means the same as absent.
func withoutNulls(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, inside := range value {
			if inside == nil {
				delete(value, key)
				continue
			}
			value[key] = withoutNulls(inside)
		}
	case []any:
		for i := range value {
			value[i] = withoutNulls(value[i])
		}
	}
	return value
}

// otherSpelling is a key that documents spell differently.
const (
	spelling      = "inheritFieldsAndMappings"
	otherSpelling = "inheritFieldsAndMapping"
)

// shape checks a tree against a type, and adds an issue for each value that does not
// match. The types' tags are the only list of keys there is.
func (is *issues) shape(value any, want reflect.Type, at string) {
	switch want.Kind() {
	case reflect.Pointer:
		is.shape(value, want.Elem(), at)
	case reflect.Struct:
		is.shapeOfStruct(value, want, at)
	case reflect.Map:
		if object, fits := fit[map[string]any](is, value, "an object", at); fits {
			for key := range untilFull(is, object) {
				is.shape(object[key], want.Elem(), within(at, key))
			}
		}
	case reflect.Slice:
		if want == reflect.TypeFor[json.RawMessage]() {
			return // anything
		}
		if list, fits := fit[[]any](is, value, "a list", at); fits {
			for i, item := range list {
				if is.full() {
					return
				}
				is.shape(item, want.Elem(), fmt.Sprintf("%s[%d]", at, i))
			}
		}
	case reflect.Bool:
		fit[bool](is, value, "true or false", at)
	case reflect.String:
		fit[string](is, value, "a text", at)
	case reflect.Int, reflect.Int64:
		if number, fits := fit[json.Number](is, value, "a whole number", at); fits {
			if _, err := strconv.ParseInt(number.String(), 10, want.Bits()); err != nil {
				is.addf(at, "is %s: write a smaller integer", shorten(number.String()))
			}
		}
	default:
	}
}

func (is *issues) shapeOfStruct(value any, want reflect.Type, at string) {
	object, fits := fit[map[string]any](is, value, "an object", at)
	if !fits {
		return
	}
	keys := make([]string, want.NumField())
	for i := range keys {
		keys[i], _, _ = strings.Cut(want.Field(i).Tag.Get("json"), ",")
	}
	if other, found := object[otherSpelling]; found && slices.Contains(keys, spelling) {
		delete(object, otherSpelling)
		object[spelling] = other
	}
	for key := range untilFull(is, object) {
		i := slices.Index(keys, key)
		if i < 0 {
			is.addf(within(at, shorten(key)), "is not known: %s", suggest(key, keys, "the keys here are "+strings.Join(keys, ", ")))
			continue
		}
		is.shape(object[key], want.Field(i).Type, within(at, key))
	}
}

// fit adds an issue when a value is not of a type, and reports whether it is.
func fit[T any](is *issues, value any, what, at string) (T, bool) {
	typed, fits := value.(T)
	if !fits {
		is.addf(at, "is not %s", what)
	}
	return typed, fits
}

func sortedKeys[V any](of map[string]V) []string {
	keys := make([]string, 0, len(of))
	for key := range of {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
