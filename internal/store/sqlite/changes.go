package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/ledger"
)

// These are written by hand: they are read row by row, for they may return
// everything. One statement sees one consistent view.
const (
	changesSince = `
SELECT n.serial, n.first_seen_at, n.superseded, r.revision, r.doc
FROM notice n
JOIN revision r ON r.serial = n.revision_serial
WHERE n.serial > ?
ORDER BY n.serial
LIMIT ?`

	// Neither superseded ids nor starter entries.
	noticesBetween = `
SELECT n.serial, n.first_seen_at, n.superseded, r.revision, r.doc
FROM notice n
JOIN revision r ON r.serial = n.revision_serial
WHERE n.id >= ? AND n.id < ? AND n.superseded = 0 AND n.completeness > 0
ORDER BY n.id`
)

// Changes streams the current state of every changed id; see store.Notices.
func (s *Store) Changes(ctx context.Context, since int64, limit int, yield func(store.Stored) error) error {
	return s.stream(ctx, yield, fmt.Sprintf("reading changes since %d", since), s.changes, since, atMost(limit))
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
	return s.stream(ctx, active, "reading the notices of "+agency, s.between, first, beyond)
}

// stream yields the notices that a statement selects. An error of yield's comes
// back as it is.
func (s *Store) stream(ctx context.Context, yield func(store.Stored) error, doing string, statement *sql.Stmt, args ...any) error {
	yieldErr, err := ledger.Stream(ctx, func(ctx context.Context, pass func(ledger.Row) error) error {
		return readRows(ctx, pass, statement, args...)
	}, yield)
	switch {
	case yieldErr != nil:
		return yieldErr
	case err != nil:
		return s.failf(ctx, err, "%s", doing)
	}
	return nil
}

func readRows(ctx context.Context, pass func(ledger.Row) error, statement *sql.Stmt, args ...any) error {
	rows, err := statement.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
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
