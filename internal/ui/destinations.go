package ui

import (
	"context"
	"encoding/json"
	"net/http"

	"windlass"
	"windlass/internal/setup"
)

type destinationsView struct {
	Destinations []windlass.Destination
	More         string
	Problem      *Problem
	Name, URL    string
}

func (r *request) destinationsPage() error { return r.destinations(http.StatusOK, nil) }

func (r *request) destinations(status int, problem *Problem) error {
	all, err := r.ui.config.Setup.Destinations(r.Context(), r.Project.ID, r.after())
	if err != nil {
		return err
	}
	all, more := cut(all, func(d windlass.Destination) string { return d.ID })
	return r.page(status, "destinations", "Destinations", destinationsView{all, more, problem, r.field("name"), r.field("url")})
}

func (r *request) createDestination() error {
	name := r.field("name")
	err := r.change("destination.create", name, map[string]string{"url": r.field("url")}, func(ctx context.Context) error {
		_, err := r.ui.config.Setup.CreateDestination(ctx, r.Project.ID, setup.CreateDestinationRequest{
			Name: name, Type: r.ui.config.Destinations.Names()[0], Metadata: atURL(r.field("url")),
		})
		return err
	})
	if shown, problem := wrong(err); shown {
		return r.destinations(statusOf(err), problem)
	}
	if err != nil {
		return err
	}
	return r.done("destinations/"+name, "created")
}

// atURL are the settings of a destination that the pages can make: one with a URL.
func atURL(url string) setup.DestinationMetadata {
	settings, _ := json.Marshal(map[string]string{"url": url}) // a text always marshals
	return setup.DestinationMetadata{RawMessage: settings}
}

type destinationView struct {
	Destination windlass.Destination
	Health      windlass.Health
	Recent      []windlass.Batch
	Secrets     []string // only when they were asked for
	Problem     *Problem
}

func (r *request) destinationPage() error { return r.destination(http.StatusOK, nil, nil) }

func (r *request) destination(status int, problem *Problem, secrets []windlass.Secret) error {
	d, err := r.ui.config.Setup.Destination(r.Context(), r.Project.ID, r.PathValue("destination"), nil)
	if err != nil {
		return err
	}
	v := destinationView{Destination: d, Problem: problem}
	for _, secret := range secrets {
		v.Secrets = append(v.Secrets, secret.Reveal())
	}
	if v.Health, err = r.ui.config.Deliver.Health(r.Context(), r.Project.ID, d.ID); err != nil {
		return err
	}
	if v.Recent, err = r.ui.config.Deliver.Batches(r.Context(), r.Project.ID, windlass.BatchFilter{DestinationID: d.ID, Limit: 10}); err != nil {
		return err
	}
	return r.page(status, "destination", d.Name, v)
}

func (r *request) updateDestination() error {
	change := setup.UpdateDestinationRequest{UpdateMask: []string{"metadata.url"}}
	change.Destination.Metadata = atURL(r.field("url"))
	id := r.PathValue("destination")
	err := r.change("destination.update", id, map[string]string{"url": r.field("url")}, func(ctx context.Context) error {
		_, err := r.ui.config.Setup.UpdateDestination(ctx, r.Project.ID, id, change)
		return err
	})
	if shown, problem := wrong(err); shown {
		return r.destination(statusOf(err), problem, nil)
	}
	if err != nil {
		return err
	}
	return r.done("destinations/"+id, "saved")
}

// revealSecret shows the signing secrets in the answer to a POST, so that they are
// in no address and no history.
func (r *request) revealSecret() error { return r.secrets("destination.reveal", false) }

func (r *request) rotateSecret() error { return r.secrets("destination.rotate", true) }

func (r *request) secrets(action string, rotate bool) error {
	var d windlass.Destination
	id := r.PathValue("destination")
	err := r.change(action, id, nil, func(ctx context.Context) (err error) {
		d, err = r.ui.config.Setup.Destination(ctx, r.Project.ID, id, &setup.DestinationOptions{IncludeSecrets: true, Rotate: rotate})
		return err
	})
	if err != nil {
		return err
	}
	return r.destination(http.StatusOK, nil, d.Secrets)
}

func (r *request) switchDestination() error {
	id, action, do := r.PathValue("destination"), "destination.enable", r.ui.config.Deliver.Enable
	if r.field("disabled") != "" {
		action = "destination.disable"
		do = func(ctx context.Context, project, destination string) (windlass.Destination, error) {
			return r.ui.config.Deliver.Disable(ctx, project, destination, r.Session.Subject)
		}
	}
	err := r.change(action, id, nil, func(ctx context.Context) error {
		_, err := do(ctx, r.Project.ID, id)
		return err
	})
	if err != nil {
		return err
	}
	return r.done("destinations/"+id, "saved")
}

func (r *request) deleteDestination() error {
	id := r.PathValue("destination")
	err := r.change("destination.delete", id, nil, func(ctx context.Context) error {
		return r.ui.config.Setup.DeleteDestination(ctx, r.Project.ID, id)
	})
	if shown, problem := wrong(err); shown {
		return r.destination(statusOf(err), problem, nil)
	}
	if err != nil {
		return err
	}
	return r.done("destinations", "deleted")
}
