package manifest

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// maxAliased bounds how many values the aliases of a manifest may stand for
// together, so that ten lines cannot stand for a billion.
const maxAliased = 10_000

// parseYAML turns a text into a tree. It returns nil when the text cannot be
// read, and has reported why.
func parseYAML(data []byte, r *report) *node {
	if !readable(data, r) {
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(acceptVersion(data)),
		yaml.WithUniqueKeys(false), // we report every duplicate, with both places
		yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth))))
	if err != nil {
		r.addAt(place{}, "", "the YAML reader does not start: "+err.Error(), "")
		return nil
	}
	var document, second yaml.Node
	switch err := loader.Load(&document); {
	case errors.Is(err, io.EOF):
		r.addAt(place{1, 1}, "", "the manifest is empty", `begin with "specVersion: 1.0.0"`)
		return nil
	case err != nil:
		r.addSyntax(data, err)
		return nil
	}
	switch err := loader.Load(&second); {
	case err == nil:
		r.addAt(place{second.Line, second.Column}, "", "a second document begins here",
			`keep one manifest in a file, and remove the line "---"`)
	case !errors.Is(err, io.EOF):
		r.addSyntax(data, err)
		return nil
	}
	if len(document.Content) != 1 {
		return nil
	}
	c := converter{report: r}
	return c.convert(document.Content[0], 0)
}

// acceptVersion rewrites the directive that the library does not know although
// YAML 1.2 requires it (https://github.com/yaml/go-yaml/issues/85). Nothing
// moves; how scalars are read does not depend on it, because we do that.
func acceptVersion(data []byte) []byte {
	const ours, theirs = "%YAML 1.2", "%YAML 1.1"
	for at := 0; at < len(data); {
		line := data[at:]
		end := bytes.IndexByte(line, '\n') + 1
		if end > 0 {
			line = line[:end]
		}
		switch trimmed := bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\ufeff"))); {
		case bytes.HasPrefix(trimmed, []byte(ours)):
			data = bytes.Clone(data)
			copy(data[at+bytes.Index(line, []byte(ours)):], theirs)
			return data
		case len(trimmed) > 0 && trimmed[0] != '#' && trimmed[0] != '%', end == 0:
			return data
		}
		at += end
	}
	return data
}

// A converter turns the library's tree into ours, following aliases.
type converter struct {
	report  *report
	open    []*yaml.Node // the anchors of the aliases being expanded
	aliased int          // values that came from aliases so far
	gaveUp  bool
}

func (c *converter) convert(n *yaml.Node, depth int) *node {
	at := place{n.Line, n.Column}
	if len(c.open) > 0 {
		c.aliased++
	}
	if (c.aliased > maxAliased || depth > maxDepth) && !c.gaveUp {
		c.gaveUp = true
		c.report.addAt(at, "", "aliases make this manifest too large", "write their values out")
	}
	if c.gaveUp {
		return &node{kind: broken, at: at}
	}
	switch n.Kind {
	case yaml.AliasNode:
		return c.follow(n, depth)
	case yaml.MappingNode:
		return c.mapping(n, depth)
	case yaml.SequenceNode:
		out := &node{kind: list, at: at, items: make([]*node, len(n.Content))}
		for i, content := range n.Content {
			out.items[i] = c.convert(content, depth+1)
		}
		return out
	default:
		return scalar(n)
	}
}

func (c *converter) follow(n *yaml.Node, depth int) *node {
	if slices.Contains(c.open, n.Alias) {
		return &node{
			kind: broken, at: place{n.Line, n.Column},
			text: "alias *" + n.Value + " is an alias of a value that contains it", remedy: "write the value out",
		}
	}
	c.open = append(c.open, n.Alias)
	out := c.convert(n.Alias, depth)
	c.open = c.open[:len(c.open)-1]
	return out
}

func (c *converter) mapping(n *yaml.Node, depth int) *node {
	out := &node{kind: mapping, at: place{n.Line, n.Column}}
	var merged []entry
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		at := place{key.Line, key.Column}
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			c.report.addAt(at, "", "a key is a list or a mapping", "write a word, followed by a colon")
		case key.ShortTag() == "!!merge":
			merged = append(merged, c.merge(n.Content[i+1], depth)...)
		default:
			out.entries = append(out.entries, entry{key: key.Value, at: at, value: c.convert(n.Content[i+1], depth+1)})
		}
	}
	own := make(map[string]bool, len(out.entries))
	for _, e := range out.entries {
		own[e.key] = true
	}
	for _, e := range merged {
		if !own[e.key] {
			own[e.key] = true
			out.entries = append(out.entries, e)
		}
	}
	return out
}

// merge returns the entries that "<<" brings in: those of one mapping, or of a
// list of them, of which the earlier one wins.
func (c *converter) merge(n *yaml.Node, depth int) []entry {
	from := c.convert(n, depth+1)
	sources := []*node{from}
	if from.kind == list {
		sources = from.items
	}
	var entries []entry
	for _, source := range sources {
		switch source.kind {
		case mapping:
			entries = append(entries, source.entries...)
		case broken:
			if source.text != "" {
				c.report.addAt(source.at, "", source.text, source.remedy)
			}
		default:
			c.report.addAt(source.at, "", "<< takes the keys of a mapping, but this is "+source.kind.String(), "name the anchor of a mapping, as in <<: *name")
		}
	}
	return entries
}

func scalar(n *yaml.Node) *node {
	at := place{n.Line, n.Column}
	if n.Style&yaml.TaggedStyle != 0 && n.ShortTag() != "!!str" {
		return &node{kind: broken, at: at, text: "the tag " + quote(n.Tag) + " is not used in manifests", remedy: "remove it"}
	}
	const unquoted = ^(yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle | yaml.TaggedStyle)
	if n.Style&unquoted == n.Style {
		return &node{kind: plain(n.Value), text: n.Value, at: at}
	}
	return &node{kind: text, text: n.Value, at: at}
}
