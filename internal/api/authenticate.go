package api

import (
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"

	"windlass"
)

// A caller is the sender of a request, and what it may see.
type caller struct {
	name       string // for the log: a key's public part, or a token's key
	access     access // its highest access in the table
	projectID  string
	everywhere bool // the operator, who belongs to no project
	// groupRef and consumerRef are set for a token of one customer, which sees
	// nothing of the others.
	groupRef, consumerRef string
}

func (w caller) isPerson() bool { return w.groupRef != "" }

// seesGroup reports whether what belongs to a group may be shown.
func (w caller) seesGroup(groupRef string) bool { return !w.isPerson() || w.groupRef == groupRef }

// sees reports whether what belongs to a consumer of a group may be shown.
func (w caller) sees(groupRef, consumerRef string) bool {
	return w.seesGroup(groupRef) && (!w.isPerson() || w.consumerRef == consumerRef)
}

// within narrows a list to what the caller may see; false: there is nothing.
func (w caller) within(groupRef string) (string, bool) {
	if !w.isPerson() {
		return groupRef, true
	}
	return w.groupRef, groupRef == "" || groupRef == w.groupRef
}

// mustBe refuses a token's request that is made for another consumer or group.
func (w caller) mustBe(groupRef, consumerRef string) error {
	if !w.isPerson() {
		return nil
	}
	var issues []windlass.Issue
	if groupRef != w.groupRef {
		issues = append(issues, windlass.Issue{In: "body", Name: "groupRef", Message: "it is not the group of the token"})
	}
	if consumerRef != "" && consumerRef != w.consumerRef {
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

// admit authenticates the sender of a request, checks that it may call the operation,
// and resolves the project of the path. A project that is not the caller's cannot be
// told apart from one that does not exist.
func (a *API) admit(c *call) error {
	if c.route.access == anyone {
		return nil
	}
	who, err := a.authenticate(c)
	if err != nil {
		return err
	}
	c.who = who
	a.admitted(c.ctx())
	if who.access < c.route.access {
		return closed(c.route.access)
	}
	name, named := c.params["projectIdOrName"]
	if !named {
		return nil
	}
	found, err := a.projectOf(c, name)
	if err != nil {
		return err
	}
	c.project = found
	return nil
}

// projectOf finds a project that the caller may see, by id or name.
func (a *API) projectOf(c *call, idOrName string) (windlass.Project, error) {
	found, err := a.setup.Project(c.ctx(), idOrName)
	if err == nil && !c.who.everywhere && found.ID != c.who.projectID {
		err = &windlass.Error{Kind: windlass.NotFound}
	}
	if kindOf(err) == windlass.NotFound && err != nil {
		return windlass.Project{}, notFound("project", idOrName) // the same text for both cases
	}
	return found, err
}

func closed(to access) error {
	failure := &windlass.Error{Kind: windlass.Forbidden}
	switch to {
	case operator:
		failure.Message = "only the operator of this server may do this"
		failure.Remedy = "use the operator's key"
	case server:
		failure.Message = "the credential is for front ends, but this operation is for servers"
		failure.Remedy = "use a key of scope full, from a server"
	default:
		failure.Message = "a token for one customer may not do this"
		failure.Remedy = "use a key"
	}
	return failure
}

// authenticate determines the sender of a request.
func (a *API) authenticate(c *call) (caller, error) {
	if key := c.r.Header.Get("X-Api-Key"); key != "" {
		return a.identify(c, key, a.byKey)
	}
	scheme, token, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") && token != "" {
		return a.identify(c, strings.TrimSpace(token), a.byToken)
	}
	return caller{}, refused("the request has no credential",
		"send a key in the header X-Api-Key, or a token in Authorization: Bearer …")
}

func refused(message, remedy string) error {
	return &windlass.Error{Kind: windlass.Unauthorized, Message: message, Remedy: remedy}
}

func (a *API) byKey(c *call, key string) (caller, error) {
	if !a.operatorKey.IsZero() && subtle.ConstantTimeCompare([]byte(key), []byte(a.operatorKey.Reveal())) == 1 {
		return caller{name: "operator", access: operator, everywhere: true}, nil
	}
	found, err := a.setup.Authenticate(c.ctx(), key)
	if err != nil {
		if kindOf(err) != windlass.Unauthorized {
			return caller{}, fmt.Errorf("look the key up: %w", err)
		}
		return caller{}, refused("the key is not accepted", "check it: it may have been deleted or switched off")
	}
	who := caller{name: found.ID, access: browser, projectID: found.ProjectID}
	if slices.Contains(found.Scopes, "full") {
		who.access = server
	}
	return who, nil
}

func notFound(what, name string) error {
	return &windlass.Error{Kind: windlass.NotFound, Message: fmt.Sprintf("there is no %s %q", what, name)}
}
