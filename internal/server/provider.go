package server

import (
	"context"
	"net/http"

	"windlass"
	"windlass/bitbucket"
	"windlass/connector"
	"windlass/internal/connect"
	"windlass/internal/install"
)

const providerName = "bitbucket"

// userAgent is how Bitbucket knows us.
const userAgent = "windlass"

// oauth is Bitbucket's side of a consent.
func (c *Config) oauth() *bitbucket.OAuth {
	return &bitbucket.OAuth{SiteURL: c.BitbucketSiteURL, APIURL: c.BitbucketAPIURL, Base: c.Base}
}

// provider is what installing knows of Bitbucket.
func (c *Config) provider() install.Provider {
	objects := bitbucket.Objects()
	return install.Provider{
		Info:    install.BitbucketInfo(objects),
		Objects: objects,
		Fields: func(_ context.Context, _ windlass.Connection, object string) ([]connector.Field, error) {
			return bitbucket.Describe(object) // the same for every customer
		},
	}
}

// sampler tries an installation's config on Bitbucket.
type sampler struct {
	connect *connect.Service
	apiURL  string
}

// Sample reads one record of an object.
func (s *sampler) Sample(ctx context.Context, in windlass.Installation, object string) error {
	client, err := s.connect.Client(ctx, in.Connection)
	if err != nil {
		return err
	}
	return s.sample(ctx, client, in.Connection.Workspace, object)
}

func (s *sampler) sample(ctx context.Context, client *http.Client, workspace, object string) error {
	c, err := bitbucket.New(client, &bitbucket.Options{Workspace: workspace, APIURL: s.apiURL, UserAgent: userAgent})
	if err != nil {
		return err
	}
	// Ten is the shortest page that every endpoint takes.
	_, err = c.Read(ctx, connector.ReadRequest{Object: object, PageSize: 10})
	return err
}
