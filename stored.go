package windlass

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// ConnectState is what is remembered between the start of a consent and its
// callback. It is used once.
type ConnectState struct {
	Hash    string          // of the state that travels; the state itself is kept nowhere
	Data    json.RawMessage // what was asked; sealed where it is stored
	Expires time.Time
	// Whose it is: for limits.
	ProjectID, GroupRef string
}

// PendingStates counts the consents that have begun and not come back.
type PendingStates struct {
	Project int       // of one project
	Group   int       // of one group of it
	Next    time.Time // when the next of the project expires; zero without any
}

// A Schedule is something that is due at its next time: a read of one object of
// an installation, the upkeep of its credentials, the clearing of old rows.
type Schedule struct {
	ID             string
	Kind           string // read, keepalive or retention
	ProjectID      string
	InstallationID string // empty for what belongs to no installation
	Object         string // empty unless Kind is read
	Cron           string // five fields, or whatever the flow that owns the kind understands
	Next           time.Time
	Paused         bool
}

// The kinds of schedule.
const (
	ScheduleRead      = "read"
	ScheduleKeepalive = "keepalive"
	ScheduleRetention = "retention"
)

// Page chooses a part of a list that is in the order of its ids, which is the
// order in which things were made. The zero value is all of it.
type Page struct {
	After string // only what is behind this id: the last one of the page before
	Limit int    // at most so many; 0 means all
}

// ConnectionFilter chooses connections, in the order of their ids. A field that
// is empty chooses all.
type ConnectionFilter struct {
	ProjectID     string
	Provider      string
	ProviderAppID string
	GroupRef      string
	ConsumerRef   string
	Status        ConnectionStatus
	// Search is a part of the group's ref or name, or of the workspace, in upper or
	// lower case. It needs ProjectID.
	Search string
	Page   Page
}

// InstallationFilter chooses installations, in the order of their ids. A field
// that is empty chooses all.
type InstallationFilter struct {
	ProjectID     string
	IntegrationID string
	GroupRef      string
	ConnectionID  string
	// Search is a part of the group's ref or name, or of the workspace, in upper or
	// lower case. It needs ProjectID, as Health does.
	Search string
	Health string // Healthy or Unhealthy
	After  string // only those behind this id: the last one of the page before
	Limit  int    // at most so many; 0 means all
}

// The values of InstallationFilter.Health. An installation is unhealthy when its
// last read has failed, or its customer has to connect again.
const (
	Healthy   = "healthy"
	Unhealthy = "unhealthy"
)

// DisabledObject is an object of an installation's config that a deploy disabled,
// because the manifest no longer had it.
type DisabledObject struct {
	InstallationID string
	Object         string
}

// Upload is a place for one file, which the owner of its token may put there once;
// a deploy takes it out again.
type Upload struct {
	ID        string
	ProjectID string // whose it is; empty for the operator's
	TokenHash string
	MD5       string // of the file, in base64, when the one who asked named it
	Expires   time.Time
}

// Cutoffs says what is old enough to be deleted: what ended or expired
// before each time. The zero time keeps everything of its sort.
type Cutoffs struct {
	States    time.Time // consents begun and not finished
	Uploads   time.Time
	WriteKeys time.Time // keys of requests that expired
	// Operations that have ended, with their logs.
	Operations time.Time
	// LargeRecords were too large for a message; they go with the batches.
	LargeRecords time.Time
	// Batches with their attempts, by the time they were made: those that were
	// delivered or have failed, and those that wait for a disabled destination.
	Batches time.Time
	// Grants are requests that were paid from budgets.
	Grants time.Time
}

// Hash is the secret's SHA-256 in hexadecimal: what is kept of a long random
// secret that only has to be recognized, such as an API key or a state.
func (s Secret) Hash() string {
	sum := sha256.Sum256([]byte(s.value))
	return hex.EncodeToString(sum[:])
}
