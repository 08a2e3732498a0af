package manifest

// HydratedIntegration is an integration as one customer sees it: names for
// people are filled in, and the fields are those of the customer's workspace.
type HydratedIntegration struct {
	Name        string         `json:"name"`
	DisplayName string         `json:"displayName,omitempty"`
	Module      string         `json:"module,omitempty"`
	Provider    string         `json:"provider"`
	Read        *HydratedRead  `json:"read,omitempty"`
	Write       *HydratedWrite `json:"write,omitempty"`
	Proxy       *Proxy         `json:"proxy,omitempty"`
}

// HydratedRead holds the objects that are read.
type HydratedRead struct {
	Objects []HydratedObject `json:"objects,omitempty"`
}

// HydratedObject is one object that is read. If its fields could not be found
// out, Error says why and the rest of the integration stays usable.
type HydratedObject struct {
	Error              string          `json:"error,omitempty"`
	ObjectName         string          `json:"objectName"`
	DisplayName        string          `json:"displayName"`
	MapToName          string          `json:"mapToName,omitempty"`
	MapToDisplayName   string          `json:"mapToDisplayName,omitempty"`
	Destination        string          `json:"destination"`
	Schedule           string          `json:"schedule"`
	RequiredFields     []HydratedField `json:"requiredFields,omitempty"`
	OptionalFields     []HydratedField `json:"optionalFields,omitempty"`
	OptionalFieldsAuto string          `json:"optionalFieldsAuto,omitempty"`
	// AllFieldsMetadata is keyed by the field's name.
	AllFieldsMetadata map[string]FieldMetadata `json:"allFieldsMetadata,omitempty"`
	// AllFields repeats AllFieldsMetadata for clients of before it.
	AllFields []HydratedField `json:"allFields,omitempty"`
	Backfill  *Backfill       `json:"backfill,omitempty"`
}

// HydratedField is a field that exists (FieldName and DisplayName), or one that
// the customer chooses (MapToName, without those).
type HydratedField struct {
	FieldName        string `json:"fieldName,omitempty"`
	DisplayName      string `json:"displayName,omitempty"`
	MapToName        string `json:"mapToName,omitempty"`
	MapToDisplayName string `json:"mapToDisplayName,omitempty"`
	Default          string `json:"default,omitempty"`
	Prompt           string `json:"prompt,omitempty"`
}

// FieldMetadata says what a field holds. A nil pointer is "not known".
type FieldMetadata struct {
	FieldName   string `json:"fieldName"`
	DisplayName string `json:"displayName"`
	// ValueType is one of the words of connector.ValueType.
	ValueType    string       `json:"valueType,omitempty"`
	ProviderType string       `json:"providerType,omitempty"`
	ReadOnly     *bool        `json:"readOnly,omitempty"`
	IsCustom     *bool        `json:"isCustom,omitempty"`
	IsRequired   *bool        `json:"isRequired,omitempty"`
	ReferenceTo  []string     `json:"referenceTo,omitempty"`
	Values       []FieldValue `json:"values,omitempty"`
}

// FieldValue is one of the values that a field can have.
type FieldValue struct {
	Value        string `json:"value"`
	DisplayValue string `json:"displayValue"`
}

// HydratedWrite holds the objects that can be written.
type HydratedWrite struct {
	Objects []HydratedWriteObject `json:"objects,omitempty"`
}

// HydratedWriteObject is one object that can be written.
type HydratedWriteObject struct {
	ObjectName    string         `json:"objectName"`
	DisplayName   string         `json:"displayName"`
	ValueDefaults *ValueDefaults `json:"valueDefaults,omitempty"`
}
