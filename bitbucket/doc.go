// Package bitbucket is the connector for Bitbucket Cloud, as its API is in 2026.
//
// # What it promises
//
// [Connector] reads, writes, deletes and describes every object in the one
// table of this package ([Objects]); read, write, describe, documentation and
// error messages all follow from that table.
//
//   - A read asks for 100 records a request where the endpoint takes that, so
//     1,000 repositories cost 10 requests.
//   - A full walk of repositories sorts by created_on, which never changes, and
//     pages by that key: whatever is made or deleted, and however long two pages
//     lie apart, nothing slides over the seam between them.
//   - The other lists have no such key, and the walk follows Bitbucket's links.
//     What a link has lost is put back, and a link that is missing or malformed
//     is noticed. When the count shrinks, the walk goes one page back.
//     connector.Page says of each page whether its seam holds.
//   - An incremental read sorts by updated_on and pages by that key instead of
//     by offset, because a record edited meanwhile moves to the end and would
//     pull another one past the seam.
//   - Raw holds the bytes that Bitbucket sent. The exception is hook_events,
//     whose records gain a "subject", since Bitbucket puts it only into the path.
//   - Updating what does not exist creates nothing, although Bitbucket's PUT would.
//   - Nothing is retried and nothing waits. [Retry] is a transport of its own.
//   - A credential is sent to the configured API's scheme, host and port and
//     nowhere else: [Transport] refuses every other address, redirects included,
//     and a next link that leads elsewhere is an error.
//
// # What to use
//
//	credential, err := bitbucket.AccessToken(os.Getenv("BITBUCKET_TOKEN"))
//	transport, err := bitbucket.NewTransport(credential, bitbucket.DefaultAPIURL, nil)
//	client := &http.Client{Transport: &bitbucket.Retry{Base: transport}}
//	c, err := bitbucket.New(client, &bitbucket.Options{Workspace: "acme"})
//	for record, err := range c.All(ctx, connector.ReadRequest{Object: "repositories"}) { … }
//
// [Provider] is Bitbucket to a server, which needs nothing else of this package.
//
// Facts about Bitbucket in this package come from Atlassian's REST API document
// of August 2026 and its changelog unless a comment says otherwise.
package bitbucket
