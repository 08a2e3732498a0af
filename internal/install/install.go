// Package install deploys and installs: projects, provider apps and their secrets,
// manifests that become revisions, installations and their configs, destinations, and
// the keys that open the API.
//
// # What it promises
//
// All errors of an input are reported at once, as the issues of a *windlass.Error, each
// with its place in the request. A call either does all that it says or nothing: what
// belongs together is saved in one transaction, together with the schedules that follow
// from it, and no provider is asked anything while it is open (invariant 3). A revision
// never changes, and no call but [Flow.CreateAPIKey], [Flow.FirstStart] and a
// [Flow.Destination] that asks for them returns a secret (invariant 5).
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
//   - a deploy does not touch configs otherwise. An installation moves to a newer
//     revision when its config is changed, unless that revision lacks an object
//     that it reads, or when config.revisionId is; what still said what the old
//     revision said then says what the new one says.
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

	"github.com/google/uuid"

	"windlass"
	"windlass/connector"
	"windlass/internal/sink"
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
	// Destinations are the types that destinations may have; nil has none.
	Destinations *sink.Table
	// Sampler tries a config on the provider before it is saved; nil does not.
	Sampler Sampler
	// Started is called with the objects that an installation begins to read,
	// inside of the transaction that saves it, so that what it stores is there
	// if and only if the installation is. Nil is not called.
	Started func(ctx context.Context, in windlass.Installation, objects []string) error
	// Notifier is told, within the transaction that makes it true, that an
	// installation was created, updated or deleted; nil notifies no one.
	Notifier Notifier
}

// Notifier notifies the product: it stores the message to send.
type Notifier interface {
	Notify(ctx context.Context, projectID, event string, data any) error
}

// Sampler reads one record of an object, with a config that is not saved yet.
// An error of kind windlass.Invalid means that the provider refuses the config;
// errors of other kinds say nothing about it.
type Sampler interface {
	Sample(ctx context.Context, in windlass.Installation, object string) error
}

// Unprocessable is the cause of a [windlass.Error] of kind windlass.Invalid
// whose input can be read but cannot be carried out: a manifest or a config that
// breaks a rule, or one that the provider refused. The contract answers it 422,
// and other invalid input 400.
const Unprocessable = reason("unprocessable")

type reason string

func (r reason) Error() string { return string(r) }

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

// newID returns an id that sorts by the time it was made.
func newID() string {
	id, err := uuid.NewV7()
	if err != nil {
		id = uuid.New() // the system's random source has failed once: an id that does not sort will do
	}
	return id.String()
}

// provider finds a provider by name.
func (f *Flow) provider(name string) (connector.Provider, bool) { return f.providers.Named(name) }
