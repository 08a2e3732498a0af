package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

// writeAnswer writes what an operation returned. An error means that nothing has
// been written yet.
func writeAnswer(w http.ResponseWriter, status int, answer any) error {
	switch answer := answer.(type) {
	case nil:
		w.WriteHeader(status)
		return nil
	case answered:
		return writeAnswer(w, answer.status, answer.body)
	case page:
		answer.write(w)
		return nil
	case text:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer)) // a caller that disconnected needs no answer
		return nil
	case json.RawMessage: // made at the start, not per request
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(answer)
		return nil
	}
	body, err := encode(answer)
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
	return nil
}

// encode marshals an answer. The contract has no null: a null inside a config or a
// manifest is left out.
func encode(answer any) ([]byte, error) {
	body, err := json.Marshal(answer)
	if err != nil || !bytes.Contains(body, []byte("null")) {
		return body, err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return json.Marshal(withoutNulls(value))
}

func withoutNulls(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, member := range value {
			if member == nil {
				delete(value, key)
			} else {
				value[key] = withoutNulls(member)
			}
		}
	case []any:
		kept := value[:0]
		for _, member := range value {
			if member != nil {
				kept = append(kept, withoutNulls(member))
			}
		}
		return kept
	}
	return value
}

// printable reports whether a text may be kept: PostgreSQL takes neither NUL nor
// what is not UTF-8.
func printable(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// printableWord is a word that a client made up, short and without control
// characters, for a message or a log.
func printableWord(s string) string {
	if len(s) > 32 || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "this method"
	}
	return s
}

// headerText makes a sentence fit for a header, which takes one line of ASCII.
func headerText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}
