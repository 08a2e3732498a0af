package install_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"

	"windlass"
	"windlass/internal/install"
)

func TestAPIKeys(t *testing.T) {
	each(t, func(w *world) {
		t := w.T
		_, err := w.flow.CreateAPIKey(w.ctx, w.project.ID, install.APIKeyRequest{Scopes: []string{"root"}})
		w.refused(err, windlass.Invalid, "(label: is missing)", `(scopes[0]: "root" is not a scope: write full or frontend)`)
		k, err := w.flow.CreateAPIKey(w.ctx, w.project.ID, install.APIKeyRequest{Label: "page", Scopes: []string{install.ScopeFrontend}})
		w.ok(err)
		whole := k.Key.Reveal()
		if parts := strings.Split(whole, "_"); len(parts) != 3 || parts[0]+"_"+parts[1] != k.ID || len(parts[2]) != 56 {
			t.Errorf("got a key of %d parts", len(parts))
		}
		found, err := w.flow.Authenticate(w.ctx, whole)
		w.ok(err)
		if found.ID != k.ID || found.ProjectID != w.project.ID || found.Scopes[0] != install.ScopeFrontend || !found.Key.IsZero() {
			t.Errorf("got %+v", found)
		}
		for _, wrong := range []string{"", "x", k.ID, k.ID + "_", whole + "a", whole[:len(whole)-1], strings.ToUpper(whole), strings.Repeat("wlk_", 1000)} {
			_, err := w.flow.Authenticate(w.ctx, wrong)
			w.refused(err, windlass.Unauthorized, "is not known, or no longer active")
		}
		for _, name := range []string{k.ID, whole} {
			found, err := w.flow.APIKey(w.ctx, w.project.ID, name)
			w.ok(err)
			if found.ID != k.ID || !found.Key.IsZero() {
				t.Errorf("got %+v", found)
			}
		}
		update := func(body string) (windlass.APIKey, error) {
			var r install.PatchAPIKeyRequest
			w.ok(json.Unmarshal([]byte(body), &r))
			return w.flow.UpdateAPIKey(w.ctx, w.project.ID, k.ID, r)
		}
		_, err = update(`{"updateMask":["active"],"apiKey":{}}`)
		w.refused(err, windlass.Invalid, "updateMask[0]: active: there is no value for it")
		_, err = update(`{"updateMask":["scopes"],"apiKey":{}}`)
		w.refused(err, windlass.Invalid, "apiKey.scopes: is empty")
		off, err := update(`{"updateMask":["active","label"],"apiKey":{"active":false,"label":"old page"}}`)
		w.ok(err)
		if off.Active || off.Label != "old page" {
			t.Errorf("got %+v", off)
		}
		_, err = w.flow.Authenticate(w.ctx, whole)
		w.refused(err, windlass.Unauthorized)
		for active, want := range map[bool]int{true: 0, false: 1} {
			all, err := w.flow.APIKeys(w.ctx, w.project.ID, active, windlass.Page{})
			w.ok(err)
			if len(all) != want {
				t.Errorf("active=%t: got %d keys", active, len(all))
			}
		}
		_, err = update(`{"updateMask":["active"],"apiKey":{"active":true}}`)
		w.ok(err)
		_, err = w.flow.Authenticate(w.ctx, whole)
		w.ok(err)
		w.ok(w.flow.DeleteAPIKey(w.ctx, w.project.ID, whole))
		_, err = w.flow.Authenticate(w.ctx, whole)
		w.refused(err, windlass.Unauthorized)
		w.refused(w.flow.DeleteAPIKey(w.ctx, w.project.ID, whole), windlass.NotFound)
	})
}

func pemOf(t *testing.T, kind string, der []byte, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestJWTKeys(t *testing.T) {
	each(t, func(w *world) {
		t := w.T
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		w.ok(err)
		small, err := rsa.GenerateKey(rand.Reader, 1024)
		w.ok(err)
		curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		w.ok(err)
		der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
		good := pemOf(t, "PUBLIC KEY", der, err)
		private := pemOf(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key), nil)
		smallDER, err := x509.MarshalPKIXPublicKey(&small.PublicKey)
		tooSmall := pemOf(t, "PUBLIC KEY", smallDER, err)
		curveDER, err := x509.MarshalPKIXPublicKey(&curve.PublicKey)
		other := pemOf(t, "PUBLIC KEY", curveDER, err)
		for _, test := range []struct{ name, label, algorithm, pem, want string }{
			{"a private key", "a", "RS256", private, "publicKeyPem: is a private key, which must never be sent"},
			{"too short", "a", "RS256", tooSmall, "publicKeyPem: has 1024 bits"},
			{"of another sort", "a", "RS256", other, "publicKeyPem: is not an RSA key"},
			{"a certificate", "a", "RS256", strings.ReplaceAll(good, "PUBLIC KEY", "CERTIFICATE"), `is a "certificate" and not a public key`},
			{"damaged", "a", "RS256", pemOf(t, "PUBLIC KEY", der[1:], nil), "is PEM, but does not contain a key"},
			{"no PEM", "a", "RS256", "ssh-rsa AAAA", "publicKeyPem: is not PEM"},
			{"two", "a", "RS256", good + good, "contains more than one PEM block"},
			{"for another algorithm", "a", "HS256", good, `algorithm: "HS256" is not supported: write RS256`},
			{"nothing", "", "", "", "(label: is missing) (algorithm: is missing) (publicKeyPem: is missing)"},
		} {
			_, err := w.flow.CreateJWTKey(w.ctx, w.project.ID, install.CreateJWTKeyRequest{Label: test.label, Algorithm: test.algorithm, PublicKeyPEM: test.pem})
			w.refused(err, windlass.Invalid, test.want)
			if len(test.pem) > 100 && strings.Contains(err.Error(), test.pem[50:90]) {
				t.Errorf("%s: the key shows in %v", test.name, err)
			}
		}
		k, err := w.flow.CreateJWTKey(w.ctx, w.project.ID, install.CreateJWTKeyRequest{
			Label: "page", Algorithm: "RS256", PublicKeyPEM: pemOf(t, "RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&key.PublicKey), nil),
		})
		w.ok(err)
		if k.PublicKeyPEM != good || !k.Active || k.Algorithm != "RS256" {
			t.Errorf("got %+v", k)
		}
		second, err := w.flow.CreateProject(w.ctx, install.CreateProjectRequest{Name: "second"})
		w.ok(err)
		_, err = w.flow.JWTKey(w.ctx, second.ID, k.ID)
		w.refused(err, windlass.NotFound)
		var r install.PatchJWTKeyRequest
		w.ok(json.Unmarshal([]byte(`{"updateMask":["active"],"jwtKey":{"active":false}}`), &r))
		k, err = w.flow.UpdateJWTKey(w.ctx, w.project.ID, k.ID, r)
		w.ok(err)
		if k.Active {
			t.Error("it is still active")
		}
		all, err := w.flow.JWTKeys(w.ctx, w.project.ID, true, windlass.Page{})
		w.ok(err)
		if len(all) != 0 {
			t.Errorf("got %+v", all)
		}
		w.ok(w.flow.DeleteJWTKey(w.ctx, w.project.ID, k.ID))
		_, err = w.flow.JWTKey(w.ctx, w.project.ID, k.ID)
		w.refused(err, windlass.NotFound)
	})
}
