package workspace

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"windlass/bitbucket"
	"windlass/connector"
	"windlass/internal/cli/command"
)

// encoder writes records in one of the formats.
type encoder interface {
	// appendHeader appends what stands before the first record.
	appendHeader(dst []byte) []byte
	// appendRecord appends one record and the end of its line.
	appendRecord(dst []byte, record json.RawMessage) ([]byte, error)
}

const (
	formatJSONL = "jsonl"
	formatCSV   = "csv"
)

var formats = []string{formatJSONL, formatCSV}

// newEncoder returns the encoder of a format. Without fields, JSON lines hold
// whole records and CSV has a column for each top-level field of the object.
func newEncoder(format, object string, fields []string) (encoder, error) {
	switch format {
	case formatJSONL:
		if len(fields) == 0 {
			return wholeLines{}, nil
		}
		return pickedLines{newPicker(fields)}, nil
	case formatCSV:
		if len(fields) > 0 {
			return newCSV(fields), nil
		}
		described, err := bitbucket.Describe(object)
		if err != nil {
			return nil, err
		}
		return newCSV(columns(described)), nil
	default:
		return nil, command.Invalidf("--format %q is not one of: %s", command.Clip(format), strings.Join(formats, ", "))
	}
}

// columns are the fields that a read returns, without what is inside them.
func columns(fields []connector.Field) []string {
	var names []string
	for _, field := range fields {
		if !field.WriteOnly && !strings.Contains(field.Name, ".") {
			names = append(names, field.Name)
		}
	}
	return names
}

// wholeLines writes records as they came. Only a record that holds a line
// break is touched: it would not be one line.
type wholeLines struct{}

func (wholeLines) appendHeader(dst []byte) []byte { return dst }

func (wholeLines) appendRecord(dst []byte, record json.RawMessage) ([]byte, error) {
	if !bytes.ContainsAny(record, "\n\r") {
		return append(append(dst, record...), '\n'), nil
	}
	dst, err := command.AppendCompact(dst, record)
	return append(dst, '\n'), err
}

// pickedLines writes the chosen fields of records.
type pickedLines struct{ pick *picker }

func (pickedLines) appendHeader(dst []byte) []byte { return dst }

func (l pickedLines) appendRecord(dst []byte, record json.RawMessage) ([]byte, error) {
	dst, _, err := l.pick.appendTo(dst, record)
	return append(dst, '\n'), err
}

// csvLines writes comma-separated values as RFC 4180 quotes them, with a line
// feed at the end of a line. It is ours because encoding/csv writes a record
// whose only value is empty as an empty line, which readers skip.
type csvLines struct {
	names []string
	paths [][]string
}

func newCSV(names []string) csvLines {
	lines := csvLines{names: names}
	for _, name := range names {
		lines.paths = append(lines.paths, strings.Split(name, "."))
	}
	return lines
}

func (l csvLines) appendHeader(dst []byte) []byte {
	for i, name := range l.names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = l.appendValue(dst, []byte(name))
	}
	return append(dst, '\n')
}

func (l csvLines) appendRecord(dst []byte, record json.RawMessage) ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(record, &members); err != nil {
		return dst, err
	}
	for i, path := range l.paths {
		if i > 0 {
			dst = append(dst, ',')
		}
		member, ok := members[path[0]]
		if ok {
			var err error
			if member, ok, err = command.Lookup(member, path[1:]); err != nil {
				return dst, err
			}
		}
		if !ok {
			member = nil
		}
		value, err := command.Plain(member)
		if err != nil {
			return dst, err
		}
		dst = l.appendValue(dst, value)
	}
	return append(dst, '\n'), nil
}

func (l csvLines) appendValue(dst, value []byte) []byte {
	bare := !bytes.ContainsAny(value, "\",\r\n") && (len(value) > 0 || len(l.names) > 1)
	if bare {
		return append(dst, value...)
	}
	dst = append(dst, '"')
	for {
		quote := slices.Index(value, '"')
		if quote < 0 {
			break
		}
		dst = append(append(dst, value[:quote+1]...), '"')
		value = value[quote+1:]
	}
	return append(append(dst, value...), '"')
}
