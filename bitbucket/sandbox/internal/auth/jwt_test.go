package auth_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"windlass/bitbucket/sandbox/internal/auth"
)

func TestCanonicalRequest(t *testing.T) {
	tests := []struct{ reads, method, target, want string }{
		{"the root", "get", "/", "GET&/&"},
		{"a path without a query", "POST", "/site/oauth2/access_token", "POST&/site/oauth2/access_token&"},
		{"a slash at the end goes", "GET", "/2.0/addon/linkers/", "GET&/2.0/addon/linkers&"},
		{"an ampersand in the path is escaped", "GET", "/a&b", "GET&/a%26b&"},
		{"the path stays as it travelled", "GET", "/2.0/repositories/%7Bx%7D/a%2Fb", "GET&/2.0/repositories/%7Bx%7D/a%2Fb&"},
		{
			"parameters are sorted, repeated ones joined", "GET", "/path/to/service?zee_last=param&repeated=parameter 1&first=param&repeated=parameter 2",
			"GET&/path/to/service&first=param&repeated=parameter%201,parameter%202&zee_last=param",
		},
		{"capitals come before small letters", "GET", "/?b=1&a=2&B=3&A=4", "GET&/&A=4&B=3&a=2&b=1"},
		{"values of one name are sorted", "GET", "/?a=2&a=10&a=1", "GET&/&a=1,10,2"},
		{"sorting is by the encoded names", "GET", "/?a-=1&a%5B=2&a=3", "GET&/&a=3&a%5B=2&a-=1"},
		{"the token itself is left out", "GET", "/?jwt=x.y.z&a=1", "GET&/&a=1"},
		{"a value may be empty or missing", "GET", "/?a&b=", "GET&/&a=&b="},
		{"plus is a space, star is escaped, tilde is not", "GET", "/?a=x+y*z~", "GET&/&a=x%20y%2Az~"},
		{"an encoded plus stays one", "GET", "/?q=updated_on%3E2026-01-01T00:00:00%2B00:00", "GET&/&q=updated_on%3E2026-01-01T00%3A00%3A00%2B00%3A00"},
		{"small hex digits become capitals", "GET", "/?a=%c3%bc", "GET&/&a=%C3%BC"},
		{"a comma in a value is escaped", "GET", "/?a=1,2", "GET&/&a=1%2C2"},
		{"an equals sign in a value is escaped", "GET", "/?a=b=c", "GET&/&a=b%3Dc"},
		{"empty pairs are nothing", "GET", "/?&&a=1&", "GET&/&a=1"},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, strings.ReplaceAll(tt.target, " ", "%20"), nil)
			r.Method = tt.method
			if got := auth.CanonicalRequest(r); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// compact signs a token the long way round, apart from what it is tested against.
func compact(header, payload any, secret string) string {
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	signed := part(header) + "." + part(payload)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func qsh(canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	return hex.EncodeToString(sum[:])
}

type object = map[string]any

func TestConnectApp(t *testing.T) {
	w := newWorld(auth.Options{})
	now := w.now().Unix()
	header := object{"alg": "HS256", "typ": "JWT"}
	payload := func(changes object) object {
		p := object{"iss": "winch.app", "sub": "installed-1", "iat": now, "exp": now + 180, "qsh": qsh("GET&/2.0/addon/linkers&pagelen=10")}
		for k, v := range changes {
			if p[k] = v; v == nil {
				delete(p, k)
			}
		}
		return p
	}
	good := compact(header, payload(nil), "shared")
	tests := []struct{ reads, token, says string }{
		{"a good token", good, ""},
		{"a token of another secret", compact(header, payload(nil), "guess"), "signature"},
		{"a changed payload", strings.Split(good, ".")[0] + "." + strings.Split(compact(header, payload(object{"exp": now + 999}), "x"), ".")[1] + "." + strings.Split(good, ".")[2], "signature"},
		{"the algorithm none", compact(object{"alg": "none"}, payload(nil), "shared"), "HS256"},
		{"another algorithm", compact(object{"alg": "HS512"}, payload(nil), "shared"), "HS256"},
		{"an unknown app", compact(header, payload(object{"iss": "other.app"}), "shared"), "no installed app"},
		{"an unknown installation", compact(header, payload(object{"sub": "installed-2"}), "shared"), "no installed app"},
		{"no installation", compact(header, payload(object{"sub": nil}), "shared"), "no installed app"},
		{"an expired token", compact(header, payload(object{"exp": now}), "shared"), "expired"},
		{"no expiry", compact(header, payload(object{"exp": nil}), "shared"), "lacks"},
		{"no time of issue", compact(header, payload(object{"iat": nil}), "shared"), "lacks"},
		{"a clock a little fast", compact(header, payload(object{"iat": now + 60}), "shared"), ""},
		{"issued in the future", compact(header, payload(object{"iat": now + 3600, "exp": now + 7200}), "shared"), "future"},
		{"the hash of another request", compact(header, payload(object{"qsh": qsh("GET&/2.0/addon/linkers&")}), "shared"), "qsh"},
		{"no hash", compact(header, payload(object{"qsh": nil}), "shared"), "qsh"},
		{"two parts", "a.b", "three parts"},
		{"parts that are no JSON", "a.b.c", "cannot be read"},
		{"a time that is text", compact(header, payload(object{"exp": "tomorrow"}), "shared"), "cannot be read"},
		{"a token that is too long", strings.Repeat("x", 1<<20), "too long"},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/2.0/addon/linkers?pagelen=10", nil)
			r.Header.Set("Authorization", "JWT "+tt.token)
			p, err := w.Authenticate(r)
			if tt.says == "" {
				if err != nil || p.Kind != auth.ConnectApp || p.AppKey != "winch.app" || p.ClientKey != "installed-1" || p.UserUUID != bot || p.LimitKey != "app:winch.app:installed-1" {
					t.Errorf("%+v, %v", p, err)
				}
				return
			}
			if err == nil {
				t.Fatal("accepted")
			}
			if f := failure(t, err); f.Status != 401 || !strings.Contains(message(t, f), tt.says) {
				t.Errorf("got %d %s", f.Status, f.Body)
			}
		})
	}
	t.Run("time passes", func(t *testing.T) {
		w.wait(181 * time.Second)
		r := httptest.NewRequest(http.MethodGet, "/2.0/addon/linkers?pagelen=10", nil)
		r.Header.Set("Authorization", "JWT "+good)
		if _, err := w.Authenticate(r); err == nil {
			t.Error("accepted")
		}
	})
}

func FuzzJWT(f *testing.F) {
	w := newWorld(auth.Options{})
	now := w.now().Unix()
	token := compact(object{"alg": "HS256"}, object{"iss": "winch.app", "sub": "installed-1", "iat": now, "exp": now + 180, "qsh": qsh("GET&/2.0/addon/linkers&")}, "shared")
	f.Add(token, "")
	f.Add("a.b.c", "jwt=1&a=%zz&=&&a+b=c")
	f.Add(strings.Replace(token, ".", "..", 1), "q=%22x%22")
	f.Fuzz(func(t *testing.T, token, query string) {
		r := httptest.NewRequest(http.MethodGet, "/2.0/addon/linkers", nil)
		r.URL.RawQuery = query
		r.Header["Authorization"] = []string{"JWT " + token}
		p, err := w.Authenticate(r)
		if err == nil && (p.Kind != auth.ConnectApp || auth.CanonicalRequest(r) != "GET&/2.0/addon/linkers&") {
			t.Fatalf("accepted %q for %q", token, query)
		}
		canonical := auth.CanonicalRequest(r)
		r.URL.RawQuery = strings.SplitN(canonical, "&", 3)[2]
		if again := auth.CanonicalRequest(r); !strings.Contains(canonical, ",") && again != canonical {
			t.Fatalf("%q becomes %q and then %q", query, canonical, again)
		}
	})
}
