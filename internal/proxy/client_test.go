package proxy_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/ktrysmt/go-bitbucket"

	"windlass/bitbucket/sandbox"
)

// through sends what a client means for Bitbucket to the proxy: its address and its
// headers are all that changes. Links in answers name Bitbucket itself, so it looks
// at every request, not at the base URL alone.
type through struct {
	proxy *url.URL
	base  http.RoundTripper
}

func (t *through) RoundTrip(req *http.Request) (*http.Response, error) {
	sent := req.Clone(req.Context())
	sent.URL.Scheme, sent.URL.Host, sent.Host = t.proxy.Scheme, t.proxy.Host, ""
	sent.Header.Set("X-Amp-Proxy-Version", "1")
	sent.Header.Set("X-Amp-Installation-Id", installationID)
	return t.base.RoundTrip(sent)
}

// A client that others wrote does the same and sees the same through the proxy as
// without it.
func TestAForeignClientNoticesNothing(t *testing.T) {
	t.Parallel()
	options := &sandbox.Options{Repositories: 120}
	direct := sandbox.New(options)
	w, behind := inSandbox(t, options, nil)
	front, err := url.Parse(w.front.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()

	without := client(t, direct.Credentials().AccessToken, direct.Transport())
	with := client(t, "not-the-customers", &through{front, transport})
	if a, b := use(t, without), use(t, with); a != b {
		t.Errorf("without the proxy:\n%s\nwith it:\n%s", a, b)
	}
	if a, b := direct.Requests(), behind.Requests(); a != b || a < 15 {
		t.Errorf("%d requests without the proxy, %d with it", a, b)
	}
}

func client(t *testing.T, token string, transport http.RoundTripper) *bitbucket.Client {
	t.Helper()
	c, err := bitbucket.NewOAuthbearerToken(token)
	if err != nil {
		t.Fatal(err)
	}
	c.HttpClient = &http.Client{Transport: transport}
	return c
}

// use reads and writes, and says what came of it.
func use(t *testing.T, c *bitbucket.Client) string {
	t.Helper()
	said := ""
	say := func(what string, got any, err error) {
		if err != nil {
			got = "an error"
		}
		said += fmt.Sprintf("%s: %v\n", what, got)
	}
	repositories, err := c.Repositories.ListForAccount(&bitbucket.RepositoriesOptions{Owner: "acme", Role: "member"})
	if err != nil {
		t.Fatal(err)
	}
	say("repositories", len(repositories.Items), nil)
	say("the last one", repositories.Items[len(repositories.Items)-1].Full_name, nil)
	members, err := c.Workspaces.Members("acme")
	say("members", len(members.Members), err)
	projects, err := c.Workspaces.Projects("acme")
	say("projects", len(projects.Items), err)
	me, err := c.User.Profile()
	say("user", me.Uuid, err)
	workspace, err := c.Workspaces.Get("acme")
	say("workspace", workspace.UUID, err)

	project, err := c.Workspaces.CreateProject(&bitbucket.ProjectOptions{Owner: "acme", Name: "Foreign", Key: "FRGN", IsPrivate: true})
	say("create a project", project.Key, err)
	project, err = c.Workspaces.UpdateProject(&bitbucket.ProjectOptions{Owner: "acme", Name: "Renamed", Key: "FRGN"})
	say("change it", project.Name, err)
	repository, err := c.Repositories.Repository.Create(&bitbucket.RepositoryOptions{
		Owner: "acme", RepoSlug: "foreign", Scm: "git", IsPrivate: "true", Description: "made abroad", Project: "FRGN",
	})
	say("create a repository", repository.Full_name, err)
	hook := &bitbucket.WebhooksOptions{
		Owner: "acme", RepoSlug: "foreign", Url: "https://example.com/in", Description: "d", Active: true, Secret: "s", Events: []string{"repo:push"},
	}
	made, err := c.Repositories.Webhooks.Create(hook)
	say("create a webhook", made.Description, err)
	hook.Uuid, hook.Description = made.Uuid, "other"
	made, err = c.Repositories.Webhooks.Update(hook)
	say("change it", made.Description, err)
	hooks, err := c.Repositories.Webhooks.List(hook)
	say("webhooks", len(hooks), err)
	_, err = c.Repositories.Webhooks.Delete(hook)
	say("delete it", "", err)
	_, err = c.Repositories.Repository.Delete(&bitbucket.RepositoryOptions{Owner: "acme", RepoSlug: "foreign"})
	say("delete the repository", "", err)
	_, err = c.Repositories.Repository.Get(&bitbucket.RepositoryOptions{Owner: "acme", RepoSlug: "foreign"})
	say("read what is gone", "", err)
	_, err = c.Workspaces.DeleteProject(&bitbucket.ProjectOptions{Owner: "acme", Key: "FRGN"})
	say("delete the project", "", err)
	return said
}
