package server_test

import (
	"net/http"
	"testing"

	"windlass/bitbucket/sandbox"
	"windlass/internal/server"
)

// A customer renames their workspace: its old name answers 404 from then on, and
// everything goes on by its id.
func TestARenamedWorkspaceGoesOn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, config server.Config) {
		bitbucket := sandbox.New(nil)
		r := writing(t, config, bitbucket)
		bitbucket.RenameWorkspace("acme-inc", "Acme Inc")
		r.must(http.MethodPost, projectsOf, map[string]any{"groupRef": "group-1", "type": "create", "record": map[string]string{"name": "Rope", "key": "ROPE"}}, nil)
		bitbucket.RenameWorkspace("acme", "Acme")
		if found := projects(t, bitbucket); found["ROPE"] != 1 {
			t.Errorf("the projects are %v", found)
		}
	})
}
