package admin

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"windlass"
	"windlass/internal/cli/command"
)

// atServer is what every verb that talks to a server has in common.
type atServer struct {
	server  string
	project string
	json    bool
}

func (s *atServer) bind(cmd *cobra.Command) {
	flags := cmd.PersistentFlags()
	flags.StringVar(&s.server, "server", "", "where the server is (default $"+command.EnvServer+", else "+command.DefaultServer+")")
	flags.StringVarP(&s.project, "project", "p", "", "the project's id or name (default $"+command.EnvProject+", else the only one)")
	flags.BoolVar(&s.json, "json", false, "the server's own answer, as JSON")
}

// client speaks to a server over the published contract.
type client struct {
	base, key string
	project   string
	http      *http.Client
}

// dial makes the client that the flags and the environment describe. No request
// is made yet.
func (s *atServer) dial(env *command.Env) (*client, error) {
	if err := command.CheckVariables(env); err != nil {
		return nil, err
	}
	c := &client{base: cmp.Or(s.server, env.Getenv(command.EnvServer), command.DefaultServer), project: cmp.Or(s.project, env.Getenv(command.EnvProject))}
	c.base = strings.TrimSuffix(strings.TrimRight(c.base, "/"), "/v1")
	if err := checkServer(c.base); err != nil {
		return nil, err
	}
	if c.key = strings.TrimSpace(env.Getenv(command.EnvKey)); c.key == "" {
		return nil, &command.Failure{Kind: windlass.Unauthorized, Text: "no API key: set " + command.EnvKey + " to one (windlass serve prints the first)"}
	}
	base := env.Base
	if base == nil {
		base = command.NewTransport()
	}
	// Installing reads a record of each object at Bitbucket, which takes its time.
	const patience = 2 * time.Minute
	c.http = &http.Client{
		Transport: base, Timeout: patience,
		// Another host must not be sent the key.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// checkServer refuses to send a key in the clear over the internet. Within a
// network of one's own, such as that of a few containers, plain http is usual.
func checkServer(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return command.Invalidf("--server (or %s) is not the address of a server: it looks like https://windlass.example.com", command.EnvServer)
	}
	if u.Scheme == "https" {
		return nil
	}
	host := u.Hostname()
	ip := net.ParseIP(host)
	if (ip != nil && (ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast())) || (ip == nil && !strings.Contains(host, ".")) {
		return nil
	}
	return command.Invalidf("--server (or %s): http to %s would send the API key in the clear: use https", command.EnvServer, command.Clip(host))
}

// answer is what a server said.
type answer struct {
	body   []byte
	header http.Header
}

// to joins the segments of a path, each escaped whole: an id may hold a slash,
// and a colon would begin a verb.
func to(segments ...string) string {
	escaped := make([]string, len(segments))
	for i, segment := range segments {
		escaped[i] = strings.ReplaceAll(url.PathEscape(segment), ":", "%3A")
	}
	return "/" + strings.Join(escaped, "/")
}

// call makes one request and returns its answer, or the failure that the answer
// is. body is sent as JSON unless it is nil.
func (c *client) call(ctx context.Context, method, path string, query url.Values, body any) (answer, error) {
	var sent io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return answer{}, command.Internal("request", err)
		}
		sent = bytes.NewReader(data)
	}
	target := c.base + "/v1" + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, sent)
	if err != nil {
		return answer{}, command.Invalidf("%v", err)
	}
	req.Header.Set("X-Api-Key", c.key)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "windlass/"+command.Version())
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, c.unreachable(ctx, err)
	}
	defer resp.Body.Close()
	const maxAnswer = 256 << 20
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return answer{}, c.unreachable(ctx, err)
	}
	if resp.StatusCode/100 != 2 {
		return answer{}, problemOf(resp, data)
	}
	return answer{data, resp.Header}, nil
}

// unreachable says that there was no answer.
func (c *client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &command.Failure{Kind: windlass.Canceled, Text: "interrupted"}
	}
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err // its address is said already
	}
	return &command.Failure{
		Kind: windlass.Unavailable, Err: err,
		Text: "no answer from " + c.base + " (is windlass serve running there? " + command.EnvServer + " says where to look)",
	}
}

// get makes a GET request.
func (c *client) get(ctx context.Context, path string, query url.Values) (answer, error) {
	return c.call(ctx, http.MethodGet, path, query, nil)
}

// into decodes an answer.
func (a answer) into(value any) error {
	if err := json.Unmarshal(a.body, value); err != nil {
		return &command.Failure{Kind: windlass.Malformed, Text: "the server's answer cannot be read: is it windlass?", Err: err}
	}
	return nil
}

// inProject begins a path with the project: the one that was named, or else the
// only one that the key sees.
func (c *client) inProject(ctx context.Context, segments ...string) (string, error) {
	if c.project == "" {
		got, err := c.get(ctx, to("projects"), nil)
		if err != nil {
			return "", err
		}
		var projects []struct{ ID, Name string }
		if err := got.into(&projects); err != nil {
			return "", err
		}
		switch len(projects) {
		case 1:
			c.project = projects[0].ID
		case 0:
			return "", &command.Failure{Kind: windlass.NotFound, Text: "the key sees no project"}
		default:
			names := make([]string, len(projects))
			for i, project := range projects {
				names[i] = project.Name
			}
			return "", command.Invalidf("there are several projects: name one with --project or in %s: %s", command.EnvProject, strings.Join(names, ", "))
		}
	}
	return to(append([]string{"projects", c.project}, segments...)...), nil
}

// String keeps the key out of whatever prints a client.
func (c *client) String() string { return fmt.Sprintf("client of %s", c.base) }
