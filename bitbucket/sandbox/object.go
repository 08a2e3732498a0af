package sandbox

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// An object is a JSON object whose keys keep their order, so that the same
// seed gives the same bytes and a body reads like the recorded ones.
type object []pair

type pair struct {
	key   string
	value any
}

// A list is a JSON array of anything appendValue knows.
type list []any

// raw is JSON already encoded.
type raw []byte

// stamp is a point in time in microseconds since 1970, the precision Bitbucket
// gives to created_on and updated_on.
type stamp int64

// nanos is a point in time in nanoseconds since 1970, the precision of a
// hook's created_at, which ends in Z where everything else ends in +00:00.
type nanos int64

func (s stamp) time() time.Time { return time.UnixMicro(int64(s)).UTC() }

func stampOf(t time.Time) stamp { return stamp(t.UnixMicro()) }

// appendValue encodes v after dst. It knows exactly the types that bodies are
// made of; anything else is a mistake in this package and becomes null, which
// the document test notices.
func appendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case raw:
		return append(dst, v...)
	case string:
		return appendString(dst, v)
	case *string:
		if v == nil {
			return append(dst, "null"...)
		}
		return appendString(dst, *v)
	case bool:
		return strconv.AppendBool(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case stamp:
		return appendStamp(dst, v)
	case nanos:
		return appendNanos(dst, v)
	case object:
		return appendObject(dst, v)
	case list:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendValue(dst, e)
		}
		return append(dst, ']')
	case []string:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendString(dst, e)
		}
		return append(dst, ']')
	}
	return append(dst, "null"...)
}

func appendObject(dst []byte, o object) []byte {
	dst = append(dst, '{')
	for i, m := range o {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, m.key)
		dst = append(dst, ':')
		dst = appendValue(dst, m.value)
	}
	return append(dst, '}')
}

const hexDigits = "0123456789abcdef"

// appendString writes a JSON string. Text outside ASCII stays as UTF-8.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(append(dst, s[start:i]...), `\ufffd`...)
				start = i + 1
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

const (
	stampLayout = `"2006-01-02T15:04:05.000000+00:00"`
	nanosLayout = `"2006-01-02T15:04:05.000000000Z"`
	bareLayout  = "2006-01-02T15:04:05.000000"
)

func appendStamp(dst []byte, s stamp) []byte { return s.time().AppendFormat(dst, stampLayout) }

func appendNanos(dst []byte, n nanos) []byte {
	return time.Unix(0, int64(n)).UTC().AppendFormat(dst, nanosLayout)
}

// href is the {"href": …} that every link is.
func href(url string) object { return object{{"href", url}} }
