package mapping

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// Plan says what of an object's records is delivered, and where. It is made by
// [Compile], never changes, and is safe for concurrent use.
type Plan struct {
	object string
	routes routes
	fields []field // in order of name
	mapped target
	// all: every key at the top of a record is a field, but for those in barred;
	// named are the values to be mapped among them.
	all    bool
	barred map[string]bool
	named  map[string]values

	walkers sync.Pool
}

// Compile makes the plan of a selection. The error is a *windlass.Error of
// kind windlass.Invalid that names what is in conflict: a path that cannot be
// read, two fields for one place, two delivered values for one of the provider's.
// Code that saves a config calls it first, so that no read meets that error.
func Compile(s Selection) (*Plan, error) {
	choice, err := s.choose()
	if err != nil {
		return nil, err
	}
	p := &Plan{object: s.Object.ObjectName, all: choice.all, barred: choice.barred}
	for _, name := range slices.Sorted(maps.Keys(choice.mapped)) {
		f, err := p.field(&s, name, choice.mapped[name])
		if err != nil {
			return nil, err
		}
		if err := p.mapped.put(p.object, name, &f); err != nil {
			return nil, err
		}
	}
	p.mapped.sort()
	if err := p.addFields(&s, choice); err != nil {
		return nil, err
	}
	p.routes.root.index()
	return p, nil
}

// addFields notes what is delivered under its own name.
func (p *Plan) addFields(s *Selection, choice chosen) error {
	taken := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(choice.plain)) {
		if !choice.plain[name] {
			continue
		}
		f, err := p.field(s, "", name)
		if err != nil {
			return err
		}
		lower := strings.ToLower(name)
		if other, found := taken[lower]; found {
			return invalid(p.object, "the fields %q and %q are both delivered as %q", other, name, lower)
		}
		taken[lower] = name
		f.key = quoteKey(lower)
		p.fields = append(p.fields, f)
	}
	if !p.all {
		return nil
	}
	p.named = map[string]values{}
	for name, mapping := range s.SelectedValueMappings {
		if choice.mapped[name] != "" {
			continue // the values of a mapped field, not of a field that is called so
		}
		v, err := delivered(p.object, name, mapping)
		if err != nil {
			return err
		}
		p.named[name] = v
	}
	return nil
}

// field prepares one value. target is empty for what keeps its name.
func (p *Plan) field(s *Selection, target, name string) (field, error) {
	from, err := p.routes.source(name)
	if err != nil {
		return field{}, invalid(p.object, "field: %v", err)
	}
	v, err := delivered(p.object, name, s.valueMapping(target, name))
	return field{from: from, values: v}, err
}

// Fields returns the dotted paths of what the plan needs of a record, up to the
// first list in each, sorted; nil means everything. They are in the form of
// connector.ReadRequest.Fields. See the package's documentation for why a read
// that delivers asks for whole records instead.
func (p *Plan) Fields() []string {
	if p.all {
		return nil
	}
	names := []string{}
	for _, path := range p.routes.slots {
		var keys []string
		for _, step := range path {
			if step.Every {
				break
			}
			keys = append(keys, step.Key)
		}
		names = append(names, strings.Join(keys, "."))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// walker takes a walker that is free, or makes one.
func (p *Plan) walker() *walker {
	if w, ok := p.walkers.Get().(*walker); ok {
		return w
	}
	return &walker{}
}
