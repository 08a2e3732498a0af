package bitbucket

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"windlass"
)

// An error is a line for a person: what a stranger lists in it is bounded. There
// are some forty scopes.
const (
	maxFields   = 10
	maxScopes   = 50
	maxMessages = 10
	maxDepth    = 6 // of lists and objects that messages are looked for in
)

// saying is what an error body says, collected from whatever shape it has.
type saying struct {
	messages []string
	fields   map[string][]string
	required []string
	granted  []string
	url      string // of an announcement
}

// parseError fills in what an error body says. It takes any body whatever.
//
// Bitbucket's error bodies vary: error is an object, a word (RFC 6749) or a list;
// detail is a string, a list, or the scopes required and granted; fields is an
// object of strings or lists, or a list of sentences; data may stand beside error;
// gateways before it write message, detail or errors at the top. So each member
// that is known is read wherever it stands, in whatever type it has.
func parseError(body []byte, e *windlass.Error) {
	body = bytes.TrimSpace(body)
	var tree any
	if len(body) == 0 || body[0] != '{' && body[0] != '[' || json.Unmarshal(body, &tree) != nil {
		e.Message = textOf(body)
		return
	}
	var said saying
	said.read(tree, 0)
	e.Message = joined(said.messages)
	e.Provider.Fields, e.Provider.Required, e.Provider.Granted = said.fields, said.required, said.granted
	if said.url != "" {
		e.Remedy = "Bitbucket has removed this for good; see " + said.url
	}
}

// joined makes one message of several: "Bad request: the name is taken".
func joined(messages []string) string {
	var b strings.Builder
	for _, message := range messages {
		so := b.String()
		if strings.Contains(so, message) {
			continue
		}
		if so != "" {
			b.Reset()
			b.WriteString(strings.TrimRight(so, ".: ") + ": ")
		}
		b.WriteString(message)
	}
	return cleanText(strings.TrimRight(b.String(), ": "))
}

// read takes in one value of a body.
func (s *saying) read(value any, depth int) {
	if depth > maxDepth {
		return
	}
	switch value := value.(type) {
	case string:
		s.say(value)
	case []any:
		for _, one := range value {
			s.read(one, depth+1)
		}
	case map[string]any:
		s.readObject(value, depth)
	}
}

func (s *saying) say(text string) {
	if text = cleanText(text); text != "" && len(s.messages) < maxMessages {
		s.messages = append(s.messages, text)
	}
}

// readObject reads the members that are known, from what is general to details.
func (s *saying) readObject(object map[string]any, depth int) {
	inner, nested := object["error"]
	if _, isText := inner.(string); isText || !nested || inner == nil {
		s.read(inner, depth+1)
		s.read(object["message"], depth+1)
	} else {
		// What stands around an error repeats it, or says less.
		before := len(s.messages)
		s.read(inner, depth+1)
		if len(s.messages) == before {
			s.read(object["message"], depth+1)
		}
	}
	for _, name := range []string{"error_description", "title", "detail", "details", "errors"} {
		s.read(object[name], depth+1)
	}
	s.readFields(object["fields"], depth+1)
	if required := texts(object["required"]); len(required) > 0 {
		s.required, s.granted = required, texts(object["granted"])
	} else if granted := texts(object["granted"]); len(granted) > 0 {
		s.granted = granted
	}
	if data, ok := object["data"].(map[string]any); ok {
		if url, ok := data["announcement_url"].(string); ok && url != "" {
			s.url = cleanText(url)
		}
	}
}

// readFields reads what is said of single fields: by name, or as a list of
// sentences, or of objects that name the field.
func (s *saying) readFields(value any, depth int) {
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			s.field(name, problemsOf(value[name]))
		}
	case []any:
		for _, one := range value {
			object, ok := one.(map[string]any)
			if !ok {
				s.read(one, depth+1)
				continue
			}
			name, _ := object["field"].(string)
			if name == "" {
				name, _ = object["name"].(string)
			}
			if problems := problemsOf(object); name != "" && len(problems) > 0 {
				s.field(name, problems)
			} else {
				s.readObject(object, depth+1)
			}
		}
	default:
		s.read(value, depth+1)
	}
}

func (s *saying) field(name string, problems []string) {
	if len(problems) == 0 || len(s.fields) == maxFields {
		return
	}
	if s.fields == nil {
		s.fields = map[string][]string{}
	}
	s.fields[cleanText(name)] = problems
}

// problemsOf is what is said of one field: a string, a list, or an object with a
// message.
func problemsOf(value any) []string {
	if object, ok := value.(map[string]any); ok {
		for _, name := range []string{"message", "messages", "detail", "error", "errors"} {
			if problems := texts(object[name]); len(problems) > 0 {
				return problems
			}
		}
		return nil
	}
	return texts(value)
}

// texts reads a string, or the strings of a list, as a list.
func texts(value any) []string {
	switch value := value.(type) {
	case string:
		if text := cleanText(value); text != "" {
			return []string{text}
		}
	case []any:
		var all []string
		for _, one := range value {
			if text, ok := one.(string); ok && len(all) < maxScopes {
				all = append(all, cleanText(text))
			}
		}
		return all
	}
	return nil
}

// minSecret is the length below which a secret is not looked for in texts: it
// would be found as a part of words.
const minSecret = 4

// secretsIn are the secrets that a request carried, for servers and gateways that
// repeat its headers.
func secretsIn(req *http.Request) []string {
	if req == nil {
		return nil
	}
	_, sent, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	_, password, _ := req.BasicAuth()
	return []string{sent, password}
}

// masked returns an error without the secrets in it, should a stranger's text
// repeat what it was sent (invariant 5).
func masked(e *windlass.Error, secrets ...string) *windlass.Error {
	clean := *e
	clean.Message, clean.Remedy = hide(e.Message, secrets...), hide(e.Remedy, secrets...)
	provider := *e.Provider
	clean.Provider = &provider
	provider.Fields = make(map[string][]string, len(e.Provider.Fields))
	for name, problems := range e.Provider.Fields {
		name = hide(name, secrets...)
		for _, problem := range problems {
			provider.Fields[name] = append(provider.Fields[name], hide(problem, secrets...))
		}
	}
	return &clean
}

// hide takes secrets out of a text that went through cleanText, which changes
// white space and may cut a secret off in the middle.
func hide(text string, secrets ...string) string {
	for _, secret := range secrets {
		if secret = tidy(secret); len(secret) >= minSecret {
			text = hideCut(strings.ReplaceAll(text, secret, "•••"), secret)
		}
	}
	return text
}

// hideCut hides the beginning of a secret at the end of a text that was cut.
func hideCut(text, secret string) string {
	whole, cut := strings.CutSuffix(text, "…")
	if !cut {
		return text
	}
	for n := min(len(secret), len(whole)); n >= minSecret; n-- {
		if rest, found := strings.CutSuffix(whole, secret[:n]); found {
			return rest + "•••…"
		}
	}
	return text
}
