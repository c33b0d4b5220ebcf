package blob_test

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/blob/disk"
)

// TestUploadsAreLinkedToTheirCause, by the process after too.
func TestUploadsAreLinkedToTheirCause(t *testing.T) {
	t.Parallel()
	out := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(out)).Tracer("test")
	store, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ctx, request := tracer.Start(t.Context(), "request")
	down := blob.Guard(broken{store}, blob.GuardOptions{})
	options := blob.UploadOptions{Spool: t.TempDir(), Workers: 1, Tracer: tracer}
	before, err := blob.NewUploads(down, options)
	if err != nil {
		t.Fatal(err)
	}
	upload, err := before.Enqueue(ctx, "a", strings.NewReader("content"), blob.PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	_ = before.Drain(ended) // which says that it is kept
	<-upload.Done()

	after := uploading(t, blob.Guard(store, blob.GuardOptions{Backend: "disk", Tracer: tracer}), options)
	drain(t, after)
	var last sdktrace.ReadOnlySpan
	for _, span := range out.Ended() {
		if span.Name() == "upload" {
			last = span
			if len(span.Links()) != 1 || span.Links()[0].SpanContext.SpanID() != request.SpanContext().SpanID() || span.Parent().IsValid() {
				t.Errorf("an upload is linked to %+v, under %v", span.Links(), span.Parent().SpanID())
			}
		}
	}
	if last == nil || last.Status().Code == codes.Error {
		t.Fatalf("the upload of the process after: %+v", last)
	}
	if !slices.ContainsFunc(out.Ended(), func(s sdktrace.ReadOnlySpan) bool {
		return s.Name() == "blob put" && s.Parent().SpanID() == last.SpanContext().SpanID()
	}) {
		t.Error("the operation of the upload has no span under it")
	}
}

// TestAnswersOfNoAreNoErrors of a span, as failures are.
func TestAnswersOfNoAreNoErrors(t *testing.T) {
	t.Parallel()
	out := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(out)).Tracer("test")
	store, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blob.Guard(store, blob.GuardOptions{Tracer: tracer}).Head(t.Context(), "a"); err == nil || len(out.Started()) > 0 {
		t.Errorf("outside of any trace: %v, and %d spans", err, len(out.Started()))
	}
	ctx, root := tracer.Start(t.Context(), "root")
	for want, s := range map[codes.Code]blob.Store{codes.Unset: store, codes.Error: broken{store}} {
		_, _ = blob.Guard(s, blob.GuardOptions{Tracer: tracer}).Head(ctx, "a") // whatever it says
		span := out.Ended()[len(out.Ended())-1]
		if span.Name() != "blob head" || span.Status().Code != want || span.Parent().SpanID() != root.SpanContext().SpanID() {
			t.Errorf("%s is %v", span.Name(), span.Status())
		}
	}
}

// broken is a store that never answers.
type broken struct{ blob.Store }

func (broken) Put(context.Context, string, io.Reader, blob.PutOptions) (blob.Info, error) {
	return blob.Info{}, blob.ErrUnavailable
}

func (broken) Head(context.Context, string) (blob.Info, error) {
	return blob.Info{}, blob.ErrUnavailable
}
