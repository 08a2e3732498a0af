package install

import (
	"context"
	"encoding/json"

	"windlass"
)

// notify tells the product what has happened to an installation. last is the config
// before an update.
func (f *Flow) notify(ctx context.Context, event string, i windlass.Installation, integration windlass.Integration, last json.RawMessage) error {
	if f.opts.Notifier == nil {
		return nil
	}
	return f.opts.Notifier.Notify(ctx, i.ProjectID, event, windlass.InstallationNotice{
		Installed: windlass.Installed{
			ProjectID: i.ProjectID, Provider: integration.Provider, IntegrationID: integration.ID, IntegrationName: integration.Name,
			InstallationID: i.ID, ConnectionID: i.Connection.ID, GroupRef: i.Group.Ref, GroupName: i.Group.Name,
			ConsumerRef: i.Connection.Consumer.Ref, ConsumerName: i.Connection.Consumer.Name,
		},
		Config: i.Config.Content, LastConfig: last,
	})
}
