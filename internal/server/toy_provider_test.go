package server_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"windlass"
	"windlass/connector"
)

// library is a provider that is nothing like Bitbucket: public libraries with shelves
// and books, opened with a key that is sent in a header of its own. It is here to show
// that a provider is one value: no package but this test's knows of it.
type library struct{ url string }

var _ connector.Provider = (*library)(nil)

const libraryKey = "X-Library-Key"

func (l *library) Info() connector.Info {
	return connector.Info{
		Name: "library", DisplayName: "Public Library", Brand: "Library", AuthType: connector.APIKey, BaseURL: l.url,
		Inputs: []connector.Input{{Name: "workspace", DisplayName: "Library", Prompt: "The library's name."}},
	}
}

func (l *library) Objects() []connector.Object {
	return []connector.Object{
		{
			Name: "books", DisplayName: "Books", Description: "The books of the library.",
			Incremental: "updated", Workspace: true, Create: true, Update: true, Delete: true,
			ReadScopes: []string{"read"}, WriteScopes: []string{"write"}, DeleteScopes: []string{"write"},
		},
		{Name: "loans", DisplayName: "Loans", Description: "Who has a book of a shelf.", Parent: "shelves", Workspace: true, ReadScopes: []string{"read"}},
		{Name: "shelves", DisplayName: "Shelves", Description: "Where the books stand.", Workspace: true, ReadScopes: []string{"read"}},
	}
}

func (l *library) Fields(object string) ([]connector.Field, error) {
	id := connector.Field{Name: "uuid", DisplayName: "Id", Type: connector.String, ProviderType: "text", ReadOnly: true}
	switch object {
	case "books":
		return []connector.Field{
			id,
			{Name: "title", DisplayName: "Title", Type: connector.String, ProviderType: "text", Required: true},
			{Name: "lock", DisplayName: "Code of the lock", Type: connector.String, ProviderType: "text", Secret: true},
			{Name: "updated", DisplayName: "Updated", Type: connector.DateTime, ProviderType: "time", ReadOnly: true},
		}, nil
	case "loans", "shelves":
		return []connector.Field{id}, nil
	default:
		return nil, libraryError(windlass.Invalid, "describe "+object, "there is no such object", 0)
	}
}

// OAuth returns none: libraries hand out keys.
func (l *library) OAuth(http.RoundTripper) connector.OAuth { return nil }

func (l *library) Transport(credentials windlass.Credentials, base http.RoundTripper) (http.RoundTripper, error) {
	return &libraryTransport{l, credentials.APIKey, base}, nil
}

type libraryTransport struct {
	library *library
	key     windlass.Secret
	base    http.RoundTripper
}

func (t *libraryTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if "http://"+req.URL.Host != t.library.url { // invariant 6
		if req.Body != nil {
			_ = req.Body.Close() // nothing was read from it
		}
		return nil, libraryError(windlass.Malformed, "", "refused to send the key to "+req.URL.Host, 0)
	}
	signed := req.Clone(req.Context())
	signed.Header.Set(libraryKey, t.key.Reveal())
	return t.base.RoundTrip(signed)
}

func (l *library) Check(ctx context.Context, client *http.Client, name string) (connector.Account, error) {
	reader := &librarian{l, client, name}
	var found struct{ ID, Name string }
	if err := reader.do(ctx, "check the library", http.MethodGet, "", nil, &found); err != nil {
		return connector.Account{}, err
	}
	return connector.Account{
		Workspace: found.Name, WorkspaceID: found.ID, WorkspaceName: found.Name,
		Membership: connector.MemberUnknown, Scopes: []string{"read", "write"},
	}, nil
}

func (l *library) Missing(granted, required []string) []string {
	return slices.DeleteFunc(slices.Clone(required), func(scope string) bool { return slices.Contains(granted, scope) })
}

func (l *library) Open(client *http.Client, options connector.Options) (connector.Connector, error) {
	return &librarian{l, client, options.Workspace}, nil
}

// Limit reads a header that no other provider has.
func (l *library) Limit(resp *http.Response) (connector.Limit, bool) {
	limit, err := strconv.Atoi(resp.Header.Get("X-Library-Hourly"))
	return connector.Limit{Limit: limit, Remaining: -1}, err == nil
}

// librarian is a connector to one library.
type librarian struct {
	library *library
	client  *http.Client
	name    string
}

// book is what all of its objects look like, as far as the connector looks.
type book struct {
	UUID    string    `json:"uuid"`
	Updated time.Time `json:"updated"`
}

func (l *librarian) Read(ctx context.Context, req connector.ReadRequest) (connector.Page, error) {
	path := "/" + req.Object
	for _, o := range l.library.Objects() {
		if o.Name != req.Object {
			continue
		}
		if err := o.CheckParent(req); err != nil {
			return connector.Page{}, err
		}
		if o.Parent != "" {
			path = "/" + o.Parent + "/" + url.PathEscape(req.Parent.ID) + path
		}
	}
	query := url.Values{"page": {cmp.Or(string(req.Cursor), "1")}}
	if !req.Since.IsZero() && req.Object == "books" {
		query.Set("since", req.Since.Format(time.RFC3339Nano))
	}
	if !req.Until.IsZero() && req.Object == "books" {
		query.Set("until", req.Until.Format(time.RFC3339Nano))
	}
	var answer struct {
		Items []json.RawMessage
		Next  string
		Total int
	}
	if err := l.do(ctx, "read "+req.Object, http.MethodGet, path+"?"+query.Encode(), nil, &answer); err != nil {
		return connector.Page{}, err
	}
	bounded := !req.Since.IsZero() || !req.Until.IsZero()
	page := connector.Page{Next: connector.Cursor(answer.Next), Size: answer.Total, Full: bounded && req.Object != "books"}
	for _, raw := range answer.Items {
		var b book
		if err := json.Unmarshal(raw, &b); err != nil {
			return connector.Page{}, libraryError(windlass.Malformed, "read "+req.Object, err.Error(), 0)
		}
		page.Records = append(page.Records, connector.Record{ID: b.UUID, Updated: b.Updated, Raw: raw})
	}
	return page, nil
}

func (l *librarian) Write(ctx context.Context, req connector.WriteRequest) (connector.WriteResult, error) {
	op, method, path := "create "+req.Object, http.MethodPost, "/"+req.Object
	if req.ID != "" {
		op, method, path = "update "+req.Object, http.MethodPut, path+"/"+url.PathEscape(req.ID)
	}
	var raw json.RawMessage
	if err := l.do(ctx, op, method, path, req.Record, &raw); err != nil {
		return connector.WriteResult{}, err
	}
	var b book
	if err := json.Unmarshal(raw, &b); err != nil {
		return connector.WriteResult{}, libraryError(windlass.Malformed, op, err.Error(), 0)
	}
	return connector.WriteResult{ID: b.UUID, Raw: raw}, nil
}

func (l *librarian) Delete(ctx context.Context, req connector.DeleteRequest) error {
	return l.do(ctx, "delete "+req.Object, http.MethodDelete, "/"+req.Object+"/"+url.PathEscape(req.ID), nil, nil)
}

func (l *librarian) Get(ctx context.Context, req connector.GetRequest) (connector.Record, error) {
	var raw json.RawMessage
	err := l.do(ctx, "get "+req.Object, http.MethodGet, "/"+req.Object+"/"+url.PathEscape(req.ID), nil, &raw)
	return connector.Record{ID: req.ID, Raw: raw}, err
}

// Find finds nothing: a library has room for two books of one title.
func (l *librarian) Find(context.Context, connector.FindRequest) (id string, found bool, err error) {
	return "", false, nil
}

// do sends one request to the library, and reads its answer into out.
func (l *librarian) do(ctx context.Context, op, method, path string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, l.library.url+"/"+url.PathEscape(l.name)+path, bytes.NewReader(body))
	if err != nil {
		return libraryError(windlass.Invalid, op, err.Error(), 0)
	}
	resp, err := l.client.Do(req)
	if known, ok := errors.AsType[*windlass.Error](err); ok {
		return known
	}
	if err != nil {
		return libraryError(windlass.Unavailable, op, err.Error(), 0)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return libraryError(windlass.Unavailable, op, err.Error(), 0)
	}
	if kind, failed := map[int]windlass.Kind{401: windlass.Unauthorized, 404: windlass.NotFound, 422: windlass.Invalid}[resp.StatusCode]; failed {
		return libraryError(kind, op, string(data), resp.StatusCode)
	}
	if resp.StatusCode/100 != 2 {
		return libraryError(windlass.Unavailable, op, fmt.Sprintf("%.100s", data), resp.StatusCode)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return libraryError(windlass.Malformed, op, err.Error(), 0)
	}
	return nil
}

// libraryError is one of the provider's; status is 0 where there was no answer.
func libraryError(kind windlass.Kind, op, message string, status int) error {
	return &windlass.Error{Kind: kind, Op: op, Message: message, Provider: &windlass.ProviderDetails{Status: status}}
}
