package deploy

import (
	"context"
	"crypto/md5" //nolint:gosec // it detects damage in transit, as the contract requires; the token authorizes
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"windlass"
	"windlass/internal/ids"
	"windlass/internal/input"
)

const (
	uploadBucket = "windlass-uploads"
	uploadScheme = "gs://"
	uploadLife   = 15 * time.Minute
	tokenBytes   = 35 // 56 characters: whole groups of five bytes need no padding
)

// UploadTicket is a place to upload one zip to, for a quarter of an hour. The
// URL that is handed out names ID and carries Token, since the client that
// uploads sends no other credential; the deployment names gs://Bucket/Path.
type UploadTicket struct {
	ID           string
	Token        windlass.Secret
	Bucket, Path string
	Expires      time.Time
}

// NewUpload makes a place for one file. md5, in base64, may be empty; otherwise
// no other file is accepted. Only the project, by its id, can deploy it; without one
// only a deploy that names no owner can.
func (f *Flow) NewUpload(ctx context.Context, projectID, md5 string) (UploadTicket, error) {
	if wrong := wrongMD5(md5); wrong != "" {
		return UploadTicket{}, &windlass.Error{
			Kind: windlass.Invalid, Op: "prepare the upload", Message: "the request has one problem",
			Issues: []windlass.Issue{{In: "query", Name: "md5", Message: wrong}},
		}
	}
	token := windlass.NewSecret(ids.Text(tokenBytes))
	u := windlass.Upload{ID: ids.New(), ProjectID: projectID, TokenHash: token.Hash(), MD5: md5, Expires: f.now().Add(uploadLife)}
	if err := f.store.CreateUpload(ctx, u); err != nil {
		return UploadTicket{}, err
	}
	return UploadTicket{ID: u.ID, Token: token, Bucket: uploadBucket, Path: u.ID, Expires: u.Expires}, nil
}

func wrongMD5(text string) string {
	if text == "" {
		return ""
	}
	if sum, err := base64.StdEncoding.DecodeString(text); err != nil || len(sum) != md5.Size {
		return "is not an MD5 sum in base64, as in openssl md5 -binary | base64"
	}
	return ""
}

// ReceiveUpload stores the file. sum is that of the request's Content-MD5 header
// and may be empty. Whether it is a zip is checked when it is deployed.
func (f *Flow) ReceiveUpload(ctx context.Context, id, token, sum string, body io.Reader) error {
	const op = "receive the upload"
	if wrong := wrongMD5(sum); wrong != "" {
		return &windlass.Error{
			Kind: windlass.Invalid, Op: op, Message: "the request has one problem",
			Issues: []windlass.Issue{{In: "header", Name: "Content-MD5", Message: wrong}},
		}
	}
	u, err := f.store.Upload(ctx, id)
	if err != nil {
		return err
	}
	hash := windlass.NewSecret(token).Hash()
	if u.TokenHash != hash { // before any data is stored
		return &windlass.Error{
			Kind: windlass.Unauthorized, Op: op, Message: "the token belongs to another upload", Remedy: "ask for a new upload URL",
		}
	}
	data, err := io.ReadAll(io.LimitReader(body, maxZip+1))
	switch {
	case err != nil:
		return &windlass.Error{Kind: windlass.Invalid, Op: op, Message: "the upload is incomplete", Remedy: "upload it again", Err: err}
	case len(data) > maxZip:
		return input.Invalid(op, fmt.Sprintf("the file has more than %d MiB", maxZip>>20), zipRemedy)
	}
	got := md5.Sum(data) //nolint:gosec // see the import
	for _, want := range []string{sum, u.MD5} {
		if want != "" && want != base64.StdEncoding.EncodeToString(got[:]) {
			return input.Invalid(op, "the file is not the one whose MD5 sum was announced: it was damaged on the way", "upload it again")
		}
	}
	return f.store.PutUpload(ctx, id, hash, data, f.now())
}

// takeUpload returns the zip that an address leads to, once.
func (f *Flow) takeUpload(ctx context.Context, op, owner, address string) ([]byte, error) {
	bucket, id, found := strings.Cut(strings.TrimPrefix(address, uploadScheme), "/")
	if !strings.HasPrefix(address, uploadScheme) || !found || bucket != uploadBucket {
		return nil, &windlass.Error{
			Kind: windlass.Invalid, Op: op, Message: "the request has one problem", Issues: []windlass.Issue{{
				In: "body", Name: "sourceZipUrl",
				Message: "is not the URL of an upload: write gs://, the bucket, / and the path that the upload URL came with. Nothing is fetched from elsewhere",
			}},
		}
	}
	data, err := f.store.TakeUpload(ctx, owner, id)
	if errors.Is(err, windlass.NotFound) {
		return nil, &windlass.Error{
			Kind: windlass.NotFound, Op: op, Message: "there is no upload at " + input.Shorten(address),
			Remedy: "upload the zip again: it is deleted by the first deploy, and after 15 minutes", Err: err,
		}
	}
	return data, err
}
