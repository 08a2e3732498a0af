package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxSize is the largest manifest that is read, in bytes.
const maxSize = 1 << 20

// readable reports whether data is text of a sensible size. The library finds
// most of this, too, but cannot say where.
func readable(data []byte, r *report) bool {
	if len(data) > maxSize {
		r.addAt(place{}, "", fmt.Sprintf("the manifest has %d bytes, and may have at most %d", len(data), maxSize),
			"split it into several projects, or check that this is the right file")
		return false
	}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		r.addAt(place{1, 1}, "", "the manifest is in UTF-16", "save it as UTF-8")
		return false
	}
	for i := 0; i < len(data); {
		char, size := utf8.DecodeRune(data[i:])
		switch {
		case char == utf8.RuneError && size == 1:
			r.addAt(placeOf(data, i), "", fmt.Sprintf("byte 0x%02x is not UTF-8 text", data[i]), "save the file as UTF-8")
			return false
		case char < ' ' && char != '\t' && char != '\n' && char != '\r', char == 0x7f:
			r.addAt(placeOf(data, i), "", fmt.Sprintf("the control character U+%04X cannot be part of a manifest", char), "remove it")
			return false
		}
		i += size
	}
	return true
}

// placeOf returns the line and column of an offset, counted as the library does.
func placeOf(data []byte, offset int) place {
	before := data[:offset]
	line := 1 + bytes.Count(before, []byte("\n")) + bytes.Count(before, []byte("\r")) - bytes.Count(before, []byte("\r\n"))
	begin := bytes.LastIndexAny(before, "\r\n") + 1
	text := bytes.TrimPrefix(before[begin:], []byte("\ufeff"))
	return place{line: line, column: utf8.RuneCount(text) + 1}
}

// addSyntax reports why the library could not read the text.
func (r *report) addSyntax(data []byte, err error) {
	failure, found := errors.AsType[*yaml.LoadError](err)
	if !found {
		r.addAt(place{}, "", "not valid YAML: "+err.Error(), "")
		return
	}
	at := place{failure.Mark.Line, failure.Mark.Column}
	message := "not valid YAML: " + failure.Message
	if failure.ContextMsg != "" {
		message += " " + failure.ContextMsg
	}
	switch begun := (place{failure.ContextMark.Line, failure.ContextMark.Column}); {
	case begun.line == 0:
	case strings.Contains(failure.ContextMsg, "quoted scalar") || strings.Contains(failure.ContextMsg, "alias"):
		at = begun // the library stops far behind the mistake
	case begun.line != at.line:
		message += fmt.Sprintf(" (begun in line %d)", begun.line)
	}
	r.addAt(at, "", message, remedyFor(lineOf(data, at.line), at.column, failure))
}

// remedyFor guesses what was meant from the text at the mistake.
func remedyFor(line []rune, column int, failure *yaml.LoadError) string {
	var char rune
	if column >= 1 && column <= len(line) {
		char = line[column-1]
	}
	switch {
	case char == '\t':
		return "indent with spaces, not with tabs"
	case char == '*':
		return `a value that begins with * needs quotes, as in schedule: "*/10 * * * *"`
	case strings.ContainsRune("@`%&!|>", char) && char != 0:
		return "put the value in quotes"
	case char == '"' || char == '\'':
		return "close the quotes that open here"
	case strings.Contains(failure.Message, "mapping values are not allowed"):
		return `put a value that contains ": " in quotes, or align this key with the keys beside it`
	case strings.Contains(failure.Message, "depth"):
		return "check the indentation and the brackets: no manifest is nested so deep"
	default:
		return "check that keys of one mapping begin in the same column, and that brackets and quotes are closed"
	}
}

func lineOf(data []byte, number int) []rune {
	normal := strings.ReplaceAll(strings.ReplaceAll(string(bytes.TrimPrefix(data, []byte("\ufeff"))), "\r\n", "\n"), "\r", "\n")
	for line := range strings.SplitSeq(normal, "\n") {
		if number--; number == 0 {
			return []rune(line)
		}
	}
	return nil
}
