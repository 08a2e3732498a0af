package auth

import (
	"windlass"
)

// Access says who may call an operation.
type Access int

const (
	// Anyone needs no credential; what has a token of its own in its URL checks
	// that itself.
	Anyone Access = iota
	// Person is a customer's browser: a token for one customer, which sees that
	// customer only, or any key.
	Person
	// Browser is a product's pages: any key, but no token for one customer.
	Browser
	// Server is the product's own servers: a key of scope full.
	Server
	// Operator is the operator of this server.
	Operator
)

// May reports whether what is open to an access is open to the caller; else it fails
// with windlass.Forbidden.
func (w Caller) May(to Access) error {
	if w.Access < to {
		return Closed(to)
	}
	return nil
}

// A Caller is who sent a request, and what it may see.
type Caller struct {
	Name       string // for the log: a key's public part, or a token's key
	Access     Access // the furthest that is open to it
	ProjectID  string
	Everywhere bool // the operator, who belongs to no project
	// GroupRef and ConsumerRef are set for a token of one customer, which sees
	// nothing of the others.
	GroupRef, ConsumerRef string
}

// IsPerson reports whether the caller is one customer's token.
func (w Caller) IsPerson() bool { return w.GroupRef != "" }

// SeesGroup reports whether what belongs to a group may be shown.
func (w Caller) SeesGroup(groupRef string) bool { return !w.IsPerson() || w.GroupRef == groupRef }

// Sees reports whether what belongs to a consumer of a group may be shown.
func (w Caller) Sees(groupRef, consumerRef string) bool {
	return w.SeesGroup(groupRef) && (!w.IsPerson() || w.ConsumerRef == consumerRef)
}

// Within narrows a list to what the caller may see; false: there is nothing.
func (w Caller) Within(groupRef string) (string, bool) {
	if !w.IsPerson() {
		return groupRef, true
	}
	return w.GroupRef, groupRef == "" || groupRef == w.GroupRef
}

// MustBe refuses a token's request that is made for another consumer or group.
func (w Caller) MustBe(groupRef, consumerRef string) error {
	if !w.IsPerson() {
		return nil
	}
	var issues []windlass.Issue
	if groupRef != w.GroupRef {
		issues = append(issues, windlass.Issue{In: "body", Name: "groupRef", Message: "it is not the group of the token"})
	}
	if consumerRef != "" && consumerRef != w.ConsumerRef {
		issues = append(issues, windlass.Issue{In: "body", Name: "consumerRef", Message: "it is not the consumer of the token"})
	}
	if len(issues) == 0 {
		return nil
	}
	return &windlass.Error{
		Kind: windlass.Forbidden, Message: "the token speaks for another customer", Issues: issues,
		Remedy: "send the groupRef and the consumerRef of the token",
	}
}

// Closed is the error of an operation that is not open to a caller.
func Closed(to Access) error {
	failure := &windlass.Error{Kind: windlass.Forbidden}
	switch to {
	case Operator:
		failure.Message = "only the operator of this server may do this"
		failure.Remedy = "use the operator's key"
	case Server:
		failure.Message = "the credential is for front ends, but this operation is for servers"
		failure.Remedy = "use a key of scope full, from a server"
	default:
		failure.Message = "a token for one customer may not do this"
		failure.Remedy = "use a key"
	}
	return failure
}

// Creator is who made a config: the person of a token, whatever the token's owner
// says; of a key, what its owner says.
func (w Caller) Creator(says string) string {
	if w.IsPerson() {
		return "consumer:" + w.ConsumerRef
	}
	return says
}
