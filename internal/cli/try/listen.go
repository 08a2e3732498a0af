package try

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"windlass/internal/cli/command"
	"windlass/webhook"
)

// ListenOptions are the flags of listen.
type ListenOptions struct {
	addr         string
	fail, Status int
	json         bool
}

func newListen(env *command.Env) *cobra.Command {
	opts := &ListenOptions{}
	cmd := &cobra.Command{
		Use: "listen", Short: "Receive webhook messages, verify their signatures and print them", Args: cobra.NoArgs,
		Long: `Receive messages as a product's webhook does, verify their signatures, and show them
until interrupted. ` + command.EnvWebhookSecret + ` has the destination's secret, or several
with spaces between while they rotate; without one nothing is verified.

A server sends to this machine only when it is told that it may: windlass serve
--allow-http-destinations --allow-private-destinations 127.0.0.1.`,
		Example: "  windlass listen --addr 127.0.0.1:8899\n  windlass listen --fail 3 --status 503",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := command.CheckVariables(env); err != nil {
				return err
			}
			l, err := NewListener(env, opts)
			if err != nil {
				return err
			}
			site, err := StartSite(cmd.Context(), opts.addr, l)
			if err != nil {
				return err
			}
			command.Tellf(env.Stderr, "windlass: listening at %s\n", site.URL)
			<-cmd.Context().Done()
			stopped := site.Stop()
			command.Tellf(env.Stderr, "%s\n", l.summary())
			return stopped
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.addr, "addr", "127.0.0.1:8899", "the address to listen on; port 0 takes a free one")
	flags.IntVar(&opts.fail, "fail", 0, "refuse the first `N` messages, to see them come again")
	flags.IntVar(&opts.Status, "status", http.StatusInternalServerError, "what those are answered with")
	flags.BoolVar(&opts.json, "json", false, "print bodies as they came, one a line")
	return command.InGroup(command.GroupTry, cmd)
}

// A Listener receives messages, and remembers those that it has received.
type Listener struct {
	opts ListenOptions
	keys []webhook.Key
	out  io.Writer
	now  func() time.Time

	// OnMessage is told of each new message, one after the other. It is set before
	// the listener receives any.
	OnMessage func(Received)

	mu      sync.Mutex
	seen    map[string][sha256.Size]byte // by id: of the bytes
	figures Figures
}

// Figures are what a listener has counted.
type Figures struct {
	Messages, again, records int
	Verified, Refused        int
	Changed                  int // messages that came again with other bytes
	Distinct                 int // messages that differ by their id
}

// Received is what a listener looks at.
type Received struct {
	NotificationType string `json:"notificationType"`
	ObjectName       string `json:"objectName"`
	GroupRef         string `json:"groupRef"`
	ReadType         string `json:"readType"`
	ResultInfo       struct {
		NumRecords int `json:"numRecords"`
	} `json:"resultInfo"`
	Result []struct {
		Raw json.RawMessage `json:"raw"`
	} `json:"result"`
}

// NewListener returns a receiver of webhooks, to be served as a handler.
func NewListener(env *command.Env, opts *ListenOptions) (*Listener, error) {
	if opts.Status < 100 || opts.Status > 599 {
		return nil, command.Invalidf("--status %d is no status of an answer", opts.Status)
	}
	l := &Listener{opts: *opts, out: env.Stdout, now: env.Now, seen: map[string][sha256.Size]byte{}}
	for secret := range strings.FieldsSeq(env.Getenv(command.EnvWebhookSecret)) {
		key, err := webhook.ParseKey(secret)
		if err != nil {
			return nil, command.Invalidf("%s: %v", command.EnvWebhookSecret, err)
		}
		l.keys = append(l.keys, key)
	}
	return l, nil
}

// ServeHTTP receives one message.
func (l *Listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const maxBody = 1 << 20
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil || r.Method != http.MethodPost {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.figures.Messages++
	if l.opts.fail > 0 {
		l.opts.fail--
		l.figures.Refused++
		l.show("refused", body)
		w.WriteHeader(l.opts.Status)
		return
	}
	word := "unverified"
	if len(l.keys) > 0 {
		if _, err := webhook.Verify(l.keys, r.Header, body, l.now()); err != nil {
			l.figures.Refused++
			command.Tellf(l.out, "a message that is not signed with %s: %v\n", command.EnvWebhookSecret, err)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		word = "verified"
		l.figures.Verified++
	}
	id, sum := r.Header.Get("Webhook-Id"), sha256.Sum256(body)
	if before, known := l.seen[id]; known {
		l.figures.again++
		word = "again"
		if before != sum {
			l.figures.Changed++
			word = "again, with other bytes"
		}
	} else {
		l.seen[id] = sum
		l.figures.Distinct++
		m := l.read(body)
		l.figures.records += m.ResultInfo.NumRecords
		if l.OnMessage != nil {
			l.OnMessage(m)
		}
	}
	l.show(word, body)
	w.WriteHeader(http.StatusNoContent)
}

func (l *Listener) read(body []byte) (m Received) {
	_ = json.Unmarshal(body, &m) // what cannot be read is shown as it came
	return m
}

// show prints a message: a line for people, or all of it.
func (l *Listener) show(word string, body []byte) {
	if l.opts.json {
		var line bytes.Buffer
		if json.Compact(&line, body) == nil {
			command.Tellf(l.out, "%s\n", line.Bytes())
		}
		return
	}
	m := l.read(body)
	if m.NotificationType != "" {
		command.Tellf(l.out, "%-10s  %s\n", word, m.NotificationType)
		return
	}
	command.Tellf(l.out, "%-10s  %s of %s for %s (%s)\n", word, command.Counted(m.ResultInfo.NumRecords, "record"), m.ObjectName, m.GroupRef, m.ReadType)
}

// summary is what came in all.
func (l *Listener) summary() string {
	f := l.Count()
	return fmt.Sprintf("%s, %d verified, %d of them again; %s", command.Counted(f.Messages, "message"), f.Verified, f.again, command.Counted(f.records, "record"))
}

// Count returns the figures by now.
func (l *Listener) Count() Figures {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.figures
}

// RefuseNext makes the listener refuse the next n messages.
func (l *Listener) RefuseNext(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opts.fail = n
}

// VerifyWith sets the keys that signatures are verified with from now on.
func (l *Listener) VerifyWith(keys ...webhook.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keys = keys
}

// Await waits until the condition holds, and reports whether it did in time.
func (l *Listener) Await(ctx context.Context, patience time.Duration, condition func(Figures) bool) bool {
	for begun := time.Now(); ; {
		held := condition(l.Count())
		if held || time.Since(begun) > patience || ctx.Err() != nil {
			return held
		}
		time.Sleep(5 * time.Millisecond)
	}
}
