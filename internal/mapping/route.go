package mapping

import (
	"slices"
	"strings"

	"windlass/manifest"
)

// routes is the tree of every path that a plan takes values from, so that all of
// them are found in one pass. Each path fills a slot.
type routes struct {
	root  node
	slots []manifest.Path
	known map[string]int // from a path's text to its slot
}

// node is a place in a record that some path leads to or through.
type node struct {
	edges []edge
	byKey map[string]int // edges, where there are more than a few
	every *node          // the entries of a list
	slots []int          // filled with the value that is here
	// within reports that the node is below a [*], so that its values are added
	// to lists.
	within bool
	// opens are the slots whose first [*] is here: they have a result, if only
	// an empty one, as soon as there is a list.
	opens []int
	// lists are the slots below whose results are lists.
	lists []int
}

// edge leads from an object to the value under a key.
type edge struct {
	key    string
	to     *node
	clears []slotReset
}

// slotReset says how to clear a slot when its key appears again in the same object.
type slotReset struct {
	slot int
	list int  // where the slot stands in the node's lists; -1 when it is none
	shut bool // the slot's first [*] is below the key
}

// slot returns the slot of a path.
func (r *routes) slot(path manifest.Path) int {
	text := path.String()
	if slot, found := r.known[text]; found {
		return slot
	}
	slot := len(r.slots)
	if r.known == nil {
		r.known = map[string]int{}
	}
	r.known[text] = slot
	r.slots = append(r.slots, path)
	r.root.add(path, slot, isList(path), false)
	return slot
}

func isList(path manifest.Path) bool {
	return slices.ContainsFunc(path, func(s manifest.Step) bool { return s.Every })
}

// add adds a path below n. list says that the whole path has a [*], inside that one of
// them is above n.
func (n *node) add(path manifest.Path, slot int, list, inside bool) {
	if len(path) == 0 {
		n.slots = append(n.slots, slot)
		return
	}
	if list {
		n.lists = append(n.lists, slot)
	}
	if path[0].Every {
		if !inside {
			n.opens = append(n.opens, slot)
		}
		if n.every == nil {
			n.every = &node{within: true}
		}
		n.every.add(path[1:], slot, list, true)
		return
	}
	clears := slotReset{slot: slot, list: -1, shut: list && !inside}
	if list {
		clears.list = len(n.lists) - 1
	}
	at := slices.IndexFunc(n.edges, func(e edge) bool { return e.key == path[0].Key })
	if at < 0 {
		at = len(n.edges)
		n.edges = append(n.edges, edge{key: path[0].Key, to: &node{within: inside}})
	}
	n.edges[at].clears = append(n.edges[at].clears, clears)
	n.edges[at].to.add(path[1:], slot, list, inside)
}

// index prepares the edges for being looked up, everywhere in the tree.
func (n *node) index() {
	if len(n.edges) > fewEdges {
		n.byKey = make(map[string]int, len(n.edges))
	}
	for i, e := range n.edges {
		if n.byKey != nil {
			n.byKey[e.key] = i
		}
		e.to.index()
	}
	if n.every != nil {
		n.every.index()
	}
}

// fewEdges is the number of edges up to which a linear search is as fast as a look-up.
const fewEdges = 8

// edge finds the edge for a key, or returns -1.
func (n *node) edge(key []byte) int {
	if n.byKey != nil {
		if i, found := n.byKey[string(key)]; found {
			return i
		}
		return -1
	}
	for i := range n.edges {
		if n.edges[i].key == string(key) {
			return i
		}
	}
	return -1
}

// source is where a value comes from: the first of its slots that has one.
type source struct {
	name  string
	slots []int
}

// source reads the name of a field. A plain name with dots is a key that looks
// so, or else the path that package connector means by it.
func (r *routes) source(name string) (source, error) {
	path, err := manifest.ParsePath(name)
	if err != nil {
		return source{}, err
	}
	from := source{name: path.String(), slots: []int{r.slot(path)}}
	if nested := dotted(path); nested != nil {
		from.slots = append(from.slots, r.slot(nested))
	}
	return from, nil
}

// dotted returns the path that a plain name with dots stands for, or nil.
func dotted(path manifest.Path) manifest.Path {
	keys := strings.Split(path[0].Key, ".")
	if len(path) > 1 || len(keys) < 2 || slices.Contains(keys, "") {
		return nil
	}
	var nested manifest.Path
	for _, key := range keys {
		nested = append(nested, manifest.Step{Key: key})
	}
	return nested
}
