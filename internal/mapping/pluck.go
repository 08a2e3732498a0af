package mapping

import (
	"fmt"

	"windlass"
	"windlass/internal/jsonscan"
)

// found is what a record has for a slot.
type found struct {
	present bool
	value   []byte
	many    bool // the path has [*]: list has the result
	list    [][]byte
}

// member is a key at the top of a record, without its quotes and escapes, and its
// value.
type member struct{ key, value []byte }

// walker extracts from one record the values that a plan needs. It is reused, so that a
// record costs no allocation. Its results alias the record.
type walker struct {
	scan  jsonscan.Scanner
	slots []found
	marks []int // how long the lists of open objects were when these began
	all   *node // the node whose members are wanted in top; nil for none
	top   []member
}

// walk scans a whole record.
func (w *walker) walk(record []byte, plan *Plan) error {
	w.scan = *jsonscan.New(record)
	w.reset(plan)
	begins := w.scan.Peek()
	if begins == 0 && w.scan.At() == len(record) {
		return malformed("the record is empty")
	}
	var err error
	if begins == '{' {
		err = w.object(&plan.routes.root)
	} else {
		err = w.scan.Skip()
	}
	if err == nil {
		err = w.scan.End()
	}
	if err != nil {
		return malformed("the record cannot be read, after %d of %d bytes: %v", w.scan.At(), len(record), err)
	}
	if begins != '{' {
		return malformed("the record is not a JSON object but %s", what(begins))
	}
	return nil
}

// reset forgets the previous record.
func (w *walker) reset(plan *Plan) {
	w.marks, w.top, w.all = w.marks[:0], w.top[:0], nil
	if plan.all {
		w.all = &plan.routes.root
	}
	for i := len(w.slots); i < len(plan.routes.slots); i++ {
		w.slots = append(w.slots, found{many: isList(plan.routes.slots[i])})
	}
	for i := range w.slots {
		w.slots[i].present, w.slots[i].list = false, w.slots[i].list[:0]
	}
}

// malformed is the error for a record that cannot be read.
func malformed(format string, args ...any) error {
	return &windlass.Error{Kind: windlass.Malformed, Op: "map the record", Message: fmt.Sprintf(format, args...)}
}

// what names the type of a value by its first byte.
func what(b byte) string {
	switch b {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	default:
		return "a number"
	}
}

// value scans the value at a node.
func (w *walker) value(n *node) error {
	begins := w.scan.Peek()
	start := w.scan.At()
	var err error
	switch {
	case begins == '{' && len(n.edges) > 0:
		err = w.object(n)
	case begins == '[' && n.every != nil:
		for _, slot := range n.opens {
			w.slots[slot].present = true
		}
		err = w.scan.Array(func() error { return w.value(n.every) })
	default:
		err = w.scan.Skip()
	}
	if err != nil {
		return err
	}
	for _, slot := range n.slots {
		s := &w.slots[slot]
		if here := w.scan.Since(start); n.within {
			s.list = append(s.list, here)
		} else {
			s.value, s.present = here, true
		}
	}
	return nil
}

// object scans an object, and follows the keys that have an edge.
func (w *walker) object(n *node) error {
	base := len(w.marks)
	for _, slot := range n.lists {
		w.marks = append(w.marks, len(w.slots[slot].list))
	}
	err := w.scan.Object(func(key []byte) error {
		w.scan.Space()
		start := w.scan.At()
		if err := w.follow(n, key, base); err != nil {
			return err
		}
		if w.all == n {
			w.top = append(w.top, member{key: key, value: w.scan.Since(start)})
		}
		return nil
	})
	w.marks = w.marks[:base]
	return err
}

// follow scans the value under a key.
func (w *walker) follow(n *node, key []byte, base int) error {
	i := n.edge(key)
	if i < 0 {
		return w.scan.Skip()
	}
	// The last of repeated keys counts: what an earlier one gave is forgotten.
	for _, c := range n.edges[i].clears {
		slot := &w.slots[c.slot]
		if c.list >= 0 {
			slot.list = slot.list[:w.marks[base+c.list]]
		}
		if c.list < 0 || c.shut {
			slot.present = false
		}
	}
	return w.value(n.edges[i].to)
}
