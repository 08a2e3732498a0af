package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"windlass/bitbucket/sandbox/internal/trim"
)

const (
	apiPrefix   = "/2.0"
	sitePrefix  = "/site/"
	adminPrefix = "/_sandbox/"
)

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	switch {
	case path == apiPrefix || strings.HasPrefix(path, apiPrefix+"/"):
		s.serveAPI(w, r)
	case strings.HasPrefix(path, sitePrefix):
		s.strike(w, r, func(int) {}, func(w http.ResponseWriter, _ spoiled) { s.access.serveSite(w, r) })
	case strings.HasPrefix(path, adminPrefix):
		s.serveAdmin(w, r)
	default:
		s.write(w, r, answerTo(noRoute(s.options.PlainErrors)))
	}
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	c := &call{
		server: s, request: r, query: r.URL.Query(),
		path: strings.TrimPrefix(r.URL.EscapedPath(), apiPrefix),
	}
	c.at = links{api: s.base(r) + apiPrefix, as: s.world.me.nickname}
	s.strike(w, r, func(status int) { s.journal.add(c, status) }, func(w http.ResponseWriter, sp spoiled) {
		c.spoiled = sp
		a := c.answer(w.Header())
		s.journal.add(c, a.status)
		s.write(w, r, a)
	})
}

// base is the scheme and host that links start with.
func (s *Server) base(r *http.Request) string {
	if s.options.APIURL != "" {
		return strings.TrimSuffix(strings.TrimSuffix(s.options.APIURL, "/"), apiPrefix)
	}
	scheme := "http"
	if r.TLS != nil || r.URL.Scheme == "https" {
		scheme = "https"
	}
	return (&url.URL{Scheme: scheme, Host: r.Host}).String()
}

// answer turns whatever happens into something to write. extra receives
// headers that every answer carries, an error too.
func (c *call) answer(extra http.Header) *answer {
	if a := c.server.bodies.get(c.request.Method, c.path); a != nil {
		return a
	}
	a, err := c.handle(extra)
	if err != nil {
		f, ok := errors.AsType[*failure](err)
		if !ok {
			f = fail(http.StatusInternalServerError, err.Error())
		}
		return answerTo(f)
	}
	return a
}

// handle takes the steps in the order Bitbucket's layers have them: is there
// such a route, who asks, may they ask again so soon, have they the scopes, is
// the request well formed, and only then what it is about.
func (c *call) handle(extra http.Header) (*answer, error) {
	route, err := c.route()
	if err != nil {
		return nil, err
	}
	if c.who, err = c.server.access.authenticate(c.request, route); err != nil {
		return nil, err
	}
	if err := c.server.take(c.who, extra); err != nil {
		return nil, err
	}
	if err := c.who.require(route.scopes...); err != nil {
		return nil, err
	}
	writes := c.request.Method != http.MethodGet && c.request.Method != http.MethodHead
	if writes {
		if c.request.ContentLength < 0 && c.request.Method != http.MethodDelete {
			return nil, failText(http.StatusLengthRequired, "Length Required")
		}
		if err := c.readBody(); err != nil {
			return nil, err
		}
		c.server.data.Lock()
		defer c.server.data.Unlock()
		c.world().skew = c.spoiled.skew
		defer func() { c.world().skew = 0 }()
	} else {
		c.server.data.RLock()
		defer c.server.data.RUnlock()
	}
	if err := c.enter(route); err != nil {
		return nil, err
	}
	a, err := route.handler(c)
	if err != nil {
		return nil, err
	}
	return c.trimmed(a)
}

// enter finds the workspace of the route and checks the caller's place in it.
func (c *call) enter(route *route) error {
	name, ok := c.params["ws"]
	if !ok {
		return nil
	}
	c.ws = c.world().find(name)
	if c.ws == nil || c.ws.private && !c.member() && !route.public() {
		return notFound("No workspace with identifier '" + name + "'.")
	}
	switch {
	case c.ws.flagged:
		return fail(http.StatusGone, "This account has been marked as spam.")
	case route.place == placeMember && !c.member():
		return forbidden("You are not a member of this workspace.")
	case route.place == placeOwner && !c.owner():
		return forbidden(messageNotOwner)
	}
	return nil
}

func answerTo(f *failure) *answer {
	if f.sent != nil {
		return f.sent
	}
	a := &answer{status: f.status, header: f.header}
	if f.body == nil {
		a.kind, a.body = "text/plain; charset=utf-8", []byte(f.text)
	} else {
		a.body = appendObject(nil, f.body)
	}
	return a
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, a *answer) {
	h := w.Header()
	maps.Copy(h, a.header)
	if h.Get("Date") == "" {
		h.Set("Date", s.options.Now().UTC().Format(http.TimeFormat))
	}
	if a.status != http.StatusNoContent {
		kind := a.kind
		if kind == "" {
			kind = "application/json; charset=utf-8"
		}
		h.Set("Content-Type", kind)
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead && a.status != http.StatusNoContent {
		// The client has gone if this fails; there is no client left to tell.
		_, _ = w.Write(a.body)
	}
}

// trimmed applies the fields parameter to an answer.
func (c *call) trimmed(a *answer) (*answer, error) {
	filter := trim.Parse(c.query.Get("fields"))
	if filter.IsIdentity() || a.kind != "" || len(a.body) == 0 {
		return a, nil
	}
	d := json.NewDecoder(bytes.NewReader(a.body))
	d.UseNumber() // numbers stay as they are written
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(filter.Apply(tree)); err != nil {
		return nil, err
	}
	a.body = bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	return a, nil
}
