package server

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// connections bounds how many connections clients hold: in all, and those of one
// address that have brought no accepted credential yet. When there are too many, the
// one that has waited longest without a request is closed in favour of the new one;
// where there is none such, the new one is refused. So an attacker's idle sockets
// make room, and connections of callers who were let in are never closed.
type connections struct {
	limit, perAddress int
	log               *slog.Logger
	closed            prometheus.Counter
	gauges            *prometheus.GaugeVec

	mu        sync.Mutex
	open      int
	strangers map[netip.Prefix][]*connection // not let in, by address, in the order that they came
	told      time.Time                      // when the log last said that one was closed
}

// newConnections bounds connections.
func newConnections(limit, perAddress int, registry *prometheus.Registry, log *slog.Logger) *connections {
	c := &connections{
		limit: limit, perAddress: perAddress, log: log, strangers: map[netip.Prefix][]*connection{},
		closed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "windlass_http_connections_closed_total", Help: "Connections of clients that were refused or closed because there were too many.",
		}),
		gauges: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "windlass_http_connections", Help: "Connections of clients, by whether a credential was accepted on them.",
		}, []string{"admitted"}),
	}
	registry.MustRegister(c.closed, c.gauges)
	return c
}

// A connection is one of a client's.
type connection struct {
	net.Conn

	set      *connections
	from     netip.Prefix
	requests atomic.Int64 // under way
	admitted bool         // guarded by set.mu, like gone
	gone     bool
}

// CloseWrite lets net/http end an answer while the client still sends.
func (c *connection) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close closes it, and makes room.
func (c *connection) Close() error {
	c.set.mu.Lock()
	c.set.remove(c)
	c.set.mu.Unlock()
	return c.Conn.Close()
}

// counted is a listener whose connections are bounded.
type counted struct {
	net.Listener

	set *connections
}

// Accept returns the next connection that there is room for.
func (l *counted) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c, victim := l.set.take(conn)
		if victim != nil {
			_ = victim.Close() // its client sees that it is closed
			l.set.tell(conn.RemoteAddr())
		}
		if c != nil {
			return c, nil
		}
	}
}

// take makes room for a new connection, and returns what is to be closed for that:
// an older connection, or the new one, in which case c is nil.
func (s *connections) take(conn net.Conn) (c *connection, victim net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := addressOf(conn.RemoteAddr())
	var oldest *connection
	switch {
	case len(s.strangers[from]) >= s.perAddress:
		oldest = idle(s.strangers[from])
	case s.open >= s.limit:
		oldest = s.idleOfTheFullest()
	default:
		return s.add(conn, from), nil
	}
	if oldest == nil {
		return nil, conn
	}
	s.remove(oldest)
	return s.add(conn, from), oldest.Conn
}

func (s *connections) add(conn net.Conn, from netip.Prefix) *connection {
	c := &connection{Conn: conn, set: s, from: from}
	s.open++
	s.strangers[from] = append(s.strangers[from], c)
	s.gauges.WithLabelValues("false").Inc()
	return c
}

// remove takes a connection out. It may be called again.
func (s *connections) remove(c *connection) {
	if c.gone {
		return
	}
	c.gone = true
	s.open--
	if c.admitted {
		s.gauges.WithLabelValues("true").Dec()
		return
	}
	s.forget(c)
}

// forget takes a connection from those that were not let in.
func (s *connections) forget(c *connection) {
	s.gauges.WithLabelValues("false").Dec()
	kept := s.strangers[c.from][:0]
	for _, other := range s.strangers[c.from] {
		if other != c {
			kept = append(kept, other)
		}
	}
	clear(s.strangers[c.from][len(kept):])
	if s.strangers[c.from] = kept; len(kept) == 0 {
		delete(s.strangers, c.from)
	}
}

// admit notes that a credential was accepted on the connection of a request.
func (s *connections) admit(ctx context.Context) {
	c, ok := ctx.Value(connectionKey{}).(*connection)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.admitted || c.gone {
		return
	}
	s.forget(c)
	c.admitted = true
	s.gauges.WithLabelValues("true").Inc()
}

// idle is the first of several connections that has no request under way.
func idle(all []*connection) *connection {
	for _, c := range all {
		if c.requests.Load() == 0 {
			return c
		}
	}
	return nil
}

// idleOfTheFullest is the first idle one of the address that has the highest number of
// connections that were not let in.
func (s *connections) idleOfTheFullest() (found *connection) {
	most := 0
	for _, all := range s.strangers {
		if len(all) <= most {
			continue
		}
		if c := idle(all); c != nil {
			found, most = c, len(all)
		}
	}
	return found
}

// tell counts a connection that was closed, and says so at most once a minute.
func (s *connections) tell(from net.Addr) {
	s.closed.Inc()
	s.mu.Lock()
	now := time.Now()
	due := now.Sub(s.told) >= time.Minute
	if due {
		s.told = now
	}
	s.mu.Unlock()
	if due {
		s.log.Warn("too many connections: one is closed for each that comes; raise max-connections, or max-connections-per-address if all come from a proxy of yours",
			logAddr, from.String())
	}
}

// addressOf is what counts as one address: an IPv4 address, or an IPv6 network of 64
// bits, which is what one customer of a provider's is given.
func addressOf(addr net.Addr) netip.Prefix {
	const network = 64
	port, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return netip.Prefix{} // no TCP: one address for all
	}
	ip := port.Addr().Unmap().WithZone("")
	prefix, err := ip.Prefix(min(network, ip.BitLen()))
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}

type connectionKey struct{}

// watch has a server tell of its connections' requests.
func (s *connections) watch(server *http.Server) {
	server.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, connectionKey{}, conn)
	}
	handler := server.Handler
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connectionKey{}).(*connection); ok {
			c.requests.Add(1)
			defer c.requests.Add(-1)
		}
		handler.ServeHTTP(w, r)
	})
}
