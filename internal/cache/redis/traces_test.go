package redis_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/cache/redis"
	"github.com/crownsafe/api/internal/testenv"
)

// TestSpans: one for each round trip that is part of a trace, with neither key nor
// value in it.
func TestSpans(t *testing.T) {
	t.Parallel()
	out := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(out)).Tracer("test")
	r := testenv.OwnRedis(t)
	s := open(t, redis.Options{URL: r.URL(), Tracer: tracer})
	k := cache.Key{Use: "test", Shape: "1", Name: "CANARY"}
	if err := s.Ping(t.Context()); err != nil || len(out.Started()) > 0 {
		t.Errorf("outside of any trace: %v, and %d spans", err, len(out.Started()))
	}
	ctx, root := tracer.Start(t.Context(), "root")
	answer, err := s.Get(ctx, k)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Set(ctx, k, []byte("CANARY"), time.Hour, answer.Claim); err != nil {
		t.Fatal(err)
	}
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(ctx, k); err == nil {
		t.Fatal("a server that is gone answers")
	}
	var names []string
	for _, span := range out.Ended() {
		names = append(names, span.Name())
		if span.Parent().SpanID() != root.SpanContext().SpanID() {
			t.Errorf("%s stands elsewhere", span.Name())
		}
		if told := fmt.Sprint(span.Name(), span.Attributes(), span.Events(), span.Status()); strings.Contains(told, "CANARY") {
			t.Errorf("a span tells what was asked: %s", told)
		}
	}
	if got := strings.Join(names, ", "); got != "redis pipeline, redis pipeline, redis set, redis pipeline" {
		t.Fatalf("spans: %s", got)
	}
	if last := out.Ended()[3]; last.Status().Code != codes.Error || len(last.Events()) != 1 || out.Ended()[0].Status().Code == codes.Error {
		t.Errorf("how they went: %+v, then %+v", out.Ended()[0].Status(), last.Status())
	}
}
