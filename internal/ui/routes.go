package ui

import (
	"net/http"
	"slices"

	"windlass"
)

// A route is one row of the table of everything that the dashboard answers.
type route struct {
	method, path string
	needs        windlass.Role // empty: everyone may
	handle       func(*request) error
}

// routes is the table: who may do what.
func routes() []route {
	const (
		get     = http.MethodGet
		post    = http.MethodPost
		anyone  = windlass.Role("")
		viewer  = windlass.Viewer
		editor  = windlass.Editor
		project = Prefix + "p/{project}"
	)
	return slices.Concat(installationRoutes(project), operationRoutes(project), connectionRoutes(project), integrationRoutes(project),
		keyRoutes(project), topicRoutes(project), budgetRoutes(project), []route{
			{get, Prefix + "sign-in", anyone, (*request).signInPage},
			{post, Prefix + "sign-in", anyone, (*request).signIn},
			{get, Prefix + "sign-in/{token}", anyone, (*request).linkPage},
			{post, Prefix + "sign-in/{token}", anyone, (*request).signInByLink},
			{get, Prefix + "oidc", anyone, (*request).beginOIDC},
			{get, OIDCCallback, anyone, (*request).finishOIDC},
			{post, Prefix + "sign-out", viewer, (*request).signOut},
			{get, Prefix + "account", viewer, (*request).accountPage},
			{post, Prefix + "account/password", editor, (*request).setPassword},

			{get, Prefix + "{$}", viewer, (*request).projectsPage},
			{post, Prefix + "projects", editor, (*request).createProject},
			{get, Prefix + "audit", viewer, (*request).auditPage},
			{get, project, viewer, (*request).projectPage},
			{post, project + "/settings", editor, (*request).updateProject},

			{get, project + "/provider-apps", viewer, (*request).providerAppsPage},
			{post, project + "/provider-apps", editor, (*request).createProviderApp},
			{get, project + "/provider-apps/{app}", viewer, (*request).providerAppPage},
			{post, project + "/provider-apps/{app}", editor, (*request).updateProviderApp},
			{post, project + "/provider-apps/{app}/delete", editor, (*request).deleteProviderApp},

			{get, project + "/destinations", viewer, (*request).destinationsPage},
			{post, project + "/destinations", editor, (*request).createDestination},
			{get, project + "/destinations/{destination}", viewer, (*request).destinationPage},
			{post, project + "/destinations/{destination}", editor, (*request).updateDestination},
			{post, project + "/destinations/{destination}/reveal", editor, (*request).revealSecret},
			{post, project + "/destinations/{destination}/rotate", editor, (*request).rotateSecret},
			{post, project + "/destinations/{destination}/switch", editor, (*request).switchDestination},
			{post, project + "/destinations/{destination}/delete", editor, (*request).deleteDestination},

			{get, project + "/deliveries", viewer, (*request).deliveriesPage},
			{post, project + "/deliveries/replay", editor, (*request).replayDeliveries},
			{get, project + "/deliveries/{delivery}", viewer, (*request).deliveryPage},
			{post, project + "/deliveries/{delivery}/replay", editor, (*request).replayDelivery},
		})
}

// projectMenu are the pages of a project, in the order of the menu.
var projectMenu = []struct{ name, path string }{
	{"Installations", "installations"},
	{"Connections", "connections"},
	{"Integrations", "integrations"},
	{"Operations", "operations"},
	{"Deliveries", "deliveries"},
	{"Destinations", "destinations"},
	{"Provider apps", "provider-apps"},
	{"Topics", "topics"},
	{"Keys", "keys"},
	{"Budget", "budget"},
}
