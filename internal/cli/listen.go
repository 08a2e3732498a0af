package cli

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

	"windlass/webhook"
)

// envWebhookSecret holds the secrets that a receiver verifies with.
const envWebhookSecret = "WINDLASS_WEBHOOK_SECRET" //nolint:gosec // G101: the name of a variable

type listenOptions struct {
	addr         string
	fail, status int
	json         bool
}

func newListen(env *Env) *cobra.Command {
	opts := &listenOptions{}
	cmd := &cobra.Command{
		Use: "listen", Short: "Receive messages: verify and show them", Args: cobra.NoArgs,
		Long: `Receive messages as a product's webhook does, verify their signatures, and show them
until interrupted. ` + envWebhookSecret + ` has the destination's secret, or several
with spaces between while they rotate; without one nothing is verified.

A server sends to this machine only when it is told that it may: windlass serve
--allow-http-destinations --allow-private-destinations 127.0.0.1.`,
		Example: "  windlass listen --addr 127.0.0.1:8899\n  windlass listen --fail 3 --status 503",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkVariables(env); err != nil {
				return err
			}
			l, err := newListener(env, opts)
			if err != nil {
				return err
			}
			site, err := startSite(cmd.Context(), opts.addr, l)
			if err != nil {
				return err
			}
			tellf(env.Stderr, "windlass: listening at %s\n", site.url)
			<-cmd.Context().Done()
			stopped := site.stop()
			tellf(env.Stderr, "%s\n", l.summary())
			return stopped
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.addr, "addr", "127.0.0.1:8899", "the address to listen on; port 0 takes a free one")
	flags.IntVar(&opts.fail, "fail", 0, "refuse the first `N` messages, to see them come again")
	flags.IntVar(&opts.status, "status", http.StatusInternalServerError, "what those are answered with")
	flags.BoolVar(&opts.json, "json", false, "print bodies as they came, one a line")
	return inGroup(groupTry, cmd)
}

// A listener receives messages. It knows what came before.
type listener struct {
	opts listenOptions
	keys []webhook.Key
	out  io.Writer
	now  func() time.Time

	mu                       sync.Mutex
	seen                     map[string][sha256.Size]byte // by id: of the bytes
	messages, again, records int
	verified, refused        int
	changed                  int // messages that came again with other bytes
	onMessage                func(received)
}

// received is what a listener looks at.
type received struct {
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

func newListener(env *Env, opts *listenOptions) (*listener, error) {
	if opts.status < 100 || opts.status > 599 {
		return nil, invalidf("--status %d is no status of an answer", opts.status)
	}
	l := &listener{opts: *opts, out: env.Stdout, now: env.Now, seen: map[string][sha256.Size]byte{}}
	for secret := range strings.FieldsSeq(env.Getenv(envWebhookSecret)) {
		key, err := webhook.ParseKey(secret)
		if err != nil {
			return nil, invalidf("%s: %v", envWebhookSecret, err)
		}
		l.keys = append(l.keys, key)
	}
	return l, nil
}

// ServeHTTP receives one message.
func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const most = 1 << 20
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err != nil || r.Method != http.MethodPost {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.messages++
	if l.opts.fail > 0 {
		l.opts.fail--
		l.refused++
		l.show("refused", body)
		w.WriteHeader(l.opts.status)
		return
	}
	word := "unverified"
	if len(l.keys) > 0 {
		if _, err := webhook.Verify(l.keys, r.Header, body, l.now()); err != nil {
			l.refused++
			tellf(l.out, "a message that is not signed with %s: %v\n", envWebhookSecret, err)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		word = "verified"
		l.verified++
	}
	id, sum := r.Header.Get("Webhook-Id"), sha256.Sum256(body)
	if before, known := l.seen[id]; known {
		l.again++
		word = "again"
		if before != sum {
			l.changed++
			word = "again, with other bytes"
		}
	} else {
		l.seen[id] = sum
		m := l.read(body)
		l.records += m.ResultInfo.NumRecords
		if l.onMessage != nil {
			l.onMessage(m)
		}
	}
	l.show(word, body)
	w.WriteHeader(http.StatusNoContent)
}

func (l *listener) read(body []byte) (m received) {
	_ = json.Unmarshal(body, &m) // what cannot be read is shown as it came
	return m
}

// show prints a message: a line for people, or all of it.
func (l *listener) show(word string, body []byte) {
	if l.opts.json {
		var line bytes.Buffer
		if json.Compact(&line, body) == nil {
			tellf(l.out, "%s\n", line.Bytes())
		}
		return
	}
	m := l.read(body)
	if m.NotificationType != "" {
		tellf(l.out, "%-10s  %s\n", word, m.NotificationType)
		return
	}
	tellf(l.out, "%-10s  %s of %s for %s (%s)\n", word, counted(m.ResultInfo.NumRecords, "record"), m.ObjectName, m.GroupRef, m.ReadType)
}

// summary is what came in all.
func (l *listener) summary() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("%s, %d verified, %d of them again; %s", counted(l.messages, "message"), l.verified, l.again, counted(l.records, "record"))
}

// await waits until the listener has seen what is hoped for.
func (l *listener) await(ctx context.Context, patience time.Duration, hoped func(*listener) bool) bool {
	for begun := time.Now(); ; {
		l.mu.Lock()
		held := hoped(l)
		l.mu.Unlock()
		if held || time.Since(begun) > patience || ctx.Err() != nil {
			return held
		}
		time.Sleep(5 * time.Millisecond)
	}
}
