package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
)

// adminAnswer serves /_sandbox/…: GET credentials and log, and POST with a JSON
// object for everything that changes something.
//
//	repositories/create {"name", "project"}   → {"slug"}
//	repositories/push   {"slug"}
//	repositories/edit   {"slug", "changes"}
//	repositories/delete {"slug"}
//	faults              {"fault"}             inject one, in the syntax of ParseFault
//	faults/clear
//	tokens              {"scopes"}            → {"access_token"}
//	log/reset
//	bodies              {"method", "path", "status", "body"}
func (s *Server) adminAnswer(r *http.Request) *answer {
	name := strings.TrimPrefix(r.URL.Path, adminPrefix)
	if r.Method == http.MethodGet {
		switch name {
		case "credentials":
			return marshalled(s.Credentials())
		case "log":
			return marshalled(map[string]any{"requests": s.Requests(), "log": s.Log()})
		}
		return answerTo(noRoute(false))
	}
	c := &call{server: s, request: r}
	if err := c.readBody(); err != nil {
		return answerTo(fail(http.StatusBadRequest, err.Error()))
	}
	var in adminRequest
	if len(c.body) > 0 {
		if err := json.Unmarshal(c.body, &in); err != nil {
			return answerTo(fail(http.StatusBadRequest, err.Error()))
		}
	}
	out, known, err := s.administer(name, in)
	switch {
	case !known:
		return answerTo(noRoute(false))
	case err != nil:
		return answerTo(fail(http.StatusBadRequest, err.Error()))
	}
	return marshalled(out)
}

type adminRequest struct {
	Name    string          `json:"name"`
	Project string          `json:"project"`
	Slug    string          `json:"slug"`
	Changes map[string]any  `json:"changes"`
	Fault   string          `json:"fault"`
	Scopes  []string        `json:"scopes"`
	Method  string          `json:"method"`
	Path    string          `json:"path"`
	Status  int             `json:"status"`
	Body    json.RawMessage `json:"body"`
}

func (s *Server) administer(name string, in adminRequest) (out map[string]any, known bool, err error) {
	out = map[string]any{}
	switch name {
	case "repositories/create":
		out["slug"], err = s.CreateRepository(in.Name, in.Project)
	case "repositories/push":
		err = s.Push(in.Slug)
	case "repositories/edit":
		err = s.EditRepository(in.Slug, in.Changes)
	case "repositories/delete":
		err = s.DeleteRepository(in.Slug)
	case "faults":
		var f Fault
		if f, err = ParseFault(in.Fault); err == nil {
			s.Inject(f)
		}
	case "faults/clear":
		s.ClearFaults()
	case "tokens":
		out["access_token"] = s.NewAccessToken(in.Scopes...)
	case "log/reset":
		s.ResetLog()
	case "bodies":
		s.ServeBody(in.Method, in.Path, in.Status, in.Body)
	default:
		return nil, false, nil
	}
	return out, true, err
}

func marshalled(v any) *answer {
	b, err := json.Marshal(v)
	if err != nil {
		return answerTo(fail(http.StatusInternalServerError, err.Error()))
	}
	return &answer{status: http.StatusOK, body: b}
}
