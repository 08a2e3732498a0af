package connector

import (
	"encoding/json"
	"strings"

	"windlass"
)

// Parent names the record below which the records of a child object are read: the
// repository of its branches, the pull request of its comments. The zero value
// names none, which is what an object at the top is read with.
//
// A Parent holds no more than the path of a child needs, so that a caller can
// keep one for each of ten thousand repositories. It does not change while the
// parent record keeps its ID, unless Object.ParentKeys names a field that does.
type Parent struct {
	// ID is Record.ID of the parent record.
	ID string `json:"id"`
	// Keys are those fields of the parent record that Object.ParentKeys names, by
	// their dotted path, as the provider sent them.
	Keys map[string]json.RawMessage `json:"keys,omitempty"`
}

// IsZero reports whether p names no record.
func (p Parent) IsZero() bool { return p.ID == "" && len(p.Keys) == 0 }

// ParentOf returns record, which is one of o.Parent, as the parent of the records
// of o. It fails with windlass.Malformed where the record lacks one of
// o.ParentKeys: either the provider left it out, or the read that returned the
// record did not ask for it.
func (o Object) ParentOf(record Record) (Parent, error) {
	parent := Parent{ID: record.ID}
	for _, name := range o.ParentKeys {
		value, err := member(record.Raw, name)
		if err != nil || string(value) == "null" {
			return Parent{}, &windlass.Error{
				Kind: windlass.Malformed, Op: "read " + o.Name + " below " + record.ID,
				Message: "the record of " + o.Parent + " has no " + name,
				Remedy:  "read " + o.Parent + " with the fields " + strings.Join(o.ParentKeys, ", ") + ", or with all",
				Err:     err, Provider: &windlass.ProviderDetails{},
			}
		}
		if parent.Keys == nil {
			parent.Keys = make(map[string]json.RawMessage, len(o.ParentKeys))
		}
		parent.Keys[name] = value
	}
	return parent, nil
}

// member returns the bytes at a dotted path; nil is a null.
func member(raw json.RawMessage, path string) (json.RawMessage, error) {
	for name := range strings.SplitSeq(path, ".") {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(raw, &members); err != nil {
			return nil, err
		}
		if raw = members[name]; raw == nil {
			return json.RawMessage("null"), nil
		}
	}
	return raw, nil
}

// CheckParent fails with windlass.Invalid where req reads a child object without a
// parent record or without one of its keys, or an object at the top with one.
// Every Reader calls it before it sends anything.
func (o Object) CheckParent(req ReadRequest) error {
	fail := func(message, remedy string) error {
		return &windlass.Error{Kind: windlass.Invalid, Op: req.Op(), Message: message, Remedy: remedy, Provider: &windlass.ProviderDetails{}}
	}
	if o.Parent == "" {
		if req.Parent.IsZero() {
			return nil
		}
		return fail(o.Name+" are not below another object, and a parent record was named",
			"read them without a parent")
	}
	if req.Parent.ID == "" {
		return fail(o.Name+" are read below one record of "+o.Parent+" at a time, and none was named",
			"read "+o.Parent+" first, then "+o.Name+" below each of their records")
	}
	for _, name := range o.ParentKeys {
		if len(req.Parent.Keys[name]) == 0 {
			return fail("the parent record was named without its "+name,
				"take it from the record of "+o.Parent+", with "+strings.Join(o.ParentKeys, ", "))
		}
	}
	return nil
}

// Op says what the read does, for the Op of an error: "read repositories", or
// "read branches below {1f5c…}".
func (req ReadRequest) Op() string {
	if req.Parent.ID == "" {
		return "read " + req.Object
	}
	return "read " + req.Object + " below " + req.Parent.ID
}
