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

// Serial returns the highest serial; see store.Notices. It reads one row by a
// prepared statement.
func (s *Store) Serial(ctx context.Context) (int64, error) {
	serial, err := s.reading.LastSerial(ctx)
	if err != nil {
		return 0, s.failf(ctx, err, "reading the last serial")
	}
	return serial, nil
}

// Notice returns the current revision; see store.Notices.
func (s *Store) Notice(ctx context.Context, id string) (store.Stored, error) {
	var row queries.CurrentRow
	err := s.read(ctx, func(q *queries.Queries) error {
		heir, err := resolve(ctx, q, id)
		if err != nil {
			return err
		}
		row, err = q.Current(ctx, heir)
		return err
	})
	if err != nil {
		return store.Stored{}, s.failf(ctx, err, "reading notice %s", id)
	}
	stored, err := ledger.Row{
		Serial: row.Serial, FirstSeenAt: row.FirstSeenAt, Revision: row.Revision,
		Superseded: row.Superseded != 0, Document: row.Doc,
	}.Stored()
	if err != nil {
		return store.Stored{}, s.failf(ctx, err, "reading notice %s", id)
	}
	return stored, nil
}

// NoticeAsOf returns the revision that was current at a time; see store.Notices.
func (s *Store) NoticeAsOf(ctx context.Context, id string, at time.Time) (store.Revision, error) {
	var row queries.RevisionAsOfRow
	err := s.read(ctx, func(q *queries.Queries) error {
		heir, err := resolveAsOf(ctx, q, id, at.UnixMicro())
		if err != nil {
			return err
		}
		row, err = q.RevisionAsOf(ctx, queries.RevisionAsOfParams{NoticeID: heir, SeenAt: at.UnixMicro()})
		return err
	})
	if err != nil {
		return store.Revision{}, s.failf(ctx, err, "reading notice %s as of %s", id, at.UTC().Format(time.RFC3339))
	}
	revision, err := revisionFrom(queries.RevisionsRow(row))
	if err != nil {
		return store.Revision{}, s.failf(ctx, err, "reading notice %s as of %s", id, at.UTC().Format(time.RFC3339))
	}
	return revision, nil
}

// Revisions returns every revision, oldest first; see store.Notices.
func (s *Store) Revisions(ctx context.Context, id string) ([]store.Revision, error) {
	var rows []queries.RevisionsRow
	err := s.read(ctx, func(q *queries.Queries) error {
		heir, err := resolve(ctx, q, id)
		if err != nil {
			return err
		}
		rows, err = q.Revisions(ctx, heir)
		if err == nil && len(rows) == 0 {
			return sql.ErrNoRows
		}
		return err
	})
	if err != nil {
		return nil, s.failf(ctx, err, "reading the revisions of notice %s", id)
	}
	revisions := make([]store.Revision, len(rows))
	for i, row := range rows {
		if revisions[i], err = revisionFrom(row); err != nil {
			return nil, s.failf(ctx, err, "reading revision %d of notice %s", row.Revision, id)
		}
	}
	return revisions, nil
}

// resolve follows former ids to the id that stands now.
func resolve(ctx context.Context, q *queries.Queries, id string) (string, error) {
	for {
		former, err := q.FormerID(ctx, id)
		if errors.Is(err, sql.ErrNoRows) {
			return id, nil
		}
		if err != nil {
			return "", err
		}
		id = former.Heir
	}
}

// resolveAsOf follows former ids as far as they had been given up at a time, in
// microseconds.
func resolveAsOf(ctx context.Context, q *queries.Queries, id string, at int64) (string, error) {
	for {
		former, err := q.FormerID(ctx, id)
		if errors.Is(err, sql.ErrNoRows) || err == nil && former.Since > at {
			return id, nil
		}
		if err != nil {
			return "", err
		}
		id = former.Heir
	}
}

func revisionFrom(row queries.RevisionsRow) (store.Revision, error) {
	notice, err := ledger.Decode(row.Doc, row.Revision, row.FirstSeenAt)
	if err != nil {
		return store.Revision{}, err
	}
	return store.Revision{Serial: row.Serial, SeenAt: ledger.Time(row.SeenAt), Notice: notice}, nil
}
