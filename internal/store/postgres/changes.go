package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/ledger"
	"github.com/crownsafe/api/internal/store/postgres/queries"
)

// These are written by hand: they are read row by row as they come, for they may
// return everything. One statement sees one consistent view.
const (
	changesSince = `
SELECT n.serial, n.first_seen_at, n.superseded, r.revision, r.doc
FROM notice n
JOIN revision r ON r.serial = n.revision_serial
WHERE n.serial > $1
ORDER BY n.serial
LIMIT $2`

	// Neither superseded ids nor starter entries.
	noticesBetween = `
SELECT n.serial, n.first_seen_at, n.superseded, r.revision, r.doc
FROM notice n
JOIN revision r ON r.serial = n.revision_serial
WHERE n.id >= $1 AND n.id < $2 AND NOT n.superseded AND n.completeness > 0
ORDER BY n.id`
)

// sortPatience is how long the server may work before the first row of a long
// answer comes, which it may have to sort.
const sortPatience = 15 * time.Second

// Serial returns the highest serial; see store.Notices.
func (s *Store) Serial(ctx context.Context) (int64, error) {
	serial, err := queries.New(s.pool).LastSerial(ctx)
	if err != nil {
		return 0, failf(ctx, err, "reading the last serial")
	}
	return serial, nil
}

// Changes streams the current state of every changed id; see store.Notices. It
// uses one connection while it lasts: a yield that uses the store needs another.
func (s *Store) Changes(ctx context.Context, since int64, limit int, yield func(store.Stored) error) error {
	return s.stream(ctx, yield, fmt.Sprintf("reading changes since %d", since), changesSince, since, atMost(limit))
}

// ActiveNotices streams an agency's active notices; see store.Dumps.
func (s *Store) ActiveNotices(ctx context.Context, agency string, yield func(store.Stored) error) error {
	active := func(stored store.Stored) error {
		if stored.Notice.Status != recall.Active {
			return nil
		}
		return yield(stored)
	}
	first, beyond := span(agency)
	return s.stream(ctx, active, "reading the notices of "+agency, noticesBetween, first, beyond)
}

// stream yields the notices that a statement selects. An error of yield's comes
// back as it is.
func (s *Store) stream(ctx context.Context, yield func(store.Stored) error, doing, statement string, args ...any) error {
	yieldErr, err := ledger.Stream(ctx, func(ctx context.Context, pass func(ledger.Row) error) error {
		rows, err := s.pool.Query(patiently(ctx, sortPatience), statement, args...)
		if err != nil {
			return err
		}
		return readRows(rows, pass)
	}, yield)
	switch {
	case yieldErr != nil:
		return yieldErr
	case err != nil:
		return failf(ctx, err, "%s", doing)
	}
	return nil
}

func readRows(rows pgx.Rows, pass func(ledger.Row) error) error {
	defer rows.Close()
	for rows.Next() {
		var row ledger.Row
		if err := rows.Scan(&row.Serial, &row.FirstSeenAt, &row.Superseded, &row.Revision, &row.Document); err != nil {
			return err
		}
		if err := pass(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

// atMost turns a limit of the port's into PostgreSQL's, for which null is none.
func atMost(limit int) *int64 {
	if limit <= 0 {
		return nil
	}
	return new(int64(limit))
}
