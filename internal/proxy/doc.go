// Package proxy lets a product call any endpoint of its provider with a
// customer's credentials, without ever holding them.
//
// # What it promises
//
// A request is passed on unchanged: method, path (byte by byte, with its escapes),
// query, headers, body and trailers; and so is the answer, compressed or not, redirect
// or not. Both are streamed: only a small body is buffered, so that it can be sent
// again. Headers of one hop, of Windlass, or of the customer alone are removed: see
// "Headers".
//
// No path leaves the base URL (it is unescaped once, and refused if it is not clean
// then), no redirect is followed, and the credential goes to the provider's host alone
// (invariant 6). It is refreshed before it ends, and once when the provider answers
// 401. Every request that is sent, the repeated one too, is paid for first (invariant
// 7), as work that a person waits for.
//
// A side that keeps the other one waiting is disconnected: a caller whose body does not
// come, one who does not take the answer, a provider that does not answer or falls
// silent. When the caller disconnects, the request to the provider ends. Our own
// failure is answered as a problem only while nothing has been sent; later the
// connection is cut, so that a partial answer never looks complete.
//
// An installation and its credential are cached for a second, so that a burst of calls
// costs few look-ups; for that long one that was switched off may still be used.
//
// No secret, no query and no path parameter is in a log line or an error (invariant
// 5). The path is in the log line: it names things of the customer's.
//
// # Headers
//
// These headers of a request are not passed on: what [net/http/httputil.ReverseProxy]
// takes for hop by hop, with all that Connection names; X-Amp-* and X-Api-Key, which
// are for us; Authorization and Cookie, since the connection's credential speaks for
// the customer and nothing else may; and what proxies add (Forwarded, Via,
// X-Forwarded-* and their like), which tells of a network that is none of the
// provider's business, or has some servers take another path than the one that was
// looked at.
//
// These headers of an answer are not passed back: hop by hop; Set-Cookie, which may be
// a session that speaks for the customer, and would be mixed with other customers'
// cookies on our host name; and Alt-Svc, which is about the provider's host and not
// about ours. That holds for informational answers (103) and trailers, too.
//
// A request to switch protocols is refused, h2c excepted, which is ignored as the
// standard allows. CONNECT is refused, and so is TRACE, whose answer would show the
// credential.
//
// # 401
//
// A request is sent again if it has no body, or one whose length of at most 64 KiB
// was announced. If it cannot be sent again the provider's 401 goes back as it is,
// and X-Amp-Retryable: true on it says that there are fresh credentials now. If the
// customer has to connect again, the answer is a problem that says so: a bare 401
// would read like a wrong key of the product's.
//
// # 429
//
// With X-Amp-Rate-Limiter-Mode: throttle, a 429 gains X-Amp-Retry-After and
// X-Amp-Retryable, and until that time such calls for the connection are answered
// here. Without the header a 429 is passed as it is.
//
// # What to use
//
// [New] makes a Proxy; [Proxy.Serve] answers one request, whose sender the
// caller has authenticated. [Unaltered] makes a transport fit for it. The server in front
// has to bound how long a request's header may take (http.Server.ReadHeaderTimeout);
// its ReadTimeout and WriteTimeout are lifted here, for streams may last.
package proxy
