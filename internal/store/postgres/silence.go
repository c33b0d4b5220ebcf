package postgres

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// impatientConn is a connection to a server that may be silent for so long and
// no longer while somebody reads from it, or takes nothing while somebody writes.
// Neither the network nor the system says for minutes that a server hangs, or
// that what stands in between swallows everything.
type impatientConn struct {
	net.Conn
	lock            sync.Mutex
	patience        time.Duration
	readBy, writeBy time.Time // the driver's own deadlines
}

func (c *impatientConn) Read(p []byte) (int, error) {
	if err := c.awaitRead(); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// Write moves the deadline of whoever reads meanwhile too: a server that takes
// what it is sent isn't silent.
func (c *impatientConn) Write(p []byte) (int, error) {
	if err := c.awaitWrite(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	if err != nil {
		return n, err
	}
	return n, c.awaitRead()
}

func (c *impatientConn) awaitRead() error {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.Conn.SetReadDeadline(c.soonest(c.readBy))
}

func (c *impatientConn) awaitWrite() error {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.Conn.SetWriteDeadline(c.soonest(c.writeBy))
}

func (c *impatientConn) soonest(deadline time.Time) time.Time {
	if patient := time.Now().Add(c.patience); deadline.IsZero() || patient.Before(deadline) {
		return patient
	}
	return deadline
}

// SetDeadline is how the driver interrupts whoever reads or writes.
func (c *impatientConn) SetDeadline(t time.Time) error {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.readBy, c.writeBy = t, t
	return c.Conn.SetDeadline(c.soonest(t))
}

// SetReadDeadline is SetDeadline for whoever reads.
func (c *impatientConn) SetReadDeadline(t time.Time) error {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.readBy = t
	return c.Conn.SetReadDeadline(c.soonest(t))
}

// SetWriteDeadline is SetDeadline for whoever writes.
func (c *impatientConn) SetWriteDeadline(t time.Time) error {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.writeBy = t
	return c.Conn.SetWriteDeadline(c.soonest(t))
}

type patienceKey struct{}

// patiently lets the server be silent for so long in statements under ctx, in
// place of Options.AnswerTimeout: for those of which it is known that the server
// works on them for a while before it answers.
func patiently(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, patienceKey{}, d)
}

// allow sets how long the server may be silent on a connection from now on.
func allow(ctx context.Context, conn *pgx.Conn, normal time.Duration) {
	if d, ok := ctx.Value(patienceKey{}).(time.Duration); ok {
		normal = d
	}
	inner := conn.PgConn().Conn()
	if encrypted, ok := inner.(interface{ NetConn() net.Conn }); ok {
		inner = encrypted.NetConn()
	}
	if impatient, ok := inner.(*impatientConn); ok {
		impatient.lock.Lock()
		impatient.patience = normal
		impatient.lock.Unlock()
	}
}
