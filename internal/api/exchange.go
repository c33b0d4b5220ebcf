package api

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/trace"

	"github.com/crownsafe/api/internal/auth"
	"github.com/crownsafe/api/internal/traffic"
)

// exchange is what there is to know of one request while it is answered.
type exchange struct {
	requestID string
	traceID   string
	at        trace.SpanContext // the request's span, made or not
	span      trace.Span        // nil: nobody takes traces
	uri       string            // as sent; names the answer in the cache
	instance  string            // the path for problem documents
	route     string            // the pattern that matched, once it is known
	wants     string            // If-None-Match
	agent     string            // what the client calls itself
	started   time.Time
	code      string // of the problem that was answered, if it was one
	endless   bool   // it is answered for as long as somebody listens

	address netip.Addr  // of the client; the zero value where it has none
	caller  auth.Caller // who it is, by what was shown
	asked   bool        // who it is was asked
	guessed bool        // and the store was needed for it, for it was nobody known
	refused *Problem    // what to answer because of that, whatever is asked for
	doubt   *Problem    // why that couldn't be told; nil: it could
	header  http.Header // of the answer
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

// Header values that never change are shared between answers.
var (
	jsonType    = []string{"application/json"}
	readCaching = []string{"public, max-age=0, stale-if-error=86400"}
)

// ServeHTTP names a request and answers it, and logs what became of it.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := s.begin(w.Header(), r)
	s.secure(w.Header(), r)
	if s.origins != nil && strings.HasPrefix(r.URL.Path, "/api/") {
		s.acrossOrigins(w, r, x)
		return
	}
	s.answer(w, r, x)
}

// answer answers from memory where it can, once it is known who asks and that they
// may; else it routes the request.
func (s *service) answer(w http.ResponseWriter, r *http.Request, x *exchange) {
	if x.span != nil { // what is asked to know the caller is part of the trace
		r = r.WithContext(x.spanned(r.Context()))
	}
	if e := s.remembered(r); e != nil {
		s.whoCalls(w.Header(), r, x, forAnybody)
		if x.refused == nil {
			x.refused = s.charge(r.Context(), w.Header(), x, lookups, 1)
		}
		if x.refused == nil {
			status, size := e.send(w, r, x.wants)
			s.given(e.verdict, r, status)
			x.route = e.route
			x.remembers(e)
			s.log(r, x, status, size)
			return
		}
	}
	rec := &recorder{ResponseWriter: w}
	r = r.WithContext(context.WithValue(x.spanned(r.Context()), exchangeKey{}, x))
	defer s.finish(rec, r, x)
	s.route(rec, r)
}

// begin names the request and sets the headers that every answer carries.
func (s *service) begin(h http.Header, r *http.Request) *exchange {
	x := &exchange{
		header: h, uri: r.RequestURI, agent: r.UserAgent(), started: s.Now(), caller: auth.Nobody, address: s.Proxies.client(r),
		wants: strings.Join(r.Header["If-None-Match"], ","),
	}
	x.instance = cutPath(r.URL.EscapedPath())
	if x.requestID = r.Header.Get("X-Request-Id"); !saneID(x.requestID) {
		x.requestID = uuid.Must(uuid.NewV7()).String()
	}
	s.trace(x, r)
	h["X-Request-Id"] = []string{x.requestID}
	h["Traceparent"] = []string{"00-" + x.traceID + "-" + x.at.SpanID().String() + "-" + x.at.TraceFlags().String()}
	return x
}

// cutPath cuts a long escaped path for a problem document, never within an escape.
func cutPath(path string) string {
	const most = 200
	if len(path) <= most {
		return path
	}
	path = path[:most]
	if i := strings.LastIndexByte(path, '%'); i > most-3 {
		path = path[:i]
	}
	return path
}

// saneID reports whether a caller's request id can be repeated in headers and logs.
func saneID(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// finish turns a panic into a 500 and logs the request.
func (s *service) finish(rec *recorder, r *http.Request, x *exchange) {
	if v := recover(); v != nil {
		if v == http.ErrAbortHandler {
			panic(v)
		}
		stack := string(debug.Stack())
		s.Logger.LogAttrs(r.Context(), slog.LevelError, "panic while answering",
			slog.String("panic", fmt.Sprint(v)), slog.String("route", x.route), slog.String("request_id", x.requestID),
			slog.String("trace_id", x.traceID), slog.String("stack", stack))
		x.panicked(v, stack)
		if rec.status != 0 {
			// Part of an answer is on its way: the client must see that it is cut off.
			s.log(r, x, rec.status, rec.size)
			panic(http.ErrAbortHandler)
		}
		s.fail(rec, r, newProblem(codeInternal, kindOf(codeInternal).Meaning))
	}
	s.log(r, x, rec.status, rec.size)
}

// fail writes an error: a page for a browser on a path of the pages, else the
// problem document.
func (s *service) fail(w http.ResponseWriter, r *http.Request, p *Problem) {
	if s.Pages != nil && !strings.HasPrefix(r.URL.Path, "/api/") && strings.Contains(r.Header.Get("Accept"), "text/html") {
		for name, values := range p.header {
			w.Header()[name] = values
		}
		s.Pages.Error(w, r, p.Status, exchangeOf(r.Context()).requestID)
		return
	}
	p.send(w, r)
}

// log ends the request's span, tells the observer of the request and writes the
// access log's line. All have the route and never the path or the query, which may
// hold what somebody owns, and of the client's address no more than its network.
func (s *service) log(r *http.Request, x *exchange, status int, size int64) {
	defer x.end(r, status, size)
	s.observe(r, x, x.route, status)
	s.count(x, x.route, status)
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	ctx := r.Context()
	if !s.Logger.Enabled(ctx, level) {
		return
	}
	if s.Tracer != nil { // who exports the line wants to know its span
		ctx = x.spanned(ctx)
	}
	s.Logger.LogAttrs(ctx, level, traffic.AccessMessage,
		slog.String("method", r.Method), slog.String("route", cmp.Or(x.route, "none")), slog.Int("status", status), slog.Int64("bytes", size),
		slog.Float64("duration_ms", float64(s.Now().Sub(x.started).Microseconds())/1000),
		slog.String("request_id", x.requestID), slog.String("trace_id", x.traceID), slog.String("caller", x.caller.Name()), slog.String("remote", network(x.address)))
}

// recorder remembers what was sent.
type recorder struct {
	http.ResponseWriter
	status int
	size   int64
}

func (rec *recorder) WriteHeader(status int) {
	if rec.status == 0 && status >= http.StatusOK {
		rec.status = status
	}
	rec.ResponseWriter.WriteHeader(status)
}

func (rec *recorder) Write(b []byte) (int, error) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	n, err := rec.ResponseWriter.Write(b)
	rec.size += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }
