package sandbox

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/textproto"
	"strings"
)

// snippetInput is what a request says about a snippet, in whichever of the
// three content types it says it.
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
	case kind == "multipart/form-data" || kind == "multipart/related" || kind == "multipart/mixed":
		if params["boundary"] == "" {
			return in, fail(http.StatusBadRequest, "The multipart body has no boundary.")
		}
		r := multipart.NewReader(bytes.NewReader(c.body), params["boundary"])
		if kind == "multipart/form-data" {
			err = in.readForm(r)
		} else {
			err = in.readRelated(r, strings.Trim(params["start"], "<>"))
		}
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

// readRelated reads a JSON part, the first or the one that start names, and
// one part for each file.
func (in *snippetInput) readRelated(r *multipart.Reader, start string) error {
	for first := true; ; first = false {
		part, content, err := nextPart(r)
		if err != nil {
			return err
		}
		if part == nil {
			return in.readNames()
		}
		id := strings.Trim(part.Header.Get("Content-ID"), `"<>`)
		if start == "" && first && part.FileName() == "" || start != "" && id == start {
			if in.meta, err = parseDocument(content); err != nil {
				return err
			}
			continue
		}
		name := part.FileName()
		if name == "" {
			name = id
		}
		if name == "" {
			return invalid("files", "a part has neither a file name nor a Content-ID")
		}
		in.files[name] = content
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
	if len(s.commits) == 0 {
		// There is nothing to delete from a new one.
		for name, content := range in.files {
			if content == nil {
				delete(in.files, name)
			}
		}
	}
	return nil
}

// nextPart reads one part with its transfer encoding undone; nil at the end.
func nextPart(r *multipart.Reader) (*multipart.Part, []byte, error) {
	part, err := r.NextRawPart()
	if err == io.EOF { //nolint:errorlint // a wrapped EOF means that the body ended too early
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fail(http.StatusBadRequest, "The multipart body is malformed.")
	}
	var content io.Reader = part
	switch strings.ToLower(part.Header.Get("Content-Transfer-Encoding")) {
	case "base64":
		content = base64.NewDecoder(base64.StdEncoding, part)
	case "quoted-printable":
		content = quotedprintable.NewReader(part)
	}
	b, err := io.ReadAll(content)
	if err != nil {
		return nil, nil, fail(http.StatusBadRequest, "The multipart body is malformed.")
	}
	if b == nil {
		b = []byte{}
	}
	return part, b, nil
}

// boundary is fixed: the answers of a sandbox are the same every time.
const boundary = "windlass-sandbox-part-2b7e1516"

// related answers the record and its files in one multipart/related body.
func related(status int, record []byte, at *commit) (*answer, error) {
	return multiparted(status, `multipart/related; start="snippet"; boundary="`+boundary+`"`, func(w *multipart.Writer) error {
		head := textproto.MIMEHeader{"Content-Type": {`application/json; charset="utf-8"`}, "Content-Id": {"snippet"}}
		if err := writePart(w, head, record); err != nil {
			return err
		}
		for _, name := range at.names() {
			err := writePart(w, textproto.MIMEHeader{
				"Content-Type": {mimeType(name)}, "Content-Id": {`"` + name + `"`},
				"Content-Transfer-Encoding": {"base64"},
				"Content-Disposition":       {`attachment; filename="` + name + `"`},
			}, []byte(base64.StdEncoding.EncodeToString(at.files[name])))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// formData answers the fields and files as a form would send them.
func formData(status int, s *snippet, at *commit) (*answer, error) {
	return multiparted(status, `multipart/form-data; boundary="`+boundary+`"`, func(w *multipart.Writer) error {
		private, err := json.Marshal(s.private)
		if err != nil {
			return err
		}
		fields := [][2]string{{"id", s.id}, {"is_private", string(private)}}
		if s.title != nil {
			fields = append(fields, [2]string{"title", *s.title})
		}
		for _, f := range fields {
			if err := w.WriteField(f[0], f[1]); err != nil {
				return err
			}
		}
		for _, name := range at.names() {
			file, err := w.CreateFormFile("file", name)
			if err != nil {
				return err
			}
			if _, err := file.Write(at.files[name]); err != nil {
				return err
			}
		}
		return nil
	})
}

func multiparted(status int, kind string, fill func(*multipart.Writer) error) (*answer, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := errors.Join(w.SetBoundary(boundary), fill(w), w.Close()); err != nil {
		return nil, err
	}
	return &answer{status: status, kind: kind, body: b.Bytes()}, nil
}

func writePart(w *multipart.Writer, head textproto.MIMEHeader, content []byte) error {
	part, err := w.CreatePart(head)
	if err != nil {
		return err
	}
	_, err = part.Write(content)
	return err
}
