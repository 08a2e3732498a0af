package read

import (
	"context"
	"encoding/json"
	"time"

	"windlass"
)

// told is what every notification about a read says, in the contract's shape,
// and the fields that some of them add.
type told struct {
	ProjectID       string          `json:"projectId"`
	Provider        string          `json:"provider"`
	IntegrationID   string          `json:"integrationId"`
	IntegrationName string          `json:"integrationName"`
	InstallationID  string          `json:"installationId"`
	GroupRef        string          `json:"groupRef"`
	GroupName       string          `json:"groupName"`
	ConnectionID    string          `json:"connectionId"`
	ConsumerRef     string          `json:"consumerRef"`
	ConsumerName    string          `json:"consumerName"`
	ObjectName      string          `json:"objectName,omitempty"`
	FromTimestamp   string          `json:"fromTimestamp,omitempty"`
	UntilTimestamp  string          `json:"untilTimestamp,omitempty"`
	Config          json.RawMessage `json:"config,omitempty"`
	Error           string          `json:"error,omitempty"`

	operation string
}

// Operation is the id of the read. It goes into a header: the published shape has
// no place for it.
func (t told) Operation() string { return t.operation }

func about(in windlass.Installation, integration string) told {
	return told{
		ProjectID: in.ProjectID, Provider: in.Connection.Provider, IntegrationID: in.IntegrationID, IntegrationName: integration,
		InstallationID: in.ID, GroupRef: in.Group.Ref, GroupName: in.Group.Name, ConnectionID: in.Connection.ID,
		ConsumerRef: in.Connection.Consumer.Ref, ConsumerName: in.Connection.Consumer.Name,
	}
}

// ofObject is about one object.
func (t told) ofObject(p windlass.Operation) told {
	t.ObjectName, t.operation = p.Object, p.ID
	return t
}

// triggered is about a read that was asked for.
func (t told) triggered(p windlass.Operation, problem string) told {
	t.ObjectName, t.operation, t.Error = p.Object, p.ID, problem
	if !p.Since.IsZero() {
		t.FromTimestamp = p.Since.Format(time.RFC3339Nano)
	}
	if !p.Until.IsZero() {
		t.UntilTimestamp = p.Until.Format(time.RFC3339Nano)
	}
	return t
}

// paused is about reads that were paused because they fail.
func (t told) paused(in windlass.Installation, problem string) told {
	t.Config, t.Error = in.Config.Content, problem
	return t
}

func (f *Flow) notify(ctx context.Context, projectID, kind string, data told) error {
	if f.opts.Notifier == nil {
		return nil
	}
	return f.opts.Notifier.Notify(ctx, projectID, kind, data)
}
