package windlass_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"windlass"
)

func TestAnErrorIsOneLineAndItsKind(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk\nfull")
	for _, row := range []struct {
		failure windlass.Error
		want    string
	}{
		{windlass.Error{Kind: windlass.NotFound, Op: "get the project", Message: `there is no project "x"`, Remedy: "list them first"}, `get the project: there is no project "x"; list them first`},
		{windlass.Error{Kind: windlass.Internal, Err: cause}, "disk full"},
		{windlass.Error{Kind: windlass.Invalid, Message: "bad", Issues: []windlass.Issue{{In: "body", Name: "name", Message: "is empty"}}}, "bad (name: is empty)"},
		{windlass.Error{Kind: windlass.Conflict}, "conflict"},
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

func TestErrorSaysWhatHappenedAndWhatToDo(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		err  windlass.Error
		want string
	}{
		{
			"the provider's text, its status and the remedy",
			windlass.Error{Kind: windlass.NotFound, Op: "read hooks", Provider: &windlass.ProviderDetails{Status: 404}, Message: "No workspace found.", Remedy: "check the workspace"},
			"read hooks: No workspace found (HTTP 404); check the workspace",
		},
		{
			"the scope that is missing, not the ones that are there",
			windlass.Error{Kind: windlass.Forbidden, Provider: &windlass.ProviderDetails{Status: 403, Required: []string{"project", "account"}, Granted: []string{"account"}}, Message: "no"},
			"no (HTTP 403) (missing scope: project)",
		},
		{
			"the field that is wrong, once",
			windlass.Error{Kind: windlass.Invalid, Message: "name: required", Provider: &windlass.ProviderDetails{Fields: map[string][]string{"name": {"required"}, "key": {"too long"}}}},
			"name: required (key: too long)",
		},
		{"the cause, where there is no text", windlass.Error{Kind: windlass.Unavailable, Err: errors.New("no route"), Provider: &windlass.ProviderDetails{}}, "no route"},
		{"the kind, where there is nothing else", windlass.Error{Kind: windlass.Gone, Provider: &windlass.ProviderDetails{}}, "gone"},
		{"one line, whatever the provider wrote", windlass.Error{Message: "a\n\tb", Provider: &windlass.ProviderDetails{}}, "a b"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := row.err.Error(); got != row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
		})
	}
}

func TestErrorIsItsKindAndItsCause(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("outer: %w", &windlass.Error{Kind: windlass.RateLimited, RetryAfter: time.Minute, Err: context.DeadlineExceeded, Provider: &windlass.ProviderDetails{}})
	if !errors.Is(err, windlass.RateLimited) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, windlass.Gone) {
		t.Errorf("%v is not what it was made of", err)
	}
	if !strings.Contains(err.Error(), "deadline") {
		t.Errorf("%v does not name its cause", err)
	}
}

// pause says how long to wait by a method, as what puts a job to sleep does.
type pause time.Duration

func (pause) Error() string         { return "not now" }
func (p pause) Wait() time.Duration { return time.Duration(p) }

func TestAChainIsSearchedForWhoSaidWhat(t *testing.T) {
	t.Parallel()
	theirs := &windlass.Error{Kind: windlass.RateLimited, RetryAfter: time.Minute, Provider: &windlass.ProviderDetails{Status: 429}, Err: io.EOF}
	ours := &windlass.Error{Kind: windlass.Unavailable, RetryAfter: time.Second, Err: theirs}
	below := &windlass.Error{Kind: windlass.Unavailable, Provider: &windlass.ProviderDetails{}, Err: ours}
	for _, row := range []struct {
		name       string
		err        error
		ours       *windlass.Error
		theirs     *windlass.Error
		retryAfter time.Duration
	}{
		{"nothing", nil, nil, nil, 0},
		{"another error", io.EOF, nil, nil, 0},
		{"the provider's alone", fmt.Errorf("read: %w", theirs), nil, theirs, time.Minute},
		{"ours around the provider's", fmt.Errorf("read: %w", ours), ours, theirs, time.Minute},
		{"ours within the provider's, whose outermost counts", below, ours, below, time.Minute},
		{"joined with others", errors.Join(io.EOF, ours), ours, theirs, time.Minute},
		{"a method that says how long", fmt.Errorf("later: %w", pause(time.Hour)), nil, nil, time.Hour},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			own, isOwn := windlass.Own(row.err)
			provider, isProvider := windlass.FromProvider(row.err)
			if own != row.ours || provider != row.theirs || isOwn != (row.ours != nil) || isProvider != (row.theirs != nil) {
				t.Errorf("own %v, provider %v", own, provider)
			}
			if wait := windlass.RetryAfter(row.err); wait != row.retryAfter {
				t.Errorf("wait %s, want %s", wait, row.retryAfter)
			}
		})
	}
}
