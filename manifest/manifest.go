// Package manifest reads amp.yaml: which objects of a customer's workspace an
// integration reads and writes, how often, which fields, and where the records
// go.
//
// # What it promises
//
// [Parse] and [FromJSON] never panic, never guess, and report everything that
// is wrong at once, as [Problems]: each with its line and column, what it is,
// and what to write instead. A manifest that they return conforms to the published
// contract, so its users need not check it again.
//
// The types have the contract's names and marshal to what its schema describes:
// what is required is always there, what is absent is left out, nothing is null.
//
// # What to use
//
// Parse for a file, FromJSON for a request's body, [Manifest.Check] for a
// manifest that was made in Go. [ParseSchedule] understands the schedules, and
// [ParsePath] the names of nested fields.
package manifest

import "encoding/json"

// SpecVersion is the version of the manifest's form that this package reads.
const SpecVersion = "1.0.0"

// Manifest is a whole amp.yaml.
type Manifest struct {
	// SpecVersion is always [SpecVersion].
	SpecVersion string `json:"specVersion"`
	// Integrations has at least one entry; their names differ.
	Integrations []Integration `json:"integrations"`
}

// MarshalJSON writes a list of integrations even where there is none yet: the
// contract knows no null.
func (m Manifest) MarshalJSON() ([]byte, error) {
	type plain Manifest // without this method
	if m.Integrations == nil {
		m.Integrations = []Integration{}
	}
	return json.Marshal(plain(m))
}

// ToJSON returns the manifest as the JSON that [FromJSON] reads.
func (m *Manifest) ToJSON() ([]byte, error) { return json.Marshal(m) }

// Integration is one integration with one provider. It does at least one of
// Read, Write, Proxy and Subscribe.
type Integration struct {
	// Name has at most 64 lower-case letters, digits, "-" and "_".
	Name string `json:"name"`
	// Provider names the connector, as in "bitbucket".
	Provider    string       `json:"provider"`
	DisplayName string       `json:"displayName,omitempty"`
	Module      string       `json:"module,omitempty"`
	Read        *Read        `json:"read,omitempty"`
	Write       *Write       `json:"write,omitempty"`
	Proxy       *Proxy       `json:"proxy,omitempty"`
	Subscribe   *Subscribe   `json:"subscribe,omitempty"`
	WatchSchema *WatchSchema `json:"watchSchema,omitempty"`
}

// Proxy lets the product call the provider's API through Windlass.
type Proxy struct {
	Enabled bool `json:"enabled"`
	// UseModule takes the module's base URL instead of the provider's.
	UseModule bool `json:"useModule,omitempty"`
}

// Write says which objects the product may write.
type Write struct {
	Objects []WriteObject `json:"objects,omitempty"`
}

// WriteObject is one object that the product may write.
type WriteObject struct {
	ObjectName string `json:"objectName"`
	// InheritMapping applies the mapping of the read object backwards.
	InheritMapping bool           `json:"inheritMapping,omitempty"`
	ValueDefaults  *ValueDefaults `json:"valueDefaults,omitempty"`
}

// ValueDefaults says for which fields a customer may set default values.
type ValueDefaults struct {
	// AllowAnyFields allows it for every field.
	AllowAnyFields bool `json:"allowAnyFields,omitempty"`
}
