package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"windlass/internal/auth"
)

func (a *API) getDocument(*call) (json.RawMessage, error) { return a.document, nil }

// describe writes the table as an OpenAPI 3.1 document.
func (a *API) describe(table []route) (json.RawMessage, error) {
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Windlass", Version: "1",
			Description: "Deploy manifests, connect customers' workspaces, install integrations. " +
				"Every error is a problem in application/problem+json. No answer contains a null.",
			License: &huma.License{Name: "Apache 2.0", Identifier: "Apache-2.0"},
		},
		Servers: []*huma.Server{{URL: a.publicURL.String()}},
		Paths:   map[string]*huma.PathItem{},
		Components: &huma.Components{
			Schemas: a.schemas.registry,
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"key":   {Type: "apiKey", In: "header", Name: "X-Api-Key", Description: "A key of the project, or the operator's."},
				"token": {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "RS256, for one customer, at most ten minutes long."},
			},
		},
	}
	for i := range table {
		doc.AddOperation(a.describeRoute(&table[i]))
	}
	out, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("describe the API: %w", err)
	}
	return out, nil
}

func (a *API) describeRoute(r *route) *huma.Operation {
	op := &huma.Operation{
		Method: r.method, Path: r.path, OperationID: r.id, Summary: r.summary, Description: accessWords[r.access],
		Security:  []map[string][]string{}, // none, where nothing is added
		Responses: map[string]*huma.Response{"default": a.problemResponse()},
	}
	if r.access > auth.Anyone {
		op.Security = append(op.Security, map[string][]string{"key": {}})
	}
	if r.access == auth.Person {
		op.Security = append(op.Security, map[string][]string{"token": {}})
	}
	for part := range strings.SplitSeq(r.path[1:], "/") {
		if s := parseSegment(part); s.name != "" {
			op.Parameters = append(op.Parameters, &huma.Param{
				Name: s.name, In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString},
			})
		}
	}
	for _, p := range r.query {
		op.Parameters = append(op.Parameters, p.describe())
	}
	if r.op.in != nil {
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json": {Schema: a.schemas.of[r.op.in]},
		}}
	}
	if r.id == "receiveUpload" {
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/zip": {}}}
	}
	for _, p := range r.op.headers {
		described := p.describe()
		described.In = "header"
		op.Parameters = append(op.Parameters, described)
	}
	op.Responses[strconv.Itoa(r.status)] = a.describeAnswer(r)
	if r.op.lists {
		op.Responses[strconv.Itoa(r.status)].Headers = map[string]*huma.Param{"Link": {
			Description: `The URL of the next page, as in <?pageToken=…>; rel="next", when a page was asked for and there is one.`,
			Schema:      &huma.Schema{Type: huma.TypeString},
		}}
	}
	for status, other := range r.op.others {
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status), Content: map[string]*huma.MediaType{"application/json": {Schema: a.schemas.of[other]}},
		}
	}
	return op
}

func (a *API) describeAnswer(r *route) *huma.Response {
	response := &huma.Response{Description: http.StatusText(r.status)}
	media := &huma.MediaType{Schema: a.schemas.of[r.op.out]}
	switch r.op.out {
	case nil:
		return response
	case reflect.TypeFor[text]():
		response.Content = map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}}
	case reflect.TypeFor[page]():
		response.Content = map[string]*huma.MediaType{"text/html": {Schema: &huma.Schema{Type: huma.TypeString}}}
	default:
		response.Content = map[string]*huma.MediaType{"application/json": media}
	}
	return response
}

func (a *API) problemResponse() *huma.Response {
	return &huma.Response{
		Description: "A problem.",
		Content: map[string]*huma.MediaType{
			"application/problem+json": {Schema: a.schemas.of[reflect.TypeFor[problem]()]},
		},
	}
}

func (p param) describe() *huma.Param {
	schema := &huma.Schema{Type: huma.TypeString}
	if p.kind == "bool" {
		schema.Type = huma.TypeBoolean
	}
	if p.kind == "int" {
		schema.Type = huma.TypeInteger
	}
	for _, value := range p.oneOf {
		schema.Enum = append(schema.Enum, value)
	}
	return &huma.Param{Name: p.name, In: "query", Required: p.required, Description: p.about, Schema: schema}
}

// accessWords say in the document what the column access says in the table.
var accessWords = map[auth.Access]string{
	auth.Anyone:   "No credential is needed.",
	auth.Person:   "A key of any scope, or a token for one customer, which sees that customer only.",
	auth.Browser:  "A key of any scope.",
	auth.Server:   "A key of scope full.",
	auth.Operator: "The operator's key.",
}
