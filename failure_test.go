package windlass_test

import (
	"errors"
	"fmt"
	"testing"

	"windlass"
)

func TestAFailureIsOneLineAndItsKind(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk\nfull")
	for _, row := range []struct {
		failure windlass.Failure
		want    string
	}{
		{windlass.Failure{Kind: windlass.NotFound, Op: "get the project", Message: `there is no project "x"`, Remedy: "list them first"}, `get the project: there is no project "x"; list them first`},
		{windlass.Failure{Kind: windlass.Internal, Err: cause}, "disk full"},
		{windlass.Failure{Kind: windlass.Invalid, Message: "bad", Issues: []windlass.Issue{{In: "body", Name: "name", Message: "is empty"}}}, "bad (name: is empty)"},
		{windlass.Failure{Kind: windlass.Conflict}, "conflict"},
	} {
		err := fmt.Errorf("%w", &row.failure)
		if err.Error() != row.want || !errors.Is(err, row.failure.Kind) || errors.Is(err, windlass.Gone) {
			t.Errorf("got %q, want %q", err, row.want)
		}
		if row.failure.Err != nil && !errors.Is(err, cause) {
			t.Errorf("%v hides its cause", err)
		}
	}
}
