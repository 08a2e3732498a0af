package proxy

import (
	"context"
	"errors"

	"windlass"
)

// The kinds of failure that only a proxy knows. They are HTTP's 413, 408 and 504.
const (
	TooLarge windlass.Kind = "too large"
	TooSlow  windlass.Kind = "too slow"
	TimedOut windlass.Kind = "timed out"
)

// lateCaller and lateProvider end an exchange, as the cause of its context.
var (
	lateCaller = &windlass.Error{
		Kind: TooSlow, Message: "the body of the request did not arrive, or the answer was not taken, in time",
		Remedy: "send the body at once, and read the answer as it comes",
	}
	lateProvider = &windlass.Error{
		Kind: TimedOut, Message: "the provider did not answer in time",
		Remedy: "try again later; whether it did what it was asked is not known", Provider: &windlass.ProviderDetails{},
	}
)

// refusal is an error as the caller sees it.
func (x *exchange) refusal(err error) error {
	cause := context.Cause(x.ctx)
	_, lateOne := windlass.Own(cause)
	_, lateOther := windlass.FromProvider(cause)
	_, ours := windlass.Own(err)
	_, theirs := windlass.FromProvider(err)
	broken := x.body.error()
	switch {
	case lateOne || lateOther:
		err = cause
	case x.in.Context().Err() != nil:
		err = &windlass.Error{Kind: windlass.Canceled, Message: "the caller disconnected", Err: err}
	case broken != nil:
		err = broken
	case !ours && !theirs && x.sending:
		err = &windlass.Error{
			Kind: windlass.Unavailable, Message: "the provider cannot be reached, or broke off before it answered",
			Remedy: "try again later; whether it did what it was asked is not known", Err: err, Provider: &windlass.ProviderDetails{},
		}
	}
	if wait := windlass.RetryAfter(err); x.throttle && wait > 0 && errors.Is(err, windlass.RateLimited) {
		tell(x.answer.Header(), x.proxy.now().Add(wait))
	}
	if x.unread() {
		x.answer.Header().Set("Connection", "close")
	}
	return err
}
