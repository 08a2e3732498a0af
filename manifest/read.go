package manifest

// Read says which objects are read.
type Read struct {
	Objects []ReadObject `json:"objects,omitempty"`
}

// ReadObject is one object that is read.
type ReadObject struct {
	ObjectName string `json:"objectName"`
	// Destination names where the records go.
	Destination string `json:"destination"`
	// Schedule is a cron expression for [ParseSchedule]. Empty: the object is
	// read only when it is asked for. It is written even then, because the
	// published schema requires it.
	Schedule         string  `json:"schedule"`
	MapToName        string  `json:"mapToName,omitempty"`
	MapToDisplayName string  `json:"mapToDisplayName,omitempty"`
	RequiredFields   []Field `json:"requiredFields,omitempty"`
	OptionalFields   []Field `json:"optionalFields,omitempty"`
	// OptionalFieldsAuto is empty or [All].
	OptionalFieldsAuto string    `json:"optionalFieldsAuto,omitempty"`
	Backfill           *Backfill `json:"backfill,omitempty"`
	Delivery           *Delivery `json:"delivery,omitempty"`
	// Enabled is empty, or [Always]: read for every customer, chosen or not.
	Enabled string `json:"enabled,omitempty"`
}

// The values of keys that are either left out or have one meaning.
const (
	// All is every field there is.
	All = "all"
	// Selected is the fields that the customer has chosen.
	Selected = "selected"
	// Always is for every customer, without being asked.
	Always = "always"
)

// Field is a field of an object: one that exists, or one that the customer
// chooses.
type Field struct {
	// FieldName is the provider's name, or a path such as $['a']['b'] for a
	// nested field. Empty: the customer maps a field of theirs to MapToName.
	FieldName        string `json:"fieldName,omitempty"`
	MapToName        string `json:"mapToName,omitempty"`
	MapToDisplayName string `json:"mapToDisplayName,omitempty"`
	// Default and Prompt help the customer to choose; only without FieldName.
	Default string `json:"default,omitempty"`
	Prompt  string `json:"prompt,omitempty"`
}

// Backfill says how much of the past a new installation reads.
type Backfill struct {
	DefaultPeriod DefaultPeriod `json:"defaultPeriod"`
}

// DefaultPeriod is either a number of days, or everything.
type DefaultPeriod struct {
	// Days counts back from the moment of installation; 0 reads nothing of the
	// past. Nil when FullHistory is true.
	Days        *int `json:"days,omitempty"`
	FullHistory bool `json:"fullHistory,omitempty"`
}

// Delivery says how records are handed over.
type Delivery struct {
	// Mode is [DeliverAuto], [DeliverOnRequest], or empty, which is the former.
	Mode string `json:"mode,omitempty"`
	// PageSize is the most records in one message, 50 to 500; 0 leaves it open.
	PageSize int `json:"pageSize,omitempty"`
}

// The values of Delivery.Mode.
const (
	DeliverAuto      = "auto"
	DeliverOnRequest = "onRequest"
)
