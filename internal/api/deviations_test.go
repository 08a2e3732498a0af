package api_test

// deviations are the places where we leave the published document, by operation
// ("*" is all), each with its reason. A key is the operation's id, a space, and
// what the check says.
var deviations = []struct{ operation, says, because string }{
	{
		"*", "Value is not nullable",
		"null in a request is read as absent",
	},
	{
		"oauthConnect", "request: key projectId",
		"published clients send projectId instead of projectIdOrName",
	},
	{
		"oauthConnect", `property "projectIdOrName" is missing`,
		"the same",
	},
	{
		"createJWTKey|listJWTKeys|getJWTKey|updateJWTKey|deleteJWTKey", "status 4",
		"only some failures are in the document, and those as application/json; ours are problems like everywhere",
	},
	{
		"searchRecords", "status 4",
		"its 400 is a problem in the document, but as application/json; ours are problems like everywhere",
	},
	{
		"searchRecords", "key results",
		"the document says result, and published clients read results: both are there",
	},
	{
		"deleteApiKey", "status 4",
		"only 404 is in the document; a frontend key gets a 403",
	},
	{
		"updateConnection", "updateMask",
		"the document's list of masks has no customAuth, and credentials that we do not have",
	},
	{
		"listProviders|getProvider", "key providerOpts",
		"not in the document, yet published clients read it without asking",
	},
	{
		"updateProject|getProject", "key allowedOrigins",
		"the contract has no list of the pages from which consents may begin",
	},
	{
		"createProject", `property "orgId" is missing`,
		"there are no organisations; it is taken where it is sent",
	},
}

// later are the operations of the published document that are not built yet.
var later = map[string]string{}

// leftOut are those that will not be built.
var leftOut = map[string]string{
	"upsertMetadataForInstallation": "creates custom fields, which Bitbucket does not have",
	"upsertMetadataForConnection":   "the same",
}

// ownOperations are ours alone.
var ownOperations = map[string]string{
	"receiveUpload": "where the signed URL leads", "finishConsent": "where a provider sends people back to",
	"openConsent": "the page that a consent's address leads to", "continueConsent": "the way on from there",
	"getDocument": "our own document",
	"actOnObject": "published in documents of their own: read.json and write.json",

	"pauseInstallation": "described in the written docs only", "unpauseInstallation": "the same",
	"listInstallationObjects": "nor whether objects are paused",
	"listDeliveries":          "the contract has no messages to look at", "getDelivery": "the same",
	"replayDelivery": "the same", "replayDeliveries": "the same",
	"getDestinationHealth": "nor a destination's health", "enableDestination": "the same", "disableDestination": "the same",
	"deleteProject": "published clients have it, the document has not", "createGroup": "the same", "createConsumer": "the same",
	"listBuilders": "the same",
	"listBudgets":  "nor budgets", "getLargeRecord": "where the signed URL leads",
}
