package ui

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"strings"

	"windlass"
	"windlass/internal/setup"
)

type providerAppsView struct {
	Apps          []windlass.ProviderApp
	More          string
	Problem       *Problem
	Registrations []registration
}

// providerAppForm is what was entered, without the secret, which is entered again.
type providerAppForm struct{ ClientID, Scopes, Limit string }

func (r *request) providerAppsPage() error {
	return r.providerApps(http.StatusOK, nil)
}

func (r *request) providerApps(status int, problem *Problem) error {
	all, err := r.ui.config.Setup.ProviderApps(r.Context(), r.Project.ID, r.after())
	if err != nil {
		return err
	}
	all, more := cut(all, func(a windlass.ProviderApp) string { return a.ID })
	return r.page(status, "provider-apps", "Provider apps", providerAppsView{
		Apps: all, More: more, Problem: problem,
		Registrations: r.registrations(providerAppForm{r.field("clientId"), r.field("scopes"), r.field("limit")}),
	})
}

// consenting is the provider that a form is for which names none.
func (r *request) consenting() string {
	for _, info := range r.ui.config.Setup.Providers() {
		if info.Consent != nil {
			return info.Name
		}
	}
	return ""
}

// providerApp reads the form of a provider app.
func (r *request) providerApp() setup.ProviderAppRequest {
	app := setup.ProviderAppRequest{
		Provider: cmp.Or(r.field("provider"), r.consenting()), ClientID: r.field("clientId"), ClientSecret: windlass.NewSecret(r.field("clientSecret")),
		Scopes: strings.Fields(strings.ReplaceAll(r.field("scopes"), ",", " ")),
	}
	if limit := r.field("limit"); limit != "" {
		app.Metadata = &setup.ProviderAppMetadataValues{ProviderParams: map[string]string{setup.HourlyLimit: limit}}
	}
	return app
}

func (r *request) createProviderApp() error {
	app := r.providerApp()
	err := r.change("provider-app.create", app.ClientID, nil, func(ctx context.Context) error {
		_, err := r.ui.config.Setup.CreateProviderApp(ctx, r.Project.ID, app)
		return err
	})
	if shown, problem := wrong(err); shown {
		return r.providerApps(statusOf(err), problem)
	}
	if err != nil {
		return err
	}
	return r.done("provider-apps", "created")
}

type providerAppView struct {
	App      windlass.ProviderApp
	Limit    string
	Callback string
	Problem  *Problem
}

func (r *request) providerAppPage() error { return r.oneProviderApp(http.StatusOK, nil) }

func (r *request) oneProviderApp(status int, problem *Problem) error {
	app, err := r.ui.config.Setup.ProviderApp(r.Context(), r.Project.ID, r.PathValue("app"))
	if err != nil {
		return err
	}
	v := providerAppView{App: app, Callback: r.ui.config.CallbackURL, Problem: problem}
	if app.HourlyLimit > 0 {
		v.Limit = strconv.Itoa(app.HourlyLimit)
	}
	return r.page(status, "provider-app", "Provider app", v)
}

func (r *request) updateProviderApp() error {
	change := setup.UpdateProviderAppRequest{UpdateMask: []string{"scopes", "metadata.providerParams"}, ProviderApp: r.providerApp()}
	if change.ProviderApp.Metadata == nil {
		change.ProviderApp.Metadata = &setup.ProviderAppMetadataValues{}
	}
	details := map[string]string{"scopes": strings.Join(change.ProviderApp.Scopes, " ")}
	if change.ProviderApp.ClientID != "" {
		change.UpdateMask = append(change.UpdateMask, "clientId")
	}
	if !change.ProviderApp.ClientSecret.IsZero() {
		change.UpdateMask = append(change.UpdateMask, "clientSecret")
		details["clientSecret"] = "replaced"
	}
	id := r.PathValue("app")
	err := r.change("provider-app.update", id, details, func(ctx context.Context) error {
		_, err := r.ui.config.Setup.UpdateProviderApp(ctx, r.Project.ID, id, change)
		return err
	})
	if shown, problem := wrong(err); shown {
		return r.oneProviderApp(statusOf(err), problem)
	}
	if err != nil {
		return err
	}
	return r.done("provider-apps/"+id, "saved")
}

func (r *request) deleteProviderApp() error {
	id := r.PathValue("app")
	err := r.change("provider-app.delete", id, nil, func(ctx context.Context) error {
		return r.ui.config.Setup.DeleteProviderApp(ctx, r.Project.ID, id)
	})
	if shown, problem := wrong(err); shown {
		return r.oneProviderApp(statusOf(err), problem)
	}
	if err != nil {
		return err
	}
	return r.done("provider-apps", "deleted")
}
