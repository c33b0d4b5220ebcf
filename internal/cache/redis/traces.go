package redis

import (
	"context"
	"errors"
	"net"

	driver "github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// spans is a hook of the driver's that makes a span of each command or pipeline
// whose context has one. The driver's own hook for that renders every command with
// its values before it looks whether anybody wants them; keys and values hold what
// was asked, and here no span ever sees one.
type spans struct{ tracer trace.Tracer }

// DialHook belongs to the driver's interface: connections are made beside calls.
func (spans) DialHook(next driver.DialHook) driver.DialHook {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		return next(ctx, network, address)
	}
}

// ProcessHook makes a span of a command.
func (h spans) ProcessHook(next driver.ProcessHook) driver.ProcessHook {
	return func(ctx context.Context, command driver.Cmder) error {
		ctx, span := h.start(ctx, command.Name(), 1)
		err := next(ctx, command)
		end(span, err)
		return err
	}
}

// ProcessPipelineHook makes a span of a pipeline.
func (h spans) ProcessPipelineHook(next driver.ProcessPipelineHook) driver.ProcessPipelineHook {
	return func(ctx context.Context, commands []driver.Cmder) error {
		ctx, span := h.start(ctx, "pipeline", len(commands))
		err := next(ctx, commands)
		end(span, err)
		return err
	}
}

func (h spans) start(ctx context.Context, operation string, commands int) (context.Context, trace.Span) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, trace.SpanFromContext(context.Background())
	}
	return h.tracer.Start(ctx, "redis "+operation, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("db.system.name", "redis"), attribute.String("db.operation.name", operation), attribute.Int("db.operation.batch.size", commands)))
}

func end(span trace.Span, err error) {
	if err != nil && !errors.Is(err, driver.Nil) {
		span.RecordError(err)
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
