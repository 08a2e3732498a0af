package connect

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"windlass"
	"windlass/connector"
)

// Missing returns the scopes that the project's integrations ask for and the
// connection does not have. It returns nothing when it is not known what was
// granted.
func (s *Service) Missing(ctx context.Context, connection windlass.Connection) ([]string, error) {
	const op = "compare the scopes"
	provider, err := s.provider(op, connection.Provider)
	if err != nil || len(connection.Scopes) == 0 {
		return nil, err
	}
	integrations, err := s.store.Integrations(ctx, connection.ProjectID, windlass.Page{})
	if err != nil {
		return nil, explain(op, err)
	}
	var required []string
	for _, integration := range integrations {
		if integration.Provider == connection.Provider {
			required = append(required, scopesOf(provider.Objects(), integration.Latest.Content)...)
		}
	}
	return provider.Missing(connection.Scopes, required), nil
}

// scopesOf returns the scopes that an entry of a manifest needs. Deleting is not
// among them: it is a customer's choice, which has not been made yet.
func scopesOf(known []connector.Object, content json.RawMessage) []string {
	type objects struct {
		Objects []struct {
			Name string `json:"objectName"`
		} `json:"objects"`
	}
	var entry struct {
		Read  objects `json:"read"`
		Write objects `json:"write"`
	}
	if json.Unmarshal(content, &entry) != nil {
		return nil // what was deployed was checked: this is a revision without content
	}
	var scopes []string
	for i := range known {
		of := &known[i]
		for _, object := range entry.Read.Objects {
			if object.Name == of.Name {
				scopes = append(scopes, of.Scopes(false)...)
			}
		}
		for _, object := range entry.Write.Objects {
			if object.Name == of.Name {
				scopes = append(scopes, of.Scopes(true)...)
			}
		}
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

// missingScopes is the status reason of a working connection that lacks scopes.
func missingScopes(missing []string) string {
	if len(missing) == 0 {
		return ""
	}
	return "the integrations ask for scopes that were not granted: " + strings.Join(missing, ", ")
}
