package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

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

// A read goes on from where it was, brings what is new to the receiver, and the
// shown name follows.
func TestARenamedWorkspaceIsReadOn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, config server.Config) {
		bitbucket := sandbox.New(&sandbox.Options{Repositories: 20})
		to := newReceiver(t)
		r := connectedTo(t, delivering(config, bitbucket), bitbucket, to)
		installation := r.reads("repositories")
		r.logOf(installation, "Read 20 records")
		bitbucket.RenameWorkspace("acme-and-sons", "Acme and Sons")
		if _, err := bitbucket.CreateRepository("after-the-renaming", ""); err != nil {
			t.Fatal(err)
		}
		var begun struct{ OperationID string }
		r.must(http.MethodPost, inProject+"/integrations/bitbucket/objects/repositories", map[string]any{"groupRef": "group-1", "mode": "async"}, &begun)
		to.await(t, 21, time.Minute)
		log := ""
		for began := time.Now(); time.Since(began) < time.Minute && !strings.Contains(log, "Read 21 records"); time.Sleep(20 * time.Millisecond) {
			log = r.must(http.MethodGet, inProject+"/operations/"+begun.OperationID+"/logs", nil, nil)
		}
		if !strings.Contains(log, "The workspace acme is now called acme-and-sons.") {
			t.Errorf("the log does not say the new name: %s", log)
		}
		var connections []struct{ ProviderWorkspaceRef string }
		r.must(http.MethodGet, inProject+"/connections", nil, &connections)
		if len(connections) != 1 || connections[0].ProviderWorkspaceRef != "acme-and-sons" {
			t.Errorf("the connections are shown as %+v", connections)
		}
		var operations struct{ Results []struct{ ID string } }
		if r.must(http.MethodGet, installation+"/operations", nil, &operations); len(operations.Results) != 2 {
			t.Errorf("%d operations began: a new name is no reason to read the past again", len(operations.Results))
		}
	})
}
