package postgres

import (
	"context"
	"regexp"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/multitracer"
	metrics "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
)

// tracer is what the driver tells of its calls: the limits always, and spans where
// somebody takes them. A span has the name of its statement, never the text and
// never a parameter; there is none for a call whose context has no span, as the
// look at the serial several times a second.
func (l *limits) tracer(spans trace.TracerProvider) pgx.QueryTracer {
	if spans == nil {
		return l
	}
	return multitracer.New(l, wholeBatches{otelpgx.NewTracer(
		otelpgx.WithTracerProvider(spans), otelpgx.WithMeterProvider(metrics.NewMeterProvider()),
		otelpgx.WithSpanNameFunc(statementName), otelpgx.WithDisableSQLStatementInAttributes(),
		otelpgx.WithDisableConnectionDetailsInAttributes(),
	)})
}

var (
	queryName = regexp.MustCompile(`^-- name: (\w+)`) // which sqlc puts before each
	firstWord = regexp.MustCompile(`^\s*(\w+)`)
)

// statementName names a statement as queries.sql does, else by its first word.
func statementName(statement string) string {
	for _, form := range []*regexp.Regexp{queryName, firstWord} {
		if found := form.FindStringSubmatch(statement); found != nil {
			return found[1]
		}
	}
	return "statement"
}

// wholeBatches makes one span of a batch: one for each of its statements would be
// thousands in an import. That a statement is prepared is part of its first span.
type wholeBatches struct{ *otelpgx.Tracer }

// TracePrepareStart makes no span.
func (wholeBatches) TracePrepareStart(ctx context.Context, _ *pgx.Conn, _ pgx.TracePrepareStartData) context.Context {
	return ctx
}

// TracePrepareEnd ends none.
func (wholeBatches) TracePrepareEnd(context.Context, *pgx.Conn, pgx.TracePrepareEndData) {}

// TraceBatchQuery says nothing of one statement of a batch.
func (wholeBatches) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
