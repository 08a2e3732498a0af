package setup

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"windlass"
	"windlass/connector"
	"windlass/internal/ids"
	"windlass/internal/input"
)

// ProviderAppMetadataValues are a provider app's own settings.
type ProviderAppMetadataValues struct {
	AuthQueryParams map[string][]string `json:"authQueryParams,omitempty"`
	// ProviderParams may hold hourlyLimit: requests an hour, digits in a string.
	ProviderParams map[string]string `json:"providerParams,omitempty"`
}

// HourlyLimit is the name among ProviderAppMetadataValues.ProviderParams under which a
// provider app's own limit is set.
const HourlyLimit = connector.InputHourlyLimit

// ProviderAppRequest is the body of POST …/provider-apps, and the new values in
// an update.
type ProviderAppRequest struct {
	ExternalRef  string                     `json:"externalRef,omitempty"`
	Provider     string                     `json:"provider,omitempty"`
	ClientID     string                     `json:"clientId,omitempty"`
	ClientSecret windlass.Secret            `json:"clientSecret,omitzero"`
	Scopes       []string                   `json:"scopes,omitempty"`
	Metadata     *ProviderAppMetadataValues `json:"metadata,omitempty"`
}

// UpdateProviderAppRequest is the body of PATCH …/provider-apps/{id}.
type UpdateProviderAppRequest struct {
	// UpdateMask: externalRef, provider, clientId, clientSecret, scopes, metadata,
	// metadata.authQueryParams, metadata.providerParams.
	UpdateMask  []string           `json:"updateMask"`
	ProviderApp ProviderAppRequest `json:"providerApp"`
}

// CreateProviderApp registers an OAuth consumer. What is returned, here and
// below, has no client secret.
func (f *Flow) CreateProviderApp(ctx context.Context, project string, r ProviderAppRequest) (windlass.ProviderApp, error) {
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return windlass.ProviderApp{}, err
	}
	a := windlass.ProviderApp{
		ID: ids.New(), ProjectID: p.ID, ExternalRef: r.ExternalRef, Provider: r.Provider,
		ClientID: strings.TrimSpace(r.ClientID), ClientSecret: r.ClientSecret, Scopes: r.Scopes, Created: f.now(), Updated: f.now(),
	}
	if r.Metadata != nil {
		a.AuthParams, a.Params = r.Metadata.AuthQueryParams, r.Metadata.ProviderParams
	}
	var is input.Issues
	f.checkProviderApp(&is, &a, "")
	if err := is.Err("create the provider app", nil); err != nil {
		return windlass.ProviderApp{}, err
	}
	return withoutSecret(a), f.store.CreateProviderApp(ctx, a)
}

// checkProviderApp says what is wrong with a provider app, and reads its limit.
func (f *Flow) checkProviderApp(is *input.Issues, a *windlass.ProviderApp, at string) {
	if is.Need(a.Provider, input.Within(at, "provider")) {
		f.knownProvider(is, a.Provider, input.Within(at, "provider"))
	}
	is.Need(a.ClientID, input.Within(at, "clientId"))
	is.Need(a.ClientSecret.Reveal(), input.Within(at, "clientSecret"))
	for i, scope := range a.Scopes {
		if scope == "" || strings.ContainsAny(scope, " \t\r\n") {
			is.Addf(fmt.Sprintf("%s[%d]", input.Within(at, "scopes"), i), "%q is not one scope: write each as an entry of its own", input.Shorten(scope))
		}
	}
	a.HourlyLimit = 0
	if text, set := a.Params[HourlyLimit]; set && text != "" {
		limit, err := strconv.ParseUint(text, 10, 31)
		if err != nil || limit == 0 {
			is.Addf(input.Within(at, "metadata.providerParams."+HourlyLimit), "%q is not a number of requests: write one such as \"1000\", or leave it out", input.Shorten(text))
		}
		a.HourlyLimit = int(limit)
	}
}

// knownProvider adds an issue when there is no such provider.
func (f *Flow) knownProvider(is *input.Issues, name, at string) {
	if _, known := f.providers.Named(name); !known {
		is.Addf(at, "there is no provider %q: %s", input.Shorten(name), input.Suggest(name, f.providers.Names(), "there is "+strings.Join(f.providers.Names(), ", ")))
	}
}

// ProviderApp finds a provider app by id, or by provider if it is the only one.
func (f *Flow) ProviderApp(ctx context.Context, project, app string) (windlass.ProviderApp, error) {
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return windlass.ProviderApp{}, err
	}
	a, err := f.store.ProviderApp(ctx, p.ID, app)
	return withoutSecret(a), err
}

// ProviderApps lists a project's provider apps.
func (f *Flow) ProviderApps(ctx context.Context, project string, page windlass.Page) ([]windlass.ProviderApp, error) {
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return nil, err
	}
	all, err := f.store.ProviderApps(ctx, p.ID, page)
	for i := range all {
		all[i] = withoutSecret(all[i])
	}
	return all, err
}

// UpdateProviderApp changes what the mask names. The client secret can always be
// replaced; the client id and the provider cannot while connections were made
// with them, since no credential of theirs would work any more.
func (f *Flow) UpdateProviderApp(ctx context.Context, project, app string, r UpdateProviderAppRequest) (windlass.ProviderApp, error) {
	const op = "update the provider app"
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return windlass.ProviderApp{}, err
	}
	var a windlass.ProviderApp
	err = f.store.In(ctx, func(ctx context.Context) error {
		if a, err = f.store.ProviderApp(ctx, p.ID, app); err != nil {
			return err
		}
		before := a
		values := r.ProviderApp.Metadata
		if values == nil {
			values = &ProviderAppMetadataValues{}
		}
		authParams := func() string { a.AuthParams = values.AuthQueryParams; return "" }
		params := func() string { a.Params = values.ProviderParams; return "" }
		var is input.Issues
		is.Mask(r.UpdateMask, map[string]func() string{
			"externalRef":              func() string { a.ExternalRef = r.ProviderApp.ExternalRef; return "" },
			"provider":                 func() string { a.Provider = r.ProviderApp.Provider; return "" },
			"clientId":                 func() string { a.ClientID = strings.TrimSpace(r.ProviderApp.ClientID); return "" },
			"clientSecret":             func() string { a.ClientSecret = r.ProviderApp.ClientSecret; return "" },
			"scopes":                   func() string { a.Scopes = r.ProviderApp.Scopes; return "" },
			"metadata":                 func() string { return authParams() + params() },
			"metadata.authQueryParams": authParams,
			"metadata.providerParams":  params,
		})
		f.checkProviderApp(&is, &a, "providerApp")
		if err := is.Err(op, nil); err != nil {
			return err
		}
		if a.ClientID != before.ClientID || a.Provider != before.Provider {
			if err := f.unusedProviderApp(ctx, op, before, "create a second provider app, and let the customers connect again with it"); err != nil {
				return err
			}
		}
		a.Updated = f.now()
		return f.store.UpdateProviderApp(ctx, a)
	})
	return withoutSecret(a), err
}

// DeleteProviderApp deletes a provider app that no connection uses.
func (f *Flow) DeleteProviderApp(ctx context.Context, project, app string) error {
	const op = "delete the provider app"
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return err
	}
	return f.store.In(ctx, func(ctx context.Context) error {
		a, err := f.store.ProviderApp(ctx, p.ID, app)
		if err != nil {
			return err
		}
		if err := f.unusedProviderApp(ctx, op, a, "delete these connections first"); err != nil {
			return err
		}
		return f.store.DeleteProviderApp(ctx, p.ID, a.ID)
	})
}

// unusedProviderApp returns a conflict when connections were made with the app.
func (f *Flow) unusedProviderApp(ctx context.Context, op string, a windlass.ProviderApp, remedy string) error {
	const shown = 5
	some, err := f.store.Connections(ctx, windlass.ConnectionFilter{
		ProjectID: a.ProjectID, ProviderAppID: a.ID, Page: windlass.Page{Limit: shown + 1},
	})
	if err != nil || len(some) == 0 {
		return err
	}
	users := make([]string, 0, len(some))
	for _, c := range some {
		users = append(users, fmt.Sprintf("that of group %q (%s)", c.Group.Ref, c.ID))
	}
	if len(users) > shown {
		users[shown] = "others"
	}
	return input.Conflict(op, "connections were made with it: "+strings.Join(users, ", "), remedy)
}

func withoutSecret(a windlass.ProviderApp) windlass.ProviderApp {
	a.ClientSecret = windlass.Secret{}
	return a
}
