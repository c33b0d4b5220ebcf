package api

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"

	"github.com/crownsafe/api/internal/telemetry"
)

// BenchmarkTracing is what a request costs with traces off, and exported as the
// program does at two ratios: an answer from memory and one that is made anew,
// without a network, where the share of tracing is largest.
func BenchmarkTracing(b *testing.B) {
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer receiver.Close()
	for _, mode := range []struct {
		name  string
		ratio float64
	}{{"off", -1}, {"5%", 0.05}, {"all", 1}} {
		handler, stop := tracing(b, receiver.URL, mode.ratio)
		b.Run("remembered/"+mode.name, func(b *testing.B) { askInside(b, handler, func(int) string { return barcodeTarget }) })
		b.Run("computed/"+mode.name, func(b *testing.B) {
			askInside(b, handler, func(i int) string { return fmt.Sprintf("%s?lot=%d", barcodeTarget, i) })
		})
		stop()
	}
}

// BenchmarkTracingServed is the same over loopback connections.
func BenchmarkTracingServed(b *testing.B) {
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer receiver.Close()
	for _, mode := range []struct {
		name  string
		ratio float64
	}{{"off", -1}, {"5%", 0.05}, {"all", 1}} {
		handler, stop := tracing(b, receiver.URL, mode.ratio)
		b.Run(mode.name, func(b *testing.B) {
			defer cpuPerOp(b)()
			load(b, handler, barcodeTarget)
		})
		stop()
	}
}

func tracing(b *testing.B, endpoint string, ratio float64) (handler http.Handler, stop func()) {
	b.Helper()
	if ratio < 0 {
		return newLoaded(b), func() {}
	}
	traces, err := telemetry.StartTraces(telemetry.TraceOptions{Endpoint: endpoint, Ratio: ratio, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	handler = newBench(b, func(d *Dependencies) {
		d.Logger = slog.New(slog.NewMultiHandler(slog.NewJSONHandler(io.Discard, nil), traces.Handler()))
		d.Tracer = traces.Provider().Tracer(telemetry.Scope)
	})
	return handler, func() {
		if err := traces.Stop(b.Context()); err != nil {
			b.Error(err)
		}
	}
}

func askInside(b *testing.B, handler http.Handler, target func(i int) string) {
	b.ReportAllocs()
	defer cpuPerOp(b)()
	for i := 0; b.Loop(); i++ {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, target(i), nil))
	}
}

// cpuPerOp reports what the process used of processors for one operation, exports
// included, until the function that it returns is called: on a machine that does
// other things too the time on the clock tells little.
func cpuPerOp(b *testing.B) func() {
	began := cpu(b)
	return func() { b.ReportMetric(float64(cpu(b)-began)/float64(b.N), "cpu-ns/op") }
}

func cpu(b *testing.B) int64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return used.Utime.Nano() + used.Stime.Nano()
}
