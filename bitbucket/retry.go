package bitbucket

import "windlass/connector"

// Retry is connector.Retry, the transport that sends again what failed for a moment:
// put the Transport inside it, so that every attempt is signed anew.
type Retry = connector.Retry

// Wait is one pause of Retry.
type Wait = connector.Wait
