package api

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
)

// lobby is a listener that connections from any address come to.
type lobby struct {
	coming chan net.Conn
	closed chan struct{}
}

func newLobby() *lobby { return &lobby{make(chan net.Conn), make(chan struct{})} }

func (l *lobby) Accept() (net.Conn, error) {
	select {
	case c := <-l.coming:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *lobby) Close() error   { close(l.closed); return nil }
func (l *lobby) Addr() net.Addr { return &net.TCPAddr{} }

// visitor is a server's end of a connection from an address.
type visitor struct {
	net.Conn
	from net.Addr
}

func (v visitor) RemoteAddr() net.Addr { return v.from }

// visit connects from an address and returns the client's end. It returns when the
// connection was taken from the lobby.
func (l *lobby) visit(from string) net.Conn {
	client, server := net.Pipe()
	var at net.Addr = &net.UnixAddr{Name: from, Net: "unix"}
	if a, err := netip.ParseAddr(from); err == nil {
		at = net.TCPAddrFromAddrPort(netip.AddrPortFrom(a, 1234))
	}
	l.coming <- visitor{server, at}
	return client
}

// bounded is a listener with bounds, and what it has accepted and refused so far.
type bounded struct {
	*lobby
	net.Listener
	accepted chan net.Conn
	refused  int
}

func newBounded(t *testing.T, c Connections) *bounded {
	b := &bounded{lobby: newLobby(), accepted: make(chan net.Conn, 100)}
	c.Refused = func() { b.refused++ }
	b.Listener = c.Bound(b.lobby)
	ended := make(chan error, 1)
	go func() {
		for {
			conn, err := b.Listener.Accept()
			if err != nil {
				ended <- err
				return
			}
			b.accepted <- conn
		}
	}()
	t.Cleanup(func() {
		if err := b.Listener.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("the listener ends with %v", err)
		}
	})
	return b
}

// TestConnectionsOfOneAddress: nobody can take all that there are.
func TestConnectionsOfOneAddress(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from []string
		want int // are accepted
	}{
		"one address":                     {[]string{"192.0.2.1", "192.0.2.1", "192.0.2.1"}, 2},
		"two addresses":                   {[]string{"192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.2"}, 4},
		"the next after a refused one":    {[]string{"192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"}, 3},
		"a /64 of IPv6":                   {[]string{"2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:3::4"}, 2},
		"two /64 of IPv6":                 {[]string{"2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:3::1"}, 3},
		"IPv4 as IPv6 is the same":        {[]string{"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"}, 2},
		"IPv4 as IPv6 is nobody else":     {[]string{"::ffff:192.0.2.1", "::ffff:192.0.2.2", "::ffff:192.0.2.3"}, 3},
		"another zone is the same":        {[]string{"fe80::1%eth0", "fe80::1%eth1", "fe80::1%eth2"}, 2},
		"a trusted proxy speaks for many": {[]string{"10.0.0.1", "10.0.0.1", "10.0.0.1", "::ffff:10.0.0.1"}, 4},
		"a socket has no address":         {[]string{"@", "@", "@"}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBounded(t, Connections{Total: 50, OfOne: 2, Proxies: Proxies{Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}})
				for _, from := range c.from {
					defer b.visit(from).Close()
				}
				synctest.Wait()
				if len(b.accepted) != c.want || b.refused != len(c.from)-c.want {
					t.Errorf("%d of %d were accepted and %d refused, want %d accepted", len(b.accepted), len(c.from), b.refused, c.want)
				}
			})
		})
	}
}

// TestPlacesOfConnectionsComeBack when they are closed, and once for each.
func TestPlacesOfConnectionsComeBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBounded(t, Connections{Total: 50, OfOne: 2})
		for range 2 {
			defer b.visit("192.0.2.1").Close()
		}
		late := b.visit("192.0.2.1")
		if _, err := late.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("who has too many is answered: %v", err)
		}
		first := <-b.accepted
		for range 2 { // as http.Server does
			_ = first.Close()
		}
		for range 2 {
			defer b.visit("192.0.2.1").Close()
		}
		synctest.Wait()
		if len(b.accepted) != 2 || b.refused != 2 {
			t.Errorf("%d are open and %d were refused, want 2 and 2: one had gone", len(b.accepted), b.refused)
		}
	})
}

// TestConnectionsInTotal: one too many waits until another ends.
func TestConnectionsInTotal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBounded(t, Connections{Total: 2, OfOne: 2})
		for _, from := range []string{"192.0.2.1", "192.0.2.2"} {
			defer b.visit(from).Close()
		}
		waits := make(chan net.Conn)
		go func() { waits <- b.visit("192.0.2.3") }()
		synctest.Wait()
		if len(b.accepted) != 2 {
			t.Fatalf("%d are open, want 2", len(b.accepted))
		}
		_ = (<-b.accepted).Close()
		defer (<-waits).Close()
		synctest.Wait()
		if len(b.accepted) != 2 || b.refused != 0 {
			t.Errorf("%d are open and %d were refused, want 2 and none", len(b.accepted), b.refused)
		}
	})
}
