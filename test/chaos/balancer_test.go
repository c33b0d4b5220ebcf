package chaos

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crownsafe/api/test/program"
)

// podHost is what a kubelet's probes ask for: the address of a pod.
const podHost = "10.244.1.7:8001"

// probeEvery is how often the balancer's probes ask.
const probeEvery = 50 * time.Millisecond

// probed asks a process as a kubelet does, by its pod's address, and returns the
// status; 0 when nobody answers.
func probed(ctx context.Context, base, path string) int {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second) // timeoutSeconds of deploy/k8s
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, http.NoBody)
	if err != nil {
		return 0
	}
	req.Host = podHost
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// balancer stands before processes as a Service does: it takes connections, gives each
// to one that its probe has found ready, in turn, and knows nothing of what goes over
// them. Nobody tells it that a process stops but readyz.
type balancer struct {
	listener net.Listener
	base     string
	mu       sync.Mutex
	ready    []string // addresses
	turn     int
	lost     int // connections for which nobody was ready
	working  sync.WaitGroup
}

func startBalancer(t *testing.T) *balancer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{listener: listener, base: "http://" + listener.Addr().String()}
	b.working.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			b.working.Go(func() { b.pass(conn) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		b.working.Wait()
	})
	return b
}

// add probes a process until the end of the test.
func (b *balancer) add(t *testing.T, s *program.Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	addr := strings.TrimPrefix(s.Base, "http://")
	b.working.Go(func() {
		tick := time.NewTicker(probeEvery)
		defer tick.Stop()
		for ctx.Err() == nil {
			is := probed(ctx, s.Base, "/api/readyz") == http.StatusOK
			b.mu.Lock()
			b.ready = slices.DeleteFunc(b.ready, func(other string) bool { return other == addr })
			if is {
				b.ready = append(b.ready, addr)
			}
			b.mu.Unlock()
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	})
	t.Cleanup(cancel)
}

// sends tells whether connections go to a process.
func (b *balancer) sends(s *program.Server) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Contains(b.ready, strings.TrimPrefix(s.Base, "http://"))
}

func (b *balancer) next() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.ready) == 0 {
		b.lost++
		return ""
	}
	b.turn++
	return b.ready[b.turn%len(b.ready)]
}

// pass carries what one connection says to a process, and back, until both have ended.
func (b *balancer) pass(conn net.Conn) {
	defer conn.Close()
	behind, err := net.Dial("tcp", b.next())
	if err != nil {
		return // and the client sees its connection end
	}
	defer behind.Close()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(conn, behind) // either may go at any time
		conn.Close()
	})
	_, _ = io.Copy(behind, conn)
	_ = behind.(*net.TCPConn).CloseWrite()
	back.Wait()
}
