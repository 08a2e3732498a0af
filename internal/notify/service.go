package notify

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"windlass"
)

// Store keeps topics and routes, and takes what is to be sent. What is not there
// is an error of kind windlass.NotFound, what is there already one of kind
// windlass.Conflict.
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

	// Listeners lists the destinations that an event is routed to, each once.
	Listeners(ctx context.Context, projectID, event string) ([]string, error)
}

// Outbox takes what is to be delivered.
type Outbox interface {
	AddBatches(ctx context.Context, batches []windlass.Batch) error
}

// Config is what a Service is made of. Store is required.
type Config struct {
	Store Store
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Service tells products what happened. It is safe for concurrent use.
type Service struct {
	store Store
	now   func() time.Time
}

// New returns a Service.
func New(config Config) (*Service, error) {
	if config.Store == nil {
		return nil, &windlass.Error{Kind: windlass.Invalid, Op: "set up notifications", Message: "a store is required"}
	}
	s := &Service{store: config.Store, now: config.Now}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// Lane is the lane of notifications: each destination has one.
const Lane = "notifications"

// A payload is a notification as it is sent.
type payload struct {
	NotificationType string          `json:"notificationType"`
	Data             json.RawMessage `json:"data"`
}

// about is what the data may say of where it belongs.
type about struct {
	InstallationID string `json:"installationId"`
	ObjectName     string `json:"objectName"`
}

// Notify sends an event of a project to the destinations of its topics, within
// the transaction of ctx if there is one. data becomes a JSON object: one of the
// notices of package windlass. It may be repeated: then it is told again.
func (s *Service) Notify(ctx context.Context, projectID, event string, data any) error {
	op := "notify of " + event
	if !slices.Contains(windlass.Events(), event) {
		return &windlass.Error{Kind: windlass.Invalid, Op: op, Message: "there is no such event"}
	}
	listeners, err := s.store.Listeners(ctx, projectID, event)
	if err != nil || len(listeners) == 0 {
		return err
	}
	body, refers, err := render(event, data)
	if err != nil {
		return &windlass.Error{Kind: windlass.Internal, Op: op, Message: "what is to be said is no JSON object", Err: err}
	}
	operation := ""
	if of, ok := data.(interface{ Operation() string }); ok {
		operation = of.Operation()
	}
	now := s.now()
	batches := make([]windlass.Batch, len(listeners))
	for i, destinationID := range listeners {
		id, err := newID()
		if err != nil {
			return err
		}
		batches[i] = windlass.Batch{
			ID: id, ProjectID: projectID, DestinationID: destinationID,
			InstallationID: refers.InstallationID, OperationID: operation, Object: refers.ObjectName, Kind: event,
			Lane: Lane, Body: body, Created: now, Updated: now,
		}
	}
	return s.store.AddBatches(ctx, batches)
}

func render(event string, data any) (body []byte, refers about, err error) {
	encoded, err := json.Marshal(data)
	if err != nil {
		return nil, refers, err
	}
	if err := json.Unmarshal(encoded, &refers); err != nil {
		return nil, refers, err
	}
	body, err = json.Marshal(payload{NotificationType: event, Data: encoded})
	return body, refers, err
}

func newID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", &windlass.Error{Kind: windlass.Internal, Op: "make an id", Err: err}
	}
	return id.String(), nil
}
