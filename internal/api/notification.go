package api

import (
	"time"

	"windlass"
)

// topic is a name under which notifications are gathered, in the contract's shape.
type topic struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	ProjectID  string    `json:"projectId"`
	CreateTime time.Time `json:"createTime"`
	UpdateTime time.Time `json:"updateTime,omitzero"`
}

type topicRequest struct {
	Name string `json:"name"`
}

func asTopic(t windlass.Topic) topic {
	return topic{t.ID, t.Name, t.ProjectID, t.Created.UTC(), t.Updated.UTC()}
}

func (a *API) listTopics(c *call, p windlass.Page) (listed[topic], error) {
	all, err := a.notify.Topics(c.ctx(), c.project.ID, p)
	return asList(p, all, func(x windlass.Topic) string { return x.ID }, asTopic), err
}

func (a *API) createTopic(c *call, r topicRequest) (topic, error) {
	made, err := a.notify.CreateTopic(c.ctx(), c.project.ID, r.Name)
	return asTopic(made), err
}

func (a *API) updateTopic(c *call, r topicRequest) (topic, error) {
	changed, err := a.notify.RenameTopic(c.ctx(), c.project.ID, c.param("topicId"), r.Name)
	return asTopic(changed), err
}

func (a *API) deleteTopic(c *call) error {
	return a.notify.DeleteTopic(c.ctx(), c.project.ID, c.param("topicId"))
}

// eventRoute leads an event to a topic, in the contract's shape.
type eventRoute struct {
	ID         string    `json:"id"`
	EventType  string    `json:"eventType"`
	TopicID    string    `json:"topicId"`
	ProjectID  string    `json:"projectId"`
	CreateTime time.Time `json:"createTime"`
	UpdateTime time.Time `json:"updateTime,omitzero"`
}

type eventRouteRequest struct {
	EventType string `json:"eventType"`
	TopicID   string `json:"topicId"`
}

func asEventRoute(r windlass.EventRoute) eventRoute {
	return eventRoute{r.ID, r.Event, r.TopicID, r.ProjectID, r.Created.UTC(), r.Updated.UTC()}
}

func (a *API) listEventRoutes(c *call, p windlass.Page) (listed[eventRoute], error) {
	all, err := a.notify.EventRoutes(c.ctx(), c.project.ID, c.query.Get("topicId"), c.query.Get("eventType"), p)
	return asList(p, all, func(x windlass.EventRoute) string { return x.ID }, asEventRoute), err
}

func (a *API) createEventRoute(c *call, r eventRouteRequest) (eventRoute, error) {
	made, err := a.notify.RouteEvent(c.ctx(), c.project.ID, r.EventType, r.TopicID)
	return asEventRoute(made), err
}

func (a *API) deleteEventRoute(c *call) error {
	return a.notify.UnrouteEvent(c.ctx(), c.project.ID, c.param("routeId"))
}

// topicRoute leads a topic to a destination, in the contract's shape.
type topicRoute struct {
	ID            string    `json:"id"`
	TopicID       string    `json:"topicId"`
	DestinationID string    `json:"destinationId"`
	ProjectID     string    `json:"projectId"`
	CreateTime    time.Time `json:"createTime"`
}

type topicRouteRequest struct {
	TopicID       string `json:"topicId"`
	DestinationID string `json:"destinationId"`
}

func asTopicRoute(r windlass.TopicRoute) topicRoute {
	return topicRoute{r.ID, r.TopicID, r.DestinationID, r.ProjectID, r.Created.UTC()}
}

func (a *API) listTopicRoutes(c *call, p windlass.Page) (listed[topicRoute], error) {
	all, err := a.notify.TopicRoutes(c.ctx(), c.project.ID, c.query.Get("topicId"), c.query.Get("destinationId"), p)
	return asList(p, all, func(x windlass.TopicRoute) string { return x.ID }, asTopicRoute), err
}

func (a *API) createTopicRoute(c *call, r topicRouteRequest) (topicRoute, error) {
	made, err := a.notify.RouteTopic(c.ctx(), c.project.ID, r.TopicID, r.DestinationID)
	return asTopicRoute(made), err
}

func (a *API) deleteTopicRoute(c *call) error {
	return a.notify.UnrouteTopic(c.ctx(), c.project.ID, c.param("routeId"))
}
