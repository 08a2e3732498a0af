package demo

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// Ids, states and consents are random, and the text of the demo is to be the same every time.
var (
	anID   = regexp.MustCompile(`\{?\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`)
	aState = regexp.MustCompile(`\b(state|consent)=[\w.-]+`)
)

// mask has something shown as something else from now on.
func (d *show) mask(what, as string) {
	d.masks = append(d.masks, [2]string{what, as}, [2]string{url.QueryEscape(what), url.QueryEscape(as)})
}

// masked is text as it is shown: the server's ids are numbered in the order in which
// they appear. Bitbucket's, which stand in braces, follow from the sandbox's seed.
func (d *show) masked(text string) string {
	for _, mask := range d.masks {
		text = strings.ReplaceAll(text, mask[0], mask[1])
	}
	text = aState.ReplaceAllString(text, "$1=…")
	return anID.ReplaceAllStringFunc(text, func(id string) string {
		if strings.HasPrefix(id, "{") {
			return id
		}
		if d.ids[id] == 0 {
			d.ids[id] = len(d.ids) + 1
		}
		return fmt.Sprintf("00000000-0000-7000-8000-%012d", d.ids[id])
	})
}
