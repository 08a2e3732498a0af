package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"windlass"
)

// The headers of the published contract that are for Windlass.
const (
	headerVersion      = "X-Amp-Proxy-Version"
	headerInstallation = "X-Amp-Installation-Id"
	headerIntegration  = "X-Amp-Integration-Name"
	headerGroup        = "X-Amp-Group-Ref"
	headerMode         = "X-Amp-Rate-Limiter-Mode"
	headerRetryAfter   = "X-Amp-Retry-After"
	headerRetryable    = "X-Amp-Retryable"
)

// version is the one of the contract that is spoken here.
const version = "1"

// installation finds the installation of a request, and checks that it may use the proxy.
func (p *Proxy) installation(ctx context.Context, projectID string, header http.Header) (windlass.Installation, error) {
	if v := header.Get(headerVersion); v != "" && v != version {
		return windlass.Installation{}, wrongHeader(headerVersion, "only version "+version+" is known", "send "+version)
	}
	now, name := p.now(), nameIn(projectID, header)
	if found, known := p.found.get(name, now); known {
		return found, nil
	}
	found, err := p.named(ctx, projectID, header)
	if err == nil {
		err = p.allowed(ctx, found)
	}
	if err == nil {
		p.found.put(name, found, now, p.config.Remember)
	}
	return found, err
}

// nameIn is the cache key of an installation.
func nameIn(projectID string, header http.Header) string {
	if id := header.Get(headerInstallation); id != "" {
		return strconv.Quote(projectID) + strconv.Quote(id)
	}
	return strconv.Quote(projectID) + strconv.Quote(header.Get(headerIntegration)) + strconv.Quote(header.Get(headerGroup))
}

// credential is what to send for a connection now.
func (p *Proxy) credential(ctx context.Context, c windlass.Connection) (windlass.Credentials, error) {
	now := p.now()
	if known, ok := p.usable.get(c.ID, now); ok {
		return known, nil
	}
	found, err := p.config.Credentials.Credential(ctx, c)
	if err == nil {
		p.usable.put(c.ID, found, now, p.config.Remember)
	}
	return found, err
}

// named finds the installation that the headers name: by its id, which wins, or by
// its integration and group.
func (p *Proxy) named(ctx context.Context, projectID string, header http.Header) (windlass.Installation, error) {
	if id := header.Get(headerInstallation); id != "" {
		found, err := p.config.Directory.Installation(ctx, projectID, id)
		return found, missingError(err, "there is no installation "+quote(id)+" in the project", "windlass installations list shows those that there are")
	}
	integration, group := header.Get(headerIntegration), header.Get(headerGroup)
	if integration == "" || group == "" {
		return windlass.Installation{}, wrongHeader(headerInstallation, "the request does not name a customer",
			"send "+headerInstallation+", or "+headerIntegration+" and "+headerGroup)
	}
	of, err := p.config.Directory.Integration(ctx, projectID, integration)
	if err != nil {
		return windlass.Installation{}, missingError(err, "there is no integration "+quote(integration)+" in the project", "windlass integrations list shows those that there are")
	}
	all, err := p.config.Directory.Installations(ctx, windlass.InstallationFilter{
		ProjectID: projectID, IntegrationID: of.ID, GroupRef: group, Limit: 1, // there is one at most
	})
	if err != nil {
		return windlass.Installation{}, err
	}
	if len(all) == 0 {
		return windlass.Installation{}, &windlass.Error{
			Kind: windlass.NotFound, Message: "the integration " + quote(integration) + " is not installed for the group " + quote(group),
			Remedy: "install it for that customer first",
		}
	}
	return all[0], nil
}

// allowed checks that both the product, in its manifest, and the installation's
// config let the proxy be used.
func (p *Proxy) allowed(ctx context.Context, in windlass.Installation) error {
	if said := proxyOf(in.Config.Content); said != nil && !*said {
		return &windlass.Error{
			Kind: windlass.Forbidden, Message: "the installation's config switches the proxy off",
			Remedy: "set proxy.enabled to true in the installation's config",
		}
	}
	enabled, known := p.enabled.Load(in.Config.RevisionID)
	if !known {
		revision, err := p.config.Directory.Revision(ctx, in.IntegrationID, in.Config.RevisionID)
		if err != nil {
			return err
		}
		said := proxyOf(revision.Content)
		enabled = said != nil && *said
		p.enabled.Store(in.Config.RevisionID, enabled)
	}
	if enabled != true {
		return &windlass.Error{
			Kind: windlass.Forbidden, Message: "the installation's revision of the integration has no proxy",
			Remedy: "add proxy: {enabled: true} to the integration in amp.yaml, deploy it, and update the installation's config",
		}
	}
	return nil
}

// proxyOf reads what a revision or a config says of the proxy; nil is nothing.
func proxyOf(content json.RawMessage) *bool {
	var said struct {
		Proxy *struct {
			Enabled bool `json:"enabled"`
		} `json:"proxy"`
	}
	if err := json.Unmarshal(content, &said); err != nil || said.Proxy == nil {
		return nil
	}
	return &said.Proxy.Enabled
}

func wrongHeader(name, message, remedy string) error {
	return &windlass.Error{
		Kind: windlass.Invalid, Message: message, Remedy: remedy,
		Issues: []windlass.Issue{{In: "header", Name: name, Message: message}},
	}
}

// missingError names the missing thing as the caller named it.
func missingError(err error, message, remedy string) error {
	if errors.Is(err, windlass.NotFound) {
		return &windlass.Error{Kind: windlass.NotFound, Message: message, Remedy: remedy, Err: err}
	}
	return err
}

func quote(name string) string {
	const most = 80
	if runes := []rune(name); len(runes) > most {
		name = string(runes[:most]) + "…"
	}
	return strconv.Quote(name)
}
