package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/ledger"
	"github.com/crownsafe/api/internal/store/sqlite/queries"
)

// Served notes what a catalogue serves; see store.Arrivals.
func (s *Store) Served(ctx context.Context, serial int64, at time.Time) error {
	// A look costs next to nothing; the lock is taken only where something waits.
	_, err := s.reading.WaitingArrival(ctx, serial)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		err = s.write(ctx, func(ctx context.Context, q *queries.Queries) error {
			return q.ServeArrivals(ctx, queries.ServeArrivalsParams{SearchableAt: nullMicros(at), Serial: serial})
		})
	}
	if err != nil {
		return s.failf(ctx, err, "noting that serial %d is served", serial)
	}
	return nil
}

// Arrivals returns an agency's served notices, newest first; see store.Arrivals.
func (s *Store) Arrivals(ctx context.Context, agency string, limit int) ([]store.Arrival, error) {
	rows, err := s.reading.Arrivals(ctx, queries.ArrivalsParams{Agency: agency, Limit: atMost(limit)})
	if err != nil {
		return nil, s.failf(ctx, err, "reading the arrivals of %s", agency)
	}
	arrivals := make([]store.Arrival, len(rows))
	for i, r := range rows {
		arrivals[i] = store.Arrival{
			PublishedAt: ledger.Time(r.PublishedAt), SeenAt: ledger.Time(r.SeenAt), SearchableAt: fromNullMicros(r.SearchableAt),
		}
	}
	return arrivals, nil
}

// atMost turns a limit of the port's into SQLite's, for which -1 is none.
func atMost(limit int) int64 {
	if limit <= 0 {
		return -1
	}
	return int64(limit)
}
