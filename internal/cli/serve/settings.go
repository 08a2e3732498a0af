package serve

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/cli/command"
	"windlass/internal/server"
)

// A setting is one line of a server's configuration. Its key is its name in the
// file and its flag; in the environment it is WINDLASS_ and the key in capitals.
type setting struct {
	key, def, about string
	secret          bool // has no flag, and is never shown
	set             func(c *serverConfig, value string) error
	show            func(value string) string // nil: as it is
}

// serverConfig is what the settings add up to.
type serverConfig struct {
	server.Config

	logLevel, logFormat, firstKeyFile string
}

// settings is the one table of them: flags, variables, file, --print-config and
// help come from it.
var settings = []setting{
	{key: "addr", def: server.DefaultAddr, about: "the address to listen on; port 0 takes a free one", set: text(func(c *serverConfig) *string { return &c.Addr })},
	{key: "public-url", about: "where people and programs reach the server (default: the address it listens on)", set: text(func(c *serverConfig) *string { return &c.PublicURL })},
	{key: "proxy-host", about: "a host name for the proxy, under which every path is Bitbucket's (default: a header marks proxied requests)", set: text(func(c *serverConfig) *string { return &c.ProxyHost })},
	{key: "data-dir", def: server.DefaultDataDir, about: "the folder of the database and the keyset", set: text(func(c *serverConfig) *string { return &c.DataDir })},
	{
		key: "database-url", about: "a PostgreSQL database, as postgres://user@host/name, or an SQLite file (default: windlass.db in the data folder)",
		set:  hiddenText(func(c *serverConfig) *windlass.Secret { return &c.Database }),
		show: withoutPassword,
	},
	{key: "keyset", about: "the keyset that secrets are sealed with, as text", secret: true, set: hiddenText(func(c *serverConfig) *windlass.Secret { return &c.Keyset })},
	{key: "keyset-file", about: "the file of the keyset, made on the first start (default: keyset.json in the data folder)", set: text(func(c *serverConfig) *string { return &c.KeysetFile })},
	{key: "operator-key", about: "a key that opens every project: at least 32 characters", secret: true, set: hiddenText(func(c *serverConfig) *windlass.Secret { return &c.OperatorKey })},
	{key: "first-project", def: server.DefaultProject, about: "the name of the project that the first start makes", set: text(func(c *serverConfig) *string { return &c.Project })},
	{key: "first-key-file", about: "a file for the first API key, readable by its owner alone (default: it is printed)", set: text(func(c *serverConfig) *string { return &c.firstKeyFile })},
	{key: "roles", def: "api,worker", about: "what this process does, separated by commas", set: setRoles},
	{key: "metrics-addr", about: "a separate address for /metrics (default: the server's own)", set: text(func(c *serverConfig) *string { return &c.MetricsAddr })},
	{key: "log-level", def: "info", about: "debug, info, warn or error", set: oneOf([]string{"debug", "info", "warn", "error"}, func(c *serverConfig) *string { return &c.logLevel })},
	{key: "log-format", def: "auto", about: "json, text, or auto: text on a terminal", set: oneOf([]string{"auto", "json", "text"}, func(c *serverConfig) *string { return &c.logFormat })},
	{key: "bitbucket-api-url", def: "https://api.bitbucket.org/2.0", about: "where Bitbucket's API is", set: endpoint("bitbucket", func(e *connector.Endpoints) *string { return &e.API })},
	{key: "bitbucket-site-url", def: "https://bitbucket.org", about: "where Bitbucket's consent pages are", set: endpoint("bitbucket", func(e *connector.Endpoints) *string { return &e.Site })},
	{key: "allow-http-destinations", def: "false", about: "allow webhooks to http addresses, for trials", set: setAllowHTTP},
	{key: "allow-private-destinations", about: "private networks that webhooks may be sent to, such as 10.1.0.0/16, separated by commas", set: list(func(c *serverConfig) *[]string { return &c.AllowPrivateDestinations })},
	{key: "hourly-limit", about: "requests an hour that Bitbucket allows to a consumer or token that has no limit of its own (default: 1000)", set: setHourlyLimit},
	{key: "oidc-issuer", about: "an OpenID Connect provider whose accounts sign in to the dashboard, as https://accounts.example.com", set: text(func(c *serverConfig) *string { return &c.OIDC.Issuer })},
	{key: "oidc-client-id", about: "the dashboard's client id at that provider", set: text(func(c *serverConfig) *string { return &c.OIDC.ClientID })},
	{key: "oidc-client-secret", about: "the secret of that client", secret: true, set: hiddenText(func(c *serverConfig) *windlass.Secret { return &c.OIDC.ClientSecret })},
	{key: "oidc-editors", about: "who may change things: email addresses, or domains as @example.com, separated by commas", set: list(func(c *serverConfig) *[]string { return &c.OIDC.Editors })},
	{key: "oidc-viewers", about: "who may view, in the same form", set: list(func(c *serverConfig) *[]string { return &c.OIDC.Viewers })},
	{key: "keep-states", def: "1h", about: "how long unfinished consents are kept", set: duration(func(c *serverConfig) *time.Duration { return &c.Retention.States })},
	{key: "keep-uploads", def: "24h", about: "how long manifests that were uploaded and not deployed are kept", set: duration(func(c *serverConfig) *time.Duration { return &c.Retention.Uploads })},
	{key: "keep-operations", def: "720h", about: "how long finished operations and their logs are kept", set: duration(func(c *serverConfig) *time.Duration { return &c.Retention.Operations })},
	{key: "keep-deliveries", def: "168h", about: "how long messages that were delivered or given up are kept, with their attempts", set: duration(func(c *serverConfig) *time.Duration { return &c.Retention.Deliveries })},
	{key: "max-connections", def: strconv.Itoa(server.DefaultMaxConnections), about: "how many connections clients may hold", set: connections(func(c *serverConfig) *int { return &c.MaxConnections })},
	{key: "max-connections-per-address", def: strconv.Itoa(server.DefaultMaxConnectionsPerAddress), about: "how many of them one address may hold before a credential is accepted on them", set: connections(func(c *serverConfig) *int { return &c.MaxConnectionsPerAddress })},
	{key: "lease", def: "30s", about: "how long a process may be silent before another takes over its work; a third of that when it was killed", set: duration(func(c *serverConfig) *time.Duration { return &c.Lease })},
	{key: "stop-deadline", def: "20s", about: "how long a graceful stop may take", set: duration(func(c *serverConfig) *time.Duration { return &c.StopDeadline })},
}

// Variables are the variables of all settings.
func Variables() []string {
	names := make([]string, len(settings))
	for i := range settings {
		names[i] = settings[i].env()
	}
	return names
}

// env is the setting's variable.
func (s *setting) env() string {
	return "WINDLASS_" + strings.ToUpper(strings.ReplaceAll(s.key, "-", "_"))
}

// shown is a value as it may be printed.
func (s *setting) shown(value string) string {
	switch {
	case s.secret:
		return windlass.NewSecret(value).String()
	case s.show != nil:
		return s.show(value)
	default:
		return value
	}
}

func text(field func(*serverConfig) *string) func(*serverConfig, string) error {
	return func(c *serverConfig, value string) error {
		*field(c) = value
		return nil
	}
}

// endpoint sets where a provider is.
func endpoint(provider string, field func(*connector.Endpoints) *string) func(*serverConfig, string) error {
	return func(c *serverConfig, value string) error {
		at := c.Endpoints[provider]
		*field(&at) = value
		if c.Endpoints == nil {
			c.Endpoints = map[string]connector.Endpoints{}
		}
		c.Endpoints[provider] = at
		return nil
	}
}

func hiddenText(field func(*serverConfig) *windlass.Secret) func(*serverConfig, string) error {
	return func(c *serverConfig, value string) error {
		*field(c) = windlass.NewSecret(value)
		return nil
	}
}

func oneOf(words []string, field func(*serverConfig) *string) func(*serverConfig, string) error {
	return func(c *serverConfig, value string) error {
		if !slices.Contains(words, value) {
			return command.Invalidf("%s is not one of: %s", command.Quoted(value), strings.Join(words, ", "))
		}
		*field(c) = value
		return nil
	}
}

func duration(field func(*serverConfig) *time.Duration) func(*serverConfig, string) error {
	return func(c *serverConfig, value string) error {
		span, ok := command.ParseAgo(value)
		if !ok || span <= 0 {
			return command.Invalidf("%s is %s", command.Quoted(value), command.NotSpan)
		}
		*field(c) = span
		return nil
	}
}

func setRoles(c *serverConfig, value string) error {
	c.Roles = nil
	for word := range strings.SplitSeq(value, ",") {
		role := server.Role(strings.TrimSpace(word))
		if !slices.Contains(server.Roles, role) {
			return command.Invalidf("there is no role %s: the roles are api and worker", command.Quoted(string(role)))
		}
		c.Roles = append(c.Roles, role)
	}
	return nil
}

func setAllowHTTP(c *serverConfig, value string) error {
	allowed, err := strconv.ParseBool(value)
	if err != nil {
		return command.Invalidf("%s is not true or false", command.Quoted(value))
	}
	c.AllowHTTPDestinations = allowed
	return nil
}

// list is several values, separated by commas.
func list(field func(*serverConfig) *[]string) func(*serverConfig, string) error {
	return func(c *serverConfig, value string) error {
		*field(c) = nil
		for word := range strings.SplitSeq(value, ",") {
			if word = strings.TrimSpace(word); word != "" {
				*field(c) = append(*field(c), word)
			}
		}
		return nil
	}
}

func setHourlyLimit(c *serverConfig, value string) error {
	limit, err := strconv.Atoi(value)
	if err != nil || limit < 0 {
		return command.Invalidf("%s is not a number of requests", command.Quoted(value))
	}
	c.HourlyLimit = limit
	return nil
}

func connections(field func(*serverConfig) *int) func(*serverConfig, string) error {
	return func(c *serverConfig, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n <= 0 {
			return command.Invalidf("%s is not a number of connections above zero", command.Quoted(value))
		}
		*field(c) = n
		return nil
	}
}

// withoutPassword shows the address of a database, or the path of one.
func withoutPassword(address string) string {
	if strings.Contains(address, "password=") {
		return "…" // whatever its form is
	}
	if !strings.Contains(address, "://") {
		return address
	}
	u, err := url.Parse(address)
	if err != nil {
		return "…"
	}
	return u.Redacted()
}
