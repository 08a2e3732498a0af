package ui

import (
	"net/http"
	"testing"

	"windlass"
)

// What anyone may do without having signed in; everything else needs a role.
var open = map[string]bool{
	"GET " + Prefix + "sign-in": true, "POST " + Prefix + "sign-in": true,
	"GET " + Prefix + "sign-in/{token}": true, "POST " + Prefix + "sign-in/{token}": true,
	"GET " + Prefix + "oidc": true, "GET " + OIDCCallback: true,
}

// What a viewer may send although it is not a GET.
var harmless = map[string]bool{"POST " + Prefix + "sign-out": true}

func TestARouteThatChangesSomethingNeedsAnEditor(t *testing.T) {
	t.Parallel()
	for _, route := range routes() {
		name := route.method + " " + route.path
		switch {
		case open[name]:
			if route.needs != "" {
				t.Errorf("%s needs the role %s before anyone can sign in", name, route.needs)
			}
		case route.method == http.MethodGet || harmless[name]:
			if route.needs != windlass.Viewer {
				t.Errorf("%s needs the role %q: a viewer sees everything", name, route.needs)
			}
		case route.needs != windlass.Editor:
			t.Errorf("%s changes something and needs the role %q", name, route.needs)
		}
	}
}
