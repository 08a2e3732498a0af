package read

import (
	"context"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/config"
)

// sampleFor bounds a sample: somebody waits for it.
const sampleFor = 20 * time.Second

// Sample reads one record of an object, with a config that is not saved yet, and
// delivers nothing. An error of kind windlass.Invalid means that the config cannot
// be carried out, in the provider's words if they are its; errors of other kinds
// say nothing about it.
func (f *Flow) Sample(ctx context.Context, in windlass.Installation, object string) error {
	c, err := config.Parse(in.Config.Content)
	if err != nil {
		return err
	}
	revision, err := f.store.Revision(ctx, in.IntegrationID, in.Config.RevisionID)
	if err != nil {
		return err
	}
	entry, err := config.ReadEntry(revision, object)
	if err != nil {
		return err
	}
	chosen, _ := c.Reads(object)
	plan, err := chosen.Plan(entry)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sampleFor)
	defer cancel()
	reader, err := f.opts.Open(ctx, in.Connection, PurposeSample)
	if err != nil {
		return err
	}
	page, err := reader.Read(ctx, connector.ReadRequest{Object: object, PageSize: 1})
	if err != nil {
		return err
	}
	for i := range page.Records[:min(1, len(page.Records))] {
		if _, err := plan.AppendEntry(nil, page.Records[i].Raw); err != nil {
			return err
		}
	}
	return nil
}
