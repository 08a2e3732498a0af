package manifest

import "reflect"

// Options say what is known about the world outside of the manifest. What is
// left nil is not checked.
type Options struct {
	// File is the name that problems begin with, as in amp.yaml.
	File string
	// Providers are the known providers.
	Providers []string
	// Objects returns a provider's objects, or nil when they are not known.
	Objects func(provider string) []string
	// Fields returns the fields of an object, or nil when they are not known.
	// A nested field is written with dots, as in "project.key".
	Fields func(provider, object string) []string
}

// Parse reads a manifest in YAML 1.2. Anchors, aliases and merge keys are
// followed; JSON, which YAML contains, is read as well. The error is of type
// [Problems] and holds everything that is wrong. Parse keeps nothing of data.
func Parse(data []byte, opts *Options) (*Manifest, error) {
	return read(data, opts, parseYAML)
}

// FromJSON reads a manifest in JSON, by the same rules as [Parse]. Its problems
// have a path instead of a line, except where the text is not JSON at all.
func FromJSON(data []byte, opts *Options) (*Manifest, error) {
	return read(data, opts, parseJSON)
}

// Check returns what is wrong with a manifest that was made in Go, as
// [Problems] with paths, or nil.
func (m *Manifest) Check(opts *Options) error {
	if opts == nil {
		opts = &Options{}
	}
	c := checker{report: newReport(opts.File), opts: opts}
	c.manifest(m)
	return c.err()
}

func read(data []byte, opts *Options, parse func([]byte, *report) *node) (*Manifest, error) {
	if opts == nil {
		opts = &Options{}
	}
	r := newReport(opts.File)
	m := new(Manifest)
	if root := parse(data, r); root != nil {
		decoder{r}.decode(root, "", reflect.ValueOf(m).Elem())
		c := checker{report: r, opts: opts}
		c.manifest(m)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return m, nil
}
