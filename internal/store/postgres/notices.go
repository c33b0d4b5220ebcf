package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/ledger"
	"github.com/crownsafe/api/internal/store/postgres/queries"
)

// Notice returns the current revision; see store.Notices.
func (s *Store) Notice(ctx context.Context, id string) (store.Stored, error) {
	stored, err := s.current(ctx, id)
	if err != nil {
		return store.Stored{}, failf(ctx, err, "reading notice %s", id)
	}
	return stored, nil
}

func (s *Store) current(ctx context.Context, id string) (store.Stored, error) {
	if !ledger.IsText(id) {
		return store.Stored{}, store.ErrNotFound
	}
	row, err := queries.New(s.pool).Current(ctx, id)
	if err != nil {
		return store.Stored{}, err
	}
	return ledger.Row{
		Serial: row.Serial, FirstSeenAt: row.FirstSeenAt, Revision: row.Revision,
		Superseded: row.Superseded, Document: row.Doc,
	}.Stored()
}

// NoticeAsOf returns the revision that was current at a time; see store.Notices.
func (s *Store) NoticeAsOf(ctx context.Context, id string, at time.Time) (store.Revision, error) {
	revision, err := s.asOf(ctx, id, at)
	if err != nil {
		return store.Revision{}, failf(ctx, err, "reading notice %s as of %s", id, at.UTC().Format(time.RFC3339))
	}
	return revision, nil
}

func (s *Store) asOf(ctx context.Context, id string, at time.Time) (store.Revision, error) {
	if !ledger.IsText(id) {
		return store.Revision{}, store.ErrNotFound
	}
	row, err := queries.New(s.pool).RevisionAsOf(ctx, queries.RevisionAsOfParams{ID: id, At: at.UnixMicro()})
	if err != nil {
		return store.Revision{}, err
	}
	return revisionFrom(queries.RevisionsRow(row))
}

// Revisions returns every revision, oldest first; see store.Notices.
func (s *Store) Revisions(ctx context.Context, id string) ([]store.Revision, error) {
	revisions, err := s.revisions(ctx, id)
	if err != nil {
		return nil, failf(ctx, err, "reading the revisions of notice %s", id)
	}
	return revisions, nil
}

func (s *Store) revisions(ctx context.Context, id string) ([]store.Revision, error) {
	if !ledger.IsText(id) {
		return nil, store.ErrNotFound
	}
	rows, err := queries.New(s.pool).Revisions(ctx, id)
	if err == nil && len(rows) == 0 {
		err = pgx.ErrNoRows
	}
	if err != nil {
		return nil, err
	}
	revisions := make([]store.Revision, len(rows))
	for i, row := range rows {
		if revisions[i], err = revisionFrom(row); err != nil {
			return nil, err
		}
	}
	return revisions, nil
}

func revisionFrom(row queries.RevisionsRow) (store.Revision, error) {
	notice, err := ledger.Decode(row.Doc, row.Revision, row.FirstSeenAt)
	if err != nil {
		return store.Revision{}, err
	}
	return store.Revision{Serial: row.Serial, SeenAt: ledger.Time(row.SeenAt), Notice: notice}, nil
}
