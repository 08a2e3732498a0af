package sandbox

import (
	"bytes"
	"net/http"

	"windlass/bitbucket/sandbox/internal/auth"
	"windlass/bitbucket/sandbox/internal/limit"
)

// anonymousLimit is how often an address without a credential may ask.
const anonymousLimit = 60

// take counts a request against the limit of its credential. extra receives
// the headers that say how much is left, if the server sends any: the scaled
// family for access tokens, to which it is documented to belong, and the
// gateway's for everyone else.
//
// A refusal says when to come back only if there are headers at all.
func (s *Server) take(p principal, extra http.Header) error {
	perHour := s.options.Limit
	if p.anonymous() && perHour > anonymousLimit {
		perHour = anonymousLimit
	}
	decision := s.limiter.Take(p.LimitKey, perHour)
	style := limit.NoHeaders
	if s.options.LimitHeaders {
		style = limit.Gateway
		if p.Kind == auth.ResourceToken {
			style = limit.Scaled
		}
	}
	if decision.Allowed {
		decision.Headers(extra, style)
		return nil
	}
	var c capture
	decision.Refuse(&c, limit.Refusal{Style: style, PlainText: s.options.PlainErrors, RetryAfter: s.options.LimitHeaders})
	return &failure{sent: c.answer()}
}

// capture is a ResponseWriter that keeps the answer.
type capture struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (c *capture) Header() http.Header {
	if c.header == nil {
		c.header = http.Header{}
	}
	return c.header
}

func (c *capture) WriteHeader(status int)      { c.status = status }
func (c *capture) Write(p []byte) (int, error) { return c.body.Write(p) }

func (c *capture) answer() *answer {
	return &answer{status: c.status, header: c.header, kind: c.header.Get("Content-Type"), body: c.body.Bytes()}
}
