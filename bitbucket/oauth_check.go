package bitbucket

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"windlass"
	"windlass/connector"
)

const checkOp = "check the workspace"

// Check finds out what a credential is good for in a workspace: two requests
// through client, which authenticates them (see Provider.Transport). A workspace that
// does not exist, or that the credential cannot see, is a windlass.NotFound
// whose remedy names those that it can see.
//
// It needs no scope. With the scope account it also tells who consented and
// whether they belong to the workspace.
func (p *Provider) Check(ctx context.Context, client *http.Client, workspace string) (connector.Account, error) {
	c, err := New(client, &Options{APIURL: p.Endpoints.API, Workspace: workspace})
	if err != nil {
		return connector.Account{}, inOp(checkOp, err)
	}
	path, err := c.path("{workspace}", "")
	if err != nil {
		return connector.Account{}, inOp(checkOp, err)
	}
	var found struct {
		UUID string `json:"uuid"`
		Slug string `json:"slug"`
		Name string `json:"name"`
	}
	if err := c.get(ctx, "/workspaces/"+path, &found); err != nil {
		if errors.Is(err, windlass.NotFound) {
			err = c.elsewhere(ctx, err)
		}
		return connector.Account{}, err
	}
	account := connector.Account{Workspace: found.Slug, WorkspaceID: found.UUID, WorkspaceName: found.Name}
	if found.UUID == "" || found.Slug == "" {
		return connector.Account{}, &windlass.Error{
			Kind: windlass.Malformed, Op: checkOp, Message: "Bitbucket's answer names no workspace", Remedy: "try again later", Provider: &windlass.ProviderDetails{},
		}
	}
	return account, c.member(ctx, path, &account)
}

// member fills in the user and their membership, as far as they can be had.
func (c *Connector) member(ctx context.Context, path string, account *connector.Account) error {
	var own struct {
		User struct {
			UUID string `json:"uuid"`
			Name string `json:"display_name"`
		} `json:"user"`
	}
	err := c.get(ctx, "/user/workspaces/"+path+"/permission", &own)
	known, refused := windlass.FromProvider(err)
	switch {
	case err == nil:
		account.User, account.UserName, account.Membership = own.User.UUID, own.User.Name, connector.Member
	case refused && len(known.Provider.Required) > 0:
		// The scope account is missing: it cannot be told. What was granted is told
		// by the same answer.
		account.Scopes = known.Provider.Granted
	case errors.Is(err, windlass.Forbidden):
		account.Membership = connector.NotMember
	case errors.Is(err, windlass.NotFound), errors.Is(err, windlass.Unauthorized):
		// The credential was good a moment ago: this is one without a user, such
		// as an access token or an app's.
	default:
		return err
	}
	return nil
}

// elsewhere adds to the error for an unknown workspace those that the credential
// does cover.
func (c *Connector) elsewhere(ctx context.Context, unknown error) error {
	var page struct {
		Values []struct {
			Workspace struct {
				Slug string `json:"slug"`
			} `json:"workspace"`
		} `json:"values"`
	}
	known, ok := windlass.FromProvider(unknown)
	if c.get(ctx, "/user/workspaces?pagelen=100", &page) != nil || len(page.Values) == 0 || !ok {
		return unknown
	}
	slugs := make([]string, 0, len(page.Values))
	for _, value := range page.Values {
		slugs = append(slugs, cleanText(value.Workspace.Slug))
	}
	slices.Sort(slugs)
	named := *known
	named.Remedy = "this credential covers " + cleanText(strings.Join(slugs, ", "))
	return &named
}

// get reads one JSON answer.
func (c *Connector) get(ctx context.Context, uri string, into any) error {
	got, err := c.do(ctx, call{op: checkOp, method: http.MethodGet, uri: uri})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(got.body, into); err != nil {
		return &windlass.Error{
			Kind: windlass.Malformed, Op: checkOp, Provider: &windlass.ProviderDetails{Status: got.status, RequestID: requestID(got.header)},
			Message: "the answer is not the JSON that Bitbucket documents", Remedy: "try again later",
		}
	}
	return nil
}
