package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/crownsafe/api/internal/telemetry"
)

func levelled(t *testing.T, normal slog.Level, own map[string]slog.Level) (*slog.Logger, *telemetry.Levels, *bytes.Buffer) {
	t.Helper()
	levels, err := telemetry.NewLevels([]string{"ingest", "api"}, normal, own)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	return slog.New(levels.Handler(telemetry.WithTraceIDs(telemetry.JSONLines(&out)))), levels, &out
}

func TestLevelsByPackage(t *testing.T) {
	t.Parallel()
	logger, levels, out := levelled(t, slog.LevelWarn, map[string]slog.Level{"ingest": slog.LevelDebug})
	ingest, api := logger.With(telemetry.PackageKey, "ingest"), logger.With(telemetry.PackageKey, "api")
	say := func() string {
		out.Reset()
		for _, l := range []*slog.Logger{logger, ingest, api, ingest.WithGroup("g").With(telemetry.PackageKey, "api")} {
			l.Debug("debug")
			l.Warn("warn")
		}
		return strings.Join(strings.Fields(strings.NewReplacer(`"`, " ", ",", " ", "{", " ", "}", " ").Replace(out.String())), " ")
	}
	count := func(text, level string) int { return strings.Count(text, "msg : "+level) }
	if got := say(); count(got, "debug") != 2 || count(got, "warn") != 4 {
		t.Errorf("logged %s", got)
	}
	if err := levels.Set(slog.LevelError, map[string]slog.Level{"api": slog.LevelDebug}); err != nil {
		t.Fatal(err)
	}
	if got := say(); count(got, "debug") != 1 || count(got, "warn") != 1 {
		t.Errorf("after the change logged %s", got)
	}
	if err := levels.Set(slog.LevelDebug, map[string]slog.Level{"nobody": slog.LevelDebug}); !errors.Is(err, telemetry.ErrUnknownPackage) {
		t.Errorf("an unknown package gives %v", err)
	}
	if normal, own := levels.Get(); normal != slog.LevelError || len(own) != 1 || own["api"] != slog.LevelDebug {
		t.Errorf("a refused change has changed something: %v %v", normal, own)
	}
}

func TestLinesHaveTheTraceOfTheirContext(t *testing.T) {
	t.Parallel()
	logger, _, out := levelled(t, slog.LevelInfo, nil)
	at := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{0xab}, SpanID: trace.SpanID{0xcd}})
	ctx := trace.ContextWithSpanContext(t.Context(), at)
	for name, test := range map[string]struct {
		say  func()
		want map[string]any
	}{
		"within":    {func() { logger.InfoContext(ctx, "m") }, map[string]any{"trace_id": at.TraceID().String(), "span_id": at.SpanID().String()}},
		"outside":   {func() { logger.Info("m") }, map[string]any{"trace_id": nil, "span_id": nil}},
		"its own":   {func() { logger.InfoContext(ctx, "m", "trace_id", "own") }, map[string]any{"trace_id": "own", "span_id": nil}},
		"with more": {func() { logger.With("a", 1).InfoContext(ctx, "m") }, map[string]any{"trace_id": at.TraceID().String(), "a": 1.0}},
	} {
		out.Reset()
		test.say()
		var line map[string]any
		if err := json.Unmarshal(out.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v in %s", name, err, out)
		}
		for key, want := range test.want {
			if line[key] != want {
				t.Errorf("%s: %s is %v, want %v", name, key, line[key], want)
			}
		}
	}
}

func TestTextIsForPeople(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	slog.New(telemetry.TextLines(&out)).Info("polled", "agency", "us-cpsc")
	if got := out.String(); !strings.Contains(got, "level=INFO msg=polled agency=us-cpsc") || strings.Contains(got, "T") && strings.Contains(got, "Z") {
		t.Errorf("a line reads %q", got)
	}
}
