package read

import (
	"context"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/config"
)

// sampleFor bounds a sample: a person waits for it.
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
	page, err := f.firstPage(ctx, reader, in.Connection, object)
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

// firstPage reads one record of an object, below the first of its parents, if there
// are any.
func (f *Flow) firstPage(ctx context.Context, reader connector.Reader, c windlass.Connection, object string) (page connector.Page, err error) {
	request := connector.ReadRequest{Object: object, PageSize: 1}
	for i, o := range f.lineage(c, object) {
		if i > 0 {
			if len(page.Records) == 0 {
				return page, nil
			}
			if request.Parent, err = o.ParentOf(page.Records[0]); err != nil {
				return page, err
			}
		}
		if o.Name == object {
			break
		}
		page, err = reader.Read(ctx, connector.ReadRequest{Object: o.Name, Parent: request.Parent, PageSize: 1})
		if err != nil {
			return page, err
		}
	}
	return reader.Read(ctx, request)
}
