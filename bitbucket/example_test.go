package bitbucket_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"windlass"
	"windlass/bitbucket"
	"windlass/bitbucket/sandbox"
	"windlass/connector"
)

// newConnector connects to a mock server in this process. A program that talks to
// Bitbucket leaves out the last argument of NewTransport.
func newConnector(server *sandbox.Server) (*bitbucket.Connector, error) {
	credential, err := bitbucket.AccessToken(server.Credentials().AccessToken)
	if err != nil {
		return nil, err
	}
	transport, err := bitbucket.NewTransport(credential, bitbucket.DefaultAPIURL, server.Transport())
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &bitbucket.Retry{Base: transport, MaxWait: time.Minute}}
	return bitbucket.New(client, &bitbucket.Options{Workspace: "acme"})
}

func Example() {
	c, err := newConnector(sandbox.New(nil))
	if err != nil {
		fmt.Println(err)
		return
	}
	repositories := 0
	for _, err := range c.All(context.Background(), connector.ReadRequest{Object: "repositories"}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		repositories++
	}
	fmt.Println(repositories, "repositories")
	// Output: 250 repositories
}

func ExampleConnector_Write() {
	c, err := newConnector(sandbox.New(nil))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	made, err := c.Write(ctx, connector.WriteRequest{Object: "projects", Record: json.RawMessage(`{"key":"HOIST","name":"Hoist"}`)})
	if err != nil {
		fmt.Println(err)
		return
	}
	changed, err := c.Write(ctx, connector.WriteRequest{Object: "projects", ID: made.ID, Record: json.RawMessage(`{"name":"Hoist and haul"}`)})
	fmt.Println(changed.ID == made.ID, err)
	// Output: true <nil>
}

func ExampleConnector_Read_error() {
	server := sandbox.New(nil)
	credential, err := bitbucket.AccessToken(server.NewAccessToken("account"))
	if err != nil {
		fmt.Println(err)
		return
	}
	transport, err := bitbucket.NewTransport(credential, "", server.Transport())
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := bitbucket.New(&http.Client{Transport: transport}, &bitbucket.Options{Workspace: "acme"})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = c.Read(context.Background(), connector.ReadRequest{Object: "projects"})
	if failure, ok := windlass.FromProvider(err); ok {
		fmt.Println(errors.Is(err, windlass.Forbidden), failure.Missing())
	}
	// Output: true [project]
}
