package connect

import (
	"context"
	"errors"
	"strconv"

	"windlass"
)

// explain turns any error into a Failure that says what was being done. What a
// provider said keeps its kind, its text, its remedy and how long to wait.
func explain(op string, err error) *windlass.Error {
	if failure, ok := windlass.Own(err); ok {
		named := *failure
		if named.Op == "" {
			named.Op = op
		}
		return &named
	}
	if said, ok := windlass.FromProvider(err); ok {
		plain := *said
		plain.Op, plain.Remedy = "", ""
		failure := &windlass.Error{
			Kind: said.Kind, Op: op, Message: plain.Error(), Remedy: said.Remedy,
			RetryAfter: said.RetryAfter, Err: said,
		}
		if failure.Remedy == "" && said.Kind.Temporary() {
			failure.Remedy = "try again later"
		}
		return failure
	}
	kind := windlass.Internal
	if known, ok := errors.AsType[windlass.Kind](err); ok {
		kind = known
	}
	switch {
	case errors.Is(err, context.Canceled):
		kind = windlass.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		kind = windlass.Unavailable
	}
	return &windlass.Error{Kind: kind, Op: op, Err: err}
}

// forTransport turns a Failure into the error that connectors expect from what
// sends their requests: one that is not worth another attempt.
func forTransport(err error) error {
	failure := explain("", err)
	return &windlass.Error{
		Kind: failure.Kind, Message: message(failure), Remedy: failure.Remedy,
		RetryAfter: failure.RetryAfter, Err: failure, Provider: &windlass.ProviderDetails{},
	}
}

// notTheCustomer turns the refusal of a provider app into a temporary failure: users of
// the connection wait, instead of asking the customer to connect again.
func notTheCustomer(err error) error {
	failure := explain("", err)
	if failure.Kind == windlass.Unauthorized {
		failure.Kind = windlass.Unavailable
	}
	return failure
}

// message is the message of a failure, without its remedy.
func message(failure *windlass.Error) string {
	plain := *failure
	plain.Op, plain.Remedy = "", ""
	return plain.Error()
}

func deletedMeanwhile(cause error) *windlass.Error {
	return &windlass.Error{
		Kind: windlass.NotFound, Message: "the connection was deleted meanwhile", Remedy: "make a new one", Err: cause,
	}
}

// needsReconnect is the failure for a connection whose credentials are bad.
func needsReconnect(connection windlass.Connection) *windlass.Error {
	reason := connection.StatusReason
	if reason == "" {
		reason = "its credentials no longer work"
	}
	return &windlass.Error{
		Kind: windlass.NeedsReconnect, Op: "use the connection " + connection.ID,
		Message: reason,
		Remedy:  "the customer has to authorize " + quote(connection.Workspace) + " again",
	}
}

func quote(name string) string {
	const most = 80
	if runes := []rune(name); len(runes) > most {
		name = string(runes[:most]) + "…"
	}
	return strconv.Quote(name)
}
