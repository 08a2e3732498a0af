package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/sink"
	signing "windlass/webhook"
)

const (
	// keptAnswer is how much of an answer is kept, readAnswer how much is read so
	// that the connection can be used again. What is longer costs its connection.
	keptAnswer = 1 << 10
	readAnswer = 4 << 10
	// answerTime is how long an answer may take behind its headers. The status has
	// come by then, and decides.
	answerTime = 5 * time.Second
)

// Send posts a batch once.
func (s *Sink) Send(ctx context.Context, d windlass.Destination, b windlass.Batch) sink.Result {
	settings, keys, fault := s.aim(d)
	if fault != "" {
		return sink.Result{Error: fault}
	}
	signed, err := signing.Headers(keys, b.ID, s.config.Now(), b.Body)
	if err != nil {
		return sink.Result{Error: err.Error()}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, settings.URL, bytes.NewReader(b.Body))
	if err != nil {
		return sink.Result{Error: "the destination's URL cannot be requested"}
	}
	for name, value := range settings.Headers {
		req.Header.Set(name, value)
	}
	// Ours come last: a custom header never stands in for one of them.
	maps.Copy(req.Header, signed)
	mark(req.Header, b)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Windlass")
	resp, err := s.client.Do(req)
	if err != nil {
		return sink.Result{Error: explain(err), Detail: detail(err)}
	}
	defer resp.Body.Close()
	defer time.AfterFunc(answerTime, cancel).Stop()
	return read(resp, s.config.Now)
}

// target is what sending to a destination takes, made of its settings and secrets.
type target struct {
	of       windlass.Destination
	settings Settings
	keys     []signing.Key
	fault    string // why nothing can be sent
}

// maxTargets bounds what is kept.
const maxTargets = 1000

// aim returns the target of a destination. It is kept for the next message as long as
// the destination's settings and secrets stay the same.
func (s *Sink) aim(d windlass.Destination) (settings Settings, keys []signing.Key, fault string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept, known := s.targets[d.ID]
	if !known || !bytes.Equal(kept.of.Settings, d.Settings) || !slices.Equal(kept.of.Secrets, d.Secrets) {
		kept = target{of: d}
		kept.settings, kept.keys, kept.fault = s.resolve(d)
		if len(s.targets) >= maxTargets {
			clear(s.targets)
		}
		s.targets[d.ID] = kept
	}
	return kept.settings, kept.keys, kept.fault
}

// resolve makes a target.
func (s *Sink) resolve(d windlass.Destination) (settings Settings, keys []signing.Key, fault string) {
	settings, err := settingsOf(d)
	if err != nil {
		return settings, nil, "the destination's settings cannot be read: save them again"
	}
	u, err := url.Parse(settings.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		fault = "the destination's URL is none: give it one such as https://example.com/hooks"
	case u.Scheme == "http" && !s.config.AllowHTTP:
		fault = "the destination's URL is http, and this server is not set to allow that: give it an https URL"
	}
	for _, secret := range d.Secrets {
		key, err := signing.ParseKey(secret.Reveal())
		if err != nil {
			fault = "the destination's signing secret cannot be used: rotate it"
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		fault = "the destination has no signing secret: rotate it"
	}
	return settings, keys, fault
}

// The headers that say more of a message than its signed body does.
const (
	headerOperation = "Windlass-Operation-Id"
	headerSequence  = "Windlass-Sequence"
	headerReplay    = "Windlass-Replay"
)

// mark sets them, or removes what a custom header says in their place.
func mark(header http.Header, b windlass.Batch) {
	header.Set(headerSequence, strconv.FormatInt(b.Seq, 10))
	header.Del(headerOperation)
	if b.OperationID != "" {
		header.Set(headerOperation, b.OperationID)
	}
	header.Del(headerReplay)
	if b.Replays > 0 {
		header.Set(headerReplay, strconv.Itoa(b.Replays))
	}
}

func read(resp *http.Response, now func() time.Time) sink.Result {
	// An answer that breaks off is as good as its status.
	begin, _ := io.ReadAll(io.LimitReader(resp.Body, keptAnswer))
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, readAnswer-keptAnswer))
	a := sink.Result{
		Status: resp.StatusCode, Answer: string(begin),
		RetryAfter: retryAfter(resp.StatusCode, resp.Header, now()),
	}
	status := strings.TrimSpace(fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status)))
	switch {
	case a.Status >= 200 && a.Status < 300:
	case a.Status >= 300 && a.Status < 400:
		a.Error = "answered " + status + ": redirects are not followed, give the destination the URL itself"
	case a.Status == http.StatusGone:
		a.Error = "answered " + status + ": if the receiver is gone for good, delete the destination"
	default:
		a.Error = "answered " + status
	}
	return a
}

// explain says why there was no answer. It names neither the URL, which may hold
// what authorizes, nor what only the network of this server tells: addresses that
// a name leads to, resolvers, proxies. Those are for the log.
func explain(err error) string {
	var (
		refused     *windlass.Error // by the guard of addresses
		lookup      *net.DNSError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
	)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer within %s", sink.Timeout)
	case errors.As(err, &refused):
		return "the URL leads to an address that is not public, and this server sends to no such address: " +
			"name a public one, or have its network allowed"
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return "the host of the URL is not known: correct its name"
	case errors.As(err, &lookup):
		return "the host of the URL could not be looked up"
	case errors.As(err, &certificate):
		return "the receiver's certificate is not accepted: renew it, or complete its chain"
	case errors.As(err, &record):
		return "the receiver does not speak TLS at this port: correct the URL"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the receiver refused the connection"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the receiver closed the connection before it had answered"
	}
	return "the receiver could not be reached"
}

// detail is an error without the URL.
func detail(err error) string {
	if outer := new(url.Error); errors.As(err, &outer) {
		err = outer.Err
	}
	return err.Error()
}

// retryAfter reads how long a receiver asks to be left alone (RFC 9110, 10.2.3):
// zero unless the answer is a 429 or a 503 that says so.
func retryAfter(status int, header http.Header, now time.Time) time.Duration {
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
		return 0
	}
	wait, _ := connector.RetryAfter(header, now) // at most a day
	return wait
}
