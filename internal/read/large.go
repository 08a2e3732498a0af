package read

import (
	"context"
	"crypto/rand"
	"time"

	"windlass"
	"windlass/internal/operation"
)

// LargeLifetime is how long the URL of a large record can be used, from the last
// attempt to deliver the message that it is in.
const LargeLifetime = 15 * time.Minute

// setAside prepares a record that is too large for a message: what is kept of
// it, and the URL that the message says instead. The URL's token is random and
// only its hash is kept, so there is no key that would have to be rotated.
func (f *Flow) setAside(projectID, batchID string, body []byte) (windlass.LargeRecord, string) {
	token := windlass.NewSecret(rand.Text() + rand.Text())
	kept := windlass.LargeRecord{
		ID: operation.NewID(), ProjectID: projectID, BatchID: batchID, TokenHash: token.Hash(), Body: body, Created: f.now(),
	}
	return kept, f.opts.DownloadURL(kept.ID, token)
}

// Download returns a large record: a JSON list with its one entry, as the result
// of a message is. NotFound when there is none, or the token is another's; Gone
// when the time for it has passed.
func (f *Flow) Download(ctx context.Context, id string, token windlass.Secret) ([]byte, error) {
	const op = "download the record"
	kept, err := f.store.LargeRecord(ctx, id)
	if err != nil || kept.TokenHash != token.Hash() {
		if err == nil || kindIs(err, windlass.NotFound) {
			return nil, &windlass.Error{Kind: windlass.NotFound, Op: op, Message: "there is no such record", Remedy: "use the URL as it was sent"}
		}
		return nil, err
	}
	last := kept.Created
	if f.opts.LastAttempt != nil {
		tried, err := f.opts.LastAttempt(ctx, kept.BatchID)
		if err != nil && !kindIs(err, windlass.NotFound) {
			return nil, err
		}
		if tried.After(last) {
			last = tried
		}
	}
	if f.now().Sub(last) >= LargeLifetime {
		return nil, &windlass.Error{
			Kind: windlass.Gone, Op: op, Message: "the time to download the record has passed",
			Remedy: "have the message " + kept.BatchID + " delivered again: its URL then works for another 15 minutes",
		}
	}
	return kept.Body, nil
}
