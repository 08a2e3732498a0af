package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// An envelope says how a list is wrapped. Only values and next are promised by
// Bitbucket's documents, and real envelopes differ:
//
//   - user/emails has no pagelen and no page,
//   - pipelines-config/variables says "pagelen": 0,
//   - addon/linkers has nothing but values and next.
type envelope uint8

const (
	envelopeFull envelope = iota
	envelopeNoLength
	envelopeZeroLength
	envelopeBare
)

// A page is the part of a list that was asked for.
type page struct {
	number, length int // number counts from one
	total          int
	wrap           envelope
}

// from and to are the bounds of the page within the list.
func (p page) from() int { return min((p.number-1)*p.length, p.total) }
func (p page) to() int   { return min(p.from()+p.length, p.total) }

// page reads page and pagelen of the query.
func (c *call) page(defaultLength, total int, wrap envelope) (page, error) {
	p := page{number: 1, length: min(defaultLength, c.server.options.MaxPagelen), total: total, wrap: wrap}
	if text := c.query.Get("pagelen"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > c.server.options.MaxPagelen {
			return p, fail(http.StatusBadRequest, messageBadLength)
		}
		p.length = n
	}
	if text := c.query.Get("page"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1<<30 {
			return p, fail(http.StatusBadRequest, messageBadPage)
		}
		p.number = n
	}
	return p, nil
}

// paged answers one page of a list with total entries, of which each appends
// the i-th.
func (c *call) paged(defaultLength, total int, wrap envelope, each func(dst []byte, i int) []byte) (*answer, error) {
	p, err := c.page(defaultLength, total, wrap)
	if err != nil {
		return nil, err
	}
	from, to := c.pageWindow(p)
	b := append(make([]byte, 0, c.roomFor(to-from)), `{"values":[`...)
	for i := from; i < to; i++ {
		if i > from {
			b = append(b, ',')
		}
		b = each(b, c.entry(i, p.total))
	}
	b = append(b, ']')
	if !c.server.options.OmitSize {
		b = appendPlace(b, p)
	}
	if p.to() < p.total && !c.spoiled.noNext {
		b = append(b, `,"next":`...)
		b = appendString(b, c.nextURL(p.number))
	}
	if p.number > 1 && wrap != envelopeBare {
		b = append(b, `,"previous":`...)
		b = appendString(b, c.pageURL(p.number-1))
	}
	return &answer{status: http.StatusOK, body: append(b, '}')}, nil
}

func appendPlace(b []byte, p page) []byte {
	if p.wrap == envelopeBare {
		return b
	}
	if p.wrap == envelopeZeroLength {
		b = append(b, `,"pagelen":0`...)
	}
	if p.wrap == envelopeFull {
		b = strconv.AppendInt(append(b, `,"pagelen":`...), int64(p.length), 10)
	}
	b = strconv.AppendInt(append(b, `,"size":`...), int64(p.total), 10)
	if p.wrap != envelopeNoLength {
		b = strconv.AppendInt(append(b, `,"page":`...), int64(p.number), 10)
	}
	return b
}

// pageURL is the address of another page of the list being asked for: the same
// request with another page parameter, every other parameter as it came.
func (c *call) pageURL(number int) string {
	kept := without(c.request.URL.RawQuery, "page", repeated)
	if kept != "" {
		kept += "&"
	}
	return c.at.api + c.path + "?" + kept + "page=" + strconv.Itoa(number)
}

// without is a query without some parameters; the others stay as they came.
func without(query string, names ...string) string {
	kept := []string{}
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		if name, err := url.QueryUnescape(name); part != "" && (err != nil || !slices.Contains(names, name)) {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "&")
}

// roomFor guesses the size of a page, so that it is not copied as it grows.
func (c *call) roomFor(entries int) int { return 512 + entries*roomForEntry }

// roomForEntry is a little more than a repository takes, the largest record of
// lists that are read by the hundred.
const roomForEntry = 3700
