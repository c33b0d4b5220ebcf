package testenv

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// Way is the way to a server, which can be made to fail.
type Way struct {
	t     testing.TB
	proxy *toxiproxy.Proxy
}

// NewWay opens a way to a server, HOST:PORT, until the end of the test.
func NewWay(t testing.TB, server string) *Way {
	t.Helper()
	return NewWayAt(t, "127.0.0.1:0", server)
}

// NewWayAt is NewWay from an address of the caller's choice.
func NewWayAt(t testing.TB, listen, server string) *Way {
	t.Helper()
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	w := &Way{t, toxiproxy.NewProxy(api, "way", listen, server)}
	if err := w.proxy.Start(); err != nil {
		t.Fatalf("opening a way to %s: %v", server, err)
	}
	t.Cleanup(w.proxy.Stop)
	return w
}

// Addr is where the server is found by this way.
func (w *Way) Addr() string { return w.proxy.Listen }

// Cut breaks every connection and refuses new ones.
func (w *Way) Cut() {
	w.t.Helper()
	w.proxy.Stop()
	conn, err := net.DialTimeout("tcp", w.Addr(), time.Second)
	if err == nil {
		conn.Close()
		w.t.Fatal("the way is cut and still lets somebody through")
	}
}

// Slow holds every answer back.
func (w *Way) Slow(by time.Duration) {
	w.t.Helper()
	w.poison("downstream", "latency", fmt.Sprintf(`{"latency": %d}`, by.Milliseconds()))
}

// Hang lets everybody in and nothing through, as a network does that drops packets.
func (w *Way) Hang() {
	w.t.Helper()
	for _, stream := range []string{"upstream", "downstream"} {
		w.poison(stream, "timeout", `{"timeout": 0}`)
	}
}

// Limit breaks each connection after so many bytes towards the server.
func (w *Way) Limit(bytes int) {
	w.t.Helper()
	w.poison("upstream", "limit_data", fmt.Sprintf(`{"bytes": %d}`, bytes))
}

func (w *Way) poison(stream, kind, attributes string) {
	w.t.Helper()
	toxic := fmt.Sprintf(`{"name": %q, "type": %q, "stream": %q, "attributes": %s}`, stream, kind, stream, attributes)
	if _, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		w.t.Fatalf("giving the way a %s: %v", kind, err)
	}
}

// Heal makes the way good again.
func (w *Way) Heal() {
	w.t.Helper()
	w.proxy.Toxics.ResetToxics(context.Background())
	if w.proxy.Enabled {
		return
	}
	if err := w.proxy.Start(); err != nil {
		w.t.Fatalf("opening the way again: %v", err)
	}
}
