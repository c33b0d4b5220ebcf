package program

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	logsv1 "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	wire "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/crownsafe/api/internal/testenv"
)

// Receiver is an OTLP receiver over HTTP that keeps what comes; see
// https://opentelemetry.io/docs/specs/otlp/.
type Receiver struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex
	spans   []Span
	records []Record
	raw     []byte // all that came, unpacked
}

// Span is one span that was received.
type Span struct {
	Trace, ID, Parent, Name string
	Kind                    wire.Span_SpanKind
	Failed                  bool
	Attributes, Resource    map[string]any // strings, int64, float64, bool, []string
	Links                   []string       // trace and span id, with a hyphen
	Exceptions              []map[string]any
}

// Record is one log record that was received.
type Record struct {
	Trace, Span, Body, Severity string
	Attributes                  map[string]any
}

// StartReceiver starts one until the test ends.
func StartReceiver(t *testing.T) *Receiver {
	t.Helper()
	r := &Receiver{t: t}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", func(w http.ResponseWriter, req *http.Request) {
		var m tracev1.ExportTraceServiceRequest
		if r.read(w, req, &m) {
			r.takeSpans(&m)
		}
	})
	mux.HandleFunc("POST /v1/logs", func(w http.ResponseWriter, req *http.Request) {
		var m logsv1.ExportLogsServiceRequest
		if r.read(w, req, &m) {
			r.takeRecords(&m)
		}
	})
	r.Server = httptest.NewServer(mux)
	t.Cleanup(r.Close)
	return r
}

// Setting names the receiver to the program.
func (r *Receiver) Setting() string { return "CROWNSAFE_OTLP_ENDPOINT=" + r.URL }

func (r *Receiver) read(w http.ResponseWriter, req *http.Request, into proto.Message) bool {
	var body io.Reader = req.Body
	if req.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			r.t.Errorf("what was exported is no gzip: %v", err)
			return false
		}
		body = unpacked
	}
	raw, err := io.ReadAll(body)
	if err == nil {
		err = proto.Unmarshal(raw, into)
	}
	if err != nil {
		r.t.Errorf("what was exported to %s can't be read: %v", req.URL.Path, err)
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.raw = append(append(r.raw, raw...), '\n')
	w.Header().Set("Content-Type", "application/x-protobuf")
	return true
}

func (r *Receiver) takeSpans(m *tracev1.ExportTraceServiceRequest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, of := range m.ResourceSpans {
		for _, scope := range of.ScopeSpans {
			for _, s := range scope.Spans {
				span := Span{
					Trace: hex.EncodeToString(s.TraceId), ID: hex.EncodeToString(s.SpanId), Parent: hex.EncodeToString(s.ParentSpanId), Name: s.Name,
					Kind: s.Kind, Failed: s.GetStatus().GetCode() == wire.Status_STATUS_CODE_ERROR,
					Attributes: attributes(s.Attributes), Resource: attributes(of.GetResource().GetAttributes()),
				}
				for _, l := range s.Links {
					span.Links = append(span.Links, hex.EncodeToString(l.TraceId)+"-"+hex.EncodeToString(l.SpanId))
				}
				for _, e := range s.Events {
					if e.Name == "exception" {
						span.Exceptions = append(span.Exceptions, attributes(e.Attributes))
					}
				}
				r.spans = append(r.spans, span)
			}
		}
	}
}

func (r *Receiver) takeRecords(m *logsv1.ExportLogsServiceRequest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, of := range m.ResourceLogs {
		for _, scope := range of.ScopeLogs {
			for _, l := range scope.LogRecords {
				r.records = append(r.records, Record{
					Trace: hex.EncodeToString(l.TraceId), Span: hex.EncodeToString(l.SpanId), Body: l.GetBody().GetStringValue(),
					Severity: l.SeverityText, Attributes: attributes(l.Attributes),
				})
			}
		}
	}
}

func attributes(list []*common.KeyValue) map[string]any {
	m := map[string]any{}
	for _, kv := range list {
		m[kv.Key] = value(kv.Value)
	}
	return m
}

func value(v *common.AnyValue) any {
	switch v := v.GetValue().(type) {
	case *common.AnyValue_StringValue:
		return v.StringValue
	case *common.AnyValue_IntValue:
		return v.IntValue
	case *common.AnyValue_DoubleValue:
		return v.DoubleValue
	case *common.AnyValue_BoolValue:
		return v.BoolValue
	case *common.AnyValue_ArrayValue:
		list := []string{}
		for _, e := range v.ArrayValue.Values {
			list = append(list, e.GetStringValue())
		}
		return list
	}
	return nil
}

// Spans returns those that came so far.
func (r *Receiver) Spans() []Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.spans)
}

// Records returns the log records that came so far.
func (r *Receiver) Records() []Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.records)
}

// Raw returns everything that came, as it came but unpacked.
func (r *Receiver) Raw() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return string(r.raw)
}

// Trace waits until the spans of a trace have come with one of a name among them
// that has no parent here, and returns them as a tree.
func (r *Receiver) Trace(id, root string) *Tree {
	r.t.Helper()
	var tree *Tree
	testenv.Eventually(r.t, Patience, "the span "+root+" of trace "+id+" is exported", func() bool {
		tree = r.tree(func(s *Span) bool { return s.Trace == id && s.Name == root })
		return tree != nil
	})
	return tree
}

// First is Trace of the first root of a name that passes, whatever its trace.
func (r *Receiver) First(root string, passes func(s *Span) bool) *Tree {
	r.t.Helper()
	var tree *Tree
	testenv.Eventually(r.t, Patience, "a span "+root+" is exported", func() bool {
		tree = r.tree(func(s *Span) bool { return s.Name == root && passes(s) })
		return tree != nil
	})
	return tree
}

// Tree is a span with those under it, in the order in which they came.
type Tree struct {
	Span
	Under []*Tree
}

func (r *Receiver) tree(root func(s *Span) bool) *Tree {
	spans := r.Spans()
	at := slices.IndexFunc(spans, func(s Span) bool { return root(&s) })
	if at < 0 {
		return nil
	}
	return under(spans, spans[at])
}

func under(spans []Span, s Span) *Tree {
	t := &Tree{Span: s}
	for _, child := range spans {
		if child.Trace == s.Trace && child.Parent == s.ID {
			t.Under = append(t.Under, under(spans, child))
		}
	}
	return t
}

// Find returns the span at a path of names below this one; nil: there is none.
func (t *Tree) Find(path ...string) *Tree {
	if len(path) == 0 {
		return t
	}
	for _, child := range t.Under {
		if child.Name == path[0] {
			if found := child.Find(path[1:]...); found != nil {
				return found
			}
		}
	}
	return nil
}

// String draws the tree, a name a line.
func (t *Tree) String() string {
	var b strings.Builder
	t.draw(&b, 0)
	return b.String()
}

func (t *Tree) draw(b *strings.Builder, depth int) {
	b.WriteString(strings.Repeat("  ", depth) + t.Name)
	if t.Failed {
		b.WriteString(" (failed)")
	}
	b.WriteByte('\n')
	for _, child := range t.Under {
		child.draw(b, depth+1)
	}
}
