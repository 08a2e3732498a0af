package notify

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"windlass"
	"windlass/internal/sink"
)

// Store keeps topics and routes, and the messages to send. What does not exist is an
// error of kind windlass.NotFound, what already exists one of kind windlass.Conflict.
type Store interface {
	// In runs a function in one transaction, which the calls that are given its
	// context join.
	In(ctx context.Context, do func(ctx context.Context) error) error

	Project(ctx context.Context, idOrName string) (windlass.Project, error)
	Destination(ctx context.Context, projectID, idOrName string) (windlass.Destination, error)

	CreateTopic(ctx context.Context, t windlass.Topic) error
	Topic(ctx context.Context, projectID, idOrName string) (windlass.Topic, error)
	Topics(ctx context.Context, projectID string, page windlass.Page) ([]windlass.Topic, error)
	UpdateTopic(ctx context.Context, t windlass.Topic) error
	DeleteTopic(ctx context.Context, projectID, id string) error

	RouteStore
	Outbox
}

// RouteStore keeps routes.
type RouteStore interface {
	CreateEventRoute(ctx context.Context, e windlass.EventRoute) error
	EventRoutes(ctx context.Context, projectID, topicID, event string, page windlass.Page) ([]windlass.EventRoute, error)
	DeleteEventRoute(ctx context.Context, projectID, id string) error

	CreateTopicRoute(ctx context.Context, t windlass.TopicRoute) error
	TopicRoutes(ctx context.Context, projectID, topicID, destinationID string, page windlass.Page) ([]windlass.TopicRoute, error)
	DeleteTopicRoute(ctx context.Context, projectID, id string) error

	// Listeners lists the destinations that an event is routed to, each once. They
	// are not locked.
	Listeners(ctx context.Context, projectID, event string) ([]windlass.Destination, error)
}

// Outbox stores messages to deliver.
type Outbox interface {
	AddBatches(ctx context.Context, batches []windlass.Batch) error
}

// Config is what a Service is made of. Store and Sinks are required.
type Config struct {
	Store Store
	// Sinks makes messages: the server's types of destinations.
	Sinks *sink.Table
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Service tells products what happened. It is safe for concurrent use.
type Service struct {
	store Store
	sinks *sink.Table
	now   func() time.Time
}

// New returns a Service.
func New(config Config) (*Service, error) {
	if config.Store == nil || config.Sinks == nil {
		return nil, &windlass.Error{Kind: windlass.Invalid, Op: "set up notifications", Message: "a store and the types of destinations are required"}
	}
	s := &Service{store: config.Store, sinks: config.Sinks, now: config.Now}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// Lane is the lane of notifications: each destination has one.
const Lane = "notifications"

// about is the part of the data that says what it belongs to.
type about struct {
	InstallationID string `json:"installationId"`
	ObjectName     string `json:"objectName"`
}

// Notify sends an event of a project to the destinations of its topics, within
// the transaction of ctx if there is one. data becomes a JSON object: one of the
// notices of package windlass. A repeated call sends it again.
func (s *Service) Notify(ctx context.Context, projectID, event string, data any) error {
	op := "notify of " + event
	if !slices.Contains(windlass.Events(), event) {
		return &windlass.Error{Kind: windlass.Invalid, Op: op, Message: "there is no such event"}
	}
	listeners, err := s.store.Listeners(ctx, projectID, event)
	if err != nil || len(listeners) == 0 {
		return err
	}
	encoded, refers, err := render(data)
	if err != nil {
		return &windlass.Error{Kind: windlass.Internal, Op: op, Message: "the data of the event is not a JSON object", Err: err}
	}
	operation := ""
	if of, ok := data.(interface{ Operation() string }); ok {
		operation = of.Operation()
	}
	of := sink.Stream{
		Kind: event, Lane: Lane, ProjectID: projectID,
		InstallationID: refers.InstallationID, OperationID: operation, Object: refers.ObjectName,
	}
	var batches []windlass.Batch
	for i := range listeners {
		made, err := s.sinks.Batches(listeners[i], of, []sink.Entry{{JSON: encoded}}, s.now())
		if err != nil {
			return err
		}
		batches = append(batches, made...)
	}
	return s.store.AddBatches(ctx, batches)
}

func render(data any) (encoded []byte, refers about, err error) {
	if encoded, err = json.Marshal(data); err != nil {
		return nil, refers, err
	}
	return encoded, refers, json.Unmarshal(encoded, &refers)
}
