package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/crownsafe/api/internal/store/ledger"
	"github.com/crownsafe/api/internal/store/sqlite/queries"
)

// records lets a ledger see what is stored. A prepared statement for each row is
// SQLite's way in bulk: there is no round trip to save.
type records struct{ q *queries.Queries }

// lookUp asks for one row after the other; those that aren't there are left out.
func lookUp[K, R any](keys []K, ask func(K) (R, error)) ([]R, error) {
	found := make([]R, 0, len(keys))
	for _, key := range keys {
		row, err := ask(key)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			continue
		case err != nil:
			return nil, err
		}
		found = append(found, row)
	}
	return found, nil
}

// Heads reads where ids stand.
func (r records) Heads(ctx context.Context, ids []string) ([]ledger.Head, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	rows, err := r.q.Heads(ctx, string(list))
	heads := make([]ledger.Head, len(rows))
	for i, row := range rows {
		heads[i] = ledger.Head{
			ID: row.ID, Serial: row.Serial, RevisionSerial: row.RevisionSerial, FirstSeenAt: row.FirstSeenAt,
			Version: row.Version, Completeness: int(row.Completeness), Superseded: row.Superseded != 0,
			Revision: row.Revision, SourceHash: row.SourceHash, ContentHash: row.ContentHash,
		}
	}
	return heads, err
}

// FormerIDs reads which of some ids were given up.
func (r records) FormerIDs(ctx context.Context, ids []string) ([]string, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	return r.q.FormerIDs(ctx, string(list))
}

// OfferedCopies reads what was offered before.
func (r records) OfferedCopies(ctx context.Context, copies []ledger.CopyKey) ([]ledger.OfferedCopy, error) {
	return lookUp(copies, func(key ledger.CopyKey) (ledger.OfferedCopy, error) {
		revision, err := r.q.OfferedFor(ctx, queries.OfferedForParams{NoticeID: key.NoticeID, SourceHash: key.SourceHash})
		return ledger.OfferedCopy{CopyKey: key, Revision: revision}, err
	})
}

// Documents reads the documents of current revisions.
func (r records) Documents(ctx context.Context, ids []string) ([]ledger.Document, error) {
	return lookUp(ids, func(id string) (ledger.Document, error) {
		doc, err := r.q.Document(ctx, id)
		return ledger.Document{NoticeID: id, Document: doc}, err
	})
}

// Misses reads the counts of an agency's notices.
func (r records) Misses(ctx context.Context, agency string) ([]ledger.Miss, error) {
	first, beyond := span(agency)
	rows, err := r.q.Missed(ctx, queries.MissedParams{First: first, Beyond: beyond})
	misses := make([]ledger.Miss, len(rows))
	for i, row := range rows {
		misses[i] = ledger.Miss{NoticeID: row.NoticeID, Count: row.Count}
	}
	return misses, err
}

// Unsourced reads which of an agency's ids no source stands for.
func (r records) Unsourced(ctx context.Context, agency string) ([]string, error) {
	first, beyond := span(agency)
	return r.q.UnsourcedBetween(ctx, queries.UnsourcedBetweenParams{First: first, Beyond: beyond})
}

// span returns the ids of an agency: the first that there could be, and the
// first beyond them. ';' follows ':' in ASCII.
func span(agency string) (first, beyond string) { return agency + ":", agency + ";" }

// column turns rows into what they stand for.
func column[R, C any](rows []R, of func(R) C) []C {
	values := make([]C, len(rows))
	for i, row := range rows {
		values[i] = of(row)
	}
	return values
}
