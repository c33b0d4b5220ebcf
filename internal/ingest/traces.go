package ingest

import (
	"cmp"
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/crownsafe/api/internal/store"
)

// span begins a step of a run.
func (r *Runner) span(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	return cmp.Or[trace.Tracer](r.Tracer, noop.Tracer{}).Start(ctx, name, options...)
}

// runSpan begins the span of a whole run: ingest poll, ingest replay.
func (r *Runner) runSpan(ctx context.Context, kind store.RunKind, agency string) (context.Context, trace.Span) {
	return r.span(ctx, "ingest "+string(kind), trace.WithAttributes(
		attribute.String("crownsafe.agency", agency), attribute.String("crownsafe.run.kind", string(kind))))
}

// endRun ends it with what came of the run.
func endRun(span trace.Span, run *store.Run, err error) {
	sum := Tally{
		Read: run.Read, Added: run.Added, Revised: run.Revised, Unchanged: run.Unchanged, Older: run.Older, Rejected: run.Rejected, Withdrawn: run.Withdrawn,
	}
	endSpan(span, err, append(tallied(sum), attribute.String("crownsafe.run.state", string(run.State)))...)
}

// endSpan ends a span. A stop that was asked for, and an agency that another
// process is at, are no errors.
func endSpan(span trace.Span, err error, attributes ...attribute.KeyValue) {
	span.SetAttributes(attributes...)
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, ErrElsewhere) && !errors.Is(err, errStopped) {
		span.RecordError(err)
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

func tallied(t Tally) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.Int("crownsafe.records.read", t.Read), attribute.Int("crownsafe.records.added", t.Added),
		attribute.Int("crownsafe.records.revised", t.Revised), attribute.Int("crownsafe.records.unchanged", t.Unchanged),
		attribute.Int("crownsafe.records.older", t.Older), attribute.Int("crownsafe.records.rejected", t.Rejected),
		attribute.Int("crownsafe.records.withdrawn", t.Withdrawn),
	}
}

// traceparent is the field of W3C Trace Context that names a span.
const traceparent = "traceparent"

// causeOf names the span of a context; empty: there is none.
func causeOf(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[traceparent]
}

// span begins the span of settling what was kept in another.
func (d *Deferred) span(ctx context.Context, cause string) (context.Context, trace.Span) {
	from := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{traceparent: cause}))
	var options []trace.SpanStartOption
	if from.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: from}))
	}
	return cmp.Or[trace.Tracer](d.Tracer, noop.Tracer{}).Start(ctx, "ingest settle", options...)
}
