package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// definitions are the schemas of Atlassian's document.
type definitions map[string]any

// check compares a decoded JSON value with a schema, as far as the document
// uses schemas: $ref, allOf, type, properties, required, additionalProperties,
// items, enum, format, pattern and the bounds of numbers, texts and lists. It
// returns one sentence for each difference that pardon does not name.
func (d definitions) check(schema map[string]any, value any, at string, pardon func(problem string) bool) []string {
	var problems []string
	report := func(format string, args ...any) {
		if p := at + ": " + fmt.Sprintf(format, args...); !pardon(p) {
			problems = append(problems, p)
		}
	}
	if ref, ok := schema["$ref"].(string); ok {
		target, ok := d[strings.TrimPrefix(ref, "#/definitions/")].(map[string]any)
		if !ok {
			report("unknown schema %s", ref)
			return problems
		}
		return d.check(target, value, at, pardon)
	}
	if all, ok := schema["allOf"].([]any); ok {
		for _, part := range all {
			problems = append(problems, d.check(part.(map[string]any), value, at, pardon)...)
		}
	}
	if value == nil {
		if schema["type"] != nil {
			report("null")
		}
		return problems
	}
	if kind, ok := schema["type"].(string); ok && !hasType(value, kind) {
		report("%T is not of type %s", value, kind)
		return problems
	}
	if enum, ok := schema["enum"].([]any); ok && !slices.Contains(enum, value) {
		report("%v is none of the allowed values", value)
	}
	switch v := value.(type) {
	case string:
		checkText(schema, v, report)
	case json.Number:
		if n, _ := v.Float64(); schema["minimum"] != nil && n < asFloat(schema["minimum"]) {
			report("%s is less than the minimum", v)
		}
	case []any:
		items, _ := schema["items"].(map[string]any)
		for _, item := range v {
			if items != nil {
				problems = append(problems, d.check(items, item, at+"[]", pardon)...)
			}
		}
	case map[string]any:
		problems = append(problems, d.checkObject(schema, v, at, pardon, report)...)
	}
	return problems
}

func (d definitions) checkObject(schema, value map[string]any, at string, pardon func(string) bool, report func(string, ...any)) []string {
	var problems []string
	properties, _ := schema["properties"].(map[string]any)
	if required, ok := schema["required"].([]any); ok {
		for _, name := range required {
			if _, there := value[name.(string)]; !there {
				report("%s is missing", name)
			}
		}
	}
	for name, child := range value {
		if property, ok := properties[name].(map[string]any); ok {
			problems = append(problems, d.check(property, child, at+"."+name, pardon)...)
		} else if schema["additionalProperties"] == false {
			report("%s is not in the document", name)
		}
	}
	return problems
}

func checkText(schema map[string]any, v string, report func(string, ...any)) {
	switch schema["format"] {
	case "date-time":
		if _, err := time.Parse(time.RFC3339Nano, v); err != nil {
			report("%q is not a time", v)
		}
	case "uri":
		if u, err := url.Parse(v); err != nil || u.Scheme == "" {
			report("%q is not a URI", v)
		}
	}
	if pattern, ok := schema["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(v) {
		report("%q does not match %s", v, pattern)
	}
	if n, ok := schema["maxLength"]; ok && float64(len(v)) > asFloat(n) {
		report("%q is too long", v)
	}
}

func hasType(value any, kind string) bool {
	switch v := value.(type) {
	case string:
		return kind == "string"
	case bool:
		return kind == "boolean"
	case json.Number:
		return kind == "number" || kind == "integer" && !strings.ContainsAny(v.String(), ".eE")
	case []any:
		return kind == "array"
	case map[string]any:
		return kind == "object"
	}
	return false
}

func asFloat(v any) float64 {
	f, _ := v.(json.Number).Float64()
	return f
}
