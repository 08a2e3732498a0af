package api

import (
	"time"

	"windlass"
	"windlass/internal/setup"
)

// destination is where results go, in the contract's shape. Its metadata is
// always there: clients read it without asking.
type destination struct {
	ID         string                    `json:"id"`
	Name       string                    `json:"name"`
	Type       string                    `json:"type"` // see newSchemaSet
	Metadata   setup.DestinationMetadata `json:"metadata"`
	CreateTime time.Time                 `json:"createTime"`
	UpdateTime time.Time                 `json:"updateTime,omitzero"`
	Secrets    *destinationSecrets       `json:"secrets,omitempty"`
}

type destinationSecrets struct {
	WebhookSigningKey string `json:"webhookSigningKey,omitempty"`
}

func asDestination(d windlass.Destination) destination {
	return destination{
		ID: d.ID, Name: d.Name, Type: d.Type,
		Metadata:   setup.DestinationMetadata{RawMessage: d.Settings},
		CreateTime: d.Created.UTC(), UpdateTime: d.Updated.UTC(),
	}
}

func (a *API) listDestinations(c *call, p windlass.Page) (listed[destination], error) {
	all, err := a.setup.Destinations(c.ctx(), c.project.ID, p)
	return asList(p, all, func(x windlass.Destination) string { return x.ID }, asDestination), err
}

func (a *API) createDestination(c *call, r setup.CreateDestinationRequest) (destination, error) {
	made, err := a.setup.CreateDestination(c.ctx(), c.project.ID, r)
	return asDestination(made), err
}

// getDestination is the one answer that holds a signing secret, and only when it
// was asked for.
func (a *API) getDestination(c *call) (destination, error) {
	opts := setup.DestinationOptions{IncludeSecrets: c.flag("includeSecrets"), Rotate: c.flag("rotate")}
	found, err := a.setup.Destination(c.ctx(), c.project.ID, c.param("destination"), &opts)
	out := asDestination(found)
	if opts.IncludeSecrets && len(found.Secrets) > 0 {
		out.Secrets = &destinationSecrets{WebhookSigningKey: found.Secrets[0].Reveal()}
	}
	return out, err
}

func (a *API) updateDestination(c *call, r setup.UpdateDestinationRequest) (destination, error) {
	changed, err := a.setup.UpdateDestination(c.ctx(), c.project.ID, c.param("destination"), r)
	return asDestination(changed), err
}

func (a *API) deleteDestination(c *call) error {
	return a.setup.DeleteDestination(c.ctx(), c.project.ID, c.param("destination"))
}
