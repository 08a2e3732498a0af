package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// The methods here change the data as another user's work would: no
// credential, no scope, nothing counted against a limit. All of them are about
// the main workspace, and all of them date what they touch, so that a read by
// updated_on sees it.

func (s *Server) main() *workspace { return s.world.workspaces[0] }

// RenameWorkspace gives the main workspace another slug and name. The slug that it
// had answers 404 from then on, and its UUID goes on working.
func (s *Server) RenameWorkspace(slug, name string) {
	s.data.Lock()
	defer s.data.Unlock()
	s.main().slug, s.main().name = slug, name
}

// CreateRepository makes a repository in the project with this key ("" means
// the oldest) and returns its slug.
func (s *Server) CreateRepository(name, projectKey string) (string, error) {
	s.data.Lock()
	defer s.data.Unlock()
	c := s.insider(name)
	doc := document{"name": name}
	if projectKey != "" {
		doc["project"] = map[string]any{"key": projectKey}
	}
	r, err := c.newRepository(doc)
	if err != nil {
		return "", explain(err)
	}
	return r.slug, nil
}

// Push brings new commits into a repository: it grows, and updated_on moves.
func (s *Server) Push(slug string) error {
	return s.change(slug, func(ws *workspace, r *repository) error {
		ws.repositories.edit(r, func(r *repository) {
			r.updated = s.now()
			r.size += 1024 + r.size/100
			if r.mainbranch == "" {
				r.mainbranch = "main"
			}
		})
		return nil
	})
}

// EditRepository changes details as a PUT with this body would; a changed name
// moves the repository.
func (s *Server) EditRepository(slug string, changes map[string]any) error {
	return s.change(slug, func(ws *workspace, r *repository) error {
		change, err := s.insider(slug).repositoryChange(r, changes)
		if err != nil {
			return err
		}
		ws.repositories.edit(r, func(r *repository) {
			change(r)
			r.updated = s.now()
		})
		return nil
	})
}

// DeleteRepository removes a repository. Nothing is left of it to be read.
func (s *Server) DeleteRepository(slug string) error {
	return s.change(slug, func(ws *workspace, r *repository) error {
		ws.repositories.remove(r)
		return nil
	})
}

// change finds a repository of the main workspace and lets do change it.
func (s *Server) change(slug string, do func(*workspace, *repository) error) error {
	s.data.Lock()
	defer s.data.Unlock()
	r := s.main().repositories.find(slug)
	if r == nil {
		return fmt.Errorf("sandbox: workspace %s has no repository %q", s.main().slug, slug)
	}
	return explain(do(s.main(), r))
}

// insider is a call by the user in the main workspace about one repository.
func (s *Server) insider(repo string) *call {
	return &call{server: s, ws: s.main(), who: principal{user: s.world.me}, params: map[string]string{"repo": repo}}
}

// explain turns an answer into an error that says what it says.
func explain(err error) error {
	if f, ok := errors.AsType[*failure](err); ok {
		return fmt.Errorf("sandbox: %s", answerTo(f).body)
	}
	return err
}

// VariableValue returns the value of a pipeline variable of the main workspace,
// the secured ones included, which the API never tells; false when there is no
// such key.
func (s *Server) VariableValue(key string) (string, bool) {
	s.data.RLock()
	defer s.data.RUnlock()
	for _, v := range s.main().variables {
		if v.key == key {
			return v.value, true
		}
	}
	return "", false
}

// HookSecret returns the secret of a webhook of the main workspace, which the
// API never tells; false when there is no hook with this UUID.
func (s *Server) HookSecret(uuid string) (string, bool) {
	s.data.RLock()
	defer s.data.RUnlock()
	for _, k := range s.main().hooks {
		if k.uuid == "{"+strings.Trim(uuid, "{}")+"}" {
			return k.secret, true
		}
	}
	return "", false
}

// serveAdmin is the same over HTTP, for programs that run the sandbox as a process
// of its own.
func (s *Server) serveAdmin(w http.ResponseWriter, r *http.Request) {
	s.write(w, r, s.adminAnswer(r))
}
