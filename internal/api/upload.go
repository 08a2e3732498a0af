package api

import (
	"net/http"
	"net/url"
)

// signedURL is a place to upload a zip to, in the contract's shape.
type signedURL struct {
	URL    string `json:"url" format:"uri"`
	Bucket string `json:"bucket"`
	Path   string `json:"path"`
}

func (a *API) generateUploadURL(c *call) (signedURL, error) {
	ticket, err := a.deploy.NewUpload(c.ctx(), c.who.ProjectID, c.query.Get("md5"))
	if err != nil {
		return signedURL{}, err
	}
	to := a.publicURL.JoinPath("v1", "uploads", url.PathEscape(ticket.ID))
	to.RawQuery = url.Values{"token": {ticket.Token.Reveal()}}.Encode()
	return signedURL{URL: to.String(), Bucket: ticket.Bucket, Path: ticket.Path}, nil
}

// receiveUpload takes the zip. Its sender has the URL instead of a key, and sends the
// checksum in a header.
func (a *API) receiveUpload(c *call) error {
	body := http.MaxBytesReader(c.w, c.r.Body, a.uploadLimit)
	err := a.deploy.ReceiveUpload(c.ctx(), c.param("upload"), c.query.Get("token"), c.r.Header.Get("Content-Md5"), body)
	return bodyError(err, a.uploadLimit)
}
