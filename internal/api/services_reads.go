package api

import (
	"context"
	"encoding/json"

	"windlass"
	"windlass/internal/budget"
	"windlass/internal/deliver"
	"windlass/internal/read"
)

// Reading is what reads are to the API: *read.Flow.
type Reading interface {
	Trigger(ctx context.Context, project, integration, object string, r read.TriggerRequest) (windlass.Operation, error)
	Pause(ctx context.Context, project, integration, installation string, r read.PauseRequest) error
	Unpause(ctx context.Context, project, integration, installation string, r read.PauseRequest) error
	ObjectStates(ctx context.Context, project, integration, installation string) ([]read.ObjectState, error)
	Operations(ctx context.Context, project, integration, installation string, q read.OperationQuery) (read.OperationPage, error)
	Operation(ctx context.Context, project, id string) (windlass.Operation, error)
	Logs(ctx context.Context, project, id, after string, limit int) ([]windlass.OperationLog, error)
	BackfillProgress(ctx context.Context, project, integration, installation, object string) (windlass.Operation, error)
	Search(ctx context.Context, project, integration string, r read.SearchRequest) ([]json.RawMessage, error)
}

// Downloading gives out records that are too large for a message: the sink that has
// set them aside.
type Downloading interface {
	Download(ctx context.Context, id string, token windlass.Secret) ([]byte, error)
}

// Delivering is what deliveries are to the API: *deliver.Service.
type Delivering interface {
	Batches(ctx context.Context, project string, filter windlass.BatchFilter) ([]windlass.Batch, error)
	Batch(ctx context.Context, project, id string) (windlass.Batch, []windlass.Attempt, error)
	Replay(ctx context.Context, project string, r deliver.ReplayRequest) (int, error)
	Health(ctx context.Context, project, destination string) (windlass.Health, error)
	Enable(ctx context.Context, project, destination string) (windlass.Destination, error)
	Disable(ctx context.Context, project, destination, by string) (windlass.Destination, error)
}

// Notifying is what topics and routes are to the API: *notify.Service.
type Notifying interface {
	CreateTopic(ctx context.Context, project, name string) (windlass.Topic, error)
	Topics(ctx context.Context, project string, page windlass.Page) ([]windlass.Topic, error)
	RenameTopic(ctx context.Context, project, topic, name string) (windlass.Topic, error)
	DeleteTopic(ctx context.Context, project, topic string) error
	RouteEvent(ctx context.Context, project, event, topic string) (windlass.EventRoute, error)
	EventRoutes(ctx context.Context, project, topicID, event string, page windlass.Page) ([]windlass.EventRoute, error)
	UnrouteEvent(ctx context.Context, project, routeID string) error
	RouteTopic(ctx context.Context, project, topic, destination string) (windlass.TopicRoute, error)
	TopicRoutes(ctx context.Context, project, topicID, destinationID string, page windlass.Page) ([]windlass.TopicRoute, error)
	UnrouteTopic(ctx context.Context, project, routeID string) error
}

// Budgeting says how much may still be asked of the provider.
type Budgeting interface {
	// Budgets returns the budgets of a project's provider apps and connections that
	// this process has paid from lately.
	Budgets(ctx context.Context, projectID string) ([]budget.State, error)
}
