package telemetry

import (
	"math/rand/v2"
	"sync"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// callersPerSecond is how many traces a second are exported because a caller asks
// for it.
const callersPerSecond = 10

// sampler decides which spans are exported. It drops none that may belong to a
// trace in which something fails: what isn't exported for certain is recorded all
// the same, and keptFailed decides at the end of its local part of the trace.
//
// A span within the process goes with its parent. A trace that begins here is
// exported by chance, by the ratio. A caller's trace is continued whoever the
// caller is, so its sampled flag comes from anybody: it is heard for a few traces
// a second, beyond which the ratio decides. The caller's trace id has no say in
// that, for it could be chosen.
//
// A client's span without a parent is dropped: it is the housekeeping of a
// connection, several times a second, and no part of any work.
type sampler struct {
	ratio   float64
	begun   sdktrace.Sampler
	callers allowance
}

func newSampler(ratio float64) *sampler {
	return &sampler{ratio: ratio, begun: sdktrace.TraceIDRatioBased(ratio), callers: allowance{most: callersPerSecond}}
}

// ShouldSample implements sdktrace.Sampler.
func (s *sampler) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	parent := trace.SpanContextFromContext(p.ParentContext)
	result := sdktrace.SamplingResult{Decision: sdktrace.RecordOnly, Tracestate: parent.TraceState()}
	switch {
	case !parent.IsValid() && p.Kind == trace.SpanKindClient:
		result.Decision = sdktrace.Drop
	case !parent.IsValid():
		if s.begun.ShouldSample(p).Decision == sdktrace.RecordAndSample {
			result.Decision = sdktrace.RecordAndSample
		}
	case !parent.IsRemote() && !trace.SpanFromContext(p.ParentContext).IsRecording():
		result.Decision = sdktrace.Drop
	case !parent.IsSampled():
	case !parent.IsRemote(), s.callers.take(time.Now()), rand.Float64() < s.ratio: //nolint:gosec // chance, no secret
		result.Decision = sdktrace.RecordAndSample
	}
	return result
}

// Description implements sdktrace.Sampler.
func (s *sampler) Description() string { return "crownsafe" }

// allowance lets so many pass in each second.
type allowance struct {
	most int

	mu     sync.Mutex
	second int64
	taken  int
}

func (a *allowance) take(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if second := now.Unix(); second != a.second {
		a.second, a.taken = second, 0
	}
	a.taken++
	return a.taken <= a.most
}
