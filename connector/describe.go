package connector

// Object says what can be done with one kind of record.
type Object struct {
	// Name is the object's name in manifests, commands and requests.
	Name string `json:"name"`
	// DisplayName is the name for people.
	DisplayName string `json:"displayName"`
	// Description says in a sentence what the records are and what is odd
	// about reading or writing them.
	Description string `json:"description"`
	// Incremental names the field that Since and Until go by. Empty: every
	// read is a full one.
	Incremental string `json:"incremental,omitempty"`
	// IncrementalIfProbed reports that the provider does not document the
	// filter: the connector tries it first, and reads in full where it fails.
	IncrementalIfProbed bool `json:"incrementalIfProbed,omitempty"`
	// Workspace reports that the records belong to a workspace, which has to be
	// named; the others belong to the credential, or are public.
	Workspace bool `json:"workspace"`
	// Parent names the object whose records this one's are below, as branches are
	// below repositories; empty for an object at the top. Such an object is read
	// for one record of Parent at a time: ReadRequest.Parent. The parent can be a
	// child itself. WriteRequest names no parent yet: such an object is read only.
	Parent string `json:"parent,omitempty"`
	// ParentKeys are the dotted paths of the parent's fields that a read needs
	// beside its ID; they are what Parent.Keys holds. A caller that reads parents
	// only to read below them asks for these fields alone.
	ParentKeys []string `json:"-"`
	// Create, Update and Delete say which writes there are. Every object can
	// be read.
	Create bool `json:"create"`
	Update bool `json:"update"`
	Delete bool `json:"delete"`
	// ReadScopes, WriteScopes and DeleteScopes are the scopes that a
	// credential needs for each.
	ReadScopes   []string `json:"readScopes,omitempty"`
	WriteScopes  []string `json:"writeScopes,omitempty"`
	DeleteScopes []string `json:"deleteScopes,omitempty"`
}

// ValueType is a field's type in words that are the same for every provider.
type ValueType string

// The value types, as the published contract names them.
const (
	String       ValueType = "string"
	Boolean      ValueType = "boolean"
	SingleSelect ValueType = "singleSelect"
	MultiSelect  ValueType = "multiSelect"
	Date         ValueType = "date"
	DateTime     ValueType = "datetime"
	Int          ValueType = "int"
	Float        ValueType = "float"
	Reference    ValueType = "reference"
	Other        ValueType = "other"
)

// Field describes one field of an object.
type Field struct {
	// Name is the dotted path of the field within a record, as in
	// "project.key".
	Name string `json:"name"`
	// DisplayName is the name for people.
	DisplayName string `json:"displayName"`
	// Type is the value's type in common words.
	Type ValueType `json:"type"`
	// ProviderType is the value's type in the provider's words.
	ProviderType string `json:"providerType"`
	// ReadOnly reports that a write cannot set the field.
	ReadOnly bool `json:"readOnly"`
	// Required reports that a create must set the field.
	Required bool `json:"required"`
	// WriteOnly reports that a write can set the field and no read returns it.
	WriteOnly bool `json:"writeOnly,omitempty"`
	// Secret reports that the field's value is not to be seen by anyone: it is left
	// out of answers, logs and errors.
	Secret bool `json:"-"`
	// Values are the possible values of a SingleSelect or MultiSelect field.
	Values []string `json:"values,omitempty"`
	// ReferenceTo names the objects that a Reference field points to.
	ReferenceTo []string `json:"referenceTo,omitempty"`
}
