package api

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// trace continues the caller's trace, or begins one: with a span where somebody
// takes traces, with ids alone otherwise. Whether a trace that a caller wants
// recorded is exported is the tracer's to say: anybody can ask for that.
func (s *service) trace(x *exchange, r *http.Request) {
	from := callersSpan(r.Header)
	if s.Tracer == nil {
		x.at = ownSpan(from)
		x.traceID = x.at.TraceID().String()
		return
	}
	ctx := r.Context()
	if from.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, from)
	}
	_, x.span = s.Tracer.Start(ctx, r.Method, trace.WithSpanKind(trace.SpanKindServer))
	x.at = x.span.SpanContext()
	x.traceID = x.at.TraceID().String()
}

// callersSpan reads the W3C Trace Context of a request; invalid: it has none.
func callersSpan(h http.Header) trace.SpanContext {
	given := h["Traceparent"]
	if len(given) != 1 {
		return trace.SpanContext{}
	}
	id, parent, flags, ok := parseTraceparent(given[0])
	if !ok {
		return trace.SpanContext{}
	}
	config := trace.SpanContextConfig{Remote: true}
	config.TraceID, _ = trace.TraceIDFromHex(id) // it was found to be right
	config.SpanID, _ = trace.SpanIDFromHex(parent)
	bits, _ := strconv.ParseUint(flags, 16, 8)
	config.TraceFlags = trace.TraceFlags(bits) & trace.FlagsSampled // the others aren't ours to pass on
	if states := h["Tracestate"]; len(states) == 1 {
		config.TraceState, _ = trace.ParseTraceState(states[0]) // an invalid one is none
	}
	return trace.NewSpanContext(config)
}

// ownSpan makes the ids of a span that nobody takes.
func ownSpan(from trace.SpanContext) trace.SpanContext {
	config := trace.SpanContextConfig{TraceID: from.TraceID(), TraceFlags: from.TraceFlags(), TraceState: from.TraceState()}
	if !from.IsValid() {
		config.TraceID = newTraceID()
	}
	binary.BigEndian.PutUint64(config.SpanID[:], rand.Uint64()|1)
	return trace.NewSpanContext(config)
}

// remembers tells the span that the answer is one from before, and its verdict if
// it is one.
func (x *exchange) remembers(k *kept) {
	if x.span == nil || !x.at.IsSampled() {
		return
	}
	x.span.SetAttributes(attribute.Bool("crownsafe.remembered", true))
	if k.verdict != "" {
		x.span.SetAttributes(attribute.String("crownsafe.verdict", string(k.verdict)))
	}
}

// spanned puts the request's span into a context.
func (x *exchange) spanned(ctx context.Context) context.Context {
	if x.span != nil {
		return trace.ContextWithSpan(ctx, x.span)
	}
	return trace.ContextWithSpanContext(ctx, x.at)
}

// end ends the request's span. By the semantic conventions for HTTP servers only
// what is the server's fault is an error.
func (x *exchange) end(r *http.Request, status int, size int64) {
	if x.span == nil {
		return
	}
	defer x.span.End()
	if !x.span.IsRecording() {
		return
	}
	path := x.route[strings.IndexByte(x.route, ' ')+1:] // most patterns begin with the method
	if path != "" {
		x.span.SetName(r.Method + " " + path)
	}
	x.span.SetAttributes(
		attribute.String("http.request.method", r.Method), attribute.String("http.route", cmp.Or(path, "none")),
		attribute.Int("http.response.status_code", status), attribute.Int64("http.response.body.size", size),
		attribute.String("crownsafe.request_id", x.requestID), attribute.String("crownsafe.caller", x.caller.Name()))
	if status >= http.StatusInternalServerError {
		x.span.SetStatus(codes.Error, http.StatusText(status))
	}
}

// panicked records a panic on the request's span, as an exception.
func (x *exchange) panicked(v any, stack string) {
	if x.span == nil {
		return
	}
	x.span.SetStatus(codes.Error, "panic")
	x.span.AddEvent("exception", trace.WithAttributes(
		attribute.String("exception.type", "panic"), attribute.String("exception.message", fmt.Sprint(v)), attribute.String("exception.stacktrace", stack)))
}

// network is what the log may know of a client's address: the first 24 bits of an
// IPv4 address, 48 of an IPv6 one.
func network(address netip.Addr) string {
	address = address.Unmap().WithZone("")
	bits := 48
	if address.Is4() {
		bits = 24
	}
	prefix, err := address.Prefix(bits)
	if err != nil || !prefix.IsValid() { // there is no address
		return "unknown"
	}
	return prefix.String()
}

const zeroTraceID = "00000000000000000000000000000000"

// parseTraceparent reads a traceparent header by the rules of W3C Trace Context
// level 1, section 3.2: lower-case hexadecimal, version ff and all-zero ids are
// invalid, and a higher version may carry more after the flags.
func parseTraceparent(h string) (traceID, parent, flags string, ok bool) {
	const length = 2 + 1 + 32 + 1 + 16 + 1 + 2
	if len(h) < length || h[2] != '-' || h[35] != '-' || h[52] != '-' {
		return "", "", "", false
	}
	version, traceID, parent, flags := h[:2], h[3:35], h[36:52], h[53:55]
	if !lowerHex(version) || !lowerHex(traceID) || !lowerHex(parent) || !lowerHex(flags) || version == "ff" {
		return "", "", "", false
	}
	if len(h) > length && (version == "00" || h[length] != '-') {
		return "", "", "", false
	}
	if traceID == zeroTraceID || parent == zeroTraceID[:16] {
		return "", "", "", false
	}
	return traceID, parent, flags, true
}

func lowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// newTraceID makes a random trace id. It only has to be unique, not secret.
func newTraceID() (id trace.TraceID) {
	binary.BigEndian.PutUint64(id[:8], rand.Uint64()|1)
	binary.BigEndian.PutUint64(id[8:], rand.Uint64())
	return id
}
