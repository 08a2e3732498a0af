package try

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"windlass/bitbucket/sandbox"
	"windlass/internal/cli/command"
	"windlass/internal/server"
)

type sandboxOptions struct {
	sandbox.Options

	addr   string
	faults []string
}

func newSandbox(env *command.Env) *cobra.Command {
	opts := &sandboxOptions{}
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Run a mock Bitbucket server on this machine",
		Long: `Run a mock Bitbucket Cloud server, with made-up data, until interrupted.

Its addresses and credentials are printed as one line of JSON on standard
output. The same seed gives the same data.

A fault names what goes wrong, and may say for which requests:
  status=502  html  hang  cut  malformed  reset  foreign-next  duplicate-page
  shift-page  unstable  lossy-next=fields  no-next  bad-next  skew=-5m  latency=2s
  method=GET  path=/2.0/repositories/*  after=3  times=1  retry-after=30s  text`,
		Example: `  windlass sandbox --repositories 50000 --limit-headers
  windlass sandbox --latency 50ms --fault status=502,after=3,times=1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runSandbox(cmd.Context(), env, opts) },
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.addr, "addr", "127.0.0.1:0", "the address to listen on; port 0 takes a free one")
	flags.Uint64Var(&opts.Seed, "seed", 1, "of all data")
	flags.StringVarP(&opts.Workspace, "workspace", "w", "acme", "slug of the workspace")
	for _, number := range []struct {
		value *int
		name  string
		def   int
	}{
		{&opts.Repositories, "repositories", 250},
		{&opts.Projects, "projects", 12},
		{&opts.Members, "members", 25},
		{&opts.Hooks, "hooks", 6},
		{&opts.Variables, "variables", 8},
		{&opts.Snippets, "snippets", 15},
	} {
		flags.IntVar(number.value, number.name, number.def, "how many "+number.name)
	}
	flags.StringVar(&opts.CallbackURL, "callback-url", "http://"+server.DefaultAddr+"/callbacks/v1/oauth",
		"where the OAuth consumer sends people back to: a server's callback URL")
	flags.IntVar(&opts.Limit, "limit", 1000, "requests a rolling hour for each credential (0: no limit)")
	flags.BoolVar(&opts.LimitHeaders, "limit-headers", false, "tell of the limit in headers, as Bitbucket does for some credentials")
	flags.BoolVar(&opts.OmitSize, "omit-size", false, "leave the count out of pages, as Bitbucket may")
	flags.BoolVar(&opts.FixedRefresh, "fixed-refresh", false, "refresh tokens do not rotate, as for old OAuth consumers")
	flags.Var(command.NewSpan(&opts.Latency, 0), "latency", "before each answer")
	flags.Var(command.NewSpan(&opts.TokenLifetime, 2*time.Hour), "token-lifetime", "of OAuth access tokens")
	flags.StringArrayVar(&opts.faults, "fault", nil, "go wrong on purpose (may be repeated)")
	return cmd
}

// newServer makes the server that the options describe.
func (o *sandboxOptions) newServer() (*sandbox.Server, error) {
	options := o.Options
	for _, number := range []*int{
		&options.Repositories, &options.Projects, &options.Members,
		&options.Hooks, &options.Variables, &options.Snippets, &options.Limit,
	} {
		if *number <= 0 {
			*number = -1 // the package takes 0 for its default, who types it means none
		}
	}
	server := sandbox.New(&options)
	for _, spec := range o.faults {
		fault, err := sandbox.ParseFault(spec)
		if err != nil {
			return nil, command.Invalidf("--fault: %v", err)
		}
		server.Inject(fault)
	}
	return server, nil
}

func runSandbox(ctx context.Context, env *command.Env, opts *sandboxOptions) error {
	server, err := opts.newServer()
	if err != nil {
		return err
	}
	site, err := StartSite(ctx, opts.addr, server)
	if err != nil {
		return err
	}
	credentials := server.Credentials()
	line, err := json.Marshal(struct {
		APIURL   string `json:"api_url"`
		SiteURL  string `json:"site_url"`
		AdminURL string `json:"admin_url"`
		sandbox.Credentials
	}{site.APIURL(), site.URL + "/site", site.URL + "/_sandbox", credentials})
	if err != nil {
		return command.Internal("credentials", err)
	}
	if _, err := fmt.Fprintf(env.Stdout, "%s\n", line); err != nil {
		return command.Internal("standard output", err)
	}
	if env.StderrTerminal {
		command.Tellf(env.Stderr, `
Serving until Ctrl-C. In another terminal:

  export BITBUCKET_API_URL=%s
  export BITBUCKET_TOKEN=%s
  export BITBUCKET_WORKSPACE=%s
  windlass read repositories --limit 3

`, site.APIURL(), credentials.AccessToken, credentials.Workspace)
	}
	<-ctx.Done()
	return site.Stop()
}

// Site is a sandbox that listens.
type Site struct {
	URL    string
	server *http.Server
	failed chan error
	cancel context.CancelFunc
}

// StartSite listens and serves in the background, until Stop.
func StartSite(ctx context.Context, addr string, handler http.Handler) (*Site, error) {
	listener, err := server.Listen(ctx, addr)
	if err != nil {
		return nil, err
	}
	// Handlers outlive the interrupt: what is being answered is answered first.
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &Site{
		URL: "http://" + listener.Addr().String(),
		server: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: 10 * time.Second,
			BaseContext:       func(net.Listener) context.Context { return base },
		},
		failed: make(chan error, 1),
		cancel: cancel,
	}
	go func() { s.failed <- s.server.Serve(listener) }()
	return s, nil
}

// APIURL is where the API of a mock Bitbucket server is.
func (s *Site) APIURL() string { return s.URL + "/2.0" }

// Stop lets running answers end for a moment, and breaks off those that hang.
func (s *Site) Stop() error {
	const patience = 2 * time.Second
	ctx, done := context.WithTimeout(context.Background(), patience)
	defer done()
	err := s.server.Shutdown(ctx)
	s.cancel()
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.server.Close()
	}
	if served := <-s.failed; err == nil && !errors.Is(served, http.ErrServerClosed) {
		err = served
	}
	if err != nil {
		return command.Internal("sandbox", err)
	}
	return nil
}
