// Package setup is what makes a project ready for integrations: the project and the
// customers in it, provider apps and their secrets, destinations, and the keys that
// open the API and verify tokens. It also answers what providers there are.
//
// # What it promises
//
// Whatever is wrong with an input is said at once, as the issues of a
// *windlass.Error, each with the place where it stands in the request. A call
// either does all that it says or nothing: what belongs together is saved in one
// transaction. No call but [Flow.CreateAPIKey], [Flow.FirstStart] and a
// [Flow.Destination] that asks for them returns a secret (invariant 5). What is used
// is neither deleted nor renamed: the conflict names what uses it.
//
// # What to use
//
// [New] makes a [Flow]; its methods are the operations of the API. Nouns go out
// as those of package windlass. Where there is no noun, the types here have the
// contract's names and marshal to its shapes: what is required is there, what is
// absent is left out, nothing is null.
package setup

import (
	"time"

	"windlass/connector"
	"windlass/internal/sink"
)

// Flow holds what setting up needs. It is safe for concurrent use.
type Flow struct {
	store     Store
	providers connector.Providers
	opts      Options
}

// Options are what a Flow can do without.
type Options struct {
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Destinations are the types that destinations may have; nil has none.
	Destinations *sink.Table
}

// New makes a flow. opts may be nil.
func New(store Store, providers connector.Providers, opts *Options) *Flow {
	f := &Flow{store: store, providers: providers}
	if opts != nil {
		f.opts = *opts
	}
	if f.opts.Now == nil {
		f.opts.Now = time.Now
	}
	return f
}

func (f *Flow) now() time.Time { return f.opts.Now().UTC().Truncate(time.Microsecond) }
