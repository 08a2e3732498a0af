package bitbucket

import (
	"net/http"
	"time"

	"windlass/connector"
)

// retryAfter says how long an answer asks to wait.
func retryAfter(header http.Header) (time.Duration, bool) {
	return connector.AskedToWait(header, time.Now())
}
