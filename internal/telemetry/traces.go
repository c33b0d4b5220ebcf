package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Scope is the instrumentation scope of the program's own spans and log records.
const Scope = "github.com/crownsafe/api"

// What an export costs at most. A receiver that doesn't answer fills the queues
// and then loses what is new; nobody ever waits for it but the end of the program.
const (
	exportTimeout = 5 * time.Second        // of one attempt
	exportEvery   = time.Second            // how long a span or a record waits for others
	exportRetries = 10 * time.Second       // of one batch, all attempts together
	firstRetry    = 500 * time.Millisecond // after the first attempt; later ones wait longer
	longestRetry  = 5 * time.Second        // how long is waited between two attempts at most
	queuedSpans   = 4096
	queuedRecords = 4096
)

// TraceOptions say where traces and logs go. Endpoint and Logger are required.
type TraceOptions struct {
	// Endpoint is the base address of an OTLP receiver over HTTP, such as
	// http://collector:4318: spans go to /v1/traces under it, logs to /v1/logs.
	Endpoint string
	// Headers are sent along, such as an authorisation.
	Headers map[string]string
	// Ratio is the share of traces that are exported, 0 to 1, besides those in
	// which something failed: these always are.
	Ratio float64
	// Version, Environment and Instance describe the process.
	Version, Environment, Instance string
	// Logger hears, once per streak, that nothing can be exported. It must not
	// export itself.
	Logger *slog.Logger
}

// Traces exports spans and log records over OTLP/HTTP, in the background.
type Traces struct {
	client *http.Client
	spans  *sdktrace.TracerProvider
	logs   *sdklog.LoggerProvider
}

// StartTraces gets ready to export. It asks nothing of the receiver, which needn't
// be there. Whoever starts it calls Stop.
func StartTraces(o TraceOptions) (*Traces, error) {
	t := &Traces{client: &http.Client{Timeout: exportTimeout, Transport: http.DefaultTransport.(*http.Transport).Clone()}}
	base := strings.TrimRight(o.Endpoint, "/")
	again := otlptracehttp.RetryConfig{Enabled: true, InitialInterval: firstRetry, MaxInterval: longestRetry, MaxElapsedTime: exportRetries}
	// With clients of our own an exporter connects to nothing before its first batch.
	spans, err := otlptracehttp.New(context.Background(),
		otlptracehttp.WithEndpointURL(base+"/v1/traces"), otlptracehttp.WithHeaders(o.Headers), otlptracehttp.WithHTTPClient(t.client),
		otlptracehttp.WithRetry(again))
	if err != nil {
		return nil, fmt.Errorf("preparing the export of traces: %w", err)
	}
	records, err := otlploghttp.New(context.Background(),
		otlploghttp.WithEndpointURL(base+"/v1/logs"), otlploghttp.WithHeaders(o.Headers), otlploghttp.WithHTTPClient(t.client),
		otlploghttp.WithRetry(otlploghttp.RetryConfig(again)))
	if err != nil {
		return nil, fmt.Errorf("preparing the export of logs: %w", err)
	}
	described := resource.NewSchemaless(
		attribute.String("service.name", "crownsafe"), attribute.String("service.version", o.Version),
		attribute.String("service.instance.id", o.Instance), attribute.String("deployment.environment.name", o.Environment),
	)
	batches := sdktrace.NewBatchSpanProcessor(&spanExporter{SpanExporter: spans, streak: streak{what: "traces", logger: o.Logger}},
		sdktrace.WithBatchTimeout(exportEvery), sdktrace.WithMaxQueueSize(queuedSpans), sdktrace.WithExportTimeout(exportRetries+exportTimeout))
	t.spans = sdktrace.NewTracerProvider(
		sdktrace.WithResource(described), sdktrace.WithSampler(newSampler(o.Ratio)), sdktrace.WithSpanProcessor(keepFailed(batches)))
	t.logs = sdklog.NewLoggerProvider(sdklog.WithResource(described), sdklog.WithProcessor(sdklog.NewBatchProcessor(
		&logExporter{Exporter: records, streak: streak{what: "logs", logger: o.Logger}},
		sdklog.WithExportInterval(exportEvery), sdklog.WithMaxQueueSize(queuedRecords), sdklog.WithExportTimeout(exportRetries+exportTimeout))))
	return t, nil
}

// Provider gives tracers whose spans are exported.
func (t *Traces) Provider() trace.TracerProvider { return t.spans }

// Handler exports log records, each with the trace of its context. Those of a trace
// that isn't sampled go with it, unless they are warnings or errors.
func (t *Traces) Handler() slog.Handler {
	return withTheirTrace{otelslog.NewHandler(Scope, otelslog.WithLoggerProvider(t.logs))}
}

type withTheirTrace struct{ slog.Handler }

func (h withTheirTrace) Enabled(ctx context.Context, level slog.Level) bool {
	if level < slog.LevelWarn {
		if at := trace.SpanContextFromContext(ctx); at.IsValid() && !at.IsSampled() {
			return false
		}
	}
	return h.Handler.Enabled(ctx, level)
}

func (h withTheirTrace) WithAttrs(attrs []slog.Attr) slog.Handler {
	return withTheirTrace{h.Handler.WithAttrs(attrs)}
}

func (h withTheirTrace) WithGroup(name string) slog.Handler {
	return withTheirTrace{h.Handler.WithGroup(name)}
}

// Stop exports what is left, until ctx ends, and ends the exporting.
func (t *Traces) Stop(ctx context.Context) error {
	var spans, logs error
	var wg sync.WaitGroup // side by side: the time that there is serves both
	wg.Go(func() { spans = t.spans.Shutdown(ctx) })
	wg.Go(func() { logs = t.logs.Shutdown(ctx) })
	wg.Wait()
	t.client.CloseIdleConnections()
	if err := errors.Join(spans, logs); err != nil {
		return fmt.Errorf("exporting the last traces and logs: %w", err)
	}
	return nil
}
