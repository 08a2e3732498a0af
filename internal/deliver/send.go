package deliver

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
	"strconv"
	"strings"
	"syscall"
	"time"

	"windlass"
	"windlass/webhook"
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

// A target is a destination, ready to be sent to.
type target struct {
	windlass.Destination
	keys  []webhook.Key
	fault string // why nothing can be sent
}

func (s *Service) aim(d windlass.Destination) *target {
	t := &target{Destination: d}
	u, err := url.Parse(d.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		t.fault = "the destination's URL is none: give it one such as https://example.com/hooks"
	case u.Scheme == "http" && !s.allowHTTP:
		t.fault = "the destination's URL is http, and this server is not set to allow that: give it an https URL"
	}
	for _, secret := range d.Secrets {
		key, err := webhook.ParseKey(secret.Reveal())
		if err != nil {
			t.fault = "the destination's signing secret cannot be used: rotate it"
		}
		t.keys = append(t.keys, key)
	}
	if len(t.keys) == 0 {
		t.fault = "the destination has no signing secret: rotate it"
	}
	return t
}

// An answer is what a receiver made of an attempt.
type answer struct {
	status     int
	text       string
	fault      string // why it is no success, as whoever may see the delivery is told
	detail     string // what the log says of it beyond that
	retryAfter time.Duration
}

// post makes one attempt. Nothing is known of it when ctx has ended.
func (s *Service) post(ctx context.Context, t *target, b windlass.Batch, sent time.Time) answer {
	if t.fault != "" {
		return answer{fault: t.fault}
	}
	signed, err := webhook.Headers(t.keys, b.ID, sent, b.Body)
	if err != nil {
		return answer{fault: clean(err.Error())}
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.URL, bytes.NewReader(b.Body))
	if err != nil {
		return answer{fault: "the destination's URL cannot be requested"}
	}
	for name, value := range t.Headers {
		req.Header.Set(name, value)
	}
	// Ours come last: a custom header never stands in for one of them.
	maps.Copy(req.Header, signed)
	mark(req.Header, b)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Windlass")
	resp, err := s.client.Do(req)
	if err != nil {
		return answer{fault: explain(err), detail: detail(err)}
	}
	defer resp.Body.Close()
	defer time.AfterFunc(answerTime, cancel).Stop()
	return read(resp, s.now)
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

func read(resp *http.Response, now func() time.Time) answer {
	// An answer that breaks off is as good as its status.
	begin, _ := io.ReadAll(io.LimitReader(resp.Body, keptAnswer))
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, readAnswer-keptAnswer))
	a := answer{
		status: resp.StatusCode, text: clean(string(begin)),
		retryAfter: retryAfter(resp.StatusCode, resp.Header, now()),
	}
	status := strings.TrimSpace(fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)))
	switch {
	case a.status >= 200 && a.status < 300:
	case a.status >= 300 && a.status < 400:
		a.fault = "answered " + status + ": redirects are not followed, give the destination the URL itself"
	case a.status == http.StatusGone:
		a.fault = "answered " + status + ": if the receiver is gone for good, delete the destination"
	default:
		a.fault = "answered " + status
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
		return fmt.Sprintf("no answer within %s", Timeout)
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
	return clean(err.Error())
}

// clean makes text fit for every database: UTF-8 without NUL.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text[:min(len(text), keptAnswer)], "\uFFFD"), "\x00", "\uFFFD")
}
