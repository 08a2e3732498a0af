package connect

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"windlass"
	"windlass/connector"
)

// Ask describes the connection to make: for which customer, to which workspace.
type Ask struct {
	Project  string // id or name
	Provider string
	// ProviderApp is the id of one; empty means the only one that the project has
	// for the provider.
	ProviderApp  string
	GroupRef     string
	GroupName    string
	ConsumerRef  string
	ConsumerName string
	// Workspace is the provider's workspace. It may be given here, as the value
	// "workspace" of Metadata, or the same in both.
	Workspace string
	Metadata  map[string]windlass.MetadataValue
}

// The names under which a connection's metadata hold its workspace: as it was
// named, and the provider's id of it.
const (
	metaWorkspace   = "workspace"
	metaWorkspaceID = "workspaceId"
)

const (
	sourceInput    = "input"
	sourceProvider = "provider"
)

// Limits of what a caller may send: characters of a name or of a metadata value, and
// values of metadata.
const (
	maxName          = 256
	maxMetadataValue = 4096
	maxMetadata      = 32
	tooLong          = "is too long, or holds a control character"
	tooMuchOfMeta    = "holds too many values, or one that is too long or has a control character"
)

// isName reports whether a text can be a name, or none.
func isName(text string) bool {
	return len(text) <= maxName*utf8.UTFMax && utf8.RuneCountInString(text) <= maxName && !strings.ContainsFunc(text, unicode.IsControl)
}

// areMetadata reports whether there is no more of them than can be kept.
func areMetadata(values map[string]windlass.MetadataValue) bool {
	for name, value := range values {
		if !isName(name) || !isName(value.DisplayName) || len(value.Value) > maxMetadataValue || strings.ContainsFunc(value.Value, unicode.IsControl) {
			return false
		}
	}
	return len(values) <= maxMetadata
}

// subject is a checked Ask: the new connection, and its provider and provider app.
type subject struct {
	connection windlass.Connection
	provider   connector.Provider
	app        windlass.ProviderApp // zero where none is needed
}

// check checks an Ask, and reports all of its issues at once.
func (s *Service) check(ctx context.Context, op string, ask Ask, needsApp bool) (subject, error) {
	workspace, issues := ask.faults()
	if len(issues) > 0 {
		return subject{}, &windlass.Error{Kind: windlass.Invalid, Op: op, Message: "the request is not complete", Issues: issues}
	}
	provider, err := s.provider(op, ask.Provider)
	if err != nil {
		return subject{}, err
	}
	if needsApp {
		if _, err := s.oauth(op, provider); err != nil {
			return subject{}, err
		}
	}
	project, err := s.store.Project(ctx, ask.Project)
	if err != nil {
		if errors.Is(err, windlass.NotFound) {
			err = &windlass.Error{Kind: windlass.NotFound, Message: "there is no project " + quote(ask.Project), Err: err}
		}
		return subject{}, explain(op, err)
	}
	checked := subject{provider: provider}
	if needsApp {
		if checked.app, err = s.app(ctx, project.ID, ask.Provider, ask.ProviderApp); err != nil {
			return subject{}, explain(op, err)
		}
	}
	metadata := map[string]windlass.MetadataValue{}
	maps.Copy(metadata, ask.Metadata)
	delete(metadata, metaWorkspaceID) // only the provider may set it
	metadata[metaWorkspace] = windlass.MetadataValue{Value: workspace, Source: sourceInput}
	checked.connection = windlass.Connection{
		ProjectID: project.ID, Provider: ask.Provider, ProviderAppID: checked.app.ID,
		Group:     windlass.Group{ProjectID: project.ID, Ref: ask.GroupRef, Name: ask.GroupName},
		Consumer:  windlass.Consumer{ProjectID: project.ID, Ref: ask.ConsumerRef, Name: ask.ConsumerName},
		Workspace: workspace, Metadata: metadata,
	}
	return checked, nil
}

// faults returns the requested workspace, and all issues.
func (a Ask) faults() (workspace string, issues []windlass.Issue) {
	fault := func(name, message string) {
		issues = append(issues, windlass.Issue{In: "body", Name: name, Message: message})
	}
	for _, required := range []struct{ name, value string }{
		{"projectIdOrName", a.Project}, {"provider", a.Provider}, {"groupRef", a.GroupRef}, {"consumerRef", a.ConsumerRef},
	} {
		switch {
		case required.value == "":
			fault(required.name, "is required")
		case !isName(required.value):
			fault(required.name, tooLong)
		}
	}
	for _, optional := range []struct{ name, value string }{
		{"groupName", a.GroupName}, {"consumerName", a.ConsumerName}, {"providerAppId", a.ProviderApp},
	} {
		if !isName(optional.value) {
			fault(optional.name, tooLong)
		}
	}
	if !areMetadata(a.Metadata) {
		fault("providerMetadata", tooMuchOfMeta)
	}
	named, meta := strings.TrimSpace(a.Workspace), strings.TrimSpace(a.Metadata[metaWorkspace].Value)
	workspace = named
	switch {
	case named != "" && meta != "" && named != meta:
		fault("providerWorkspaceRef", "names "+quote(named)+", while providerMetadata.workspace names "+quote(meta))
	case named == "":
		workspace = meta
	}
	switch {
	case workspace == "":
		fault("providerWorkspaceRef", "is required: the workspace's name as in its URL")
	case !isWorkspace(workspace):
		fault("providerWorkspaceRef", notWorkspace)
	}
	return workspace, issues
}

const notWorkspace = "is not a workspace's name, which is one part of a URL, without slashes or spaces"

// isWorkspace reports whether a text can be a workspace's name or id.
func isWorkspace(text string) bool {
	return text != "" && len(text) <= maxName && text != "." && text != ".." &&
		!strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) || r == '/' || r == '\\' })
}

// app finds the requested provider app.
func (s *Service) app(ctx context.Context, projectID, provider, id string) (windlass.ProviderApp, error) {
	all, err := s.store.ProviderApps(ctx, projectID, windlass.Page{})
	if err != nil {
		return windlass.ProviderApp{}, err
	}
	apps := slices.DeleteFunc(slices.Clone(all), func(app windlass.ProviderApp) bool {
		return app.Provider != provider || (id != "" && app.ID != id)
	})
	switch {
	case len(apps) == 1:
		return apps[0], nil
	case id != "":
		return windlass.ProviderApp{}, &windlass.Error{
			Kind:    windlass.NotFound,
			Message: "the project has no provider app " + quote(id) + " for " + provider,
			Issues:  []windlass.Issue{{In: "body", Name: "providerAppId", Message: "not a provider app of this project and provider"}},
		}
	case len(apps) == 0:
		return windlass.ProviderApp{}, &windlass.Error{
			Kind:    windlass.NotFound,
			Message: "the project has no provider app for " + provider,
			Remedy:  "create one with the client id and secret of an OAuth consumer",
		}
	default:
		return windlass.ProviderApp{}, &windlass.Error{
			Kind:    windlass.Conflict,
			Message: "the project has several provider apps for " + provider,
			Issues:  []windlass.Issue{{In: "body", Name: "providerAppId", Message: "is required to choose one of them"}},
		}
	}
}
