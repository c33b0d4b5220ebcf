package config_test

import (
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/config"
)

func TestTraces(t *testing.T) {
	c, err := load(map[string]string{
		"CROWNSAFE_OTLP_ENDPOINT": "http://collector:4318", "CROWNSAFE_OTLP_HEADERS": "authorization=Bearer a=b, x-tenant = t",
		"CROWNSAFE_LOG_LEVELS": "ingest=debug, api=warn,", "CROWNSAFE_DEBUG_ADDR": "127.0.0.1:6060",
	})
	if err != nil {
		t.Fatal(err)
	}
	headers, err := c.Traces.Headers()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"authorization": "Bearer a=b", "x-tenant": "t"}, headers); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(config.PackageLevels{"ingest": slog.LevelDebug, "api": slog.LevelWarn}, c.Traces.LogLevels); diff != "" {
		t.Error(diff)
	}
	if c.Traces.TraceRatio != 0.05 || c.LogFormat != "auto" {
		t.Errorf("defaults: %+v, %s", c.Traces, c.LogFormat)
	}
	for variable, values := range map[string][]string{
		"CROWNSAFE_TRACE_RATIO":   {"-0.1", "NaN", "some"},
		"CROWNSAFE_OTLP_ENDPOINT": {"collector:4318", "ftp://c", "http://c/?a=b", "http://c/#a"},
		"CROWNSAFE_OTLP_HEADERS":  {"=v", "a"},
		"CROWNSAFE_LOG_LEVELS":    {"ingest", "=debug", "ingest="},
		"CROWNSAFE_DEBUG_ADDR":    {"6060", "localhost"},
	} {
		for _, value := range values {
			if _, err := load(map[string]string{variable: value}); err == nil {
				t.Errorf("%s=%s was taken", variable, value)
			}
		}
	}
}
