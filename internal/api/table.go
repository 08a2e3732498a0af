package api

import (
	"net/http"
	"slices"

	"windlass/internal/auth"
	"windlass/internal/connect"
)

// Parameters that several operations have.
var (
	inGroup         = param{name: "groupRef", about: "Only those of this group."}
	ofGroup         = param{name: "groupRef", required: true, about: "The group whose fields are returned."}
	skipSampling    = param{name: "skipSampling", kind: "bool", about: "Do not try the config on the provider first."}
	destructive     = param{name: "destructive", kind: "bool", about: "Disable the reads of objects that the manifest no longer has; without it they go on where they are installed."}
	excludeReadOnly = param{name: "excludeReadOnly", kind: "bool", about: "Leave out the fields that cannot be written."}
	onlyActive      = param{name: "active", kind: "bool", about: "Only the active ones."}
)

// The path prefixes of most operations.
const (
	inProject     = "/v1/projects/{projectIdOrName}"
	inIntegration = inProject + "/integrations/{integrationId}"
)

// routes is the table of all operations: who may call which, what goes in and
// what comes out. The dispatcher, the checks and the document read it.
func routes() []route {
	all := slices.Concat(setupRoutes(), customerRoutes(), operationRoutes(), notificationRoutes(), publicRoutes())
	for i := range all {
		if all[i].op.lists {
			all[i].query = append(slices.Clip(all[i].query), pageSize, listToken)
		}
	}
	return all
}

// setupRoutes are what a product sets up.
func setupRoutes() []route {
	const (
		app  = inProject + "/provider-apps/{providerAppId}"
		one  = inProject + "/integrations/{integrationIdOrName}"
		dest = inProject + "/destinations/{destination}"
		key  = inProject + "/api-keys/{apiKey}"
		jwt  = inProject + "/jwt-keys/{keyId}"
	)
	return []route{
		{http.MethodGet, "/v1/projects", "listProjects", auth.Browser, 200, "List the projects that the credential can see.", nil, lists((*API).listProjects)},
		{http.MethodPost, "/v1/projects", "createProject", auth.Operator, 201, "Create a project.", nil, takes((*API).createProject)},
		{http.MethodGet, inProject, "getProject", auth.Person, 200, "Get a project.", []param{{name: "includeEntitlements", kind: "bool", about: "Include what the project may use."}}, gives((*API).getProject)},
		{http.MethodPatch, inProject, "updateProject", auth.Server, 200, "Change the fields that the mask names: name, appName.", nil, takes((*API).updateProject)},
		{http.MethodDelete, inProject, "deleteProject", auth.Operator, 204, "Delete a project that is empty, except for names of customers.", nil, does((*API).deleteProject)},
		{http.MethodGet, "/v1/my-info", "getMyInfo", auth.Browser, 200, "Get the owner of the credential, and its projects.", nil, gives((*API).getMyInfo)},
		{http.MethodGet, "/v1/orgs/{orgId}/builders", "listBuilders", auth.Browser, 200, "List the people of an organisation: always empty here.", nil, lists((*API).listBuilders)},

		{http.MethodGet, inProject + "/provider-apps", "listProviderApps", auth.Person, 200, "List the provider apps, without their secrets.", nil, lists((*API).listProviderApps)},
		{http.MethodPost, inProject + "/provider-apps", "createProviderApp", auth.Server, 200, "Register an OAuth consumer.", nil, takes((*API).createProviderApp)},
		{http.MethodPatch, app, "updateProviderApp", auth.Server, 200, "Change the fields that the mask names.", nil, takes((*API).updateProviderApp)},
		{http.MethodDelete, app, "deleteProviderApp", auth.Server, 204, "Delete a provider app that no connection uses.", nil, does((*API).deleteProviderApp)},

		{http.MethodGet, inProject + "/integrations", "listIntegrations", auth.Person, 200, "List the integrations with their latest revisions.", nil, lists((*API).listIntegrations)},
		{http.MethodPost, inProject + "/integrations", "createIntegration", auth.Server, 201, "Deploy one integration that does not exist yet.", nil, accepts((*API).createIntegration)},
		{http.MethodPut, inProject + "/integrations:batch", "batchUpsertIntegrations", auth.Server, 200, "Deploy the integrations of a manifest.", []param{destructive}, takes((*API).batchUpsertIntegrations)},
		{http.MethodGet, one, "getIntegration", auth.Person, 200, "Get an integration.", nil, gives((*API).getIntegration)},
		{http.MethodDelete, one, "deleteIntegration", auth.Server, 204, "Delete an integration with its installations.", nil, does((*API).deleteIntegration)},
		{http.MethodPost, inIntegration + "/revisions", "createRevision", auth.Server, 201, "Deploy one integration of a manifest.", []param{destructive}, accepts((*API).createRevision)},
		{http.MethodGet, "/v1/generate-upload-url", "generateUploadUrl", auth.Server, 200, "Get a URL to upload a zip with an amp.yaml to.", []param{{name: "md5", about: "The MD5 of the zip, in base64."}}, gives((*API).generateUploadURL)},

		{http.MethodGet, inProject + "/destinations", "listDestinations", auth.Server, 200, "List the destinations.", nil, lists((*API).listDestinations)},
		{http.MethodPost, inProject + "/destinations", "createDestination", auth.Server, 201, "Make a destination, with a signing secret if its type signs.", nil, takes((*API).createDestination)},
		{http.MethodGet, dest, "getDestination", auth.Server, 200, "Get a destination.", []param{
			{name: "includeSecrets", kind: "bool", about: "Show the signing secret."},
			{name: "rotate", kind: "bool", changes: true, about: "Create a new signing secret first; the old ones stay valid."},
		}, gives((*API).getDestination)},
		{http.MethodPatch, dest, "updateDestination", auth.Server, 200, "Change the fields that the mask names: name, metadata, metadata.url, metadata.headers.", nil, takes((*API).updateDestination)},
		{http.MethodDelete, dest, "deleteDestination", auth.Server, 204, "Delete a destination that is not in use.", nil, does((*API).deleteDestination)},

		{http.MethodGet, inProject + "/api-keys", "listApiKeys", auth.Server, 200, "List the API keys, each by its public part.", []param{onlyActive}, lists((*API).listAPIKeys)},
		{http.MethodPost, inProject + "/api-keys", "createApiKey", auth.Server, 201, "Create an API key. It is shown in this answer only.", nil, takes((*API).createAPIKey)},
		{http.MethodGet, key, "getApiKey", auth.Server, 200, "Get an API key by its public part.", nil, gives((*API).getAPIKey)},
		{http.MethodPatch, key, "updateApiKey", auth.Server, 200, "Change the fields that the mask names: label, active, scopes.", nil, takes((*API).updateAPIKey)},
		{http.MethodDelete, key, "deleteApiKey", auth.Server, 204, "Delete an API key.", nil, does((*API).deleteAPIKey)},
		{http.MethodGet, inProject + "/jwt-keys", "listJWTKeys", auth.Server, 200, "List the public keys that verify tokens.", []param{onlyActive}, lists((*API).listJWTKeys)},
		{http.MethodPost, inProject + "/jwt-keys", "createJWTKey", auth.Server, 201, "Register a public key.", nil, takes((*API).createJWTKey)},
		{http.MethodGet, jwt, "getJWTKey", auth.Server, 200, "Get a public key.", nil, gives((*API).getJWTKey)},
		{http.MethodPatch, jwt, "updateJWTKey", auth.Server, 200, "Change the fields that the mask names: label, active.", nil, takes((*API).updateJWTKey)},
		{http.MethodDelete, jwt, "deleteJWTKey", auth.Server, 204, "Delete a public key.", nil, does((*API).deleteJWTKey)},
	}
}

// customerRoutes are operations for one customer, from a server or from that customer's
// browser.
func customerRoutes() []route {
	const (
		installations = inIntegration + "/installations"
		installation  = installations + "/{installationId}"
		connections   = inProject + "/connections"
		connection    = connections + "/{connectionId}"
	)
	return []route{
		{http.MethodGet, inIntegration + "/revisions/{revisionId}:hydrate", "getHydratedRevision", auth.Person, 200, "Get a revision with the fields that a connection sees.", []param{{name: "connectionId", required: true, about: "The connection to use."}}, gives((*API).hydrateRevision)},
		{http.MethodGet, installations, "listInstallations", auth.Person, 200, "List an integration's installations.", []param{inGroup}, lists((*API).listInstallations)},
		{http.MethodPost, installations, "createInstallation", auth.Person, 201, "Install an integration for a group.", []param{skipSampling}, takes((*API).createInstallation)},
		{http.MethodGet, installation, "getInstallation", auth.Person, 200, "Get an installation.", nil, gives((*API).getInstallation)},
		{http.MethodPatch, installation, "updateInstallation", auth.Person, 200, "Change the fields that the mask names.", []param{skipSampling}, takes((*API).updateInstallation)},
		{http.MethodDelete, installation, "deleteInstallation", auth.Person, 204, "Uninstall. The connection stays.", nil, does((*API).deleteInstallation)},
		{http.MethodGet, inProject + "/installations", "listInstallationsForProject", auth.Person, 200, "List the installations of all integrations.", []param{inGroup}, lists((*API).listInstallations)},
		{http.MethodPatch, inIntegration + "/objects/{objectName}/config-content", "patchObjectConfigContent", auth.Person, 200, "Change the config of one object by JSON Patch.", nil, takes((*API).patchObjectConfigContent)},
		{http.MethodGet, inIntegration + "/objects/{objectName}/metadata", "getObjectMetadataForInstallation", auth.Person, 200, "Get an object's fields as an installation sees them.", []param{ofGroup, excludeReadOnly}, gives((*API).installationObjectMetadata)},
		{http.MethodGet, inProject + "/providers/{provider}/objects/{objectName}/metadata", "getObjectMetadataForConnection", auth.Person, 200, "Get an object's fields as a connection sees them.", []param{ofGroup, excludeReadOnly}, gives((*API).connectionObjectMetadata)},

		{http.MethodPost, inProject + "/groups", "createGroup", auth.Person, 201, "Add or rename a group.", nil, takes((*API).createGroup)},
		{http.MethodPost, inProject + "/consumers", "createConsumer", auth.Person, 201, "Add or rename a consumer.", nil, takes((*API).createConsumer)},
		{http.MethodPost, consentPath, "oauthConnect", auth.Person, 200, "Begin a consent; the answer is the URL to open.", nil, takes((*API).startConsent)},
		{http.MethodPatch, connection + consentVerb, "oauthUpdate", auth.Person, 200, "Begin a consent that replaces a connection's credentials.", nil, gives((*API).restartConsent)},
		{http.MethodGet, connections, "listConnections", auth.Person, 200, "List connections.", []param{
			{name: "provider", about: "Only those of this provider."}, inGroup, {name: "consumerRef", about: "Only those of this consumer."},
		}, lists((*API).listConnections)},
		{http.MethodPost, connections + ":generate", "generateConnection", auth.Person, 201, "Create a connection from existing credentials.", nil, takes((*API).generateConnection)},
		{http.MethodGet, connection, "getConnection", auth.Person, 200, "Get a connection.", []param{
			{name: "includeCreds", kind: "bool", about: "Show the access token; needs a key of scope full."},
			{name: "includeRefreshToken", kind: "bool", about: "Show the refresh token too; needs a key of scope full."},
			{name: "refresh", oneOf: []string{"force", "ifExpired"}, changes: true, about: "Refresh the access token first; force needs a key of scope full."},
		}, gives((*API).getConnection)},
		{http.MethodPatch, connection, "updateConnection", auth.Person, 200, "Change the fields that the mask names.", nil, takes((*API).updateConnection)},
		{http.MethodDelete, connection, "deleteConnection", auth.Person, 204, "Delete a connection that no installation uses.", nil, does((*API).deleteConnection)},
	}
}

// publicRoutes need no credential.
func publicRoutes() []route {
	return []route{
		{http.MethodGet, "/v1/providers", "listProviders", auth.Anyone, 200, "Get the catalog of providers, by name.", nil, gives((*API).listProviders)},
		{http.MethodGet, "/v1/providers/{provider}", "getProvider", auth.Anyone, 200, "Get one provider.", nil, gives((*API).getProvider)},
		{http.MethodPut, "/v1/uploads/{upload}", "receiveUpload", auth.Anyone, 200, "Upload a zip, to a URL from generateUploadUrl.", []param{{name: "token", required: true, about: "Part of the URL already."}}, does((*API).receiveUpload)},
		{http.MethodGet, callbackPath + connect.BeginPath, "openConsent", auth.Anyone, 200, "The first page of a consent: it says what the product asks for.", []param{
			{name: connect.TicketParam, about: "The consent."},
		}, gives((*API).openConsent)},
		{http.MethodGet, callbackPath + connect.ContinuePath, "continueConsent", auth.Anyone, 303, "Continue from that page to the provider.", []param{
			{name: connect.TicketParam, about: "The consent."}, {name: connect.ConfirmParam, about: "Proof that the page was seen in this browser."},
		}, gives((*API).continueConsent)},
		{http.MethodGet, callbackPath, "finishConsent", auth.Anyone, 200, "The callback: the provider redirects the browser to it.", []param{
			{name: "state", about: "The state of the consent."},
			{name: "code", about: "The code to exchange for tokens."},
			{name: "error", about: "Why there is no code."},
			{name: "error_description", about: "The reason in words."},
		}, gives((*API).finishConsent)},
		{http.MethodGet, "/openapi.json", "getDocument", auth.Anyone, 200, "This document.", nil, gives((*API).getDocument)},
	}
}
