package setup_test

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
	"windlass/internal/flowtest"
	"windlass/internal/setup"
)

func TestAPIKeys(t *testing.T) {
	flowtest.Each(t, func(w *flowtest.World) {
		t := w.T
		_, err := w.Setup.CreateAPIKey(w.Context(), w.Project.ID, setup.APIKeyRequest{Scopes: []string{"root"}})
		w.Refused(err, windlass.Invalid, "(label: is missing)", `(scopes[0]: "root" is not a scope: write full or frontend)`)
		k, err := w.Setup.CreateAPIKey(w.Context(), w.Project.ID, setup.APIKeyRequest{Label: "page", Scopes: []string{setup.ScopeFrontend}})
		w.OK(err)
		whole := k.Key.Reveal()
		if parts := strings.Split(whole, "_"); len(parts) != 3 || parts[0]+"_"+parts[1] != k.ID || len(parts[2]) != 56 {
			t.Errorf("got a key of %d parts", len(parts))
		}
		found, err := w.Setup.Authenticate(w.Context(), whole)
		w.OK(err)
		if found.ID != k.ID || found.ProjectID != w.Project.ID || found.Scopes[0] != setup.ScopeFrontend || !found.Key.IsZero() {
			t.Errorf("got %+v", found)
		}
		for _, wrong := range []string{"", "x", k.ID, k.ID + "_", whole + "a", whole[:len(whole)-1], strings.ToUpper(whole), strings.Repeat("wlk_", 1000)} {
			_, err := w.Setup.Authenticate(w.Context(), wrong)
			w.Refused(err, windlass.Unauthorized, "is not known, or no longer active")
		}
		for _, name := range []string{k.ID, whole} {
			found, err := w.Setup.APIKey(w.Context(), w.Project.ID, name)
			w.OK(err)
			if found.ID != k.ID || !found.Key.IsZero() {
				t.Errorf("got %+v", found)
			}
		}
		update := func(body string) (windlass.APIKey, error) {
			var r setup.PatchAPIKeyRequest
			w.OK(json.Unmarshal([]byte(body), &r))
			return w.Setup.UpdateAPIKey(w.Context(), w.Project.ID, k.ID, r)
		}
		_, err = update(`{"updateMask":["active"],"apiKey":{}}`)
		w.Refused(err, windlass.Invalid, "updateMask[0]: active: there is no value for it")
		_, err = update(`{"updateMask":["scopes"],"apiKey":{}}`)
		w.Refused(err, windlass.Invalid, "apiKey.scopes: is empty")
		off, err := update(`{"updateMask":["active","label"],"apiKey":{"active":false,"label":"old page"}}`)
		w.OK(err)
		if off.Active || off.Label != "old page" {
			t.Errorf("got %+v", off)
		}
		_, err = w.Setup.Authenticate(w.Context(), whole)
		w.Refused(err, windlass.Unauthorized)
		for active, want := range map[bool]int{true: 0, false: 1} {
			all, err := w.Setup.APIKeys(w.Context(), w.Project.ID, active, windlass.Page{})
			w.OK(err)
			if len(all) != want {
				t.Errorf("active=%t: got %d keys", active, len(all))
			}
		}
		_, err = update(`{"updateMask":["active"],"apiKey":{"active":true}}`)
		w.OK(err)
		_, err = w.Setup.Authenticate(w.Context(), whole)
		w.OK(err)
		w.OK(w.Setup.DeleteAPIKey(w.Context(), w.Project.ID, whole))
		_, err = w.Setup.Authenticate(w.Context(), whole)
		w.Refused(err, windlass.Unauthorized)
		w.Refused(w.Setup.DeleteAPIKey(w.Context(), w.Project.ID, whole), windlass.NotFound)
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
	flowtest.Each(t, func(w *flowtest.World) {
		t := w.T
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		w.OK(err)
		small, err := rsa.GenerateKey(rand.Reader, 1024)
		w.OK(err)
		curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		w.OK(err)
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
			_, err := w.Setup.CreateJWTKey(w.Context(), w.Project.ID, setup.CreateJWTKeyRequest{Label: test.label, Algorithm: test.algorithm, PublicKeyPEM: test.pem})
			w.Refused(err, windlass.Invalid, test.want)
			if len(test.pem) > 100 && strings.Contains(err.Error(), test.pem[50:90]) {
				t.Errorf("%s: the key shows in %v", test.name, err)
			}
		}
		k, err := w.Setup.CreateJWTKey(w.Context(), w.Project.ID, setup.CreateJWTKeyRequest{
			Label: "page", Algorithm: "RS256", PublicKeyPEM: pemOf(t, "RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&key.PublicKey), nil),
		})
		w.OK(err)
		if k.PublicKeyPEM != good || !k.Active || k.Algorithm != "RS256" {
			t.Errorf("got %+v", k)
		}
		second, err := w.Setup.CreateProject(w.Context(), setup.CreateProjectRequest{Name: "second"})
		w.OK(err)
		_, err = w.Setup.JWTKey(w.Context(), second.ID, k.ID)
		w.Refused(err, windlass.NotFound)
		var r setup.PatchJWTKeyRequest
		w.OK(json.Unmarshal([]byte(`{"updateMask":["active"],"jwtKey":{"active":false}}`), &r))
		k, err = w.Setup.UpdateJWTKey(w.Context(), w.Project.ID, k.ID, r)
		w.OK(err)
		if k.Active {
			t.Error("it is still active")
		}
		all, err := w.Setup.JWTKeys(w.Context(), w.Project.ID, true, windlass.Page{})
		w.OK(err)
		if len(all) != 0 {
			t.Errorf("got %+v", all)
		}
		w.OK(w.Setup.DeleteJWTKey(w.Context(), w.Project.ID, k.ID))
		_, err = w.Setup.JWTKey(w.Context(), w.Project.ID, k.ID)
		w.Refused(err, windlass.NotFound)
	})
}
