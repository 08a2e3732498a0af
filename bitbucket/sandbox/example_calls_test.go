package sandbox_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"time"
)

// example fills in the parameters of a documented path with things that are
// there, and gives a body that should be accepted.
func (c *client) example(method, path string) (address string, body any) {
	ws := c.server.Credentials().Workspace
	put := func(name, value string) {
		address = strings.ReplaceAll(address, "{"+name+"}", url.PathEscape(value))
	}
	first := func(list, field string) string {
		value, _ := c.get(list).at("values.0." + field).(string)
		return value
	}
	address = path
	put("workspace", ws)
	if strings.Contains(path, "{repo_slug}") {
		slug := first("/repositories/"+ws+"?sort=created_on", "slug")
		if method == "POST" && strings.HasSuffix(path, "{repo_slug}") {
			slug = "brand-new"
		}
		put("repo_slug", slug)
		if strings.Contains(path, "{uid}") {
			put("uid", first("/repositories/"+ws+"/"+slug+"/hooks", "uuid"))
		}
	}
	for name, find := range map[string]func() string{
		"uid":           func() string { return first("/workspaces/"+ws+"/hooks", "uuid") },
		"variable_uuid": func() string { return first("/workspaces/"+ws+"/pipelines-config/variables", "uuid") },
		"project_key":   func() string { return c.emptyProject() },
		"subject_type":  func() string { return "workspace" },
	} {
		if strings.Contains(path, "{"+name+"}") {
			put(name, find())
		}
	}
	if strings.Contains(path, "{encoded_id}") {
		c.exampleSnippet(put)
	}
	return address, exampleBody(method, path)
}

// emptyProject is one that can be deleted.
func (c *client) emptyProject() string {
	for _, p := range c.walk("/workspaces/acme/projects") {
		if dig(p, "links.repositories.href") == nil {
			return dig(p, "key").(string)
		}
	}
	c.t.Fatal("no project is empty")
	return ""
}

// exampleSnippet makes a snippet of the caller's own.
func (c *client) exampleSnippet(put func(name, value string)) {
	made := c.do("POST", "/snippets/acme", form{
		kind:    "multipart/form-data; boundary=b",
		content: []byte("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello\r\n--b--\r\n"),
	})
	file := made.at("files").(map[string]any)["a.txt"]
	address := strings.Split(dig(file, "links.self.href").(string), "/") // …/node_id/files/a.txt
	put("encoded_id", made.at("id").(string))
	put("node_id", address[len(address)-3])
	put("path", "a.txt")
}

// exampleBody is what a POST or PUT of the path may carry.
func exampleBody(method, path string) any {
	if method != "POST" && method != "PUT" {
		return nil
	}
	switch {
	case strings.HasSuffix(path, "/projects"):
		return map[string]any{"name": "Nova", "key": "NOVA"}
	case strings.HasSuffix(path, "/{project_key}"):
		return map[string]any{"name": "Renamed"}
	case strings.HasSuffix(path, "/hooks"):
		return map[string]any{"url": "https://example.com/in", "events": []string{"repo:push"}, "description": "mine"}
	case strings.HasSuffix(path, "/{uid}"):
		return map[string]any{"active": false}
	case strings.HasSuffix(path, "/variables"):
		return map[string]any{"key": "REGION", "value": "eu", "secured": false}
	case strings.HasSuffix(path, "/{variable_uuid}"):
		return map[string]any{"value": "other"}
	case strings.HasSuffix(path, "/{repo_slug}") && method == "POST":
		return nil
	case strings.HasSuffix(path, "/{repo_slug}"):
		return map[string]any{"description": "changed"}
	case strings.HasPrefix(path, "/snippets"):
		return map[string]any{"title": "T"}
	}
	return map[string]any{}
}

// jwt is the token of the Connect app for one request, made as Atlassian's
// description of the query string hash says.
func (c *client) jwt(method, path, query string) string {
	creds := c.server.Credentials()
	qsh := sha256.Sum256([]byte(method + "&" + path + "&" + query))
	now := time.Now()
	claims, err := json.Marshal(map[string]any{
		"iss": creds.ConnectAppKey, "sub": creds.ConnectClientKey,
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "qsh": hex.EncodeToString(qsh[:]),
	})
	if err != nil {
		c.t.Fatal(err)
	}
	signed := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." +
		base64.RawURLEncoding.EncodeToString(claims)
	mac := hmac.New(sha256.New, []byte(creds.ConnectSharedSecret))
	_, _ = mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
