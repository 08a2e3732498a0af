package ui

import (
	"context"
	"net/http"

	"windlass"
	"windlass/internal/setup"
)

func keyRoutes(project string) []route {
	base := project + "/keys"
	return []route{
		{http.MethodGet, base, windlass.Viewer, (*request).keysPage},
		{http.MethodPost, base + "/api", windlass.Editor, (*request).createAPIKey},
		{http.MethodPost, base + "/api/{key}/switch", windlass.Editor, (*request).switchAPIKey},
		{http.MethodPost, base + "/api/{key}/delete", windlass.Editor, (*request).deleteAPIKey},
		{http.MethodPost, base + "/jwt", windlass.Editor, (*request).createJWTKey},
		{http.MethodPost, base + "/jwt/{key}/switch", windlass.Editor, (*request).switchJWTKey},
		{http.MethodPost, base + "/jwt/{key}/delete", windlass.Editor, (*request).deleteJWTKey},
	}
}

type keysView struct {
	API      []windlass.APIKey
	MoreAPI  string
	JWT      []windlass.JWTKey
	MoreJWT  string
	Problem  *Problem
	Made     string // the key that was made: shown this once
	Label    string
	Frontend bool
}

func (r *request) keysPage() error { return r.keys(http.StatusOK, nil, windlass.Secret{}) }

func (r *request) keys(status int, problem *Problem, made windlass.Secret) error {
	q := r.URL.Query()
	api, err := r.ui.config.Setup.APIKeys(r.Context(), r.Project.ID, false, windlass.Page{After: q.Get("after"), Limit: pageSize + 1})
	if err != nil {
		return err
	}
	jwt, err := r.ui.config.Setup.JWTKeys(r.Context(), r.Project.ID, false, windlass.Page{After: q.Get("afterJWT"), Limit: pageSize + 1})
	if err != nil {
		return err
	}
	v := keysView{Problem: problem, Made: made.Reveal(), Label: r.field("label"), Frontend: r.field("scope") == setup.ScopeFrontend}
	v.API, v.MoreAPI = cut(api, func(k windlass.APIKey) string { return k.ID })
	v.JWT, v.MoreJWT = cut(jwt, func(k windlass.JWTKey) string { return k.ID })
	return r.page(status, "keys", "Keys", v)
}

// changeKey is change for the forms of the page.
func (r *request) changeKey(action, target, notice string, do func(ctx context.Context) error) error {
	err := r.change(action, target, nil, do)
	if shown, problem := wrong(err); shown {
		return r.keys(statusOf(err), problem, windlass.Secret{})
	}
	if err != nil {
		return err
	}
	return r.done("keys", notice)
}

// createAPIKey shows the key in the answer to the POST: it is never shown again.
func (r *request) createAPIKey() error {
	ask := setup.APIKeyRequest{Label: r.field("label"), Scopes: []string{r.field("scope")}}
	var made windlass.APIKey
	err := r.change("api-key.create", ask.Label, map[string]string{"scope": r.field("scope")}, func(ctx context.Context) (err error) {
		made, err = r.ui.config.Setup.CreateAPIKey(ctx, r.Project.ID, ask)
		return err
	})
	if shown, problem := wrong(err); shown {
		return r.keys(statusOf(err), problem, windlass.Secret{})
	}
	if err != nil {
		return err
	}
	return r.keys(http.StatusOK, nil, made.Key)
}

func (r *request) switchAPIKey() error {
	active := r.field("active") != ""
	change := setup.PatchAPIKeyRequest{UpdateMask: []string{"active"}}
	change.APIKey.Active = &active
	return r.changeKey("api-key."+onOff(active), r.PathValue("key"), "saved", func(ctx context.Context) error {
		_, err := r.ui.config.Setup.UpdateAPIKey(ctx, r.Project.ID, r.PathValue("key"), change)
		return err
	})
}

func (r *request) deleteAPIKey() error {
	return r.changeKey("api-key.delete", r.PathValue("key"), "deleted", func(ctx context.Context) error {
		return r.ui.config.Setup.DeleteAPIKey(ctx, r.Project.ID, r.PathValue("key"))
	})
}

func (r *request) createJWTKey() error {
	ask := setup.CreateJWTKeyRequest{Label: r.field("label"), Algorithm: "RS256", PublicKeyPEM: r.field("pem")}
	return r.changeKey("jwt-key.create", ask.Label, "created", func(ctx context.Context) error {
		_, err := r.ui.config.Setup.CreateJWTKey(ctx, r.Project.ID, ask)
		return err
	})
}

func (r *request) switchJWTKey() error {
	active := r.field("active") != ""
	change := setup.PatchJWTKeyRequest{UpdateMask: []string{"active"}}
	change.JWTKey.Active = &active
	return r.changeKey("jwt-key."+onOff(active), r.PathValue("key"), "saved", func(ctx context.Context) error {
		_, err := r.ui.config.Setup.UpdateJWTKey(ctx, r.Project.ID, r.PathValue("key"), change)
		return err
	})
}

func (r *request) deleteJWTKey() error {
	return r.changeKey("jwt-key.delete", r.PathValue("key"), "deleted", func(ctx context.Context) error {
		return r.ui.config.Setup.DeleteJWTKey(ctx, r.Project.ID, r.PathValue("key"))
	})
}

func onOff(active bool) string {
	if active {
		return "activate"
	}
	return "deactivate"
}
