package budget

import "net/http"

// Transport returns a RoundTripper that pays for each request before base sends
// it, and learns from each answer (invariant 7). nil is http.DefaultTransport. A
// request that cannot be paid soon fails with a *Wait and is not sent. It belongs
// inside of whatever sends a request twice, so that both are paid.
func (b *Budget) Transport(base http.RoundTripper, account Account, class Class) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return &transport{budget: b, base: base, account: account, class: class}
}

type transport struct {
	budget  *Budget
	base    http.RoundTripper
	account Account
	class   Class
}

// RoundTrip pays for a request and sends it.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.budget.Acquire(req.Context(), t.account, t.class); err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // promised by a RoundTripper; nothing was read from it
		}
		return nil, err
	}
	resp, err := t.base.RoundTrip(req)
	if err == nil {
		t.budget.Learn(req.Context(), t.account, resp)
	}
	return resp, err
}
