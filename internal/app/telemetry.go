package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/telemetry"
	"github.com/crownsafe/api/internal/traffic"
)

// loggingPackages are those that log, by the names that levels are set for.
var loggingPackages = []string{
	"agency", "api", "app", "auth", "backup", "blob", "cache", "catalogue", "exports", "ingest", "mail", "photo", "ratelimit", "snapshot",
}

// seen is how others see what the program does: its log, its traces, its metrics
// and what was answered lately.
type seen struct {
	logger  *slog.Logger
	levels  *telemetry.Levels
	traces  *telemetry.Traces // nil: nobody takes any
	metrics *telemetry.Metrics
	traffic *traffic.Recorder
}

// see begins to log by the settings on top of a logger that writes, and to export
// where they say.
func see(cfg config.Config, writes *slog.Logger, version, instance string) (*seen, error) {
	levels, err := telemetry.NewLevels(loggingPackages, cfg.LogLevel, cfg.Traces.LogLevels)
	if err != nil {
		return nil, fmt.Errorf("CROWNSAFE_LOG_LEVELS cannot be used: %w", err)
	}
	s := &seen{levels: levels, metrics: newMetrics(cfg, version), traffic: &traffic.Recorder{}}
	written := telemetry.WithTraceIDs(s.traffic.Logged(writes.Handler(), telemetry.TraceKey))
	s.logger = slog.New(levels.Handler(written))
	if cfg.Traces.OTLPEndpoint == "" {
		return s, nil
	}
	headers, err := cfg.Traces.Headers()
	if err != nil {
		return nil, err
	}
	s.traces, err = telemetry.StartTraces(telemetry.TraceOptions{
		Endpoint: cfg.Traces.OTLPEndpoint, Headers: headers, Ratio: cfg.Traces.TraceRatio,
		Version: version, Environment: cfg.Environment, Instance: instance, Logger: s.of("app"),
	})
	if err != nil {
		return nil, err
	}
	s.logger = slog.New(levels.Handler(slog.NewMultiHandler(written, s.traces.Handler())))
	return s, nil
}

// of is the logger of a package, one of loggingPackages.
func (s *seen) of(pkg string) *slog.Logger { return s.logger.With(telemetry.PackageKey, pkg) }

// provider gives tracers; nil where nobody takes traces.
func (s *seen) provider() trace.TracerProvider {
	if s.traces == nil {
		return nil
	}
	return s.traces.Provider()
}

// tracer makes the program's own spans; nil where nobody takes them.
func (s *seen) tracer() trace.Tracer {
	if s.traces == nil {
		return nil
	}
	return s.traces.Provider().Tracer(telemetry.Scope)
}

// lastExport is how long the end of the program waits for what is still to be exported.
const lastExport = 3 * time.Second

// close exports what is left. That it can't be is in the log already, and fails nothing.
func (s *seen) close() {
	if s.traces == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastExport)
	defer cancel()
	if err := s.traces.Stop(ctx); err != nil {
		s.of("app").Warn("not every trace and log record was exported", "error", err)
	}
}

// store is a store that is seen: its operations are counted, and those that are
// part of a trace have a span each. Spans of single statements stand under it only
// where the database is a server: in a file most take less than their span would.
func (s *seen) store(st Store, backend string) Store {
	st = observeStore(st, observeQueries(s.metrics))
	tracer := s.tracer()
	if tracer == nil {
		return st
	}
	return observeStore(st, func(ctx context.Context, operation string) (context.Context, func(error)) {
		if !trace.SpanFromContext(ctx).IsRecording() {
			return ctx, func(error) {}
		}
		ctx, span := tracer.Start(ctx, "store "+operation, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			attribute.String("db.system.name", backend), attribute.String("db.operation.name", operation)))
		return ctx, func(err error) {
			if databaseFailed(err) {
				span.RecordError(err)
				span.SetStatus(codes.Error, "")
			}
			span.End()
		}
	})
}
