package sandbox_test

import (
	"net/http"
	"testing"

	"github.com/ktrysmt/go-bitbucket"

	"windlass/bitbucket/sandbox"
)

// TestAForeignClient reads and writes with a client for Bitbucket that others
// wrote and others use: what works there works here.
func TestAForeignClient(t *testing.T) {
	s := sandbox.New(&sandbox.Options{Repositories: 120})
	c, err := bitbucket.NewOAuthbearerToken(s.Credentials().AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	c.HttpClient = &http.Client{Transport: s.Transport()}

	listed, err := c.Repositories.ListForAccount(&bitbucket.RepositoriesOptions{Owner: "acme", Role: "member"})
	if err != nil || len(listed.Items) != 120 {
		t.Fatalf("lists %d repositories of 120: %v", len(listed.Items), err)
	}
	if of, err := c.Repositories.ListProject(&bitbucket.RepositoriesOptions{Owner: "acme", Project: "BILL"}); err != nil || len(of.Items) == 0 || len(of.Items) == 120 {
		t.Errorf("lists %d repositories of a project: %v", len(of.Items), err)
	}
	if members, err := c.Workspaces.Members("acme"); err != nil || len(members.Members) != 25 {
		t.Errorf("lists the members: %v", err)
	}
	if projects, err := c.Workspaces.Projects("acme"); err != nil || len(projects.Items) != 12 {
		t.Errorf("lists the projects: %v", err)
	}
	if me, err := c.User.Profile(); err != nil || me.Uuid == "" {
		t.Errorf("reads the user: %v", err)
	}
	if ws, err := c.Workspaces.Get("acme"); err != nil || ws.Slug != "acme" {
		t.Errorf("reads the workspace: %v", err)
	}

	p, err := c.Workspaces.CreateProject(&bitbucket.ProjectOptions{Owner: "acme", Name: "Foreign", Key: "FRGN", IsPrivate: true})
	if err != nil || p.Key != "FRGN" {
		t.Fatalf("creates a project: %v", err)
	}
	if p, err := c.Workspaces.UpdateProject(&bitbucket.ProjectOptions{Owner: "acme", Name: "Renamed", Key: "FRGN"}); err != nil || p.Name != "Renamed" {
		t.Errorf("changes a project: %v", err)
	}
	r, err := c.Repositories.Repository.Create(&bitbucket.RepositoryOptions{
		Owner: "acme", RepoSlug: "foreign", Scm: "git", IsPrivate: "true", Description: "made abroad", Project: "FRGN",
	})
	if err != nil || r.Full_name != "acme/foreign" || r.Project.Key != "FRGN" {
		t.Fatalf("creates a repository: %v", err)
	}
	r, err = c.Repositories.Repository.Update(&bitbucket.RepositoryOptions{Owner: "acme", RepoSlug: "foreign", Description: "changed"})
	if err != nil || r.Description != "changed" {
		t.Errorf("changes a repository: %v", err)
	}
	useWebhooks(t, c)
	if _, err := c.Repositories.Repository.Delete(&bitbucket.RepositoryOptions{Owner: "acme", RepoSlug: "foreign"}); err != nil {
		t.Errorf("deletes a repository: %v", err)
	}
	if _, err := c.Workspaces.DeleteProject(&bitbucket.ProjectOptions{Owner: "acme", Key: "FRGN"}); err != nil {
		t.Errorf("deletes a project: %v", err)
	}
	if _, err := c.Repositories.Repository.Get(&bitbucket.RepositoryOptions{Owner: "acme", RepoSlug: "foreign"}); err == nil {
		t.Error("reads a repository that is gone")
	}
}

func useWebhooks(t *testing.T, c *bitbucket.Client) {
	t.Helper()
	options := &bitbucket.WebhooksOptions{
		Owner: "acme", RepoSlug: "foreign", Url: "https://example.com/in", Description: "d", Active: true,
		Secret: "s", Events: []string{"repo:push"},
	}
	hook, err := c.Repositories.Webhooks.Create(options)
	if err != nil || hook.Uuid == "" {
		t.Fatalf("creates a webhook: %v", err)
	}
	options.Uuid, options.Description = hook.Uuid, "other"
	if hook, err := c.Repositories.Webhooks.Update(options); err != nil || hook.Description != "other" {
		t.Errorf("changes a webhook: %v", err)
	}
	if hooks, err := c.Repositories.Webhooks.List(options); err != nil || len(hooks) != 1 {
		t.Errorf("lists webhooks: %v", err)
	}
	if _, err := c.Repositories.Webhooks.Delete(options); err != nil {
		t.Errorf("deletes a webhook: %v", err)
	}
}
