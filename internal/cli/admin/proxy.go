package admin

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"windlass"
	"windlass/internal/cli/command"
	"windlass/internal/server"
)

// proxyOptions say whom the local port speaks for.
type proxyOptions struct {
	installation, integration, group, connection string
	listen                                       string
}

func newProxy(env *command.Env) *cobra.Command {
	at := &atServer{}
	opts := &proxyOptions{}
	cmd := &cobra.Command{
		Use:   "proxy [INSTALLATION]",
		Short: "Forward a local port to Bitbucket's API, with a customer's credentials",
		Long: `Open a port on this machine that is Bitbucket's API, seen with the credentials of a
customer's: curl, or any client for Bitbucket, works against it as it is. The
requests go through the server's proxy, which adds the credentials; they never come
here. The customer is named by an installation, by --integration and --group, or by
--connection.

Nothing but headers is changed. In particular the links in Bitbucket's answers, such
as next, go on naming api.bitbucket.org: a client that follows them as they are
leaves this port, and gets no further without credentials of its own. Have it keep
to its base URL, or take the path and the query from the link.

The port is open to every program of this machine, until the command is interrupted;
pages in a browser are refused.`,
		Example: `  windlass proxy --integration bitbucket --group customer-1 --listen 127.0.0.1:8081
  curl http://127.0.0.1:8081/2.0/user`,
		GroupID: command.GroupServer,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				opts.installation = args[0]
			}
			return runProxy(cmd.Context(), env, at, opts)
		},
	}
	at.bind(cmd)
	_ = cmd.PersistentFlags().MarkHidden("json") // nothing of the server's own is printed
	flags := cmd.Flags()
	flags.StringVar(&opts.integration, "integration", "", "the integration's `NAME`, with --group")
	flags.StringVar(&opts.group, "group", "", "the customer, by your own `REF`")
	flags.StringVar(&opts.connection, "connection", "", "the `ID` of a connection that an installation with a proxy uses")
	flags.StringVar(&opts.listen, "listen", "127.0.0.1:0", "the `ADDRESS` to listen on, of this machine only; port 0 takes a free one")
	return cmd
}

func runProxy(ctx context.Context, env *command.Env, at *atServer, opts *proxyOptions) error {
	c, err := at.dial(env)
	if err != nil {
		return err
	}
	in, err := opts.find(ctx, c)
	if err != nil {
		return err
	}
	listener, err := opts.open(ctx)
	if err != nil {
		return err
	}
	site := &http.Server{
		Handler:           localOnly(forward(c, in.ID)),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	command.Tellf(env.Stdout, "windlass: http://%s is Bitbucket's API for the workspace %s (installation %s)\n",
		listener.Addr(), command.Quoted(in.Connection.Workspace), in.ID)
	ended := make(chan error, 1)
	go func() { ended <- site.Serve(listener) }()
	select {
	case err := <-ended:
		return command.Internal("proxy", err)
	case <-ctx.Done():
		_ = site.Close() // the user who interrupts it began what is under way
		return nil
	}
}

// open listens, on this machine alone: a program that reaches the port acts for the
// customer.
func (o *proxyOptions) open(ctx context.Context) (net.Listener, error) {
	host, _, err := net.SplitHostPort(o.listen)
	if err != nil || !isLocal(host) {
		return nil, command.Invalidf("--listen %s: every program that reaches the port acts as the customer: give an address of this machine's own, as in 127.0.0.1:8081", command.Quoted(o.listen))
	}
	return server.Listen(ctx, o.listen)
}

func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// installed is what is read of an installation.
type installed struct {
	ID         string
	Group      struct{ GroupRef string }
	Connection struct {
		ID        string
		Workspace string `json:"providerWorkspaceRef"`
	}
	Config struct {
		Content struct{ Proxy struct{ Enabled bool } }
	}
}

// find finds the one installation that is meant.
func (o *proxyOptions) find(ctx context.Context, c *client) (installed, error) {
	segments, query := []string{"installations"}, url.Values{}
	switch {
	case o.installation != "" && o.integration == "" && o.group == "" && o.connection == "":
	case o.installation == "" && o.integration != "" && o.group != "" && o.connection == "":
		segments = []string{"integrations", o.integration, "installations"}
		query.Set("groupRef", o.group)
	case o.installation == "" && o.integration == "" && o.group == "" && o.connection != "":
	default:
		return installed{}, command.Invalidf("whose credentials? name an installation, or --integration and --group, or --connection: one of the three")
	}
	path, err := c.inProject(ctx, segments...)
	if err != nil {
		return installed{}, err
	}
	got, err := c.get(ctx, path, query)
	if err != nil {
		return installed{}, err
	}
	var all []installed
	if err := got.into(&all); err != nil {
		return installed{}, err
	}
	for i := range all {
		in := &all[i]
		switch {
		case o.installation != "" && in.ID != o.installation, o.connection != "" && in.Connection.ID != o.connection:
			continue
		case o.connection != "" && !in.Config.Content.Proxy.Enabled:
			continue // another installation on the connection may have one
		}
		return *in, nil
	}
	return installed{}, &command.Failure{
		Kind: windlass.NotFound,
		Text: "there is no such installation with a proxy; windlass installations list shows those that there are",
	}
}

// forward passes requests to the server's proxy with the headers that it wants. The
// path goes on byte by byte.
func forward(c *client, installation string) http.Handler {
	base, _ := url.Parse(c.base) // it was checked
	transport := c.http.Transport
	if known, ok := transport.(*http.Transport); ok {
		plain := known.Clone()
		plain.DisableCompression = true // the client decides, and unpacks
		transport = plain
	}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			path, query, asked := strings.Cut(r.In.RequestURI, "?")
			to := *base
			to.Path += r.In.URL.Path
			to.RawPath = base.EscapedPath() + path
			to.RawQuery, to.ForceQuery = query, asked
			if to.EscapedPath() != to.RawPath {
				to.Opaque = to.RawPath // which url.URL would escape in its own way
			}
			r.Out.URL, r.Out.Host = &to, ""
			r.Out.Header.Del("Authorization") // of whatever the client believes to need
			r.Out.Header.Del("Cookie")
			r.Out.Header.Set("X-Amp-Proxy-Version", "1")
			r.Out.Header.Set("X-Amp-Project-Id", c.project)
			r.Out.Header.Set("X-Amp-Installation-Id", installation)
			r.Out.Header.Set("X-Api-Key", c.key)
		},
		Transport:     transport,
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if errors.Is(err, context.Canceled) {
				return
			}
			http.Error(w, "windlass proxy: "+command.OneLine(c.unreachable(r.Context(), err).Error()), http.StatusBadGateway)
		},
	}
}

// localOnly refuses what a page in a browser could send: one of another site has no
// business here, whatever name it gives this machine.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		switch {
		case !isLocal(strings.Trim(host, "[]")), r.Header.Get("Origin") != "", r.Header.Get("Sec-Fetch-Site") != "":
			http.Error(w, "windlass proxy: this port is for programs of this machine, not for pages in a browser", http.StatusForbidden)
		case !strings.HasPrefix(r.RequestURI, "/"):
			http.Error(w, "windlass proxy: send a path, as in /2.0/user: this is no proxy to other hosts", http.StatusBadRequest)
		default:
			next.ServeHTTP(w, r)
		}
	})
}
