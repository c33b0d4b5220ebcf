package telemetry

import (
	"context"
	"log/slog"
	"sync/atomic"

	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// streak tells the log once that exporting has begun to fail, and once that it
// works again. It swallows the errors: the SDK would write each of them to the
// standard error by itself.
type streak struct {
	what    string
	logger  *slog.Logger
	failing atomic.Bool
}

func (s *streak) note(err error) {
	switch {
	case err != nil && !s.failing.Swap(true):
		s.logger.Warn(s.what+" can't be exported; they are lost until they can", "error", err)
	case err == nil && s.failing.Swap(false):
		s.logger.Info(s.what + " are exported again")
	}
}

type spanExporter struct {
	sdktrace.SpanExporter
	streak streak
}

// ExportSpans implements sdktrace.SpanExporter.
func (e *spanExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	e.streak.note(e.SpanExporter.ExportSpans(ctx, spans))
	return nil
}

type logExporter struct {
	sdklog.Exporter
	streak streak
}

// Export implements sdklog.Exporter.
func (e *logExporter) Export(ctx context.Context, records []sdklog.Record) error {
	e.streak.note(e.Exporter.Export(ctx, records))
	return nil
}
