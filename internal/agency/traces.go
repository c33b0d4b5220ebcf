package agency

import (
	"context"
	"errors"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// tracedTransport makes a span of each request to an agency and sends its trace
// along (W3C Trace Context). Of the address the span has no more than host and
// path: queries and fields may hold a key.
type tracedTransport struct {
	next   http.RoundTripper
	tracer trace.Tracer
}

// traced puts spans around a transport; a nil tracer makes none.
func traced(next http.RoundTripper, tracer trace.Tracer) http.RoundTripper {
	if tracer == nil {
		return next
	}
	return &tracedTransport{next, tracer}
}

// RoundTrip implements http.RoundTripper. The span ends with the headers.
func (t *tracedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, span := t.tracer.Start(r.Context(), r.Method, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("http.request.method", r.Method), attribute.String("server.address", r.URL.Hostname()),
		attribute.String("url.full", r.URL.Scheme+"://"+r.URL.Host+r.URL.EscapedPath())))
	defer span.End()
	r = r.Clone(ctx)
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(r.Header))
	response, err := t.next.RoundTrip(r)
	if err != nil {
		span.SetStatus(codes.Error, "no answer")
		span.SetAttributes(attribute.String("error.type", errorType(err)))
		return nil, err
	}
	span.SetAttributes(attribute.Int("http.response.status_code", response.StatusCode))
	if response.StatusCode >= http.StatusBadRequest {
		span.SetStatus(codes.Error, "")
	}
	return response, nil
}

// errorType is a word for what went wrong; the text of the error has the address.
func errorType(err error) string {
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "connection"
}
