package api

import (
	"net"
	"sync"

	"golang.org/x/net/netutil"
)

// Connections bound how many a listener has open at once.
type Connections struct {
	// Total is how many there may be; a further one waits to be accepted.
	Total int
	// OfOne is how many an address may have (IPv6: a /64); a further one is closed as
	// soon as it is accepted: if it waited, everybody would with it.
	OfOne int
	// Proxies speak for many, and have only the bound in total.
	Proxies Proxies
	// Refused is told of each that is closed because its address has too many.
	Refused func()
}

// Bound returns the listener with these bounds. Its connections have to be closed,
// as http.Server does.
func (c Connections) Bound(l net.Listener) net.Listener {
	return netutil.LimitListener(&fairListener{Listener: l, Connections: c, open: map[string]int{}}, c.Total)
}

// fairListener accepts no more than some connections of each address at once.
type fairListener struct {
	net.Listener
	Connections

	mu   sync.Mutex
	open map[string]int // by place; never 0
}

// Accept returns the next connection of an address that may have one more.
func (l *fairListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := addressIn(conn.RemoteAddr().String())
		if !from.IsValid() || l.Proxies.trusts(from) {
			return conn, nil
		}
		if at := place(from); l.enter(at) {
			return &fairConn{Conn: conn, leave: sync.OnceFunc(func() { l.leave(at) })}, nil
		}
		_ = conn.Close() // nothing was said yet
		l.Refused()
	}
}

func (l *fairListener) enter(at string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[at] >= l.OfOne {
		return false
	}
	l.open[at]++
	return true
}

func (l *fairListener) leave(at string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[at]--; l.open[at] == 0 {
		delete(l.open, at)
	}
}

// fairConn gives its place back when it is closed, once.
type fairConn struct {
	net.Conn
	leave func()
}

func (c *fairConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
