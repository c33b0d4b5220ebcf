package ingest_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/blob/disk"
	"github.com/crownsafe/api/internal/ingest"
	"github.com/crownsafe/api/internal/store"
)

// TestASettledRecordIsLinkedToItsRun, by the process after too.
func TestASettledRecordIsLinkedToItsRun(t *testing.T) {
	t.Parallel()
	out := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(out)).Tracer("test")
	blobs, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	folder, records := t.TempDir(), &payloadRecords{}
	deferred := func() *ingest.Deferred {
		return &ingest.Deferred{Folder: folder, Blobs: blobs, Store: records, Logger: slog.New(slog.DiscardHandler), Tracer: tracer}
	}
	ctx, run := tracer.Start(t.Context(), "run")
	for _, one := range []struct {
		ctx context.Context
		key string
	}{{ctx, "raw/us-cpsc/ab/a.gz"}, {t.Context(), "raw/us-cpsc/ab/b.gz"}} {
		for range 2 { // which keeps it once
			if err := deferred().Add(one.ctx, store.ArchivedPayload{Agency: "us-cpsc", Key: one.key}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := blobs.Put(t.Context(), one.key, strings.NewReader("abc"), blob.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := deferred().Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	linked, spans := 0, out.Ended()
	for _, s := range spans {
		for _, l := range s.Links() {
			linked++
			if l.SpanContext.SpanID() != run.SpanContext().SpanID() || s.Parent().IsValid() {
				t.Errorf("%s is linked to %v, under %v", s.Name(), l.SpanContext.SpanID(), s.Parent().SpanID())
			}
		}
	}
	if len(records.kept) != 2 || len(spans) != 2 || linked != 1 {
		t.Errorf("%d records are stored, with %d spans and %d links", len(records.kept), len(spans), linked)
	}
}
