package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store/ledger"
	"github.com/crownsafe/api/internal/store/sqlite/queries"
)

// AppendEntry implements account.Audit: who writes has the file for himself.
func (s *Store) AppendEntry(ctx context.Context, e account.Entry) (account.Entry, error) {
	err := s.write(ctx, func(ctx context.Context, q *queries.Queries) error {
		last, err := q.LastEntry(ctx)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		e = e.Seal(entryFrom(last))
		return q.AddEntry(ctx, queries.AddEntryParams{
			Seq: e.Seq, At: e.At.UnixMicro(), Action: e.Action, Actor: e.Actor, Subject: e.Subject, Outcome: e.Outcome,
			Reason: e.Reason, Network: e.Network, TraceID: e.TraceID, Previous: e.Previous, Hash: e.Hash,
		})
	})
	if err != nil {
		return account.Entry{}, s.failf(ctx, err, "appending %s to the audit log", e.Action)
	}
	return e, nil
}

// Entries implements account.Audit.
func (s *Store) Entries(ctx context.Context, after int64, limit int, yield func(account.Entry) error) error {
	return ledger.EachEntry(after, limit, func(after int64, most int) ([]account.Entry, error) {
		rows, err := s.reading.EntriesAfter(ctx, queries.EntriesAfterParams{After: after, Most: int64(most)})
		if err != nil {
			return nil, s.failf(ctx, err, "reading the audit log after entry %d", after)
		}
		return column(rows, entryFrom), nil
	}, yield)
}

// LastEntry implements account.Audit.
func (s *Store) LastEntry(ctx context.Context) (account.Entry, error) {
	row, err := s.reading.LastEntry(ctx)
	if err != nil {
		return account.Entry{}, s.failf(ctx, err, "reading the last entry of the audit log")
	}
	return entryFrom(row), nil
}

func entryFrom(r queries.AuditEntry) account.Entry {
	return account.Entry{
		Seq: r.Seq, At: ledger.Time(r.At), Action: r.Action, Actor: r.Actor, Subject: r.Subject, Outcome: r.Outcome,
		Reason: r.Reason, Network: r.Network, TraceID: r.TraceID, Previous: r.Previous, Hash: r.Hash,
	}
}
