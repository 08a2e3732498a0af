package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	maxJWT = 16 << 10
	// clockLeeway is how far in the future a token may have been issued.
	clockLeeway = 3 * time.Minute
)

type claims struct {
	Issuer  string   `json:"iss"`
	Subject string   `json:"sub"`
	Issued  *float64 `json:"iat"`
	Expires *float64 `json:"exp"`
	Hash    string   `json:"qsh"`
}

// verify checks a Connect app's token for this very request.
func (a *Authority) verify(r *http.Request, token string) (App, error) {
	if len(token) > maxJWT {
		return App{}, errors.New("JWT is too long")
	}
	signed, c, signature, err := parseJWT(token)
	if err != nil {
		return App{}, err
	}
	a.mu.Lock()
	app, ok := a.apps[appID{c.Issuer, c.Subject}]
	a.mu.Unlock()
	if !ok {
		return App{}, errors.New("JWT issuer and subject are no installed app")
	}
	mac := hmac.New(sha256.New, []byte(app.SharedSecret))
	_, _ = mac.Write([]byte(signed))
	if !hmac.Equal(mac.Sum(nil), signature) {
		return App{}, errors.New("JWT signature is invalid")
	}
	if err := c.checkTimes(a.options.Now()); err != nil {
		return App{}, err
	}
	if c.Hash != QueryHash(r) {
		return App{}, errors.New("JWT query string hash (qsh) does not match the request")
	}
	return app, nil
}

// parseJWT reads a compact HS256 token without judging it. Other algorithms,
// "none" above all, are refused before anything is believed.
func parseJWT(token string) (signed string, c claims, signature []byte, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", claims{}, nil, errors.New("JWT does not have three parts")
	}
	var header struct {
		Algorithm string `json:"alg"`
	}
	if !decodePart(parts[0], &header) || !decodePart(parts[1], &c) {
		return "", claims{}, nil, errors.New("JWT cannot be read")
	}
	if header.Algorithm != "HS256" {
		return "", claims{}, nil, errors.New("JWT algorithm is not HS256")
	}
	signature, err = base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if err != nil {
		return "", claims{}, nil, errors.New("JWT signature cannot be read")
	}
	return parts[0] + "." + parts[1], c, signature, nil
}

func decodePart(part string, into any) bool {
	text, err := base64.RawURLEncoding.Strict().DecodeString(part)
	return err == nil && json.Unmarshal(text, into) == nil
}

func (c claims) checkTimes(now time.Time) error {
	switch seconds := float64(now.UnixNano()) / float64(time.Second); {
	case c.Issued == nil || c.Expires == nil:
		return errors.New("JWT lacks iat or exp")
	case *c.Expires <= seconds:
		return errors.New("JWT is expired")
	case *c.Issued > seconds+clockLeeway.Seconds():
		return errors.New("JWT was issued in the future")
	default:
		return nil
	}
}

// QueryHash is the qsh of a request: the SHA-256 of its [CanonicalRequest], in
// hexadecimal.
func QueryHash(r *http.Request) string {
	sum := sha256.Sum256([]byte(CanonicalRequest(r)))
	return hex.EncodeToString(sum[:])
}

// CanonicalRequest is METHOD&path&query in the one form that both sides agree
// on. The path is relative to the host, so that it includes /2.0, and escaped as
// it travelled.
func CanonicalRequest(r *http.Request) string {
	path := strings.TrimRight(r.URL.EscapedPath(), "/")
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return strings.ToUpper(r.Method) + "&" + strings.ReplaceAll(path, "&", "%26") + "&" + canonicalQuery(r.URL.RawQuery)
}

// canonicalQuery sorts parameters by their encoded names and, within one name,
// their encoded values, which are joined by commas. The parameter jwt, which may
// carry the token itself, is left out.
func canonicalQuery(raw string) string {
	values := map[string][]string{}
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name = reencode(name); pair != "" && name != "jwt" {
			values[name] = append(values[name], reencode(value))
		}
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		slices.Sort(values[name])
		names[i] = name + "=" + strings.Join(values[name], ",")
	}
	return strings.Join(names, "&")
}

// reencode brings any encoding of a text to the one of RFC 3986: a space is %20,
// a tilde itself, digits are capitals.
func reencode(s string) string {
	if text, err := url.QueryUnescape(s); err == nil {
		s = text
	}
	// QueryEscape leaves the unreserved characters of RFC 3986 and no others, but
	// for its plus.
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
