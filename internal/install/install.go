// Package install is what installing means: the config that a customer chose becomes an
// installation, with the schedules that follow from it, and changes by masks and
// patches.
//
// # What it promises
//
// Whatever is wrong with an input is said at once, as the issues of a
// *windlass.Error, each with the place where it stands in the request. A call
// either does all that it says or nothing: what belongs together is saved in one
// transaction, together with the schedules that follow from it, and no provider
// is asked anything while it is open (invariant 3).
//
// # Decisions
//
// The published contract leaves some things open. Here
//
//   - installing refuses a destination that does not exist, though a deploy does not;
//   - an installation moves to a newer revision when its config is changed, unless that
//     revision lacks an object that it reads, or when config.revisionId is; what still
//     said what the old revision said then says what the new one says.
//
// # What to use
//
// [New] makes a [Flow]; its methods are the operations of the API. Nouns go out
// as those of package windlass. Where there is no noun, the types here have the
// contract's names and marshal to its shapes: what is required is there, what is
// absent is left out, nothing is null.
package install

import (
	"context"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/installed"
)

// Flow has the operations of this package. It is safe for concurrent use.
type Flow struct {
	store     Store
	providers connector.Providers
	opts      Options
}

// Options are the optional parts of a Flow.
type Options struct {
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Sampler tries a config on the provider before it is saved; nil does not.
	Sampler Sampler
	// Started is called with the objects that an installation begins to read,
	// inside of the transaction that saves it, so that what it stores is there
	// if and only if the installation is. Nil is not called.
	Started func(ctx context.Context, in windlass.Installation, objects []string) error
	// Notifier is told, within the transaction that makes it true, that an
	// installation was created, updated or deleted; nil notifies no one.
	Notifier installed.Notifier
}

// Sampler reads one record of an object, with a config that is not saved yet.
// An error of kind windlass.Invalid means that the provider refuses the config;
// errors of other kinds say nothing about it.
type Sampler interface {
	Sample(ctx context.Context, in windlass.Installation, object string) error
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
