package api

import (
	"fmt"
	"unicode/utf8"
)

// The maximum length of a text or list of a body, in characters and entries, unless its
// schema says otherwise.
const (
	maxName   = 256
	maxText   = 4096
	maxSecret = 16 << 10
	maxList   = 1000
)

// textLimits are the texts that may be longer than a name, by their key: values of
// other systems, and texts of people. 0: limited only by the body.
var textLimits = map[string]int{
	"apiKey": maxSecret, "appKey": maxSecret, "clientKey": maxSecret, "clientSecret": maxSecret, "password": maxSecret,
	"sharedSecret": maxSecret, "token": maxSecret, "publicKeyPem": maxSecret,
	"url": maxText, "sourceZipUrl": maxText, "path": maxText, "value": maxText, "note": maxText, "updateMask": maxText,
	"sourceYaml": 0,
}

// textsIn are the maps whose values may be longer than a name, whatever their keys.
var textsIn = map[string]bool{"headers": true, "authQueryParams": true, "providerParams": true}

// limit is how many characters the text at a place may have.
func (p *place) limit() int {
	for at := p; at != nil; at = at.above {
		if at.index >= 0 && at.above != nil {
			continue // an entry is limited as its list is
		}
		if at.above != nil && textsIn[at.above.key] {
			return maxText
		}
		if limit, found := textLimits[at.key]; found {
			return limit
		}
		return maxName
	}
	return maxName
}

// text adds a text that is too long.
func (f *faults) text(at *place, value string) {
	if len(value) <= maxName {
		return
	}
	if limit := at.limit(); limit > 0 && utf8.RuneCountInString(value) > limit {
		f.tooLarge(at, fmt.Sprintf("it is longer than %d characters", limit))
	}
}

func (f *faults) tooLarge(at *place, message string) {
	f.large = true
	f.add(at, message)
}
