package api_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestWhoMayCallWhat(t *testing.T) {
	w := newWorld(t)
	token := "Bearer " + w.signer().sign(t, nil)
	other := w.newKey(w.newProject("other"), "full")
	for _, test := range []struct {
		name                      string
		method, path, key, bearer string
		status                    int
	}{
		{"no credential", "GET", w.in(""), noKey, "", 401},
		{"an empty key", "GET", w.in(""), noKey, "Bearer ", 401},
		{"a key that was made up", "GET", w.in(""), "wlk_abc_def", "", 401},
		{"a key with a letter changed", "GET", w.in(""), w.key[:len(w.key)-1] + "~", "", 401},
		{"the public part alone", "GET", w.in(""), w.key[:strings.LastIndex(w.key, "_")], "", 401},
		{"a key in the place of a token", "GET", w.in(""), noKey, "Bearer " + w.key, 401},
		{"basic authentication", "GET", w.in(""), noKey, "Basic YTpi", 401},

		{"a full key reads the project", "GET", w.in(""), w.key, "", 200},
		{"by id as well", "GET", "/v1/projects/" + w.project.ID, w.key, "", 200},
		{"a frontend key reads the project", "GET", w.in(""), w.frontend, "", 200},
		{"a token reads its project", "GET", w.in(""), noKey, token, 200},

		{"a full key lists keys", "GET", w.in("/api-keys"), w.key, "", 200},
		{"a frontend key does not", "GET", w.in("/api-keys"), w.frontend, "", 403},
		{"nor does a token", "GET", w.in("/api-keys"), noKey, token, 403},
		{"a frontend key lists connections", "GET", w.in("/connections"), w.frontend, "", 200},
		{"a frontend key deploys nothing", "PUT", w.in("/integrations:batch"), w.frontend, "", 403},
		{"a token lists no projects", "GET", "/v1/projects", noKey, token, 403},
		{"a frontend key sees no destinations", "GET", w.in("/destinations"), w.frontend, "", 403},
		{"only the operator makes projects", "POST", "/v1/projects", w.key, "", 403},

		{"a key of another project", "GET", w.in(""), other, "", 404},
		{"the other one's id", "GET", "/v1/projects/" + w.project.ID + "/connections", other, "", 404},
		{"a token of another project", "GET", "/v1/projects/other", noKey, token, 404},
		{"a project that does not exist", "GET", "/v1/projects/unknown", w.key, "", 404},
		{"the operator sees every project", "GET", "/v1/projects/other", operatorKey, "", 200},

		{"the catalog is for everybody", "GET", "/v1/providers", noKey, "", 200},
		{"even with a wrong key", "GET", "/v1/providers/bitbucket", "wlk_abc_def", "", 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := map[string]string{}
			if test.bearer != "" {
				header["Authorization"] = test.bearer
			}
			got := w.do(request{method: test.method, path: test.path, key: test.key, header: header})
			if got.status != test.status {
				t.Fatalf("got %d: %s", got.status, got.body)
			}
			if got.status == 401 && got.header.Get("WWW-Authenticate") == "" {
				t.Error("no WWW-Authenticate")
			}
		})
	}
}

// A caller cannot tell another caller's project from one that does not exist.
func TestForeignProjectLooksLikeNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.newProject("other")
	foreign := w.get("/v1/projects/other").problem(404, "not-found")
	missing := w.get("/v1/projects/unknown").problem(404, "not-found")
	if got := strings.Replace(foreign["detail"].(string), "other", "unknown", 1); got != missing["detail"] {
		t.Errorf("%q and %q differ", foreign["detail"], missing["detail"])
	}
}

func TestProjectsAreListedForWhomTheyAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.newProject("other")
	if got := w.get("/v1/projects").is(200).list(); len(got) != 1 || got[0]["name"] != "acme" {
		t.Errorf("a key sees %v", got)
	}
	if got := w.do(request{method: "GET", path: "/v1/projects", key: operatorKey}).is(200).list(); len(got) != 2 {
		t.Errorf("the operator sees %v", got)
	}
}

func TestKeyThatIsSwitchedOffOpensNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.newKey(w.project, "full")
	w.do(request{method: "GET", path: w.in(""), key: key}).is(200)
	public := key[:strings.LastIndex(key, "_")]
	w.send("PATCH", w.in("/api-keys/"+public), `{"updateMask":["active"],"apiKey":{"active":false}}`).is(200)
	w.do(request{method: "GET", path: w.in(""), key: key}).problem(401, "unauthorized")
	w.send("PATCH", w.in("/api-keys/"+public), `{"updateMask":["active"],"apiKey":{"active":true}}`).is(200)
	w.do(request{method: "GET", path: w.in(""), key: key}).is(200)
	w.send("DELETE", w.in("/api-keys/"+public), nil).is(204)
	w.do(request{method: "GET", path: w.in(""), key: key}).problem(401, "unauthorized")
}

// A signer is a product that signs tokens for its customers.
type signer struct {
	w   *world
	kid string
}

var (
	rsaOnce sync.Once
	rsaKey  *rsa.PrivateKey
	pemText string
)

func productKey(tb testing.TB) (*rsa.PrivateKey, string) {
	tb.Helper()
	rsaOnce.Do(func() {
		rsaKey, _ = rsa.GenerateKey(rand.Reader, 2048)
		der, _ := x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)
		pemText = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	})
	return rsaKey, pemText
}

func (w *world) signer() signer {
	w.t.Helper()
	_, public := productKey(w.t)
	kid := w.send("POST", w.in("/jwt-keys"), map[string]any{"label": "k", "algorithm": "RS256", "publicKeyPem": public}).is(201).text("kid")
	return signer{w: w, kid: kid}
}

// sign makes a token for the group "cust" and the consumer "person", with claims
// changed; a claim that is nil is left out.
func (s signer) sign(tb testing.TB, change map[string]any) string {
	tb.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, s.claims(change))
	token.Header["kid"] = s.kid
	key, _ := productKey(tb)
	text, err := token.SignedString(key)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func (s signer) claims(change map[string]any) jwt.MapClaims {
	now := s.w.clock.Now()
	claims := jwt.MapClaims{
		"sub": "person", "groupRef": "cust", "consumerRef": "person",
		"iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
	}
	for name, value := range change {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return claims
}

func TestTokensThatAreRefused(t *testing.T) {
	w := newWorld(t)
	s := w.signer()
	private, public := productKey(t)
	now := w.clock.Now()
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	claims := func(change map[string]any) string { return s.sign(t, change) }
	with := func(method jwt.SigningMethod, key any, kid any) string {
		token := jwt.NewWithClaims(method, s.claims(nil))
		token.Header["kid"] = kid
		text, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	good := claims(nil)
	extended := jwt.NewWithClaims(jwt.SigningMethodRS256, s.claims(nil))
	extended.Header["kid"], extended.Header["crit"] = s.kid, []string{"b64"}
	critical, err := extended.SignedString(private)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, token, says string }{
		{"a token that has expired", claims(map[string]any{"iat": at(-20 * time.Minute), "exp": at(-11 * time.Minute)}), "expired"},
		{"one that lives for a second too long", claims(map[string]any{"exp": at(10*time.Minute + time.Second)}), "claims are not valid"},
		{"one that lives for ever", claims(map[string]any{"exp": nil}), ""},
		{"one that says not when it was made", claims(map[string]any{"iat": nil}), "claims are not valid"},
		{"one of the future", claims(map[string]any{"iat": at(time.Hour), "exp": at(time.Hour + time.Minute)}), "clocks"},
		{"one for no group", claims(map[string]any{"groupRef": nil}), "claims are not valid"},
		{"one for no consumer", claims(map[string]any{"consumerRef": ""}), "claims are not valid"},
		{"one without a subject", claims(map[string]any{"sub": nil}), "claims are not valid"},
		{"one with a group of NULs", claims(map[string]any{"groupRef": "a\x00"}), "claims are not valid"},
		{"one whose group is a list", claims(map[string]any{"groupRef": []string{"cust"}}), ""},
		{"one that is not signed", with(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, s.kid), "RS256"},
		{"one signed with the public key as a shared secret", with(jwt.SigningMethodHS256, []byte(public), s.kid), "RS256"},
		{"one with another RSA algorithm", with(jwt.SigningMethodRS512, private, s.kid), "RS256"},
		{"one with RSA-PSS", with(jwt.SigningMethodPS256, private, s.kid), "RS256"},
		{"one of a stranger", with(jwt.SigningMethodRS256, stranger, s.kid), "signature"},
		{"one that names no key", with(jwt.SigningMethodRS256, private, nil), "kid"},
		{"one whose kid is not a string", with(jwt.SigningMethodRS256, private, 7), "kid"},
		{"one with an unknown kid", with(jwt.SigningMethodRS256, private, "00000000-0000-0000-0000-000000000000"), "kid"},
		{"one whose kid is a path", with(jwt.SigningMethodRS256, private, "../../dev/null"), "kid"},
		{"one that asks for an extension", critical, "extensions"},
		{"one with its claims exchanged", swapClaims(good, claims(map[string]any{"groupRef": "rival"})), "signature"},
		{"one that was cut", good[:len(good)-8], ""},
		{"two parts of one", good[:strings.LastIndex(good, ".")], "not a JWT"},
		{"no token at all", "hello", "not a JWT"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := w.as(t)
			p := w.do(request{method: "GET", path: w.in(""), header: map[string]string{"Authorization": "Bearer " + test.token}}).problem(401, "unauthorized")
			if !strings.Contains(p["detail"].(string), test.says) {
				t.Errorf("it says %q", p["detail"])
			}
		})
	}
	use := func() answer {
		return w.do(request{method: "GET", path: w.in(""), header: map[string]string{"Authorization": "Bearer " + good}})
	}
	use().is(200)
	w.send("PATCH", w.in("/jwt-keys/"+s.kid), `{"updateMask":["active"],"jwtKey":{"active":false}}`).is(200)
	use().problem(401, "unauthorized")
	w.send("PATCH", w.in("/jwt-keys/"+s.kid), `{"updateMask":["active"],"jwtKey":{"active":true}}`).is(200)
	w.clock.pass(11 * time.Minute)
	use().problem(401, "unauthorized")
}

// swapClaims puts the claims of one token under the signature of another.
func swapClaims(signed, claims string) string {
	a, b := strings.Split(signed, "."), strings.Split(claims, ".")
	return strings.Join([]string{a[0], b[1], a[2]}, ".")
}

func TestTokenSeesItsOwnCustomerOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deployed()
	bearer := map[string]string{"Authorization": "Bearer " + w.signer().sign(t, nil)}
	mine, colleague, rival := w.connected("cust", "person"), w.connected("cust", "colleague"), w.connected("rival", "person")
	own, foreign := w.installed("cust", mine), w.installed("rival", rival)
	as := func(method, path string, body any) answer {
		t.Helper()
		return w.do(request{method: method, path: path, body: body, header: bearer})
	}
	ids := func(a answer) (ids []string) {
		for _, one := range a.is(200).list() {
			ids = append(ids, one["id"].(string))
		}
		return ids
	}
	for _, test := range []struct {
		name, path string
		want       []string
	}{
		{"its connections", "/connections", []string{mine}},
		{"its connections, by group", "/connections?groupRef=cust", []string{mine}},
		{"those of a rival", "/connections?groupRef=rival", nil},
		{"those of a colleague", "/connections?consumerRef=colleague", nil},
		{"its installations", "/installations", []string{own}},
		{"its installations of one integration", "/integrations/repos/installations", []string{own}},
		{"those of a rival's group", "/installations?groupRef=rival", nil},
	} {
		if got := ids(as("GET", w.in(test.path), nil)); strings.Join(got, " ") != strings.Join(test.want, " ") {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
	installation := "/integrations/repos/installations/"
	for _, test := range []struct {
		name, method, path string
		body               any
		status             int
	}{
		{"its own connection", "GET", "/connections/" + mine, nil, 200},
		{"a colleague's connection", "GET", "/connections/" + colleague, nil, 404},
		{"a rival's connection", "GET", "/connections/" + rival, nil, 404},
		{"deleting a rival's connection", "DELETE", "/connections/" + rival, nil, 404},
		{"connecting a rival's again", "PATCH", "/connections/" + rival + ":oauth-update", nil, 404},
		{"renaming a rival's workspace", "PATCH", "/connections/" + rival, `{"updateMask":["providerWorkspaceRef"],"connection":{"providerWorkspaceRef":"mine"}}`, 404},
		{"its own tokens", "GET", "/connections/" + mine + "?includeCreds=true", nil, 403},
		{"its own refresh token", "GET", "/connections/" + mine + "?includeRefreshToken=true", nil, 403},
		{"a refresh by force", "GET", "/connections/" + mine + "?refresh=force", nil, 403},
		{"its own installation", "GET", installation + own, nil, 200},
		{"a rival's installation", "GET", installation + foreign, nil, 404},
		{"changing a rival's installation", "PATCH", installation + foreign, `{"updateMask":["connectionId"],"installation":{"connectionId":"` + mine + `"}}`, 404},
		{"taking a rival's connection", "PATCH", installation + own, `{"updateMask":["connectionId"],"installation":{"connectionId":"` + rival + `"}}`, 404},
		{"uninstalling a rival", "DELETE", installation + foreign, nil, 404},
		{"installing for a rival", "POST", "/integrations/repos/installations", `{"groupRef":"rival","config":{"content":{"provider":"bitbucket"}}}`, 403},
		{"installing with a rival's connection", "POST", "/integrations/repos/installations", `{"groupRef":"cust","connectionId":"` + rival + `","config":{"content":{"provider":"bitbucket"}}}`, 404},
		{"patching a rival's config by group", "PATCH", "/integrations/repos/objects/repositories/config-content", `{"groupRef":"rival","action":"read","changes":[{"op":"remove","path":"/schedule"}]}`, 403},
		{"patching a rival's config by id", "PATCH", "/integrations/repos/objects/repositories/config-content", `{"installationId":"` + foreign + `","action":"read","changes":[{"op":"remove","path":"/schedule"}]}`, 404},
		{"a rival's fields", "GET", "/providers/bitbucket/objects/repositories/metadata?groupRef=rival", nil, 404},
		{"its own fields", "GET", "/integrations/repos/objects/repositories/metadata?groupRef=cust", nil, 200},
		{"credentials for a rival", "POST", "/connections:generate", `{"provider":"bitbucket","groupRef":"rival","consumerRef":"person","apiKey":"k"}`, 403},
		{"credentials for a colleague", "POST", "/connections:generate", `{"provider":"bitbucket","groupRef":"cust","consumerRef":"colleague","apiKey":"k"}`, 403},
	} {
		if got := as(test.method, w.in(test.path), test.body); got.status != test.status {
			t.Errorf("%s: got %d, want %d: %s", test.name, got.status, test.status, got.body)
		}
	}
	hydrate := "/integrations/repos/revisions/" + w.revision() + ":hydrate?connectionId="
	as("GET", w.in(hydrate+mine), nil).is(200)
	as("GET", w.in(hydrate+rival), nil).problem(404, "not-found")
	consent := map[string]any{"projectIdOrName": "acme", "provider": "bitbucket", "groupRef": "rival", "consumerRef": "person", "providerWorkspaceRef": "acme"}
	as("POST", "/v1/oauth-connect", consent).problem(403, "forbidden")
}

func TestPaddedTokenIsNoOtherToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	parts := strings.Split(w.signer().sign(t, nil), ".")
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	parts[1] = base64.URLEncoding.EncodeToString(append(claims, ' '))
	w.do(request{method: "GET", path: w.in(""), header: map[string]string{"Authorization": "Bearer " + strings.Join(parts, ".")}}).problem(401, "unauthorized")
}
