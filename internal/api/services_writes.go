package api

import (
	"context"

	"windlass/internal/write"
)

// Writing is what writes are to the API: *write.Flow.
type Writing interface {
	Write(ctx context.Context, project, integration, object string, r write.Request, key string) (write.Answer, error)
}
