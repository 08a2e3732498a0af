package api

import (
	"fmt"
	"net"
	"net/http"
	"strings"

	"windlass"
	"windlass/internal/auth"
)

// admit authenticates the sender of a request, checks that it may call the operation,
// and resolves the project of the path. A project that is not the caller's cannot be
// told apart from one that does not exist.
func (a *API) admit(c *call) error {
	if c.route.access == auth.Anyone {
		return nil
	}
	who, err := a.authenticate(c)
	if err != nil {
		return err
	}
	c.who = who
	a.admitted(c.ctx())
	if err := who.May(c.route.access); err != nil {
		return err
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
	if err == nil && !c.who.Everywhere && found.ID != c.who.ProjectID {
		err = &windlass.Error{Kind: windlass.NotFound}
	}
	if kindOf(err) == windlass.NotFound && err != nil {
		return windlass.Project{}, notFound("project", idOrName) // the same text for both cases
	}
	return found, err
}

// authenticate determines the sender of a request.
func (a *API) authenticate(c *call) (auth.Caller, error) {
	if key := c.r.Header.Get("X-Api-Key"); key != "" {
		return a.gate.Key(c.ctx(), key, addressOf(c.r))
	}
	scheme, token, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") && token != "" {
		return a.gate.Token(c.ctx(), strings.TrimSpace(token), addressOf(c.r))
	}
	return auth.Caller{}, auth.Refused("the request has no credential",
		"send a key in the header X-Api-Key, or a token in Authorization: Bearer …")
}

func notFound(what, name string) error {
	return &windlass.Error{Kind: windlass.NotFound, Message: fmt.Sprintf("there is no %s %q", what, name)}
}

// addressOf is where a request came from; all of one IPv6 network are one.
func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	ip := net.ParseIP(host)
	if ip == nil || ip.To4() != nil {
		return host
	}
	const network = 64
	return ip.Mask(net.CIDRMask(network, 8*net.IPv6len)).String()
}
