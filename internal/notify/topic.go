package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"windlass"
	"windlass/internal/ids"
)

// maxTopicName bounds a topic's name, as the published contract does.
const maxTopicName = 64

// CreateTopic makes a topic. A name has letters, digits and dashes, and is unique
// in its project.
func (s *Service) CreateTopic(ctx context.Context, project, name string) (windlass.Topic, error) {
	p, err := s.store.Project(ctx, project)
	if err != nil {
		return windlass.Topic{}, err
	}
	if err := checkName("create the topic", name); err != nil {
		return windlass.Topic{}, err
	}
	t := windlass.Topic{ID: ids.New(), ProjectID: p.ID, Name: name, Created: s.now(), Updated: s.now()}
	return t, s.store.CreateTopic(ctx, t)
}

func checkName(op, name string) error {
	var message string
	switch {
	case name == "":
		message = "is missing"
	case len(name) > maxTopicName:
		message = fmt.Sprintf("is longer than %d characters", maxTopicName)
	case strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-')
	}):
		message = "may have letters, digits and dashes only"
	default:
		return nil
	}
	return invalid(op, "name", message)
}

func invalid(op, name, message string) error {
	return &windlass.Error{
		Kind: windlass.Invalid, Op: op, Message: "the request is not valid",
		Issues: []windlass.Issue{{In: "body", Name: name, Message: message}},
	}
}

// Topics lists a project's topics, the oldest first.
func (s *Service) Topics(ctx context.Context, project string, page windlass.Page) ([]windlass.Topic, error) {
	p, err := s.store.Project(ctx, project)
	if err != nil {
		return nil, err
	}
	return s.store.Topics(ctx, p.ID, page)
}

// RenameTopic gives a topic, found by its id or name, another name.
func (s *Service) RenameTopic(ctx context.Context, project, topic, name string) (t windlass.Topic, err error) {
	p, err := s.store.Project(ctx, project)
	if err != nil {
		return t, err
	}
	if err := checkName("update the topic", name); err != nil {
		return t, err
	}
	err = s.store.In(ctx, func(ctx context.Context) error {
		if t, err = s.store.Topic(ctx, p.ID, topic); err != nil {
			return err
		}
		t.Name, t.Updated = name, s.now()
		return s.store.UpdateTopic(ctx, t)
	})
	return t, err
}

// DeleteTopic deletes a topic, found by its id or name, with the routes to it and
// from it.
func (s *Service) DeleteTopic(ctx context.Context, project, topic string) error {
	p, err := s.store.Project(ctx, project)
	if err != nil {
		return err
	}
	t, err := s.store.Topic(ctx, p.ID, topic)
	if err != nil {
		return err
	}
	return s.store.DeleteTopic(ctx, p.ID, t.ID)
}

// requestError turns a missing thing that a request's body names into an error of the request.
func requestError(op, name string, err error) error {
	if errors.Is(err, windlass.NotFound) {
		return &windlass.Error{
			Kind: windlass.NotFound, Op: op, Message: "what " + name + " names does not exist", Err: err,
			Issues: []windlass.Issue{{In: "body", Name: name, Message: "does not exist"}},
		}
	}
	return err
}
