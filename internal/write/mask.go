package write

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"windlass"
)

// mask stands for a secret.
const mask = "•••"

// hide notes the secrets of a record, so that plain leaves them out (invariant 5).
// It looks for them under the provider's names.
func (s *step) hide(record json.RawMessage) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(record, &fields) != nil {
		return
	}
	for _, name := range s.secretFields(s.in.Connection, s.Op.Object) {
		var secret string
		if json.Unmarshal(fields[name], &secret) != nil {
			secret = string(fields[name]) // a number is one, too
		}
		const shortest = 4 // what is shorter is part of any word
		if len(secret) < shortest || slices.Contains(s.secrets, secret) {
			continue
		}
		s.secrets = append(s.secrets, secret)
		// The longest first: one may be part of another.
		slices.SortFunc(s.secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	}
}

// hideAll notes the secrets of all records: a provider's error may repeat what was
// sent with another one.
func (s *step) hideAll() {
	for i := range s.records {
		s.hide(s.records[i].Record)
		if s.w.Type != windlass.WriteCreate || s.plan == nil {
			continue
		}
		if written, err := s.plan.Create(s.records[i].Record); err == nil {
			s.hide(written.Record)
		}
	}
}

// plain is an error as part of a sentence, without the secrets of the records.
func (s *step) plain(err error) string {
	text := err.Error()
	for _, secret := range s.secrets {
		text = strings.ReplaceAll(text, secret, mask)
		if quoted, err := json.Marshal(secret); err == nil { // as it stands in JSON
			text = strings.ReplaceAll(text, strings.Trim(string(quoted), `"`), mask)
		}
	}
	return strings.TrimRight(text, ".")
}

// withoutSecrets is an error whose text has no secrets.
type withoutSecrets struct {
	text string
	err  error
}

func (w *withoutSecrets) Error() string { return w.text }
func (w *withoutSecrets) Unwrap() error { return w.err }

// masked is a record of the provider's without its secrets: the provider returns
// the value of a variable that is not secured.
func (s *step) masked(record json.RawMessage) json.RawMessage {
	names := s.secretFields(s.in.Connection, s.Op.Object)
	var fields map[string]json.RawMessage
	if len(names) == 0 || json.Unmarshal(record, &fields) != nil {
		return record
	}
	for _, name := range names {
		if value := bytes.TrimSpace(fields[name]); len(value) > 0 && !bytes.Equal(value, []byte("null")) {
			fields[name] = json.RawMessage(`"` + mask + `"`)
		}
	}
	data, err := json.Marshal(fields)
	if err != nil {
		return nil
	}
	return data
}
