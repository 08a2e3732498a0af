package notify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"windlass"
	"windlass/internal/ids"
)

// RouteEvent routes the notifications of an event to a topic, which may be named
// by its id or its name.
func (s *Service) RouteEvent(ctx context.Context, project, event, topic string) (windlass.EventRoute, error) {
	const op = "route the event"
	p, err := s.store.Project(ctx, project)
	if err != nil {
		return windlass.EventRoute{}, err
	}
	if !slices.Contains(windlass.Events(), event) {
		return windlass.EventRoute{}, invalid(op, "eventType", "is none of "+strings.Join(windlass.Events(), ", "))
	}
	t, err := s.store.Topic(ctx, p.ID, topic)
	if err != nil {
		return windlass.EventRoute{}, requestError(op, "topicId", err)
	}
	r := windlass.EventRoute{ID: ids.New(), ProjectID: p.ID, Event: event, TopicID: t.ID, Created: s.now(), Updated: s.now()}
	return r, s.store.CreateEventRoute(ctx, r)
}

// EventRoutes lists a project's routes of events, the oldest first: all, or those
// of a topic's id or an event that is not empty.
func (s *Service) EventRoutes(ctx context.Context, project, topicID, event string, page windlass.Page) ([]windlass.EventRoute, error) {
	p, err := s.store.Project(ctx, project)
	if err != nil {
		return nil, err
	}
	if event != "" && !slices.Contains(windlass.Events(), event) {
		return nil, &windlass.Error{
			Kind: windlass.Invalid, Op: "list the routes of events", Message: fmt.Sprintf("there is no event %q", event),
			Issues: []windlass.Issue{{In: "query", Name: "eventType", Message: "is none of " + strings.Join(windlass.Events(), ", ")}},
		}
	}
	return s.store.EventRoutes(ctx, p.ID, topicID, event, page)
}

// UnrouteEvent deletes a route.
func (s *Service) UnrouteEvent(ctx context.Context, project, routeID string) error {
	p, err := s.store.Project(ctx, project)
	if err != nil {
		return err
	}
	return s.store.DeleteEventRoute(ctx, p.ID, routeID)
}

// RouteTopic routes the notifications of a topic to a destination. Both may be named by
// id or name.
func (s *Service) RouteTopic(ctx context.Context, project, topic, destination string) (windlass.TopicRoute, error) {
	const op = "route the topic"
	p, err := s.store.Project(ctx, project)
	if err != nil {
		return windlass.TopicRoute{}, err
	}
	t, err := s.store.Topic(ctx, p.ID, topic)
	if err != nil {
		return windlass.TopicRoute{}, requestError(op, "topicId", err)
	}
	d, err := s.store.Destination(ctx, p.ID, destination)
	if err != nil {
		return windlass.TopicRoute{}, requestError(op, "destinationId", err)
	}
	r := windlass.TopicRoute{ID: ids.New(), ProjectID: p.ID, TopicID: t.ID, DestinationID: d.ID, Created: s.now()}
	return r, s.store.CreateTopicRoute(ctx, r)
}

// TopicRoutes lists a project's routes of topics, the oldest first: all, or those
// of a topic's or to a destination's id that is not empty.
func (s *Service) TopicRoutes(ctx context.Context, project, topicID, destinationID string, page windlass.Page) ([]windlass.TopicRoute, error) {
	p, err := s.store.Project(ctx, project)
	if err != nil {
		return nil, err
	}
	return s.store.TopicRoutes(ctx, p.ID, topicID, destinationID, page)
}

// UnrouteTopic deletes a route.
func (s *Service) UnrouteTopic(ctx context.Context, project, routeID string) error {
	p, err := s.store.Project(ctx, project)
	if err != nil {
		return err
	}
	return s.store.DeleteTopicRoute(ctx, p.ID, routeID)
}
