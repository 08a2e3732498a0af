package ui

import (
	"context"
	"net/http"

	"windlass"
)

func topicRoutes(project string) []route {
	base := project + "/topics"
	return []route{
		{http.MethodGet, base, windlass.Viewer, (*request).topicsPage},
		{http.MethodPost, base, windlass.Editor, (*request).createTopic},
		{http.MethodPost, base + "/{topic}/delete", windlass.Editor, (*request).deleteTopic},
		{http.MethodPost, base + "/{topic}/events", windlass.Editor, (*request).routeEvent},
		{http.MethodPost, base + "/{topic}/destinations", windlass.Editor, (*request).routeTopic},
		{http.MethodPost, base + "/routes/{route}/delete", windlass.Editor, (*request).unroute},
	}
}

type topicsView struct {
	Topics       []topicView
	More         string
	Events       []string
	Destinations []windlass.Destination
	Problem      *Problem
	Name         string
}

// topicView is a topic with what leads to it and from it.
type topicView struct {
	windlass.Topic

	Events []windlass.EventRoute
	To     []topicTarget
}

type topicTarget struct {
	windlass.TopicRoute

	Name string // the destination's
}

func (r *request) topicsPage() error { return r.topics(http.StatusOK, nil) }

func (r *request) topics(status int, problem *Problem) error {
	notify := r.ui.config.Notify
	all, err := notify.Topics(r.Context(), r.Project.ID, r.after())
	if err != nil {
		return err
	}
	v := topicsView{Events: windlass.Events(), Problem: problem, Name: r.field("name")}
	all, v.More = cut(all, func(t windlass.Topic) string { return t.ID })
	if v.Destinations, err = r.ui.config.Setup.Destinations(r.Context(), r.Project.ID, windlass.Page{Limit: 4 * pageSize}); err != nil {
		return err
	}
	names := map[string]string{}
	for _, d := range v.Destinations {
		names[d.ID] = d.Name
	}
	for _, topic := range all {
		one := topicView{Topic: topic}
		if one.Events, err = notify.EventRoutes(r.Context(), r.Project.ID, topic.ID, "", windlass.Page{Limit: pageSize}); err != nil {
			return err
		}
		to, err := notify.TopicRoutes(r.Context(), r.Project.ID, topic.ID, "", windlass.Page{Limit: pageSize})
		if err != nil {
			return err
		}
		for _, route := range to {
			one.To = append(one.To, topicTarget{route, names[route.DestinationID]})
		}
		v.Topics = append(v.Topics, one)
	}
	return r.page(status, "topics", "Topics", v)
}

// changeTopics is change for the forms of the page.
func (r *request) changeTopics(action, target, notice string, details map[string]string, do func(ctx context.Context) error) error {
	err := r.change(action, target, details, do)
	if shown, problem := wrong(err); shown {
		return r.topics(statusOf(err), problem)
	}
	if err != nil {
		return err
	}
	return r.done("topics", notice)
}

func (r *request) createTopic() error {
	return r.changeTopics("topic.create", r.field("name"), "created", nil, func(ctx context.Context) error {
		_, err := r.ui.config.Notify.CreateTopic(ctx, r.Project.ID, r.field("name"))
		return err
	})
}

func (r *request) deleteTopic() error {
	return r.changeTopics("topic.delete", r.PathValue("topic"), "deleted", nil, func(ctx context.Context) error {
		return r.ui.config.Notify.DeleteTopic(ctx, r.Project.ID, r.PathValue("topic"))
	})
}

func (r *request) routeEvent() error {
	event := r.field("event")
	return r.changeTopics("topic.route-event", r.PathValue("topic"), "saved", map[string]string{"event": event}, func(ctx context.Context) error {
		_, err := r.ui.config.Notify.RouteEvent(ctx, r.Project.ID, event, r.PathValue("topic"))
		return err
	})
}

func (r *request) routeTopic() error {
	destination := r.field("destination")
	return r.changeTopics("topic.route", r.PathValue("topic"), "saved", map[string]string{"destination": destination}, func(ctx context.Context) error {
		_, err := r.ui.config.Notify.RouteTopic(ctx, r.Project.ID, r.PathValue("topic"), destination)
		return err
	})
}

// unroute deletes a route of either sort.
func (r *request) unroute() error {
	do := r.ui.config.Notify.UnrouteTopic
	if r.field("of") == "event" {
		do = r.ui.config.Notify.UnrouteEvent
	}
	return r.changeTopics("topic.unroute", r.PathValue("route"), "deleted", nil, func(ctx context.Context) error {
		return do(ctx, r.Project.ID, r.PathValue("route"))
	})
}
