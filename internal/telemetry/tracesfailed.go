package telemetry

import (
	"context"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Bounds of what is held back until it is known whether anything failed. For spans
// that failed themselves there is as much room again; above that they are lost too,
// and only the rest of their trace is exported.
const (
	heldPerTrace = 256
	heldInAll    = 16384
)

// keptFailed exports the spans that weren't sampled of every trace in which one
// ended in error, as far as the trace is this process's: all under one local root,
// which has no parent or one elsewhere. They are held until that root ends.
type keptFailed struct {
	next   sdktrace.SpanProcessor
	open   [16]openSpans // by the last byte of the span's id
	held   atomic.Int64
	atMost int64
}

// openSpans are spans that haven't ended, and which part of a trace each is of.
type openSpans struct {
	mu    sync.Mutex
	parts map[trace.SpanID]*part
}

// part is what one process has of a trace.
type part struct {
	root trace.SpanID

	mu     sync.Mutex
	held   []sdktrace.ReadOnlySpan
	failed bool
	over   bool // the root has ended
}

// keepFailed puts it before the processor that exports.
func keepFailed(next sdktrace.SpanProcessor) *keptFailed {
	k := &keptFailed{next: next, atMost: heldInAll}
	for i := range k.open {
		k.open[i].parts = map[trace.SpanID]*part{}
	}
	return k
}

func (k *keptFailed) spans(id trace.SpanID) *openSpans {
	return &k.open[id[len(id)-1]%byte(len(k.open))]
}

// OnStart implements sdktrace.SpanProcessor.
func (k *keptFailed) OnStart(ctx context.Context, s sdktrace.ReadWriteSpan) {
	k.next.OnStart(ctx, s)
	if s.SpanContext().IsSampled() {
		return
	}
	id, parent := s.SpanContext().SpanID(), s.Parent()
	var of *part
	if parent.IsValid() && !parent.IsRemote() {
		of = k.spans(parent.SpanID()).find(parent.SpanID())
	}
	if of == nil {
		of = &part{root: id}
	}
	k.spans(id).add(id, of)
}

// OnEnd implements sdktrace.SpanProcessor.
func (k *keptFailed) OnEnd(s sdktrace.ReadOnlySpan) {
	if s.SpanContext().IsSampled() {
		k.next.OnEnd(s)
		return
	}
	id := s.SpanContext().SpanID()
	of := k.spans(id).take(id)
	if of == nil {
		return
	}
	for _, kept := range k.end(of, s) {
		k.next.OnEnd(sampled{kept})
	}
}

// end takes a span that has ended into its part, and returns what is to be
// exported now.
func (k *keptFailed) end(of *part, s sdktrace.ReadOnlySpan) []sdktrace.ReadOnlySpan {
	of.mu.Lock()
	defer of.mu.Unlock()
	failed := s.Status().Code == codes.Error
	of.failed = of.failed || failed
	over := of.over || s.SpanContext().SpanID() == of.root
	switch {
	case over && !of.failed: // the ordinary end
		k.held.Add(-int64(len(of.held)))
		of.over, of.held = true, nil
		return nil
	case over:
		k.held.Add(-int64(len(of.held)))
		ready := append(of.held, s)
		of.over, of.held = true, nil
		return ready
	case k.room(of, failed):
		of.held = append(of.held, s)
	}
	return nil
}

// room takes the place of one more span of a part, if there is one.
func (k *keptFailed) room(of *part, failed bool) bool {
	perTrace, inAll := heldPerTrace, k.atMost
	if failed {
		perTrace, inAll = 2*perTrace, 2*inAll
	}
	if len(of.held) >= perTrace {
		return false
	}
	if k.held.Add(1) > inAll {
		k.held.Add(-1)
		return false
	}
	return true
}

// Shutdown implements sdktrace.SpanProcessor. What is still held is of traces that
// haven't ended.
func (k *keptFailed) Shutdown(ctx context.Context) error { return k.next.Shutdown(ctx) }

// ForceFlush implements sdktrace.SpanProcessor.
func (k *keptFailed) ForceFlush(ctx context.Context) error { return k.next.ForceFlush(ctx) }

func (o *openSpans) add(id trace.SpanID, of *part) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.parts[id] = of
}

func (o *openSpans) find(id trace.SpanID) *part {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.parts[id]
}

func (o *openSpans) take(id trace.SpanID) *part {
	o.mu.Lock()
	defer o.mu.Unlock()
	of := o.parts[id]
	delete(o.parts, id)
	return of
}

// sampled is a span that turned out to be worth exporting.
type sampled struct{ sdktrace.ReadOnlySpan }

// SpanContext implements sdktrace.ReadOnlySpan: exporters drop what isn't sampled.
func (s sampled) SpanContext() trace.SpanContext {
	c := s.ReadOnlySpan.SpanContext()
	return c.WithTraceFlags(c.TraceFlags().WithSampled(true))
}
