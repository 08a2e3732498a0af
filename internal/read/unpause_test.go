package read_test

import (
	"errors"
	"strings"
	"testing"

	"windlass"
	"windlass/internal/read"
)

func TestUnpausingWhatIsDisabledNamesTheWay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.install(configOf(`"disabled":true`))
		for _, r := range []read.PauseRequest{{}, {Objects: []string{"repositories"}}} { // hooks is disabled, too
			err := w.flow.Unpause(ctx, "acme", "repos", w.installation.ID, r)
			if !errors.Is(err, windlass.Conflict) || !strings.Contains(err.Error(), "repositories are disabled, not paused") {
				t.Errorf("disabled by a config: %v", err)
			}
		}
		integration := w.integration
		integration.Latest.ID = newID()
		integration.Latest.Content = []byte(`{"name":"repos","provider":"bitbucket","read":{"objects":[{"objectName":"members"}]}}`)
		w.must(w.SaveIntegrations(ctx, w.project.ID, []windlass.Integration{integration}))
		err := w.flow.Unpause(ctx, "acme", "repos", w.installation.ID, read.PauseRequest{})
		if !errors.Is(err, windlass.Conflict) || !strings.Contains(err.Error(), "deploy one that does") {
			t.Errorf("disabled by a deploy: %v", err)
		}
	})
}
