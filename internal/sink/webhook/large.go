package webhook

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"windlass"
	"windlass/internal/ids"
)

// LargeLifetime is how long the URL of a large record can be used, from the last
// attempt to deliver the message that it is in.
const LargeLifetime = 15 * time.Minute

// setAside prepares a record that is too large for a message: what is kept of
// it, and the URL that the message says instead. The URL's token is random and
// only its hash is kept, so there is no key that would have to be rotated.
func (s *Sink) setAside(entry []byte) (kept *windlass.LargeRecord, url string) {
	token := windlass.NewSecret(rand.Text() + rand.Text())
	kept = &windlass.LargeRecord{
		ID: ids.New(), TokenHash: token.Hash(), Body: append(append([]byte{'['}, entry...), ']'),
	}
	return kept, s.config.DownloadURL(kept.ID, token)
}

// Download returns a large record: a JSON list with its one entry, as the result
// of a message is. NotFound when there is none, or the token is another's; Gone
// when the time for it has passed.
func (s *Sink) Download(ctx context.Context, id string, token windlass.Secret) ([]byte, error) {
	const op = "download the record"
	kept, err := s.config.Records.LargeRecord(ctx, id)
	if err != nil || kept.TokenHash != token.Hash() {
		if err == nil || errors.Is(err, windlass.NotFound) {
			return nil, &windlass.Error{Kind: windlass.NotFound, Op: op, Message: "there is no such record", Remedy: "use the URL as it was sent"}
		}
		return nil, err
	}
	last := kept.Created
	if s.config.LastAttempt != nil {
		tried, err := s.config.LastAttempt(ctx, kept.BatchID)
		if err != nil && !errors.Is(err, windlass.NotFound) {
			return nil, err
		}
		if tried.After(last) {
			last = tried
		}
	}
	if s.config.Now().Sub(last) >= LargeLifetime {
		return nil, &windlass.Error{
			Kind: windlass.Gone, Op: op, Message: "the time to download the record has passed",
			Remedy: "have the message " + kept.BatchID + " delivered again: its URL then works for another 15 minutes",
		}
	}
	return kept.Body, nil
}
