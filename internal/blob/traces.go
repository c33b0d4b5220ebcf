package blob

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// span begins the span of an operation, which ends with how it went: that there
// is no such object, or one already, is an answer and no error.
func (g *Guarded) span(ctx context.Context, operation string) (context.Context, func(err error)) {
	if g.options.Tracer == nil || !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, func(error) {}
	}
	ctx, span := g.options.Tracer.Start(ctx, "blob "+operation, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("crownsafe.blob.backend", g.options.Backend), attribute.String("crownsafe.blob.operation", operation)))
	return ctx, func(err error) {
		if err != nil && (!answered(err) || errors.Is(err, ErrDenied) || errors.Is(err, ErrFull) || errors.Is(err, ErrReadOnly)) {
			span.RecordError(err)
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// traceparent is the name of the one field of W3C Trace Context that tells which
// span something was done in.
const traceparent = "traceparent"

// causeOf is the span of a context, as a traceparent; empty: there is none.
func causeOf(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[traceparent]
}

// span begins the span of an attempt at an upload.
func (u *Uploads) span(ctx context.Context, upload *Upload) (context.Context, func(err error)) {
	if u.options.Tracer == nil {
		return ctx, func(error) {}
	}
	carrier := propagation.MapCarrier{traceparent: upload.file.Cause}
	cause := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier))
	options := []trace.SpanStartOption{trace.WithAttributes(attribute.Int("crownsafe.attempt", upload.attempts))}
	if cause.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: cause}))
	}
	ctx, span := u.options.Tracer.Start(ctx, "upload", options...)
	return ctx, func(err error) {
		if err != nil && !errors.Is(err, ErrExists) {
			span.RecordError(err)
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}
