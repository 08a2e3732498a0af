package windlass

import (
	"encoding/json"
	"time"
)

// What a product can be notified of, as the published contract names it. The struct
// beside each is its data.
const (
	ConnectionCreatedEvent   = "connection.created"           // ConnectionNotice
	ConnectionErrorEvent     = "connection.error"             // ConnectionNotice with Errors
	ConnectionRefreshedEvent = "connection.refreshed"         // ConnectionNotice
	ConnectionUpdatedEvent   = "connection.updated"           // ConnectionNotice
	ConnectionDeletedEvent   = "connection.deleted"           // ConnectionNotice
	InstallationCreatedEvent = "installation.created"         // InstallationNotice
	InstallationUpdatedEvent = "installation.updated"         // InstallationNotice with LastConfig
	InstallationDeletedEvent = "installation.deleted"         // InstallationNotice
	ReadPausedEvent          = "read.schedule.paused"         // InstallationNotice with Error
	BackfillDoneEvent        = "read.backfill.done"           // ReadNotice
	TriggeredReadDoneEvent   = "read.triggered.done"          // ReadNotice
	TriggeredReadErrorEvent  = "read.triggered.error"         // ReadNotice with Error
	AsyncWriteDoneEvent      = "write.async.done"             // WriteNotice
	SubscribeErrorEvent      = "subscribe.create.error"       // SubscribeNotice; nothing here subscribes yet
	DestinationDisabledEvent = "destination.webhook.disabled" // DestinationNotice
)

// Events are the kinds of notification there are.
func Events() []string {
	return []string{
		ConnectionCreatedEvent, ConnectionErrorEvent, ConnectionRefreshedEvent, ConnectionUpdatedEvent, ConnectionDeletedEvent,
		InstallationCreatedEvent, InstallationUpdatedEvent, InstallationDeletedEvent,
		ReadPausedEvent, BackfillDoneEvent, TriggeredReadDoneEvent, TriggeredReadErrorEvent,
		AsyncWriteDoneEvent, SubscribeErrorEvent, DestinationDisabledEvent,
	}
}

// ConnectionNotice is the data of an event of a connection.
type ConnectionNotice struct {
	ProjectID    string   `json:"projectId"`
	ConnectionID string   `json:"connectionId"`
	Provider     string   `json:"provider"`
	GroupRef     string   `json:"groupRef"`
	ConsumerRef  string   `json:"consumerRef"`
	ConsumerName string   `json:"consumerName"`
	Errors       []string `json:"errors,omitempty"` // connection.error
}

// Installed names the installation of an event.
type Installed struct {
	ProjectID       string `json:"projectId"`
	Provider        string `json:"provider"`
	IntegrationID   string `json:"integrationId"`
	IntegrationName string `json:"integrationName"`
	InstallationID  string `json:"installationId"`
	ConnectionID    string `json:"connectionId"`
	GroupRef        string `json:"groupRef"`
	GroupName       string `json:"groupName"`
	ConsumerRef     string `json:"consumerRef"`
	ConsumerName    string `json:"consumerName"`
}

// Installed is what every notification about an installation says. The integration is
// called by its name, which an installation does not know.
func (i *Installation) Installed(integration string) Installed {
	return Installed{
		ProjectID: i.ProjectID, Provider: i.Connection.Provider, IntegrationID: i.IntegrationID, IntegrationName: integration,
		InstallationID: i.ID, ConnectionID: i.Connection.ID, GroupRef: i.Group.Ref, GroupName: i.Group.Name,
		ConsumerRef: i.Connection.Consumer.Ref, ConsumerName: i.Connection.Consumer.Name,
	}
}

// InstallationNotice is the data of an event of an installation. Config is the config in
// the contract's shape: the new one, or the one that was deleted.
type InstallationNotice struct {
	Installed
	Config     json.RawMessage `json:"config,omitempty"`
	LastConfig json.RawMessage `json:"lastConfig,omitempty"` // installation.updated
	Error      string          `json:"error,omitempty"`      // read.schedule.paused
}

// ReadNotice is the data of an event of a read of one object.
type ReadNotice struct {
	Installed
	ObjectName     string    `json:"objectName"`
	FromTimestamp  time.Time `json:"fromTimestamp,omitzero"`  // what a triggered read was asked for
	UntilTimestamp time.Time `json:"untilTimestamp,omitzero"` // likewise
	Error          string    `json:"error,omitempty"`         // read.triggered.error
}

// WriteNotice is the data of an event of an asynchronous write.
type WriteNotice struct {
	Installed
	ObjectName          string   `json:"objectName"`
	Success             bool     `json:"success"`
	SuccessfulRecordIDs []string `json:"successfulRecordIds,omitempty"`
	Errors              []string `json:"errors,omitempty"`
	// OperationID goes into a header: the published shape has no place for it.
	OperationID string `json:"-"`
}

// Operation is the id of the write, as in the answer to it.
func (n WriteNotice) Operation() string { return n.OperationID }

// SubscribeNotice is the data of an event of a subscription that could not be made.
type SubscribeNotice struct {
	Installed
	Error string `json:"error,omitempty"`
}

// DestinationNotice is the data of an event of a destination.
type DestinationNotice struct {
	ProjectID       string `json:"projectId"`
	DestinationID   string `json:"destinationId"`
	DestinationName string `json:"destinationName"`
	URL             string `json:"url"`
}

// Topic is a name under which notifications are gathered: events are routed to
// it, and it to destinations.
type Topic struct {
	ID        string
	ProjectID string
	Name      string // unique in its project
	Created   time.Time
	Updated   time.Time
}

// EventRoute routes the notifications of one kind to a topic.
type EventRoute struct {
	ID        string
	ProjectID string
	Event     string
	TopicID   string
	Created   time.Time
	Updated   time.Time
}

// TopicRoute routes the notifications of a topic to a destination.
type TopicRoute struct {
	ID            string
	ProjectID     string
	TopicID       string
	DestinationID string
	Created       time.Time
}
