package setup

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"windlass"
	"windlass/internal/ids"
	"windlass/internal/input"
)

const (
	algorithm = "RS256"
	minRSABit = 2048
	maxRSABit = 16384 // beyond it, one forged token costs the server seconds
)

// CreateJWTKeyRequest is the body of POST …/jwt-keys.
type CreateJWTKeyRequest struct {
	Label        string `json:"label"`
	Algorithm    string `json:"algorithm"` // RS256
	PublicKeyPEM string `json:"publicKeyPem"`
}

// PatchJWTKeyRequest is the body of PATCH …/jwt-keys/{id}.
type PatchJWTKeyRequest struct {
	UpdateMask []string `json:"updateMask"` // active, label
	JWTKey     struct {
		Active *bool  `json:"active,omitempty"`
		Label  string `json:"label,omitempty"`
	} `json:"jwtKey"`
}

// CreateJWTKey registers a public key that verifies RS256 tokens: RSA, of at
// least 2048 bits. Its ID is the kid of the tokens.
func (f *Flow) CreateJWTKey(ctx context.Context, project string, r CreateJWTKeyRequest) (windlass.JWTKey, error) {
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return windlass.JWTKey{}, err
	}
	var is input.Issues
	is.Label(r.Label, "label")
	if is.Need(r.Algorithm, "algorithm") && r.Algorithm != algorithm {
		is.Addf("algorithm", "%q is not supported: write %s", input.Shorten(r.Algorithm), algorithm)
	}
	var clean string
	if is.Need(r.PublicKeyPEM, "publicKeyPem") {
		var wrong string
		if clean, wrong = publicKey(r.PublicKeyPEM); wrong != "" {
			is.Addf("publicKeyPem", "%s", wrong)
		}
	}
	if err := is.Err("create the JWT key", nil); err != nil {
		return windlass.JWTKey{}, err
	}
	k := windlass.JWTKey{
		ID: ids.New(), ProjectID: p.ID, Label: r.Label, Algorithm: algorithm, PublicKeyPEM: clean,
		Active: true, Created: f.now(), Updated: f.now(),
	}
	return k, f.store.CreateJWTKey(ctx, k)
}

// publicKey parses an RSA public key and returns it in one form, or an error text,
// which never repeats the input: it may be a private key.
func publicKey(text string) (clean, wrong string) {
	const remedy = `: paste the file that begins with "-----BEGIN PUBLIC KEY-----"`
	block, rest := pem.Decode([]byte(strings.TrimSpace(text) + "\n"))
	switch {
	case block == nil:
		return "", "is not PEM" + remedy
	case strings.Contains(block.Type, "PRIVATE"):
		return "", "is a private key, which must never be sent. Treat it as leaked, make a new pair, and send the public key" + remedy
	case strings.TrimSpace(string(rest)) != "":
		return "", "contains more than one PEM block" + remedy
	}
	var key any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		return "", fmt.Sprintf("is a %q and not a public key%s", strings.ToLower(input.Shorten(block.Type)), remedy)
	}
	if err != nil {
		return "", "is PEM, but does not contain a key" + remedy
	}
	public, isRSA := key.(*rsa.PublicKey)
	if !isRSA {
		return "", "is not an RSA key, which " + algorithm + " needs: make one with openssl genrsa 2048"
	}
	if bits := public.N.BitLen(); bits < minRSABit || bits > maxRSABit {
		return "", fmt.Sprintf("has %d bits: use a key of %d or 4096", bits, minRSABit)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", "cannot be used: " + err.Error()
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), ""
}

// JWTKey finds a key by id.
func (f *Flow) JWTKey(ctx context.Context, project, id string) (windlass.JWTKey, error) {
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return windlass.JWTKey{}, err
	}
	k, err := f.store.JWTKey(ctx, id)
	if err != nil {
		return windlass.JWTKey{}, err
	}
	if k.ProjectID != p.ID {
		return windlass.JWTKey{}, &windlass.Error{Kind: windlass.NotFound, Op: "find the JWT key", Message: "the project has no such key"}
	}
	return k, nil
}

// JWTKeys lists a project's keys, or only its active ones.
func (f *Flow) JWTKeys(ctx context.Context, project string, active bool, page windlass.Page) ([]windlass.JWTKey, error) {
	p, err := f.store.Project(ctx, project)
	if err != nil {
		return nil, err
	}
	return f.store.JWTKeys(ctx, p.ID, active, page)
}

// UpdateJWTKey changes what the mask names.
func (f *Flow) UpdateJWTKey(ctx context.Context, project, id string, r PatchJWTKeyRequest) (windlass.JWTKey, error) {
	k, err := f.JWTKey(ctx, project, id)
	if err != nil {
		return windlass.JWTKey{}, err
	}
	var is input.Issues
	is.Mask(r.UpdateMask, map[string]func() string{
		"label": func() string { k.Label = r.JWTKey.Label; is.Label(k.Label, "jwtKey.label"); return "" },
		"active": func() string {
			if r.JWTKey.Active == nil {
				return "there is no value for it"
			}
			k.Active = *r.JWTKey.Active
			return ""
		},
	})
	if err := is.Err("update the JWT key", nil); err != nil {
		return windlass.JWTKey{}, err
	}
	k.Updated = f.now()
	return k, f.store.UpdateJWTKey(ctx, k)
}

// DeleteJWTKey deletes a key; tokens that it verified are refused from then on.
func (f *Flow) DeleteJWTKey(ctx context.Context, project, id string) error {
	k, err := f.JWTKey(ctx, project, id)
	if err != nil {
		return err
	}
	return f.store.DeleteJWTKey(ctx, k.ProjectID, k.ID)
}
