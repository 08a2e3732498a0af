package bitbucket

import (
	"errors"
	"net/http"
	"net/url"

	"windlass"
)

// maxRedirects is how many redirects of one request are followed.
const maxRedirects = 10

// following returns the client with this connector's rules for redirects, and
// without a change to the one that was given.
//
// An http.Client repeats a POST or DELETE that is answered with 301, 302 or 303 as
// a GET, whose success says nothing of the write (invariant 6). So a write follows
// 307 and 308 only, which keep its method and body, and a read whatever redirect
// stays within the API.
func (c *Connector) following(client *http.Client) *http.Client {
	own := *client
	before := client.CheckRedirect
	own.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if before != nil {
			if err := before(req, via); err != nil {
				return err
			}
		}
		return c.checkRedirect(req, via)
	}
	return &own
}

func (c *Connector) checkRedirect(req *http.Request, via []*http.Request) error {
	sent, answered := via[0].Method, 0
	if req.Response != nil {
		answered = req.Response.StatusCode
	}
	switch {
	case !c.below(req.URL):
		return c.movedError(sent, req.Response, req.URL)
	case len(via) >= maxRedirects:
		return &windlass.Error{
			Kind: misled(sent), Provider: &windlass.ProviderDetails{Status: answered},
			Message: "Bitbucket redirects in a circle: " + cleanText(via[len(via)-1].URL.Path) + " leads to " + cleanText(req.URL.Path),
			Remedy:  "name the record by its uuid; if that does not help, tell Bitbucket's support",
		}
	case sent == http.MethodGet || sent == http.MethodHead:
		return nil
	case answered == http.StatusTemporaryRedirect || answered == http.StatusPermanentRedirect:
		return nil
	default:
		return c.movedError(sent, req.Response, req.URL)
	}
}

// misled is the kind of an answer that leads astray. A read may be tried again; a
// write is not done, and no repetition changes that.
func misled(method string) windlass.Kind {
	if method == http.MethodGet || method == http.MethodHead {
		return windlass.Malformed
	}
	return windlass.Conflict
}

// isRedirect reports whether an answer says that the thing is elsewhere.
func isRedirect(code int) bool {
	switch code {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	default:
		return false
	}
}

// movedError says that a request was not done, since the thing has moved, and
// where to. A place outside of the API is named by its host alone: the rest of the
// link may hold a secret.
func (c *Connector) movedError(method string, resp *http.Response, to *url.URL) *windlass.Error {
	e := &windlass.Error{Kind: windlass.Conflict, Provider: &windlass.ProviderDetails{}}
	if resp != nil {
		e.Provider.Status, e.Provider.RequestID = resp.StatusCode, requestID(resp.Header)
	}
	switch {
	case to == nil || to.Host == "":
		e.Message = "it has moved, and the answer does not say where to: nothing was done"
		e.Remedy = "name the record by its uuid, which stays the same when it moves"
	case !c.below(to):
		e.Kind = misled(method)
		e.Message = "it is said to have moved to " + cleanText(origin(to)) + ", which is not the API (" + c.api.String() + "): nothing was done"
		e.Remedy = "it was not followed; if the API is behind another address, use that address as the API's URL"
	default:
		e.Message = "it has moved to " + cleanText(to.EscapedPath()) + ": nothing was done"
		e.Remedy = "use the new place, or name the record by its uuid, which stays the same when it moves"
	}
	return e
}

// redirected is movedError for a redirect that the client handed over instead of
// asking whether to follow it.
func (c *Connector) redirected(method string, resp *http.Response) *windlass.Error {
	to, err := resp.Location()
	if err != nil && !errors.Is(err, http.ErrNoLocation) {
		to = nil // a Location that is no URL leads nowhere
	}
	return c.movedError(method, resp, to)
}
