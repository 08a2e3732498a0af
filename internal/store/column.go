package store

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"windlass"
)

// micros is how a time is stored: 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// when scans what micros wrote.
type when struct{ into *time.Time }

func (w when) Scan(value any) error {
	n, ok := value.(int64)
	if !ok {
		return fmt.Errorf("a time is %T instead of a number", value)
	}
	*w.into = fromMicros(n)
	return nil
}

// text is how a list or a map is stored: as JSON, without "null".
func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil || string(data) == "null" {
		return "" // lists and maps of strings cannot fail
	}
	return string(data)
}

// fromText scans what text wrote.
type fromText struct{ into any }

func (f fromText) Scan(value any) error {
	var data []byte
	switch value := value.(type) {
	case string:
		data = []byte(value)
	case []byte:
		data = value
	default:
		return fmt.Errorf("JSON is kept as %T instead of text", value)
	}
	if len(data) == 0 {
		return nil
	}
	return json.Unmarshal(data, f.into)
}

// raw scans JSON that is handed on as it is.
type raw struct{ into *json.RawMessage }

func (r raw) Scan(value any) error {
	switch value := value.(type) {
	case string:
		*r.into = nil
		if value != "" {
			*r.into = json.RawMessage(value)
		}
		return nil
	case []byte:
		return r.Scan(string(value))
	default:
		return fmt.Errorf("JSON is kept as %T instead of text", value)
	}
}

// nullable is a reference that may be empty: NULL where it is.
func nullable(id string) any {
	if id == "" {
		return nil
	}
	return id
}

// fromNullable scans what maybe wrote.
type fromNullable struct{ into *string }

func (m fromNullable) Scan(value any) error {
	switch value := value.(type) {
	case nil:
		*m.into = ""
	case string:
		*m.into = value
	case []byte:
		*m.into = string(value)
	default:
		return fmt.Errorf("a reference is %T instead of text", value)
	}
	return nil
}

// A filter collects the conditions of a query whose fields may be left out.
type filter struct {
	where string
	args  []any
}

// unindexed makes a column an expression, which no index is used for.
const unindexed = " || ''"

// equal adds a condition unless the value is empty.
func (f *filter) equal(column, value string) {
	if value != "" {
		f.compare(column, "=", value)
	}
}

func (f *filter) compare(column, operator string, value any) {
	f.and(column + " " + operator + " " + f.bind(value))
}

// bind adds an argument, and returns its place in the query.
func (f *filter) bind(value any) string {
	f.args = append(f.args, value)
	return "?" + strconv.Itoa(len(f.args))
}

func (f *filter) and(condition string) {
	joint := " AND "
	if f.where == "" {
		joint = " WHERE "
	}
	f.where += joint + condition
}

// search adds the condition that a customer's group or workspace has a text in it.
// The subqueries read nothing but indexes, whatever else the rows hold.
func (f *filter) search(groupRef, connectionID, projectID, text string) {
	if text == "" {
		return
	}
	project := f.bind(projectID)
	like := " LIKE lower(" + f.bind("%"+likeEscaper.Replace(text)+"%") + `) ESCAPE '\'`
	f.and(`(` + groupRef + ` IN (SELECT sg.ref FROM groups sg WHERE sg.project_id = ` + project +
		` AND (lower(sg.ref)` + like + ` OR lower(sg.name)` + like + `))
		OR ` + connectionID + ` IN (SELECT sc.id FROM connections sc WHERE sc.project_id = ` + project +
		` AND lower(sc.workspace)` + like + `))`)
}

// likeEscaper escapes the special characters of LIKE.
var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// page ends a query whose list is in the order of a column of ids.
func (f *filter) page(column string, p windlass.Page) string {
	if p.After != "" {
		f.compare(column, ">", p.After)
	}
	return f.where + " ORDER BY " + column + f.limit(p.Limit)
}

// limit ends a query with a limit unless it is 0.
func (f *filter) limit(n int) string {
	if n <= 0 {
		return ""
	}
	f.args = append(f.args, n)
	return " LIMIT ?" + strconv.Itoa(len(f.args))
}
