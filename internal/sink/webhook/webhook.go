// Package webhook is the type of destination that is a URL: messages in the
// published contract's shape, signed, sent by POST.
//
// Messages hold as many records as fit into [MaxMessage], none cut. A record that
// does not fit at all is kept beside its message, which says a URL instead
// ([Sink.Download]).
//
// Requests are signed anew at each attempt, with its time and with each secret of the
// destination. An attempt is accepted when the answer is 2xx. Redirects are not
// followed: 3xx is a failure, as is 410, which may be a mistake made while deploying
// and costs little. A Retry-After of a 429 or 503 counts, up to a day. What the guarded
// transport (package guard) refuses to reach is not reached.
package webhook

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"windlass"
	"windlass/internal/sink"
	signing "windlass/webhook"
)

// Name is what destinations of this type say as their type.
const Name = "webhook"

// Settings say where messages go.
type Settings struct {
	URL     string            `json:"url,omitempty"`
	Headers map[string]string `json:"headers,omitempty"` // added to each request
}

// Config is what a Sink is made of. Transport, DownloadURL and Records are required.
type Config struct {
	// Transport sends the requests. It is what keeps them away from private
	// addresses: see package guard.
	Transport http.RoundTripper
	// AllowHTTP lets messages go out over plain http, which everybody on the way
	// can read.
	AllowHTTP bool
	// CheckAddress refuses the addresses that destinations may not be at; nil refuses
	// none. What a host's name leads to is checked when a message is sent.
	CheckAddress func(netip.Addr) error
	// DownloadURL is where a large record is fetched, for [Sink.Download].
	DownloadURL func(id string, token windlass.Secret) string
	Records     Records
	// LastAttempt returns when the delivery of a batch was last tried, zero for
	// never: a download URL lives on from there, because every retry carries the
	// same bytes (invariant 2). Nil: it lives from when it was made.
	LastAttempt func(ctx context.Context, batchID string) (time.Time, error)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Records finds records that are too large for a message.
type Records interface {
	LargeRecord(ctx context.Context, id string) (windlass.LargeRecord, error)
}

// Sink sends webhooks. It is safe for concurrent use.
type Sink struct {
	config Config
	client *http.Client

	mu      sync.Mutex
	targets map[string]target // by the destination's id
}

// New returns a Sink.
func New(c Config) (*Sink, error) {
	if c.Transport == nil || c.DownloadURL == nil || c.Records == nil {
		return nil, &windlass.Error{
			Kind: windlass.Invalid, Op: "set up webhooks", Message: "a transport and a way to large records are required",
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Sink{config: c, targets: map[string]target{}, client: &http.Client{
		Transport: c.Transport,
		// A redirect would take a signed message to somewhere that was not configured.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Type is the sink's row in the table of a server.
func (s *Sink) Type() sink.Type {
	return sink.Type{
		Name: Name, Sink: s, Settings: Settings{}, NewSecret: signing.NewSecret,
		Address: func(d windlass.Destination) string {
			settings, _ := settingsOf(d) // they were checked
			return settings.URL
		},
	}
}

func settingsOf(d windlass.Destination) (settings Settings, err error) {
	if len(d.Settings) == 0 {
		return settings, nil
	}
	err = json.Unmarshal(d.Settings, &settings)
	return settings, err
}
