package bitbucket

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// jwtLifetime is how long a request's JWT is good. Atlassian's own libraries
// use three minutes; a request that waits longer than that in a queue is
// signed anew, since the credential sits inside Retry.
const jwtLifetime = 3 * time.Minute

// connectApp signs requests as an installation of a Connect app.
type connectApp struct {
	app, client string
	secret      []byte
	now         func() time.Time
}

func (a connectApp) String() string   { return "Connect JWT" }
func (a connectApp) GoString() string { return "Connect JWT" }

func (a connectApp) authorize(req *http.Request) error {
	now := a.now()
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": a.app,
		"sub": a.client,
		"iat": now.Unix(),
		"exp": now.Add(jwtLifetime).Unix(),
		"qsh": queryHash(req.Method, req.URL),
	})
	signed, err := token.SignedString(a.secret)
	if err != nil {
		return fmt.Errorf("sign the JWT: %w", err)
	}
	req.Header.Set("Authorization", "JWT "+signed)
	return nil
}

// queryHash is the claim qsh, which binds a JWT to one method, path and query:
// the SHA-256 of "METHOD&path&query", with the query's parameters sorted and
// percent-encoded and the values of a repeated one joined by commas.
func queryHash(method string, u *url.URL) string {
	path := strings.TrimRight(u.EscapedPath(), "/")
	if path == "" {
		path = "/"
	}
	path = strings.ReplaceAll(path, "&", "%26")
	var params []string
	for name, values := range u.Query() {
		if name == "jwt" {
			continue
		}
		encoded := make([]string, 0, len(values))
		for _, value := range values {
			encoded = append(encoded, percentEncode(value))
		}
		slices.Sort(encoded)
		params = append(params, percentEncode(name)+"="+strings.Join(encoded, ","))
	}
	slices.Sort(params)
	sum := sha256.Sum256([]byte(strings.ToUpper(method) + "&" + path + "&" + strings.Join(params, "&")))
	return hex.EncodeToString(sum[:])
}

// percentEncode encodes as RFC 3986 wants it: a space is %20, not a plus.
func percentEncode(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
