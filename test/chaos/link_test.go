package chaos

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

// link is the way from the service to one server, which can be made to fail.
type link struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
}

// newLink opens a way to a server, HOST:PORT.
func newLink(t *testing.T, name, server string) *link {
	t.Helper()
	logger := zerolog.Nop()
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), logger)
	l := &link{t, toxiproxy.NewProxy(api, name, "127.0.0.1:0", server)}
	if err := l.proxy.Start(); err != nil {
		t.Fatalf("opening the way to %s: %v", name, err)
	}
	t.Cleanup(l.proxy.Stop)
	return l
}

// addr is where the service finds the server.
func (l *link) addr() string { return l.proxy.Listen }

// cut breaks every connection and refuses new ones.
func (l *link) cut() {
	l.t.Helper()
	l.proxy.Stop()
	conn, err := net.DialTimeout("tcp", l.addr(), time.Second)
	if err == nil {
		conn.Close()
		l.t.Fatal("the way is cut and still lets somebody through")
	}
}

// slow holds every answer back.
func (l *link) slow(by time.Duration) {
	l.add("latency", fmt.Sprintf(`{"latency": %d}`, by.Milliseconds()))
}

// hang lets everybody in and nothing through, as a network does that drops packets.
func (l *link) hang() { l.add("timeout", `{"timeout": 0}`) }

// limit breaks each connection after so many bytes from the service.
func (l *link) limit(bytes int) {
	l.addTo("upstream", "limit_data", fmt.Sprintf(`{"bytes": %d}`, bytes))
}

func (l *link) add(kind, attributes string) { l.addTo("downstream", kind, attributes) }

func (l *link) addTo(stream, kind, attributes string) {
	l.t.Helper()
	toxic := fmt.Sprintf(`{"name": %q, "type": %q, "stream": %q, "attributes": %s}`, kind, kind, stream, attributes)
	if _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		l.t.Fatalf("making the way %s: %v", kind, err)
	}
}

// heal makes the way good again.
func (l *link) heal() {
	l.t.Helper()
	l.proxy.Toxics.ResetToxics(context.Background())
	if l.proxy.Enabled {
		return
	}
	if err := l.proxy.Start(); err != nil {
		l.t.Fatalf("opening the way again: %v", err)
	}
}
