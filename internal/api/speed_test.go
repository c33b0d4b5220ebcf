package api

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/ratelimit"
	"github.com/crownsafe/api/internal/ratelimit/memory"
)

// connections is how many connections the benchmarks keep busy.
const connections = 64

// load sends the same request over and over on 64 connections of a real
// loopback server. The clients read as little as they can, so that what is
// measured is the server.
func load(b *testing.B, handler http.Handler, target string) {
	server := httptest.NewUnstartedServer(nil)
	server.Config = Server(handler)
	server.Start()
	defer server.Close()
	request := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target)

	work := make(chan struct{}, connections)
	done := make(chan error, connections)
	for range connections {
		go func() { done <- ask(server.Listener.Addr().String(), request, work) }()
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	for range connections {
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
}

func ask(address string, request []byte, work <-chan struct{}) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 64<<10)
	for range work {
		if _, err := conn.Write(request); err != nil {
			return err
		}
		if err := skipResponse(in); err != nil {
			return err
		}
	}
	return nil
}

// skipResponse reads one 200 with a Content-Length.
func skipResponse(in *bufio.Reader) error {
	length := -1
	for line := 0; ; line++ {
		text, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if line == 0 && string(text[9:12]) != "200" {
			return fmt.Errorf("answered %q", text)
		}
		if len(text) <= 2 {
			break
		}
		if n, ok := strings.CutPrefix(string(text), "Content-Length: "); ok {
			if _, err := fmt.Sscan(n, &length); err != nil {
				return err
			}
		}
	}
	_, err := in.Discard(length)
	return err
}

// bare writes the same bytes as the API does, and nothing else.
func bare(b *testing.B, api *bench, target string) http.Handler {
	body := decodeBody(b, api, target)
	length := []string{fmt.Sprint(len(body))}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = jsonType
		w.Header()["Content-Length"] = length
		_, _ = w.Write(body)
	})
}

func decodeBody(b *testing.B, api *bench, target string) []byte {
	r := api.get(b, target)
	if r.StatusCode != http.StatusOK {
		b.Fatalf("%s answered %d", target, r.StatusCode)
	}
	return r.body
}

func newLoaded(b *testing.B) *bench {
	return newBench(b, func(d *Dependencies) { d.Logger = slog.New(slog.NewJSONHandler(io.Discard, nil)) })
}

const (
	barcodeTarget = "/api/v1/barcode/036000291452"
	searchTarget  = "/api/v1/recalls?q=snoozle"
)

func BenchmarkBarcodeHit(b *testing.B)  { load(b, newLoaded(b), barcodeTarget) }
func BenchmarkBarcodeBare(b *testing.B) { load(b, bare(b, newLoaded(b), barcodeTarget), barcodeTarget) }
func BenchmarkSearchHit(b *testing.B)   { load(b, newLoaded(b), searchTarget) }
func BenchmarkSearchBare(b *testing.B)  { load(b, bare(b, newLoaded(b), searchTarget), searchTarget) }

// BenchmarkBarcodeMiss computes every answer anew.
func BenchmarkBarcodeMiss(b *testing.B) {
	api := newLoaded(b)
	for b.Loop() {
		api.clock = api.clock.Add(1e9)
		api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, barcodeTarget, nil))
	}
}

// BenchmarkSearchMiss computes every answer anew.
func BenchmarkSearchMiss(b *testing.B) {
	api := newLoaded(b)
	i := 0
	for b.Loop() {
		i++
		api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, fmt.Sprintf("%s+%d", searchTarget, i), nil))
	}
}

// BenchmarkMiddleware tells what everything around an operation costs, over the
// loopback interface: the same answer from memory without who calls, limits and
// headers' reasons, with them, and with a key.
func BenchmarkMiddleware(b *testing.B) {
	limited := newBench(b, func(d *Dependencies) {
		d.Logger, d.Authenticator = slog.New(slog.NewJSONHandler(io.Discard, nil)), knownCallers{}
		most := ratelimit.Limit{Name: "address", Count: 60_000_000, Per: time.Minute, Burst: 60_000_000}
		d.Limits = Limits{Limiter: ratelimit.New(memory.Open(memory.Options{}), nil, ratelimit.Options{}), Addresses: most, Keys: most, Users: most}
	})
	b.Run("bare", func(b *testing.B) { load(b, bare(b, limited, barcodeTarget), barcodeTarget) })
	b.Run("without limits", func(b *testing.B) { load(b, newLoaded(b), barcodeTarget) })
	b.Run("whole", func(b *testing.B) { load(b, limited, barcodeTarget) })
	for name, handler := range map[string]http.Handler{"in process, without limits": newLoaded(b), "in process, whole": limited} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, barcodeTarget, nil)
			w := discard{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				handler.ServeHTTP(w, r)
			}
		})
	}
}

// discard is an answer that nobody reads.
type discard struct{ header http.Header }

func (d discard) Header() http.Header       { return d.header }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}
