package telemetry

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// exported is a tracer by the program's rules, and what it exports.
func exported(ratio float64) (trace.Tracer, *tracetest.SpanRecorder, *keptFailed) {
	out := tracetest.NewSpanRecorder()
	kept := keepFailed(out)
	provider := sdktrace.NewTracerProvider(sdktrace.WithSampler(newSampler(ratio)), sdktrace.WithSpanProcessor(kept))
	return provider.Tracer("test"), out, kept
}

func namesOf(spans []sdktrace.ReadOnlySpan) (names []string) {
	for _, s := range spans {
		names = append(names, s.Name())
	}
	slices.Sort(names)
	return names
}

// stillOpen counts the spans that the processor waits for.
func (k *keptFailed) stillOpen() (n int) {
	for i := range k.open {
		n += len(k.open[i].parts)
	}
	return n
}

func remote(sampled bool) context.Context {
	config := trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, Remote: true}
	if sampled {
		config.TraceFlags = trace.FlagsSampled
	}
	return trace.ContextWithRemoteSpanContext(context.Background(), trace.NewSpanContext(config))
}

func TestAFailedTraceIsExportedWhole(t *testing.T) {
	t.Parallel()
	tracer, out, kept := exported(0)
	ctx, root := tracer.Start(t.Context(), "root")
	under, child := tracer.Start(ctx, "child")
	_, grandchild := tracer.Start(under, "grandchild")
	grandchild.SetStatus(codes.Error, "")
	grandchild.End()
	child.End()
	_, sibling := tracer.Start(ctx, "sibling")
	sibling.End()
	_, late := tracer.Start(ctx, "late")
	if n := len(out.Ended()); n != 0 {
		t.Errorf("%d spans are exported before the root has ended", n)
	}
	root.End()
	late.End()
	if got := namesOf(out.Ended()); !slices.Equal(got, []string{"child", "grandchild", "late", "root", "sibling"}) {
		t.Errorf("exported %v", got)
	}
	for _, s := range out.Ended() {
		if !s.SpanContext().IsSampled() || s.SpanContext().TraceID() != root.SpanContext().TraceID() {
			t.Errorf("%s is exported as %+v", s.Name(), s.SpanContext())
		}
	}
	if n := kept.stillOpen(); n != 0 || kept.held.Load() != 0 {
		t.Errorf("%d spans are still open and %d held", n, kept.held.Load())
	}
}

func TestATraceInWhichNothingFailedIsNot(t *testing.T) {
	t.Parallel()
	tracer, out, kept := exported(0)
	ctx, root := tracer.Start(t.Context(), "root")
	_, child := tracer.Start(ctx, "child")
	child.End()
	root.End()
	if len(out.Ended()) != 0 || kept.stillOpen() != 0 || kept.held.Load() != 0 {
		t.Errorf("exported %v; %d open, %d held", namesOf(out.Ended()), kept.stillOpen(), kept.held.Load())
	}
}

// TestTwoRequestsOfOneTraceAreToldApart: one caller may ask many things at a time.
func TestTwoRequestsOfOneTraceAreToldApart(t *testing.T) {
	t.Parallel()
	tracer, out, _ := exported(0)
	_, good := tracer.Start(remote(false), "good")
	_, bad := tracer.Start(remote(false), "bad")
	bad.SetStatus(codes.Error, "")
	bad.End()
	good.End()
	if got := namesOf(out.Ended()); !slices.Equal(got, []string{"bad"}) {
		t.Errorf("exported %v", got)
	}
}

func TestWhatIsHeldIsBounded(t *testing.T) {
	t.Parallel()
	tracer, out, kept := exported(0)
	ctx, root := tracer.Start(t.Context(), "root")
	for range 2 * heldPerTrace {
		_, child := tracer.Start(ctx, "child")
		child.End()
	}
	if n := kept.held.Load(); n != heldPerTrace {
		t.Errorf("%d spans of one trace are held", n)
	}
	_, failed := tracer.Start(ctx, "failed")
	failed.SetStatus(codes.Error, "")
	failed.End()
	root.End()
	if got := namesOf(out.Ended()); len(got) != heldPerTrace+2 || !slices.Contains(got, "failed") || !slices.Contains(got, "root") {
		t.Errorf("exported %d spans", len(got))
	}
	kept.atMost = 1
	ctx, root = tracer.Start(t.Context(), "root")
	for range 3 {
		_, child := tracer.Start(ctx, "child")
		child.End()
	}
	if n := kept.held.Load(); n != 1 {
		t.Errorf("%d spans are held of at most 1", n)
	}
	root.End()
}

// TestFailedSpansAreBoundedToo: whoever fails again and again under one root that
// doesn't end can't fill the memory.
func TestFailedSpansAreBoundedToo(t *testing.T) {
	t.Parallel()
	tracer, out, kept := exported(0)
	fail := func(ctx context.Context, times int) {
		for range times {
			_, child := tracer.Start(ctx, "failed")
			child.SetStatus(codes.Error, "")
			child.End()
		}
	}
	ctx, root := tracer.Start(t.Context(), "root")
	fail(ctx, 3*heldPerTrace)
	if n := kept.held.Load(); n != 2*heldPerTrace {
		t.Errorf("%d failed spans of one trace are held", n)
	}
	root.End()
	if n := len(out.Ended()); n != 2*heldPerTrace+1 || kept.held.Load() != 0 {
		t.Errorf("%d spans are exported, %d are still held", n, kept.held.Load())
	}
	kept.atMost = 4
	var failing sync.WaitGroup
	var roots sync.Map
	for i := range 8 {
		failing.Go(func() {
			ctx, root := tracer.Start(t.Context(), "root")
			roots.Store(i, root)
			fail(ctx, 100)
			if n := kept.held.Load(); n > 8+8 { // 8, and each that is being turned away
				t.Errorf("%d failed spans are held in all", n)
			}
		})
	}
	failing.Wait()
	if n := kept.held.Load(); n != 8 {
		t.Errorf("%d failed spans are held in all, of at most 8", n)
	}
	roots.Range(func(_, root any) bool { root.(trace.Span).End(); return true })
	if n := kept.held.Load(); n != 0 || kept.stillOpen() != 0 {
		t.Errorf("%d spans are held for good", n)
	}
}

func TestWhoIsSampled(t *testing.T) {
	t.Parallel()
	begin := func(tracer trace.Tracer, ctx context.Context, kind trace.SpanKind) trace.Span {
		_, s := tracer.Start(ctx, "s", trace.WithSpanKind(kind))
		return s
	}
	none, _, _ := exported(0)
	all, _, _ := exported(1)
	for name, test := range map[string]struct {
		span               trace.Span
		sampled, recording bool
	}{
		"begun here, none":                 {begin(none, t.Context(), trace.SpanKindServer), false, true},
		"begun here, all":                  {begin(all, t.Context(), trace.SpanKindServer), true, true},
		"housekeeping":                     {begin(all, t.Context(), trace.SpanKindClient), false, false},
		"a caller who wants it":            {begin(none, remote(true), trace.SpanKindServer), true, true},
		"a caller who doesn't":             {begin(all, remote(false), trace.SpanKindServer), false, true},
		"under one that nobody records":    {begin(all, trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}})), trace.SpanKindInternal), false, false},
		"under one that was sampled":       {begin(all, trace.ContextWithSpan(t.Context(), begin(all, t.Context(), trace.SpanKindServer)), trace.SpanKindClient), true, true},
		"under one that was only recorded": {begin(none, trace.ContextWithSpan(t.Context(), begin(none, t.Context(), trace.SpanKindServer)), trace.SpanKindClient), false, true},
	} {
		if got := test.span.SpanContext().IsSampled(); got != test.sampled || test.span.IsRecording() != test.recording {
			t.Errorf("%s: sampled %v, recording %v", name, got, test.span.IsRecording())
		}
	}
}

// TestCallersCantHaveEverythingExported: beyond a few a second the ratio decides.
func TestCallersCantHaveEverythingExported(t *testing.T) {
	t.Parallel()
	tracer, _, _ := exported(0)
	began, sampled := time.Now(), 0
	for range 50 * callersPerSecond {
		if _, s := tracer.Start(remote(true), "s"); s.SpanContext().IsSampled() {
			sampled++
		}
	}
	if most := callersPerSecond * (int(time.Since(began).Seconds()) + 2); sampled < callersPerSecond || sampled > most {
		t.Errorf("%d traces are exported because callers want it, of at most %d", sampled, most)
	}
}

// TestNothingStaysBehind: whatever trees of spans there are, in whatever order they
// end, every span of a failed one is exported once, and nothing is held on to.
func TestNothingStaysBehind(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tracer, out, kept := exported(0)
		ctxs, spans := []context.Context{}, []trace.Span{}
		root := map[trace.SpanID]trace.SpanID{}
		for range rapid.IntRange(1, 12).Draw(t, "spans") {
			ctx := context.Background()
			parent := rapid.IntRange(-1, len(spans)-1).Draw(t, "parent")
			if parent >= 0 {
				ctx = ctxs[parent]
			}
			ctx, s := tracer.Start(ctx, "s")
			id := s.SpanContext().SpanID()
			root[id] = id
			if parent >= 0 {
				root[id] = root[spans[parent].SpanContext().SpanID()]
			}
			ctxs, spans = append(ctxs, ctx), append(spans, s)
		}
		failed := map[trace.SpanID]bool{}
		for i := len(spans) - 1; i >= 0; i-- { // children before their parents
			if rapid.Bool().Draw(t, "fails") {
				spans[i].SetStatus(codes.Error, "")
				failed[root[spans[i].SpanContext().SpanID()]] = true
			}
			spans[i].End()
		}
		want := 0
		for _, r := range root {
			if failed[r] {
				want++
			}
		}
		if got := len(out.Ended()); got != want || kept.stillOpen() != 0 || kept.held.Load() != 0 {
			t.Fatalf("%d spans are exported in place of %d; %d open, %d held", got, want, kept.stillOpen(), kept.held.Load())
		}
	})
}

// TestAFailingReceiverIsToldOfOnce: in the log, and nowhere else.
func TestAFailingReceiverIsToldOfOnce(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	broken.Store(true)
	var bodies atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Key") != "hunter2" {
			t.Error("the header isn't sent")
		}
		if broken.Load() {
			w.WriteHeader(http.StatusBadRequest) // which isn't tried again
			return
		}
		bodies.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	t.Cleanup(server.Close)
	log := &lines{}
	traces, err := StartTraces(TraceOptions{
		Endpoint: server.URL + "/", Headers: map[string]string{"X-Key": "hunter2"}, Ratio: 1, Version: "v1", Environment: "test", Instance: "here",
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	tracer := traces.Provider().Tracer("test")
	export := func() {
		_, s := tracer.Start(t.Context(), "s")
		s.End()
		if err := traces.spans.ForceFlush(t.Context()); err != nil {
			t.Error(err)
		}
	}
	export()
	export()
	broken.Store(false)
	export()
	export()
	if err := traces.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	got := log.String()
	if strings.Count(got, "can't be exported") != 1 || strings.Count(got, "are exported again") != 1 || strings.Contains(got, "hunter2") || bodies.Load() != 2 {
		t.Errorf("%d exports, log:\n%s", bodies.Load(), got)
	}
}

// TestStopDoesntWaitForAReceiverThatHangs longer than its context says.
func TestStopDoesntWaitForAReceiverThatHangs(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-over:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(over); server.Close() })
	traces, err := StartTraces(TraceOptions{Endpoint: server.URL, Ratio: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	_, s := traces.Provider().Tracer("test").Start(t.Context(), "s")
	s.End()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := traces.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("stopping gives %v", err)
	}
}

// lines collects what several goroutines write.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestLogRecordsGoWithTheirTrace: of one that isn't exported only what is a warning.
func TestLogRecordsGoWithTheirTrace(t *testing.T) {
	t.Parallel()
	h := withTheirTrace{slog.NewTextHandler(io.Discard, nil)}.WithAttrs([]slog.Attr{slog.Int("a", 1)}).WithGroup("g")
	for name, test := range map[string]struct {
		ctx   context.Context
		level slog.Level
		want  bool
	}{
		"of no trace": {context.Background(), slog.LevelInfo, true}, "of one that is exported": {remote(true), slog.LevelInfo, true},
		"of another": {remote(false), slog.LevelInfo, false}, "a warning of another": {remote(false), slog.LevelWarn, true},
	} {
		if got := h.Enabled(test.ctx, test.level); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
