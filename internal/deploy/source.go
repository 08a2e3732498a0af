package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"windlass"
	"windlass/internal/input"
	"windlass/manifest"
)

// Source is where a manifest comes from: one of the three is set.
type Source struct {
	// YAML is the text of an amp.yaml.
	YAML []byte
	// Zip is a zip that holds an amp.yaml, at its top or one folder deep.
	Zip []byte
	// Upload is the address of an uploaded zip, as in gs://bucket/path. It can be
	// deployed once.
	Upload string
	// Owner is the id of the project whose upload it has to be; empty: any upload.
	Owner string
}

// DeployRequest is the body of PUT …/integrations:batch and of POST …/revisions.
type DeployRequest struct { //nolint:revive // the schema in the API document is named after it
	SourceYAML   string `json:"sourceYaml,omitempty"`
	SourceZipURL string `json:"sourceZipUrl,omitempty"`
}

// Source returns where the manifest comes from, for the project whose key it was
// sent with; empty: the operator's.
func (r DeployRequest) Source(owner string) Source {
	return Source{YAML: []byte(r.SourceYAML), Upload: r.SourceZipURL, Owner: owner}
}

// manifest reads what a source holds.
func (f *Flow) manifest(ctx context.Context, op string, from Source) (*manifest.Manifest, error) {
	set := 0
	for _, has := range []bool{len(from.YAML) > 0, len(from.Zip) > 0, from.Upload != ""} {
		if has {
			set++
		}
	}
	if set != 1 {
		return nil, input.Invalid(op, "the request names no manifest, or more than one", "send either sourceYaml or sourceZipUrl")
	}
	text := from.YAML
	var err error
	if from.Upload != "" {
		if from.Zip, err = f.takeUpload(ctx, op, from.Owner, from.Upload); err != nil {
			return nil, err
		}
	}
	if len(text) == 0 {
		if text, err = unzip(op, from.Zip); err != nil {
			return nil, err
		}
	}
	m, err := manifest.Parse(text, f.known())
	return m, manifestFailure(op, err)
}

// known returns what a manifest is checked against.
func (f *Flow) known() *manifest.Options {
	return &manifest.Options{
		File:      ManifestName,
		Providers: f.providers.Names(),
		Objects: func(provider string) []string {
			p, known := f.providers.Named(provider)
			if !known {
				return nil // the provider itself is the problem
			}
			objects := p.Objects()
			names := make([]string, 0, len(objects))
			for _, o := range objects {
				names = append(names, o.Name)
			}
			return names
		},
		Fields: func(provider, object string) []string {
			p, known := f.providers.Named(provider)
			if !known {
				return nil
			}
			fields, err := p.Fields(object)
			if err != nil {
				return nil // an unknown object is a problem already
			}
			names := make([]string, 0, len(fields))
			for _, field := range fields {
				if !field.WriteOnly {
					names = append(names, field.Name)
				}
			}
			return names
		},
	}
}

// manifestFailure turns the problems of a manifest into an error, in which errors.As
// finds them.
func manifestFailure(op string, err error) error {
	problems, found := errors.AsType[manifest.Problems](err)
	if !found {
		return err
	}
	message := "the manifest has one problem"
	if len(problems) > 1 {
		message = fmt.Sprintf("the manifest has %d problems", len(problems))
	}
	failure := &windlass.Error{Kind: windlass.Invalid, Op: op, Message: message, Err: errors.Join(input.Unprocessable, problems)}
	for _, p := range problems {
		failure.Issues = append(failure.Issues, windlass.Issue{In: "body", Name: p.Path, Message: p.String()})
	}
	return failure
}

// sameJSON compares two texts as JSON values: a database may format JSON in its own way.
func sameJSON(a, b json.RawMessage) bool {
	var left, right any
	return json.Unmarshal(a, &left) == nil && json.Unmarshal(b, &right) == nil && reflect.DeepEqual(left, right)
}
