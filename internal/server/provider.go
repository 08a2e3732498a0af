package server

import (
	"context"

	"windlass"
	"windlass/bitbucket"
	"windlass/connector"
	"windlass/internal/install"
)

const providerName = "bitbucket"

// userAgent is how Bitbucket knows us.
const userAgent = "windlass"

// oauth is Bitbucket's side of a consent.
func (c *Config) oauth() *bitbucket.OAuth {
	return &bitbucket.OAuth{SiteURL: c.BitbucketSiteURL, APIURL: c.BitbucketAPIURL, Base: c.Base, Now: c.Now}
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
