package bitbucket_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"windlass"
	"windlass/bitbucket"
)

func TestTransportSendsTheCredentialToTheAPIAlone(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, url string
		sends     bool
	}{
		{"the API", "https://api.bitbucket.org/2.0/user", true},
		{"the API, with its port", "https://API.bitbucket.org:443/2.0/user", true},
		{"another host", "https://evil.example/2.0/user", false},
		{"a host that begins alike", "https://api.bitbucket.org.evil.example/", false},
		{"a user part that looks alike", "https://api.bitbucket.org@evil.example/", false},
		{"another port", "https://api.bitbucket.org:8443/", false},
		{"the same host in the clear", "http://api.bitbucket.org/2.0/user", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var sent *http.Request
			base := transportFunc(func(req *http.Request) (*http.Response, error) {
				sent = req
				return reply(200, ""), nil
			})
			credential, err := bitbucket.AccessToken("secret-token")
			if err != nil {
				t.Fatal(err)
			}
			transport, err := bitbucket.NewTransport(credential, "", base)
			if err != nil {
				t.Fatal(err)
			}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, row.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := transport.RoundTrip(req)
			if resp != nil {
				_ = resp.Body.Close()
			}
			if row.sends != (err == nil) || row.sends != (sent != nil) {
				t.Fatalf("sent %v, error %v", sent, err)
			}
			if row.sends && sent.Header.Get("Authorization") != "Bearer secret-token" {
				t.Errorf("sent %q", sent.Header.Get("Authorization"))
			}
			if !row.sends && (!errors.Is(err, windlass.Malformed) || strings.Contains(err.Error(), "secret-token")) {
				t.Errorf("refused with %v", err)
			}
			if req.Header.Get("Authorization") != "" {
				t.Error("the caller's request was changed")
			}
		})
	}
}

func TestARedirectToAnotherHostIsNotFollowed(t *testing.T) {
	t.Parallel()
	var hosts []string
	base := transportFunc(func(req *http.Request) (*http.Response, error) {
		hosts = append(hosts, req.URL.Host)
		return reply(302, "", "Location", "https://evil.example/take"), nil
	})
	credential, err := bitbucket.AccessToken("secret-token")
	if err != nil {
		t.Fatal(err)
	}
	transport, err := bitbucket.NewTransport(credential, "", base)
	if err != nil {
		t.Fatal(err)
	}
	_, err = over(t, transport).Read(t.Context(), readHooks)
	if !errors.Is(err, windlass.Malformed) || !strings.Contains(err.Error(), "evil.example") {
		t.Errorf("error %v", err)
	}
	if len(hosts) != 1 {
		t.Errorf("requests went to %v", hosts)
	}
}

func TestCredentialsDoNotPrint(t *testing.T) {
	t.Parallel()
	token, err1 := bitbucket.AccessToken("secret-token")
	api, err2 := bitbucket.APIToken("a@example.com", "secret-token")
	app, err3 := bitbucket.ConnectApp("app", "client", "secret-token")
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	for _, credential := range []bitbucket.Credential{token, api, app} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
			if got := fmt.Sprintf(format, credential); strings.Contains(got, "secret") {
				t.Errorf("%s prints %s", format, got)
			}
		}
		if got := fmt.Sprintf("%+v", &credential); strings.Contains(got, "secret") {
			t.Errorf("a pointer prints %s", got)
		}
	}
}

func TestAnAnswerThatRepeatsTheCredentialDoesNotShowIt(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-hunter2"
	bearer, err := bitbucket.AccessToken(secret)
	if err != nil {
		t.Fatal(err)
	}
	basic, err := bitbucket.APIToken("ann@example.com", secret)
	if err != nil {
		t.Fatal(err)
	}
	connect, err := bitbucket.ConnectApp("app", "client", secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, credential := range []bitbucket.Credential{bearer, basic, connect} {
		t.Run(credential.String(), func(t *testing.T) {
			t.Parallel()
			var sent string
			repeats := transportFunc(func(req *http.Request) (*http.Response, error) {
				sent = req.Header.Get("Authorization")
				resp := reply(http.StatusBadRequest, "bad header "+sent+" with "+secret)
				resp.Request = req
				return resp, nil
			})
			transport, err := bitbucket.NewTransport(credential, "", repeats)
			if err != nil {
				t.Fatal(err)
			}
			_, err = over(t, transport).Read(t.Context(), readHooks)
			_, proof, _ := strings.Cut(sent, " ")
			if proof == "" || strings.Contains(err.Error(), proof) || !strings.Contains(err.Error(), "bad header") {
				t.Errorf("the credential is in the error, or nothing is: %v", err)
			}
			if credential.String() != connect.String() && strings.Contains(err.Error(), secret) { // a Connect app's secret is never sent
				t.Errorf("the secret is in the error: %v", err)
			}
		})
	}
}

func TestBadCredentialsAreRefusedBeforeTheyAreSent(t *testing.T) {
	t.Parallel()
	for name, create := range map[string]func() (bitbucket.Credential, error){
		"an empty token":             func() (bitbucket.Credential, error) { return bitbucket.AccessToken("") },
		"a token with a line break":  func() (bitbucket.Credential, error) { return bitbucket.AccessToken("abc\ndef") },
		"a user name for an address": func() (bitbucket.Credential, error) { return bitbucket.APIToken("someone", "token") },
		"an address with a colon":    func() (bitbucket.Credential, error) { return bitbucket.APIToken("a:b@example.com", "token") },
		"an app without its secret":  func() (bitbucket.Credential, error) { return bitbucket.ConnectApp("app", "client", "") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := create(); err == nil || strings.Contains(err.Error(), "abc") {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestATokenFuncThatFailsSendsNothing(t *testing.T) {
	t.Parallel()
	transport, err := bitbucket.NewTransport(bitbucket.TokenFunc(func(context.Context) (string, error) {
		return "", windlass.NeedsReconnect
	}), "", transportFunc(func(*http.Request) (*http.Response, error) {
		t.Error("a request was sent")
		return reply(200, ""), nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := over(t, transport).Read(t.Context(), readHooks); !errors.Is(err, windlass.NeedsReconnect) {
		t.Errorf("error %v", err)
	}
}

func TestConnectJWTBindsTheRequest(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, url, canonical string }{
		{"without a query", "/2.0/addon/linkers", "GET&/2.0/addon/linkers&"},
		{"a query in another order", "/2.0/x?b=2&a=1", "GET&/2.0/x&a=1&b=2"},
		{"spaces and reserved characters", "/2.0/x?q=name+%7E+%22a%20b%22&f=a,b", "GET&/2.0/x&f=a%2Cb&q=name%20~%20%22a%20b%22"},
		{"a name that comes twice", "/2.0/x?a=2&a=1", "GET&/2.0/x&a=1,2"},
		{"a slash at the end", "/2.0/x/", "GET&/2.0/x&"},
		{"an encoded path", "/2.0/workspaces/%7Bu%7D", "GET&/2.0/workspaces/%7Bu%7D&"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var header string
			credential, err := bitbucket.ConnectApp("my-app", "client:1", "shared-secret-of-some-length-here")
			if err != nil {
				t.Fatal(err)
			}
			transport, err := bitbucket.NewTransport(credential, "", transportFunc(func(req *http.Request) (*http.Response, error) {
				header = req.Header.Get("Authorization")
				return reply(200, ""), nil
			}))
			if err != nil {
				t.Fatal(err)
			}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.bitbucket.org"+row.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := transport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			claims := claimsOf(t, header)
			sum := sha256.Sum256([]byte(row.canonical))
			if claims["qsh"] != hex.EncodeToString(sum[:]) {
				t.Errorf("qsh is not that of %s", row.canonical)
			}
			if claims["iss"] != "my-app" || claims["sub"] != "client:1" {
				t.Errorf("claims %v", claims)
			}
			issued, _ := claims["iat"].(float64)
			expires, _ := claims["exp"].(float64)
			if expires-issued != 180 {
				t.Errorf("it lives for %v seconds", expires-issued)
			}
		})
	}
}

// claimsOf reads the claims of an Authorization header with a JWT.
func claimsOf(t *testing.T, header string) map[string]any {
	t.Helper()
	parts := strings.Split(strings.TrimPrefix(header, "JWT "), ".")
	if len(parts) != 3 {
		t.Fatalf("the header is %q", header)
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(data, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}
