package postgres

import (
	"context"
	"time"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/ledger"
	"github.com/crownsafe/api/internal/store/postgres/queries"
)

// Served notes what a catalogue serves; see store.Arrivals.
func (s *Store) Served(ctx context.Context, serial int64, at time.Time) error {
	// A look costs little; rows are locked only where something waits.
	q := queries.New(s.pool)
	waits, err := q.AnyArrivalWaits(ctx, serial)
	if err == nil && waits {
		err = q.ServeArrivals(ctx, queries.ServeArrivalsParams{SearchableAt: micros(at), Serial: serial})
	}
	if err != nil {
		return failf(ctx, err, "noting that serial %d is served", serial)
	}
	return nil
}

// Arrivals returns an agency's served notices, newest first; see store.Arrivals.
func (s *Store) Arrivals(ctx context.Context, agency string, limit int) ([]store.Arrival, error) {
	rows, err := queries.New(s.pool).Arrivals(ctx, queries.ArrivalsParams{Agency: agency, Most: atMost(limit)})
	if err != nil {
		return nil, failf(ctx, err, "reading the arrivals of %s", agency)
	}
	return column(rows, func(r queries.ArrivalsRow) store.Arrival {
		return store.Arrival{
			PublishedAt: ledger.Time(r.PublishedAt), SeenAt: ledger.Time(r.SeenAt), SearchableAt: timeOf(r.SearchableAt),
		}
	}), nil
}

// micros writes a time that may be none.
func micros(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	return new(t.UnixMicro())
}

// timeOf reads a time that may be none.
func timeOf(us *int64) time.Time {
	if us == nil {
		return time.Time{}
	}
	return ledger.Time(*us)
}
