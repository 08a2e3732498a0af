// Package bbql is the query language of Bitbucket's list endpoints: the `q`
// parameter and its companion `sort`.
//
// [Parse] checks a query against the fields that an endpoint can filter by and
// gives an [Expr]; [Expr.Match] tests one record; [Expr.TimeBounds] says which
// stretch of time a query can match at all, so that a server with an index by
// time need not test every record. [ParseSort] reads `sort`.
//
// Promises: no input makes it panic, a query's length and nesting are bounded
// ([MaxLength], [MaxDepth]), and [Expr.String] parses to an equal expression.
// An Expr is immutable and safe for concurrent use.
//
// # The language
//
// Operators, types and the meaning of bare datetimes are as Atlassian's
// "Filter and sort API objects" describes them. What it leaves open is decided
// here:
//
//   - AND binds tighter than OR; there is no NOT but in NOT IN.
//   - Keywords, null, true and false are read in either case, field names are not.
//   - = on strings respects case, ~ does not. In a string, a backslash makes the
//     next character ordinary.
//   - A record without the field satisfies = null, and also !=, !~ and NOT IN of
//     anything else; it never satisfies an ordering.
//   - A list may hold null.
//   - Permissions are ordered on two ladders: read, write, create-repo, admin for
//     repositories and projects, and member, collaborator, owner for workspaces.
//     Values of different ladders are not ordered.
//   - An empty query matches everything.
package bbql

import (
	"fmt"
	"time"
)

const (
	// MaxLength is the longest query accepted, in bytes.
	MaxLength = 16 << 10
	// MaxDepth is how deep parentheses may nest.
	MaxDepth = 50
)

// Type is what a field holds, which decides the literals and operators it takes.
type Type int

// The types of fields.
const (
	String     Type = iota + 1 // = != ~ !~ > >= < <= IN, with quoted text
	Number                     // = != > >= < <= IN, with 1 or -10.302
	Bool                       // = != IN, with true or false
	Time                       // = != > >= < <= IN, with an ISO-8601 datetime, bare or quoted
	Permission                 // as String without ~; ordered by how much it allows
)

// String names the type as error messages do.
func (t Type) String() string {
	switch t {
	case String:
		return "string"
	case Number:
		return "number"
	case Bool:
		return "boolean"
	case Time:
		return "datetime"
	case Permission:
		return "permission"
	default:
		return fmt.Sprintf("Type(%d)", int(t))
	}
}

// Fields says which dotted fields an endpoint filters and sorts by.
type Fields map[string]Type

// Lookup gives the value of a dotted field of one record: nil when the record
// has none, else a string, int, int64, float64, bool or time.Time as the
// field's Type asks. A []string is a field with several values: = ~ and IN hold
// when they hold for one of them. A value of another type counts as absent.
type Lookup func(field string) any

// Expr is a parsed query. The zero Expr, and a nil one, match everything.
type Expr struct{ root node }

// Match reports whether the record behind get satisfies the query.
func (e *Expr) Match(get Lookup) bool {
	return e == nil || e.root == nil || e.root.match(get)
}

// String writes the query in one canonical form, which parses to an equal Expr.
func (e *Expr) String() string {
	if e == nil || e.root == nil {
		return ""
	}
	return e.root.text()
}

// TimeBounds says between which moments, both included, a record's field must
// lie for the query to match; a zero time is no bound. Only comparisons that
// every match must satisfy are used, those joined by AND at the top. exact
// reports that the query asks nothing else: every record with that field
// between lo and hi matches (and, with no bound at all, every record). When
// lo is after hi nothing matches.
func (e *Expr) TimeBounds(field string) (lo, hi time.Time, exact bool) {
	b := bounds{field: field, exact: true}
	if e != nil && e.root != nil {
		b.add(e.root)
	}
	return b.lo, b.hi, b.exact
}

// Error is why a query or a sort was refused. Its text is what the `message`
// of a 400 answer holds.
type Error struct {
	Field   string // the field refused, if one was
	Pos     int    // where a query stops making sense, as a byte offset; -1 when it is not about a place
	Message string
}

func (e *Error) Error() string { return e.Message }

func syntaxError(pos int, format string, args ...any) *Error {
	return &Error{Pos: pos, Message: fmt.Sprintf("Invalid query at position %d: %s", pos, fmt.Sprintf(format, args...))}
}
