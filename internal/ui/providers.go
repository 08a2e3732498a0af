package ui

import (
	"regexp"

	"windlass/connector"
)

// called is what to call the provider in a sentence: by its name, where there is one.
type called struct {
	First string // at its beginning
	Later string // further on
}

// provider is what pages call the provider.
func (r *request) provider() called {
	if all := r.ui.config.Setup.Providers(); len(all) == 1 {
		return called{all[0].Brand, all[0].Brand}
	}
	return called{"The provider", "a provider"}
}

// registration is the form by which a provider app of one provider is registered.
type registration struct {
	connector.Info

	App      connector.AppWords
	Callback string
	Form     providerAppForm
	// Suffix tells the ids of a page's second form and of those after it from the
	// first's; empty for the first, which is also for whom a form names no provider.
	Suffix string
}

// registrations are the forms of all providers whose customers consent.
func (r *request) registrations(form providerAppForm) (all []registration) {
	named := r.field("provider")
	for _, info := range r.ui.config.Setup.Providers() {
		if info.Consent == nil {
			continue
		}
		one := registration{Info: info, App: info.Consent.App, Callback: r.ui.config.CallbackURL}
		if len(all) > 0 {
			one.Suffix = "-" + info.Name
		}
		if named == info.Name || named == "" && len(all) == 0 {
			one.Form = form
		}
		all = append(all, one)
	}
	return all
}

// A part of a sentence is plain, or one of the others.
type part struct {
	Plain, Strong, Em string
	Callback          bool
}

// marks are how a provider's words set off a part: **a button**, *a word*, {callback}.
var marks = regexp.MustCompile(`\*\*(.+?)\*\*|\*(.+?)\*|\{callback\}`)

// partsOf takes a sentence of a provider's apart.
func partsOf(sentence string) (parts []part) {
	from := 0
	for _, at := range marks.FindAllStringSubmatchIndex(sentence, -1) {
		parts = append(parts, part{Plain: sentence[from:at[0]]})
		switch {
		case at[2] >= 0:
			parts = append(parts, part{Strong: sentence[at[2]:at[3]]})
		case at[4] >= 0:
			parts = append(parts, part{Em: sentence[at[4]:at[5]]})
		default:
			parts = append(parts, part{Callback: true})
		}
		from = at[1]
	}
	return append(parts, part{Plain: sentence[from:]})
}
