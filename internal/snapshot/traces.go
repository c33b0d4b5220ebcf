package snapshot

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/crownsafe/api/internal/catalogue"
)

// span begins the span of saving, linked to that in which the catalogue took over
// the changes that are saved.
func (k *Keeper) span(ctx context.Context, snap *catalogue.Snapshot) (context.Context, func(err error)) {
	if k.Tracer == nil {
		return ctx, func(error) {}
	}
	options := []trace.SpanStartOption{trace.WithAttributes(attribute.Int64("crownsafe.serial", snap.Serial()))}
	if followed := k.Catalogue.Followed(); followed.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: followed}))
	}
	ctx, span := k.Tracer.Start(ctx, "snapshot save", options...)
	return ctx, func(err error) {
		if err != nil && ctx.Err() == nil {
			span.RecordError(err)
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}
