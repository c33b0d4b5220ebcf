package catalogue

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// follower is what spans of following the store need.
type follower struct {
	tracer trace.Tracer

	mu     sync.Mutex
	causes map[trace.SpanID]cause
	last   trace.SpanContext
}

// cause is a span in which notices are stored.
type cause struct {
	span trace.SpanContext
	at   time.Time
}

const (
	// causeAge is how long a span may have stored something that is followed now.
	causeAge = 10 * time.Second
	// mostCauses bounds those that are remembered, and so the links of a span.
	mostCauses = 32
)

// Trace makes a span whenever Follow takes changes over, linked to those in which
// they were stored as far as Cause knows of them. It is called before first use.
func (c *Catalogue) Trace(tracer trace.Tracer) {
	c.following = &follower{tracer: tracer, causes: map[trace.SpanID]cause{}}
}

// Cause notes the span of a context in which notices are being stored.
func (c *Catalogue) Cause(ctx context.Context) {
	f, span := c.following, trace.SpanContextFromContext(ctx)
	if f == nil || !span.IsValid() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.causes) < mostCauses {
		f.causes[span.SpanID()] = cause{span, time.Now()}
	}
}

// Followed is the span in which changes were last taken over; invalid: there was none.
func (c *Catalogue) Followed() trace.SpanContext {
	if c.following == nil {
		return trace.SpanContext{}
	}
	c.following.mu.Lock()
	defer c.following.mu.Unlock()
	return c.following.last
}

// followed takes changes over, within a span.
func (c *Catalogue) followed(ctx context.Context, serial int64, take func(ctx context.Context) error) error {
	f := c.following
	if f == nil {
		return take(ctx)
	}
	ctx, span := f.tracer.Start(ctx, "catalogue follow", trace.WithLinks(f.take()...), trace.WithAttributes(
		attribute.Int64("crownsafe.serial.from", c.Current().Serial()), attribute.Int64("crownsafe.serial.to", serial)))
	defer span.End()
	err := take(ctx)
	if err != nil && ctx.Err() == nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, "")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = span.SpanContext()
	return err
}

// take returns links to the causes that there are, and forgets them.
func (f *follower) take() []trace.Link {
	f.mu.Lock()
	defer f.mu.Unlock()
	var links []trace.Link
	for _, cause := range f.causes {
		if time.Since(cause.at) < causeAge {
			links = append(links, trace.Link{SpanContext: cause.span})
		}
	}
	clear(f.causes)
	return links
}
