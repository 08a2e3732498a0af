package deliver

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"windlass"
	"windlass/internal/sink"
)

// Config is what a Service is made of. Store and Sinks are required.
type Config struct {
	Store Store
	// Sinks sends: the server's types of destinations.
	Sinks *sink.Table
	// Notifier is told when a destination is disabled; nil is not called.
	Notifier Notifier
	// Concurrency is how many requests at once a destination gets, in as many
	// lanes, over all processes; 0 means 16.
	Concurrency int
	// MaxDestinations is how many destinations this process sends to at once;
	// 0 means 128.
	MaxDestinations int
	// Poll is how often to look for what is due; 0 means a second.
	Poll time.Duration
	// Logger gets what a person has to act on; nil discards it.
	Logger *slog.Logger
	// Owner is this process, by which the others find what it was sending when it is
	// gone; empty means none in particular.
	Owner string
	// Now is the clock; nil means time.Now. It should agree with the clocks of
	// the other processes to within seconds: leases are compared by it.
	Now func() time.Time
}

// Service delivers batches. It is safe for concurrent use; any number may share
// one store.
type Service struct {
	store       Store
	sinks       *sink.Table
	notifier    Notifier
	concurrency int
	most        int
	poll        time.Duration
	log         *slog.Logger
	now         func() time.Time
	owner       string

	woken chan string

	mu       sync.Mutex
	draining map[string]chan struct{} // by destination: what nudges its drain
	troubled string                   // the last failure of a look for what is due
}

// New returns a Service.
func New(config Config) (*Service, error) {
	if config.Store == nil || config.Sinks == nil {
		return nil, &windlass.Error{
			Kind: windlass.Invalid, Op: "set up deliveries", Message: "a store and the types of destinations are required",
		}
	}
	const waiting = 1024
	s := &Service{
		store: config.Store, sinks: config.Sinks, notifier: config.Notifier,
		concurrency: cmp.Or(config.Concurrency, 16), most: cmp.Or(config.MaxDestinations, 128),
		poll: cmp.Or(config.Poll, time.Second), log: config.Logger, now: config.Now, owner: config.Owner,
		woken: make(chan string, waiting), draining: map[string]chan struct{}{},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// Alone says that no other process uses the store: every process that held a destination has
// died, and what he was sending is sent at once instead of when his lease ends. It
// is called before Run.
func (s *Service) Alone(ctx context.Context) error { return s.store.ReleaseAllDestinations(ctx) }

// Run delivers what is due until ctx ends; then it waits for the attempts that
// are under way, for some seconds, and returns nil. It is called once.
func (s *Service) Run(ctx context.Context) error {
	var drains sync.WaitGroup
	defer drains.Wait()
	ticker := time.NewTicker(s.poll)
	defer ticker.Stop()
	for {
		s.sweep(ctx, &drains)
		for looking := true; looking; {
			select {
			case <-ctx.Done():
				return nil
			case id := <-s.woken:
				s.start(ctx, &drains, id)
			case <-ticker.C:
				looking = false
			}
		}
	}
}

// Wake says that batches were added for a destination. It never waits, and may
// be called for nothing: what it forgets, Run finds within Poll.
func (s *Service) Wake(destinationID string) {
	if s.nudge(destinationID) {
		return
	}
	select {
	case s.woken <- destinationID:
	default:
	}
}

// nudge tells a drain of this process to look again, and reports whether there
// is one.
func (s *Service) nudge(destinationID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	nudge, found := s.draining[destinationID]
	if found {
		select {
		case nudge <- struct{}{}:
		default: // it has been told already
		}
	}
	return found
}

// sweep starts a drain for each destination that something is due to.
func (s *Service) sweep(ctx context.Context, drains *sync.WaitGroup) {
	s.mu.Lock()
	room := s.most - len(s.draining)
	s.mu.Unlock()
	if room <= 0 {
		return
	}
	due, err := s.store.DueDestinations(ctx, s.now(), room)
	s.trouble(ctx, err)
	for _, id := range due {
		s.start(ctx, drains, id)
	}
}

// trouble logs a failure once, however often it is met.
func (s *Service) trouble(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	text := ""
	if err != nil {
		text = err.Error()
	}
	s.mu.Lock()
	news := text != s.troubled
	s.troubled = text
	s.mu.Unlock()
	if news && err != nil {
		s.log.ErrorContext(ctx, "deliveries have to wait", slog.Any(logReason, err))
	}
}

func (s *Service) start(ctx context.Context, drains *sync.WaitGroup, destinationID string) {
	s.mu.Lock()
	_, busy := s.draining[destinationID]
	full := len(s.draining) >= s.most
	if !busy && !full {
		s.draining[destinationID] = make(chan struct{}, 1)
	}
	nudge := s.draining[destinationID]
	s.mu.Unlock()
	if full && !busy {
		return
	}
	if busy {
		s.nudge(destinationID)
		return
	}
	drains.Go(func() {
		err := s.drain(ctx, destinationID, nudge)
		s.mu.Lock()
		delete(s.draining, destinationID)
		s.mu.Unlock()
		select {
		case <-nudge: // too late for this one
			s.Wake(destinationID)
		default:
		}
		if err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "a delivery was broken off and is tried again",
				slog.String(logDestination, destinationID), slog.Any(logReason, err))
		}
	})
}
