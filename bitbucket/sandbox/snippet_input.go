package sandbox

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
)

// snippetInput is what a request says about a snippet, as a form or in JSON.
type snippetInput struct {
	meta  document
	files map[string][]byte // nil content deletes
}

func (c *call) snippetInput() (snippetInput, error) {
	kind, params, err := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
	if err != nil {
		kind = "application/json"
	}
	in := snippetInput{meta: document{}, files: map[string][]byte{}}
	switch {
	case kind == "multipart/form-data":
		if params["boundary"] == "" {
			return in, fail(http.StatusBadRequest, "The multipart body has no boundary.")
		}
		err = in.readForm(multipart.NewReader(bytes.NewReader(c.body), params["boundary"]))
	case kind == "application/json":
		// JSON carries no contents, but may name files to delete.
		if in.meta, err = c.document(); err == nil {
			err = in.readNames()
		}
	default:
		err = fail(http.StatusUnsupportedMediaType, "Unsupported content type: "+kind)
	}
	return in, err
}

// readForm reads flat fields: title, is_private, scm, any number of file, and
// files with the names of those to delete.
func (in *snippetInput) readForm(r *multipart.Reader) error {
	for {
		part, content, err := nextPart(r)
		if part == nil || err != nil {
			return err
		}
		switch name := part.FormName(); {
		case part.FileName() != "":
			in.files[part.FileName()] = content
		case name == "files":
			if _, there := in.files[string(content)]; !there {
				in.files[string(content)] = nil
			}
		case name == "is_private":
			in.meta[name] = strings.EqualFold(string(content), "true") || string(content) == "1"
		case name != "":
			in.meta[name] = string(content)
		}
	}
}

// readNames takes the files that the document lists and that came without a
// part: they are to be deleted.
func (in *snippetInput) readNames() error {
	names, err := in.meta.object("files", invalid)
	if err != nil {
		return err
	}
	for name := range names {
		if _, there := in.files[name]; !there {
			in.files[name] = nil
		}
	}
	return nil
}

func (in *snippetInput) apply(s *snippet) error {
	title, set, err := in.meta.text("title", invalid)
	if err != nil {
		return err
	}
	if set {
		s.title = title
	}
	private, set, err := in.meta.flag("is_private", invalid)
	if err != nil {
		return err
	}
	if set {
		s.private = private
	}
	if s.changes == 0 {
		// There is nothing to delete from a new one.
		for name, content := range in.files {
			if content == nil {
				delete(in.files, name)
			}
		}
	}
	return nil
}

// nextPart reads one part; nil at the end.
func nextPart(r *multipart.Reader) (*multipart.Part, []byte, error) {
	part, err := r.NextRawPart()
	if err == io.EOF { //nolint:errorlint // a wrapped EOF means that the body ended too early
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fail(http.StatusBadRequest, "The multipart body is malformed.")
	}
	b, err := io.ReadAll(part)
	if err != nil {
		return nil, nil, fail(http.StatusBadRequest, "The multipart body is malformed.")
	}
	if b == nil {
		b = []byte{}
	}
	return part, b, nil
}
