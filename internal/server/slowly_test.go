package server_test

import (
	"net/http"
	"sync/atomic"
	"time"
)

// slowly is a Bitbucket that takes its time.
type slowly struct {
	base  http.RoundTripper
	hold  atomic.Int64
	asked chan struct{} // told of each request
}

func (s *slowly) RoundTrip(req *http.Request) (*http.Response, error) {
	select {
	case s.asked <- struct{}{}:
	default:
	}
	select {
	case <-time.After(time.Duration(s.hold.Load())):
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	return s.base.RoundTrip(req)
}

func (s *slowly) drain() {
	for len(s.asked) > 0 {
		<-s.asked
	}
}

// installation is what is installed in these tests.
var installation = map[string]any{
	"groupRef": "group-1",
	"config": map[string]any{"content": map[string]any{"provider": "bitbucket", "read": map[string]any{"objects": map[string]any{
		"repositories": map[string]any{"objectName": "repositories", "selectedFields": map[string]bool{}, "selectedFieldMappings": map[string]string{}},
	}}}},
}
