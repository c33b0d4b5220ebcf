package cache_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// link is a TCP connection to a server that can be made bad.
type link struct {
	listener net.Listener
	server   string
	lock     sync.Mutex
	changed  *sync.Cond
	state    state
	conns    map[net.Conn]bool
}

type state struct {
	cut   bool          // nobody gets through, and whoever was is cut off
	hole  bool          // whatever is sent is lost
	delay time.Duration // of each piece that the server sends
}

func newLink(t *testing.T, server string) *link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{listener: listener, server: server, conns: map[net.Conn]bool{}}
	l.changed = sync.NewCond(&l.lock)
	var group sync.WaitGroup
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() { l.carry(conn) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		l.set(state{cut: true})
		group.Wait()
	})
	return l
}

func (l *link) addr() string { return l.listener.Addr().String() }

// set changes how the link is.
func (l *link) set(s state) {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.state = s
	if s.cut {
		for conn := range l.conns {
			conn.Close()
		}
	}
	l.changed.Broadcast()
}

// track notes a connection, so that it can be cut; false when it is to be now.
func (l *link) track(conn net.Conn) bool {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.conns[conn] = true
	return !l.state.cut
}

func (l *link) drop(conn net.Conn) {
	l.lock.Lock()
	defer l.lock.Unlock()
	delete(l.conns, conn)
	conn.Close()
}

func (l *link) carry(client net.Conn) {
	defer l.drop(client)
	if !l.track(client) {
		return
	}
	server, err := net.Dial("tcp", l.server)
	if err != nil {
		return
	}
	defer l.drop(server)
	if !l.track(server) {
		return
	}
	var group sync.WaitGroup
	group.Go(func() { l.pump(server, client, false) })
	group.Go(func() { l.pump(client, server, true) })
	group.Wait()
}

func (l *link) pump(to, from net.Conn, delayed bool) {
	defer to.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && l.passes(delayed) {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if err != io.EOF {
				from.Close()
			}
			return
		}
	}
}

// passes waits for as long as a piece takes, and reports whether it arrives.
func (l *link) passes(delayed bool) bool {
	l.lock.Lock()
	now := l.state
	l.lock.Unlock()
	if delayed && now.delay > 0 {
		time.Sleep(now.delay)
	}
	return !now.hole
}
