package bitbucket

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"windlass"
	"windlass/internal/jsonscan"
)

var objectSnippets = object{
	name: "snippets", display: "Snippets",
	about: "The workspace's snippets. The contents of files can be written; a read returns their links.",
	list:  "/snippets/{workspace}", item: "/snippets/{workspace}/{id}",
	id:    []string{"id"},
	moved: "updated_on", role: true,
	read: scopes{"snippet"}, write: scopes{"snippet:write"}, erase: scopes{"snippet:write"},
	writes: snippetWriter{},
	fields: snippetFields,
}

// snippetFields: Atlassian's document calls id an integer; it is a short string.
var snippetFields = slices.Concat(
	[]field{
		text("type"),
		text("id"),
		text("title").with(writable),
		flag("is_private").with(writable),
		choice("scm", "git").with(createOnly),
		tree("files").with(writable),
		moment("created_on"),
		moment("updated_on"),
		tree("links"),
		link("links.self.href"),
		link("links.html.href"),
	},
	account("owner"),
	account("creator"),
	itsWorkspace(),
)

// snippetWriter writes snippets. Their files' contents travel as multipart form
// data; a record has them as
//
//	{"title": "…", "files": {"a.txt": {"content": "…"}, "b.png": {"content": "…", "encoding": "base64"}, "old.txt": null}}
//
// where null removes a file in an update. A record without files travels as JSON.
type snippetWriter struct{ plainWriter }

func (snippetWriter) create(ctx context.Context, w *writing) (answer, error) {
	path, err := w.list()
	if err != nil {
		return answer{}, err
	}
	return sendSnippet(ctx, w, http.MethodPost, path)
}

// update leaves alone what the record does not name, as Bitbucket's PUT does.
// The snippet is looked up first, since no document says what a PUT to an
// unknown id does.
func (snippetWriter) update(ctx context.Context, w *writing) (answer, error) {
	if _, err := w.current(ctx, w.id); err != nil {
		return answer{}, err
	}
	path, err := w.item(w.id)
	if err != nil {
		return answer{}, err
	}
	return sendSnippet(ctx, w, http.MethodPut, path)
}

// find goes by what the record says of a snippet that a list returns. One without
// a title gets the names of its files for one.
func (snippetWriter) find(ctx context.Context, f *finding) (string, error) {
	return f.among(ctx, func(one map[string]json.RawMessage) bool {
		if isNull(f.record["title"]) {
			return false // nothing tells it from others
		}
		return alike(f.record, one, "title")
	})
}

// snippetFile is one file of a snippet to write.
type snippetFile struct {
	Content  *string `json:"content"`
	Encoding string  `json:"encoding"`
}

func (f snippetFile) bytes() ([]byte, error) {
	switch f.Encoding {
	case "", "utf-8":
		return []byte(*f.Content), nil
	case "base64":
		return base64.StdEncoding.DecodeString(*f.Content)
	default:
		return nil, fmt.Errorf("there is no encoding %s", quote(f.Encoding))
	}
}

func sendSnippet(ctx context.Context, w *writing, method, path string) (answer, error) {
	if isNull(w.record["files"]) {
		if method == http.MethodPost {
			return answer{}, &windlass.Error{
				Kind:    windlass.Invalid,
				Message: "the record lacks files",
				Remedy:  `a new snippet needs at least one file: "files": {"name.txt": {"content": "text"}}`, Provider: &windlass.ProviderDetails{},
			}
		}
		record := maps.Clone(w.record)
		delete(record, "files")
		return w.send(ctx, method, path, record)
	}
	body, kind, err := snippetForm(w.record)
	if err != nil {
		return answer{}, err
	}
	return w.c.do(ctx, call{op: w.op, method: method, uri: path, object: w.o, body: body, kind: kind})
}

// snippetForm writes a snippet's record as multipart form data.
func snippetForm(record map[string]json.RawMessage) (body []byte, contentType string, err error) {
	var files map[string]*snippetFile
	if err := json.Unmarshal(record["files"], &files); err != nil {
		return nil, "", fileProblem("files", "is not an object of files")
	}
	var buffer bytes.Buffer
	form := multipart.NewWriter(&buffer)
	for _, name := range slices.Sorted(maps.Keys(record)) {
		if name == "files" || isNull(record[name]) {
			continue
		}
		value := jsonscan.Plain(record[name])
		if value == "" {
			value = strings.Trim(string(record[name]), `"`) // true and false
		}
		if err := form.WriteField(name, value); err != nil {
			return nil, "", err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := writeFile(form, name, files[name]); err != nil {
			return nil, "", err
		}
	}
	if err := form.Close(); err != nil {
		return nil, "", err
	}
	return buffer.Bytes(), form.FormDataContentType(), nil
}

func writeFile(form *multipart.Writer, name string, file *snippetFile) error {
	if name == "" || strings.ContainsAny(name, "\r\n\x00") {
		return fileProblem("files", "has a file name that is empty or breaks a line")
	}
	if file == nil {
		return form.WriteField("files", name) // named without contents: Bitbucket removes it
	}
	if file.Content == nil {
		return fileProblem(name, "has no content")
	}
	content, err := file.bytes()
	if err != nil {
		return fileProblem(name, "cannot be decoded: "+err.Error())
	}
	header := textproto.MIMEHeader{}
	header.Set("Content-Disposition", multipart.FileContentDisposition("file", name))
	header.Set("Content-Type", http.DetectContentType(content))
	part, err := form.CreatePart(header)
	if err != nil {
		return err
	}
	_, err = part.Write(content)
	return err
}

func fileProblem(name, problem string) error {
	return &windlass.Error{
		Kind:    windlass.Invalid,
		Message: quote(name) + " " + problem,
		Remedy:  `a file looks like {"content": "text"} or {"content": "aGVsbG8=", "encoding": "base64"}; null removes one`, Provider: &windlass.ProviderDetails{},
	}
}
