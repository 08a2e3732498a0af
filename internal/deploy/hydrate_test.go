package deploy_test

import (
	"testing"

	"windlass/internal/flowtest"
)

func TestHydratedRevisionIsWhatTheContractDescribes(t *testing.T) {
	t.Parallel()
	w := flowtest.Once(t)
	w.Ready(flowtest.Reader)
	in, err := w.Deploys.Integration(w.Context(), w.Project.ID, "reader")
	w.OK(err)
	hydrated, err := w.Deploys.Hydrate(w.Context(), w.Project.ID, "reader", in.Latest.ID, "con-acme")
	w.OK(err)
	flowtest.Conform(t, "HydratedRevision", hydrated)
	flowtest.Golden(t, "hydrated.json", hydrated.Content)

	// What cannot be found out is said where it is missing.
	w.Provider.Down = true
	hydrated, err = w.Deploys.Hydrate(w.Context(), w.Project.ID, "reader", in.Latest.ID, "con-acme")
	w.Provider.Down = false
	w.OK(err)
	flowtest.Conform(t, "HydratedRevision", hydrated)
	objects := hydrated.Content.Read.Objects
	if len(objects) != 2 || objects[0].Error != "its fields could not be determined: 503 Service Unavailable" || len(objects[0].RequiredFields) != 2 {
		t.Errorf("got %+v", objects)
	}

	for _, test := range []struct{ name, revision, connection, want string }{
		{"no connection", in.Latest.ID, "", "query connectionId: is missing"},
		{"an unknown connection", in.Latest.ID, "x", ""},
		{"an unknown revision", "x", "con-acme", ""},
	} {
		_, err = w.Deploys.Hydrate(w.Context(), w.Project.ID, "reader", test.revision, test.connection)
		if err == nil || test.want != "" && flowtest.Issues(err)[:len(test.want)] != test.want {
			t.Errorf("%s: got %v", test.name, err)
		}
	}
}
