package agency_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/crownsafe/api/internal/agency"
)

// TestSpansOfQuestions: one for each attempt, which the agency is told of, with no
// key in it.
func TestSpansOfQuestions(t *testing.T) {
	t.Parallel()
	out := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(out)).Tracer("test")
	var told []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told = append(told, r.Header.Get("Traceparent"))
		if len(told) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	client := agency.NewClient(agency.ClientOptions{Tracer: tracer, Attempts: 2, Transport: &http.Transport{DisableKeepAlives: true}})
	ctx, root := tracer.Start(t.Context(), "root")
	address := strings.Replace(server.URL, "//", "//user:CANARY@", 1) + "/feed?key=CANARY"
	if _, err := client.Get(ctx, address, http.Header{"AuthKey": {"CANARY"}}); err != nil {
		t.Fatal(err)
	}
	server.Close()
	if _, err := client.Get(ctx, address); err == nil {
		t.Fatal("an agency that is gone answers")
	}
	spans := out.Ended()
	if len(spans) != 4 {
		t.Fatalf("%d spans", len(spans))
	}
	for i, want := range []codes.Code{codes.Error, codes.Unset, codes.Error, codes.Error} {
		s := spans[i]
		if s.Name() != "GET" || s.Status().Code != want || s.Parent().SpanID() != root.SpanContext().SpanID() {
			t.Errorf("attempt %d: %s, %v", i, s.Name(), s.Status())
		}
		said := fmt.Sprint(s.Attributes(), s.Events(), s.Status())
		if strings.Contains(said, "CANARY") || !strings.Contains(said, server.URL+"/feed") {
			t.Errorf("attempt %d tells %s", i, said)
		}
		if i < 2 && told[i] != "00-"+s.SpanContext().TraceID().String()+"-"+s.SpanContext().SpanID().String()+"-01" {
			t.Errorf("the agency is told of %s in place of %s", told[i], s.SpanContext().SpanID())
		}
	}
}
