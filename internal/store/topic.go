package store

import (
	"context"

	"windlass"
)

func scanTopic(r row) (t windlass.Topic, err error) {
	err = r.Scan(&t.ID, &t.ProjectID, &t.Name, when{&t.Created}, when{&t.Updated})
	return t, err
}

func scanEventRoute(r row) (e windlass.EventRoute, err error) {
	err = r.Scan(&e.ID, &e.ProjectID, &e.Event, &e.TopicID, when{&e.Created}, when{&e.Updated})
	return e, err
}

func scanTopicRoute(r row) (t windlass.TopicRoute, err error) {
	err = r.Scan(&t.ID, &t.ProjectID, &t.TopicID, &t.DestinationID, when{&t.Created})
	return t, err
}

var (
	topicSays = says{
		Missing: "there is no such topic", Taken: "a topic of that name exists already" + inAnyCase,
		Dangling: "there is no such project", kind: windlass.NotFound,
	}
	eventRouteSays = says{
		Missing: "there is no such route", Taken: "that event is routed to that topic already",
		Dangling: "there is no such topic", kind: windlass.NotFound,
	}
	topicRouteSays = says{
		Missing: "there is no such route", Taken: "that topic is routed to that destination already",
		Dangling: "there is no such topic or destination", kind: windlass.NotFound,
	}
)

// CreateTopic adds a topic; Conflict when its name is taken.
func (s *Store) CreateTopic(ctx context.Context, t windlass.Topic) error {
	_, err := s.exec(ctx, `INSERT INTO topics (id, project_id, name, created, updated, name_key) VALUES (?1, ?2, ?3, ?4, ?5, lower(?3))`,
		t.ID, t.ProjectID, t.Name, micros(t.Created), micros(t.Updated))
	return s.fail("create the topic "+t.Name, err, topicSays)
}

// Topic finds a topic by its id or its name.
func (s *Store) Topic(ctx context.Context, projectID, idOrName string) (windlass.Topic, error) {
	t, err := first(ctx, s, scanTopic, `SELECT p.id, p.project_id, p.name, p.created, p.updated FROM topics p
		WHERE p.project_id = ?1 AND (p.id = ?2 OR p.name = ?2) ORDER BY (p.id = ?2) DESC LIMIT 1`+s.locked(ctx), projectID, idOrName)
	return t, s.fail("find the topic "+idOrName, err, topicSays)
}

// Topics lists a project's topics, the oldest first.
func (s *Store) Topics(ctx context.Context, projectID string, p windlass.Page) ([]windlass.Topic, error) {
	var f filter
	f.compare("p.project_id", "=", projectID)
	query := `SELECT p.id, p.project_id, p.name, p.created, p.updated FROM topics p` + f.page("p.id", p)
	all, err := list(ctx, s, scanTopic, query, f.args...)
	return all, s.fail("list the topics", err, topicSays)
}

// UpdateTopic renames a topic; Conflict when the name is taken.
func (s *Store) UpdateTopic(ctx context.Context, t windlass.Topic) error {
	return s.update(ctx, "update the topic "+t.Name, topicSays,
		`UPDATE topics SET `+keyOf("?3")+`, name = ?3, updated = ?4 WHERE id = ?1 AND project_id = ?2`, t.ID, t.ProjectID, t.Name, micros(t.Updated))
}

// DeleteTopic removes a topic, with the routes to it and from it.
func (s *Store) DeleteTopic(ctx context.Context, projectID, id string) error {
	return s.update(ctx, "delete the topic "+id, topicSays, `DELETE FROM topics WHERE id = ?1 AND project_id = ?2`, id, projectID)
}

// CreateEventRoute routes an event to a topic of the same project; Conflict when
// it is already.
func (s *Store) CreateEventRoute(ctx context.Context, e windlass.EventRoute) error {
	_, err := s.exec(ctx, `INSERT INTO event_routes (id, project_id, event, topic_id, created, updated) VALUES (?1, ?2, ?3, ?4, ?5, ?6)`,
		e.ID, e.ProjectID, e.Event, e.TopicID, micros(e.Created), micros(e.Updated))
	return s.fail("route "+e.Event, err, eventRouteSays)
}

// EventRoutes lists a project's routes, the oldest first: all, or those of a
// topic or an event that is not empty.
func (s *Store) EventRoutes(ctx context.Context, projectID, topicID, event string, p windlass.Page) ([]windlass.EventRoute, error) {
	var where filter
	where.compare("e.project_id", "=", projectID)
	where.equal("e.topic_id", topicID)
	where.equal("e.event", event)
	query := `SELECT e.id, e.project_id, e.event, e.topic_id, e.created, e.updated FROM event_routes e` + where.page("e.id", p)
	all, err := list(ctx, s, scanEventRoute, query, where.args...)
	return all, s.fail("list the routes of events", err, eventRouteSays)
}

// DeleteEventRoute removes a route.
func (s *Store) DeleteEventRoute(ctx context.Context, projectID, id string) error {
	return s.update(ctx, "delete the route "+id, eventRouteSays, `DELETE FROM event_routes WHERE id = ?1 AND project_id = ?2`, id, projectID)
}

// CreateTopicRoute routes a topic to a destination of the same project; Conflict
// when it is already.
func (s *Store) CreateTopicRoute(ctx context.Context, t windlass.TopicRoute) error {
	_, err := s.exec(ctx, `INSERT INTO topic_routes (id, project_id, topic_id, destination_id, created) VALUES (?1, ?2, ?3, ?4, ?5)`,
		t.ID, t.ProjectID, t.TopicID, t.DestinationID, micros(t.Created))
	return s.fail("route the topic "+t.TopicID, err, topicRouteSays)
}

// TopicRoutes lists a project's routes, the oldest first: all, or those of a
// topic or to a destination that is not empty.
func (s *Store) TopicRoutes(ctx context.Context, projectID, topicID, destinationID string, p windlass.Page) ([]windlass.TopicRoute, error) {
	var where filter
	where.compare("r.project_id", "=", projectID)
	where.equal("r.topic_id", topicID)
	where.equal("r.destination_id", destinationID)
	query := `SELECT r.id, r.project_id, r.topic_id, r.destination_id, r.created FROM topic_routes r` + where.page("r.id", p)
	all, err := list(ctx, s, scanTopicRoute, query, where.args...)
	return all, s.fail("list the routes of topics", err, topicRouteSays)
}

// DeleteTopicRoute removes a route.
func (s *Store) DeleteTopicRoute(ctx context.Context, projectID, id string) error {
	return s.update(ctx, "delete the route "+id, topicRouteSays, `DELETE FROM topic_routes WHERE id = ?1 AND project_id = ?2`, id, projectID)
}

// Listeners lists the destinations that an event of a project is
// routed to, each once.
func (s *Store) Listeners(ctx context.Context, projectID, event string) ([]windlass.Destination, error) {
	all, err := list(ctx, s, s.scanDestination, `SELECT `+destinationColumns+` FROM destinations t WHERE t.id IN (SELECT r.destination_id FROM event_routes e
		JOIN topic_routes r ON r.topic_id = e.topic_id WHERE e.project_id = ?1 AND e.event = ?2) ORDER BY t.id`, projectID, event)
	return all, s.fail("find the destinations of "+event, err, topicRouteSays)
}
