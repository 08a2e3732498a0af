package manifest

// Subscribe says of which objects changes are followed.
type Subscribe struct {
	Objects []SubscribeObject `json:"objects,omitempty"`
}

// SubscribeObject is one object whose changes are followed.
type SubscribeObject struct {
	ObjectName  string `json:"objectName"`
	Destination string `json:"destination"`
	// InheritFieldsAndMapping takes both from the read object. In a manifest
	// it may also be spelt inheritFieldsAndMappings, as in an installation.
	InheritFieldsAndMapping bool                    `json:"inheritFieldsAndMapping,omitempty"`
	CreateEvent             *Event                  `json:"createEvent,omitempty"`
	UpdateEvent             *UpdateEvent            `json:"updateEvent,omitempty"`
	DeleteEvent             *Event                  `json:"deleteEvent,omitempty"`
	AssociationChangeEvent  *AssociationChangeEvent `json:"associationChangeEvent,omitempty"`
	// OtherEvents are the provider's own names of further events.
	OtherEvents []string `json:"otherEvents,omitempty"`
}

// Event is a kind of change that is followed.
type Event struct {
	// Enabled is empty or [Always].
	Enabled string `json:"enabled,omitempty"`
}

// UpdateEvent says which updates are followed.
type UpdateEvent struct {
	// Enabled is empty or [Always].
	Enabled string `json:"enabled,omitempty"`
	// WatchFieldsAuto is empty, [All] or [Selected].
	WatchFieldsAuto     string   `json:"watchFieldsAuto,omitempty"`
	RequiredWatchFields []string `json:"requiredWatchFields,omitempty"`
}

// AssociationChangeEvent says whether changed links between records are followed.
type AssociationChangeEvent struct {
	// Enabled is empty or [Always].
	Enabled            string `json:"enabled,omitempty"`
	IncludeFullRecords bool   `json:"includeFullRecords,omitempty"`
}

// WatchSchema reports when a customer's fields change.
type WatchSchema struct {
	Destination string `json:"destination"`
	// Schedule is a cron expression with at least an hour between two runs.
	// Empty: [DefaultWatchSchedule].
	Schedule   string          `json:"schedule,omitempty"`
	AllObjects WatchAllObjects `json:"allObjects"`
}

// DefaultWatchSchedule is how often fields are compared when WatchSchema does
// not say.
const DefaultWatchSchedule = "0 0 * * *"

// WatchAllObjects says which changes of fields are reported.
type WatchAllObjects struct {
	FieldCreated *WatchEvent `json:"fieldCreated,omitempty"`
	FieldDeleted *WatchEvent `json:"fieldDeleted,omitempty"`
	FieldChanged *WatchEvent `json:"fieldChanged,omitempty"`
}

// WatchEvent is a kind of change of a field.
type WatchEvent struct {
	// Enabled is [Always].
	Enabled string `json:"enabled"`
}
