package setup

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"windlass"
	"windlass/internal/ids"
	"windlass/internal/input"
)

// The scopes of an API key.
const (
	ScopeFull     = "full"     // everything in its project
	ScopeFrontend = "frontend" // what a page in a browser needs
)

const (
	keyPrefix   = "wlk_"
	publicBytes = 10 // 16 characters
	secretBytes = 35 // 56 characters: whole groups of five bytes need no padding
)

// APIKeyRequest is the body of POST …/api-keys.
type APIKeyRequest struct {
	Label  string   `json:"label"`
	Scopes []string `json:"scopes,omitempty"` // none: full
}

// PatchAPIKeyRequest is the body of PATCH …/api-keys/{key}.
type PatchAPIKeyRequest struct {
	UpdateMask []string `json:"updateMask"` // active, label, scopes
	APIKey     struct {
		Label  string   `json:"label,omitempty"`
		Active *bool    `json:"active,omitempty"`
		Scopes []string `json:"scopes,omitempty"`
	} `json:"apiKey"`
}

// CreateAPIKey makes a key, wlk_<public id>_<secret>. Its Key is returned only once;
// its ID, wlk_<public id>, is used in lists and paths.
func (f *Flow) CreateAPIKey(ctx context.Context, project string, r APIKeyRequest) (windlass.APIKey, error) {
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return windlass.APIKey{}, err
	}
	if len(r.Scopes) == 0 {
		r.Scopes = []string{ScopeFull}
	}
	var is input.Issues
	is.Label(r.Label, "label")
	checkScopes(&is, r.Scopes, "scopes")
	if err := is.Err("create the API key", nil); err != nil {
		return windlass.APIKey{}, err
	}
	id := keyPrefix + ids.Text(publicBytes)
	k := windlass.APIKey{
		ID: id, ProjectID: p.ID, Key: windlass.NewSecret(id + "_" + ids.Text(secretBytes)),
		Label: r.Label, Scopes: r.Scopes, Active: true, Created: f.now(), Updated: f.now(),
	}
	return k, f.store.CreateAPIKey(ctx, k)
}

func checkScopes(is *input.Issues, scopes []string, at string) {
	if len(scopes) == 0 {
		is.Addf(at, "is empty: write full, frontend or both")
	}
	for i, scope := range scopes {
		if scope != ScopeFull && scope != ScopeFrontend {
			is.Addf(fmt.Sprintf("%s[%d]", at, i), "%q is not a scope: write full or frontend", input.Shorten(scope))
		}
	}
}

// APIKey finds a key by its public part, or by the whole of it.
func (f *Flow) APIKey(ctx context.Context, project, key string) (windlass.APIKey, error) {
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return windlass.APIKey{}, err
	}
	return f.store.APIKey(ctx, p.ID, publicPart(key))
}

// publicPart returns the part of a key that may be shown.
func publicPart(key string) string {
	public, _, _ := strings.Cut(strings.TrimPrefix(key, keyPrefix), "_")
	return keyPrefix + public
}

// APIKeys lists a project's keys, or only its active ones.
func (f *Flow) APIKeys(ctx context.Context, project string, active bool, page windlass.Page) ([]windlass.APIKey, error) {
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return nil, err
	}
	return f.store.APIKeys(ctx, p.ID, active, page)
}

// UpdateAPIKey changes what the mask names.
func (f *Flow) UpdateAPIKey(ctx context.Context, project, key string, r PatchAPIKeyRequest) (windlass.APIKey, error) {
	k, err := f.APIKey(ctx, project, key)
	if err != nil {
		return windlass.APIKey{}, err
	}
	var is input.Issues
	is.Mask(r.UpdateMask, map[string]func() string{
		"label": func() string { k.Label = r.APIKey.Label; is.Label(k.Label, "apiKey.label"); return "" },
		"active": func() string {
			if r.APIKey.Active == nil {
				return "there is no value for it"
			}
			k.Active = *r.APIKey.Active
			return ""
		},
		"scopes": func() string {
			k.Scopes = r.APIKey.Scopes
			checkScopes(&is, k.Scopes, "apiKey.scopes")
			return ""
		},
	})
	if err := is.Err("update the API key", nil); err != nil {
		return windlass.APIKey{}, err
	}
	k.Updated = f.now()
	return k, f.store.UpdateAPIKey(ctx, k)
}

// DeleteAPIKey deletes a key; it opens nothing from then on.
func (f *Flow) DeleteAPIKey(ctx context.Context, project, key string) error {
	k, err := f.APIKey(ctx, project, key)
	if err != nil {
		return err
	}
	return f.store.DeleteAPIKey(ctx, k.ProjectID, k.ID)
}

// Authenticate returns the key that a request came with: its project and its
// scopes. A key that is unknown, deleted or not active is an error of kind
// windlass.Unauthorized, which does not say which of these it is.
//
// Its duration reveals nothing about existing keys: it looks up a hash, whose first
// bytes an attacker cannot choose.
func (f *Flow) Authenticate(ctx context.Context, key string) (windlass.APIKey, error) {
	refused := &windlass.Error{
		Kind: windlass.Unauthorized, Op: "authenticate", Message: "the API key is not known, or no longer active",
		Remedy: "send the whole key that was shown when it was made",
	}
	if len(key) > 256 || !strings.HasPrefix(key, keyPrefix) {
		return windlass.APIKey{}, refused
	}
	k, err := f.store.APIKeyByHash(ctx, windlass.NewSecret(key).Hash())
	if errors.Is(err, windlass.NotFound) {
		return windlass.APIKey{}, refused
	}
	if err != nil {
		return windlass.APIKey{}, err
	}
	same := subtle.ConstantTimeCompare([]byte(k.ID), []byte(publicPart(key))) == 1
	if !same || !k.Active {
		return windlass.APIKey{}, refused
	}
	k.Key = windlass.Secret{}
	return k, nil
}
