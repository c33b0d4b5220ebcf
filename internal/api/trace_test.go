package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// newTraced is a bench whose spans are kept.
func newTraced(t *testing.T, change ...func(*Dependencies)) (*bench, *tracetest.SpanRecorder) {
	t.Helper()
	out := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(out)).Tracer("test")
	return newBench(t, append(change, func(d *Dependencies) { d.Tracer = tracer })...), out
}

// attributeOf returns an attribute of a span as text; empty: it has none.
func attributeOf(s sdktrace.ReadOnlySpan, key string) string {
	for _, kv := range s.Attributes() {
		if kv.Key == attribute.Key(key) {
			return kv.Value.String()
		}
	}
	return ""
}

// TestARequestIsOneSpan under the caller's, be it computed, remembered or refused,
// and tells nothing of what was asked.
func TestARequestIsOneSpan(t *testing.T) {
	const parent = "00f067aa0ba902b7"
	for name, test := range map[string]struct {
		target, name, status string
		code                 codes.Code
	}{
		"a barcode":     {"/api/v1/barcode/036000291452?serial=CANARY", "GET /api/v1/barcode/{code}", "200", codes.Unset},
		"a search":      {"/api/v1/recalls?q=CANARY", "GET /api/v1/recalls", "200", codes.Unset},
		"bad":           {"/api/v1/barcode/CANARY", "GET /api/v1/barcode/{code}", "422", codes.Unset},
		"not found":     {"/CANARY", "GET", "404", codes.Unset},
		"not available": {"/api/v1/recalls/us-cpsc:26-100/revisions", "GET /api/v1/recalls/{id}/revisions", "503", codes.Error},
	} {
		t.Run(name, func(t *testing.T) {
			b, out := newTraced(t)
			b.store.down = errors.New("the database is gone")
			for i := range 2 { // computed, then from memory
				r := b.get(t, test.target, "Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-"+parent+"-01", "Tracestate", "vendor=1")
				var span sdktrace.ReadOnlySpan
				for _, s := range out.Ended() {
					if s.SpanKind() == trace.SpanKindServer {
						span = s
					}
					if told := fmt.Sprint(s.Name(), s.Attributes(), s.Events(), s.Status()); strings.Contains(told, "CANARY") {
						t.Errorf("a span tells what was asked: %s", told)
					}
				}
				if span.Name() != test.name || span.Status().Code != test.code || attributeOf(span, "http.response.status_code") != test.status {
					t.Errorf("%d: %s is %v with %v", i, span.Name(), span.Status(), span.Attributes())
				}
				at := span.SpanContext()
				if span.Parent().SpanID().String() != parent || at.TraceState().Get("vendor") != "1" ||
					r.Header.Get("Traceparent") != "00-4bf92f3577b34da6a3ce929d0e0e4736-"+at.SpanID().String()+"-01" {
					t.Errorf("%d: %+v under %v, and the answer says %s", i, at, span.Parent().SpanID(), r.Header.Get("Traceparent"))
				}
			}
			if started := len(out.Started()); started != len(out.Ended()) {
				t.Errorf("%d spans have begun and %d ended", started, len(out.Ended()))
			}
		})
	}
}

// TestAVerdictsSpan tells what came of it; a batch has one with counts.
func TestAVerdictsSpan(t *testing.T) {
	b, out := newTraced(t)
	b.do(t, http.MethodPost, "/api/v1/verdict", `{"brand":"Tumblewick","model":"SZ-100","serial":"CANARY"}`)
	b.do(t, http.MethodPost, "/api/v1/verdict", `{"gtin":"1"}`)
	b.do(t, http.MethodPost, "/api/v1/verdict/batch", `{"units":[{"brand":"Tumblewick","model":"SZ-100"},{"gtin":"036000291452"},{"gtin":"1"}]}`)
	var verdicts []sdktrace.ReadOnlySpan
	for _, s := range out.Ended() {
		if strings.HasPrefix(s.Name(), "verdict") {
			verdicts = append(verdicts, s)
		}
	}
	if len(verdicts) != 3 {
		t.Fatalf("%d spans of verdicts", len(verdicts))
	}
	if s := verdicts[0]; attributeOf(s, "crownsafe.verdict") != "need_code" || !strings.Contains(attributeOf(s, "crownsafe.matched_on"), "model") || attributeOf(s, "crownsafe.notices_considered") != "30" {
		t.Errorf("a verdict: %v", s.Attributes())
	}
	if s := verdicts[1]; attributeOf(s, "crownsafe.verdict") != "refused" || s.Status().Code == codes.Error {
		t.Errorf("a bad unit: %v, %v", s.Attributes(), s.Status())
	}
	if s := verdicts[2]; attributeOf(s, "crownsafe.units") != "3" || attributeOf(s, "crownsafe.verdicts.need_code") != "2" || attributeOf(s, "crownsafe.verdicts.refused") != "1" {
		t.Errorf("a batch: %v", s.Attributes())
	}
}

// TestAPanicIsAnException of the request's span, with its stack.
func TestAPanicIsAnException(t *testing.T) {
	b, out := newTraced(t, func(d *Dependencies) { d.Lookup = brokenLookup{panics: "at the disco"} })
	b.get(t, "/api/v1/barcode/036000291452")
	span := out.Ended()[len(out.Ended())-1]
	if span.Status().Code != codes.Error || len(span.Events()) != 1 || span.Events()[0].Name != "exception" {
		t.Fatalf("%v with %+v", span.Status(), span.Events())
	}
	for _, kv := range span.Events()[0].Attributes {
		if kv.Key == "exception.stacktrace" && strings.Contains(kv.Value.AsString(), "goroutine") {
			return
		}
	}
	t.Errorf("no stack in %+v", span.Events()[0].Attributes)
}

// TestWithoutATracerLinesHaveTheTrace all the same.
func TestWithoutATracerLinesHaveTheTrace(t *testing.T) {
	var at trace.SpanContext
	b := newBench(t, func(d *Dependencies) {
		d.Pages = pages{http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { at = trace.SpanContextFromContext(r.Context()) })}
	})
	r := b.get(t, "/docs", "Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	if want := "00-" + at.TraceID().String() + "-" + at.SpanID().String() + "-01"; !at.IsValid() || r.Header.Get("Traceparent") != want {
		t.Errorf("the context has %s, the answer %s", want, r.Header.Get("Traceparent"))
	}
}

func TestOfAnAddressTheLogHasTheNetwork(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.77": "192.0.2.0/24", "2001:db8:1:2:3::4": "2001:db8:1::/48", "::ffff:192.0.2.77": "192.0.2.0/24", "fe80::1%eth0": "fe80::/48",
	} {
		if got := network(netip.MustParseAddr(remote)); got != want {
			t.Errorf("of %q it has %q", remote, got)
		}
	}
	if got := network(netip.Addr{}); got != "unknown" {
		t.Errorf("of none it has %q", got)
	}
}

// TestLogLevelsThatCannotBeChanged are told all the same.
func TestLogLevelsThatCannotBeChanged(t *testing.T) {
	b := newBench(t, func(d *Dependencies) { d.Operators = Operators{Token: func() string { return "letmein" }} })
	for _, method := range []string{http.MethodGet, http.MethodPut} {
		r := b.do(t, method, "/api/v1/monitoring/log-levels", `{"default":"debug","packages":{}}`, "Authorization", "Bearer letmein")
		if levels := decode[LogLevelAnswer](t, r, 200); levels.Default != "info" || len(levels.Known) != 0 {
			t.Errorf("%s: %+v", method, levels)
		}
	}
}
