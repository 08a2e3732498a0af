// Package deploy is what makes manifests into integrations: where a manifest comes
// from, what it changes, what becomes of those who read what it drops, and what a
// customer sees of a revision.
//
// # What it promises
//
// Whatever is wrong with a manifest is said at once, as the issues of a
// *windlass.Error, each with the place where it stands. A deploy either does all that
// it says or nothing: it is one transaction, together with the schedules that follow
// from it, and no provider is asked anything while it is open (invariant 3). A
// revision never changes. What an upload holds is bounded before it is read.
//
// # Decisions
//
// The published contract leaves some things open. Here
//
//   - an integration that a manifest does not have stays as it is, whatever the
//     deploy is called: only [Flow.DeleteIntegration] deletes one;
//   - an object that a manifest no longer reads stays with the installations that
//     read it, by their own configs, and is not offered to new ones; a destructive
//     deploy disables it for them instead, and a later deploy that has the object
//     again enables what was disabled so. Warnings say which;
//   - a manifest may name a destination that does not exist yet: the deploy
//     succeeds with a warning, and installing refuses until it exists;
//   - a deploy does not touch configs otherwise.
//
// # What to use
//
// [New] makes a [Flow]; its methods are the operations of the API. Nouns go out
// as those of package windlass. Where there is no noun, the types here have the
// contract's names and marshal to its shapes: what is required is there, what is
// absent is left out, nothing is null.
package deploy

import (
	"context"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/installed"
)

// Flow holds what deploying needs. It is safe for concurrent use.
type Flow struct {
	store     Store
	providers connector.Providers
	opts      Options
}

// Options are what a Flow can do without.
type Options struct {
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Started is called with the objects that an installation begins to read again,
	// inside of the transaction that saves it, so that what it stores is there
	// if and only if the installation is. Nil is not called.
	Started func(ctx context.Context, in windlass.Installation, objects []string) error
	// Notifier is told, within the transaction that makes it true, that an
	// installation was deleted with its integration; nil is not.
	Notifier installed.Notifier
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
