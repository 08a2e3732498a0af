package deliver

import (
	"context"
	"time"

	"windlass"
)

// ReplayRequest says what to deliver once more: one batch; or the batches of a
// destination, of every destination when none is named. What waits for its next
// attempt is tried at once.
type ReplayRequest struct {
	BatchID     string
	Destination string // its id or name
	// Failed is set for those only that were given up.
	Failed bool
	// Since and Until bound the time at which the batches were made; zero is open.
	Since, Until time.Time
}

// replayAtOnce is how many batches one transaction makes due.
const replayAtOnce = 500

// Replay makes batches due once more, with the same ids and the same bytes
// (invariant 2), and says how many. Each goes through the whole schedule again;
// the attempts before stay in its history. A destination that is being left alone
// is tried at once; what goes to a disabled one waits until that is enabled. It may
// be repeated.
func (s *Service) Replay(ctx context.Context, project string, r ReplayRequest) (int, error) {
	p, err := s.store.Project(ctx, project)
	if err != nil {
		return 0, err
	}
	choice := windlass.Replayed{BatchID: r.BatchID, Since: r.Since, Until: r.Until}
	if r.Failed {
		choice.Status = windlass.BatchFailed
	}
	destinations, err := s.replayed(ctx, p.ID, r)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, id := range destinations {
		choice.DestinationID = id
		n, err := s.replay(ctx, choice)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// replayed lists the destinations that a request is about.
func (s *Service) replayed(ctx context.Context, projectID string, r ReplayRequest) ([]string, error) {
	if r.BatchID != "" {
		b, err := s.store.Batch(ctx, projectID, r.BatchID)
		return []string{b.DestinationID}, err
	}
	if r.Destination != "" {
		d, err := s.store.Destination(ctx, projectID, r.Destination)
		return []string{d.ID}, err
	}
	if !r.Failed && r.Since.IsZero() {
		return nil, &windlass.Error{
			Kind: windlass.Invalid, Op: "replay", Message: "that would deliver everything that the project has ever sent",
			Remedy: "name a batch or a destination, or a time, or ask for the failed ones only",
		}
	}
	all, err := s.store.Destinations(ctx, projectID, windlass.Page{})
	ids := make([]string, len(all))
	for i, d := range all {
		ids[i] = d.ID
	}
	return ids, err
}

func (s *Service) replay(ctx context.Context, choice windlass.Replayed) (total int, err error) {
	now := s.now() // one for all, so that a lane's batches go out in its order
	for after := ""; ; {
		n, last, err := s.store.ReplayBatches(ctx, choice, now, after, replayAtOnce)
		if err != nil || n == 0 {
			if total > 0 {
				s.Wake(choice.DestinationID)
			}
			return total, err
		}
		total, after = total+n, last
	}
}
