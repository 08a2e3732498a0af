package api

import (
	"net/http"

	"windlass/internal/auth"
)

var (
	pageSize  = param{name: "pageSize", kind: "int", about: "The page size; 50 by default, 500 at most."}
	pageToken = param{name: "pageToken", about: "The nextPageToken of the previous page."}
	listToken = param{name: "pageToken", about: "From the header Link of the previous page. Without it and without pageSize the answer is the whole list."}
)

// operationRoutes are about activity: reads, deliveries, notifications.
func operationRoutes() []route {
	const (
		installation = inIntegration + "/installations/{installationId}"
		operation    = inProject + "/operations/{operationId}"
		deliveries   = inProject + "/deliveries"
		delivery     = deliveries + "/{deliveryId}"
		dest         = inProject + "/destinations/{destination}"
	)
	return []route{
		{http.MethodPost, inIntegration + "/objects/{objectName}", "actOnObject", auth.Server, 201, "Write records when the body has a type; otherwise read the object now.", nil, actsOnObject()},
		{http.MethodPost, inProject + "/integrations/{integrationIdOrName}", "searchRecords", auth.Server, 200, "Search a customer's records by the values of their fields.", []param{{name: "groupRef", required: true, about: "The group whose records are searched."}}, searches()},
		{http.MethodPost, installation + ":pause", "pauseInstallation", auth.Server, 204, "Pause the reads of an installation, or of some objects.", nil, mayAccept((*API).pauseReads)},
		{http.MethodPost, installation + ":unpause", "unpauseInstallation", auth.Server, 204, "End the pause; what changed meanwhile is read at once.", nil, mayAccept((*API).unpauseReads)},
		{http.MethodGet, installation + "/objects", "listInstallationObjects", auth.Server, 200, "List the objects of an installation with the state of their reads.", nil, gives((*API).objectStates)},
		{http.MethodGet, installation + "/operations", "listOperations", auth.Person, 200, "List the operations of an installation, the latest first.", []param{
			pageSize, pageToken,
			{name: "objectName", about: "Only those of this object."},
			{name: "status", oneOf: []string{"in_progress", "success", "failure"}, about: "Only those of this status."},
		}, gives((*API).listOperations)},
		{http.MethodGet, installation + "/objects/{objectName}/backfill-progress", "getBackfillProgress", auth.Person, 200, "Get the progress of the latest backfill of an object.", nil, gives((*API).backfillProgress)},
		{http.MethodGet, operation, "getOperation", auth.Person, 200, "Get an operation.", nil, gives((*API).getOperation)},
		{http.MethodGet, operation + "/logs", "listOperationLogs", auth.Person, 200, "Get the log of an operation, from its beginning.", nil, lists((*API).operationLogs)},

		{http.MethodGet, deliveries, "listDeliveries", auth.Server, 200, "List messages, the newest first.", []param{
			pageSize, pageToken,
			{name: "destination", about: "Only those to this destination, by id or name."},
			{name: "installationId", about: "Only those of this installation."},
			{name: "operationId", about: "Only those of this operation."},
			{name: "status", oneOf: []string{"pending", "delivered", "failed"}, about: "Only those of this status."},
			{name: "since", about: "Only those created at this time or later."},
			{name: "until", about: "Only those created before this time."},
		}, gives((*API).listDeliveries)},
		{http.MethodGet, delivery, "getDelivery", auth.Server, 200, "Get a message with its attempts.", []param{
			{name: "includeBody", kind: "bool", about: "Show the body, exactly as it is sent."},
		}, gives((*API).getDelivery)},
		{http.MethodPost, delivery + ":replay", "replayDelivery", auth.Server, 200, "Replay a message, with the same id and bytes.", nil, gives((*API).replayDelivery)},
		{http.MethodPost, deliveries + ":replay", "replayDeliveries", auth.Server, 200, "Replay many messages: of a destination, of a time range, or those that failed.", nil, takes((*API).replayDeliveries)},
		{http.MethodGet, dest + "/health", "getDestinationHealth", auth.Server, 200, "Get the health of the deliveries to a destination.", nil, gives((*API).destinationHealth)},
		{http.MethodPost, dest + ":enable", "enableDestination", auth.Server, 200, "Enable a destination: waiting messages are sent.", nil, gives((*API).enableDestination)},
		{http.MethodPost, dest + ":disable", "disableDestination", auth.Server, 200, "Disable a destination: its messages are kept until it is enabled.", nil, gives((*API).disableDestination)},

		{http.MethodGet, inProject + "/budgets", "listBudgets", auth.Server, 200, "List the request budgets: the requests of the last hour, and the limits.", nil, gives((*API).listBudgets)},
		{http.MethodGet, "/v1/large-records/{recordId}", "getLargeRecord", auth.Anyone, 200, "Download a record that was too large for a message, from the URL in that message.", []param{
			{name: "token", required: true, about: "Part of the URL already."},
		}, gives((*API).getLargeRecord)},
	}
}

// notificationRoutes are about topics and their routes.
func notificationRoutes() []route {
	const (
		topics = inProject + "/topics"
		topic  = topics + "/{topicId}"
		events = inProject + "/notification-event-topic-routes"
		routes = inProject + "/topic-destination-routes"
	)
	ofTopic := param{name: "topicId", about: "Only those of this topic."}
	return []route{
		{http.MethodGet, topics, "listTopics", auth.Server, 200, "List the topics.", nil, lists((*API).listTopics)},
		{http.MethodPost, topics, "createTopic", auth.Server, 201, "Create a topic.", nil, takes((*API).createTopic)},
		{http.MethodPatch, topic, "updateTopic", auth.Server, 200, "Rename a topic.", nil, takes((*API).updateTopic)},
		{http.MethodDelete, topic, "deleteTopic", auth.Server, 204, "Delete a topic with its routes.", nil, does((*API).deleteTopic)},
		{http.MethodGet, events, "listEventTopicRoutes", auth.Server, 200, "List which events go to which topics.", []param{
			ofTopic, {name: "eventType", about: "Only those of this event."},
		}, lists((*API).listEventRoutes)},
		{http.MethodPost, events, "createEventTopicRoute", auth.Server, 201, "Route an event to a topic.", nil, takes((*API).createEventRoute)},
		{http.MethodDelete, events + "/{routeId}", "deleteEventTopicRoute", auth.Server, 204, "Delete a route of an event.", nil, does((*API).deleteEventRoute)},
		{http.MethodGet, routes, "listTopicDestinationRoutes", auth.Server, 200, "List which topics go to which destinations.", []param{
			ofTopic, {name: "destinationId", about: "Only those to this destination."},
		}, lists((*API).listTopicRoutes)},
		{http.MethodPost, routes, "createTopicDestinationRoute", auth.Server, 201, "Route a topic to a destination.", nil, takes((*API).createTopicRoute)},
		{http.MethodDelete, routes + "/{routeId}", "deleteTopicDestinationRoute", auth.Server, 204, "Delete a route of a topic.", nil, does((*API).deleteTopicRoute)},
	}
}
