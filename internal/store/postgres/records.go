package postgres

import (
	"context"

	"github.com/crownsafe/api/internal/store/ledger"
	"github.com/crownsafe/api/internal/store/postgres/queries"
)

// records lets a ledger see what is stored, one statement for each question.
type records struct{ q *queries.Queries }

// Heads reads where ids stand.
func (r records) Heads(ctx context.Context, ids []string) ([]ledger.Head, error) {
	rows, err := r.q.Heads(ctx, ids)
	return column(rows, func(row queries.HeadsRow) ledger.Head {
		return ledger.Head{
			ID: row.ID, Serial: row.Serial, RevisionSerial: row.RevisionSerial, FirstSeenAt: row.FirstSeenAt,
			Version: row.Version, Completeness: int(row.Completeness), Superseded: row.Superseded,
			Revision: row.Revision, SourceHash: row.SourceHash, ContentHash: row.ContentHash,
		}
	}), err
}

// FormerIDs reads which of some ids were given up.
func (r records) FormerIDs(ctx context.Context, ids []string) ([]string, error) {
	return r.q.FormerIDs(ctx, ids)
}

// OfferedCopies reads what was offered before.
func (r records) OfferedCopies(ctx context.Context, copies []ledger.CopyKey) ([]ledger.OfferedCopy, error) {
	rows, err := r.q.OfferedCopies(ctx, queries.OfferedCopiesParams{
		NoticeIds:    column(copies, func(c ledger.CopyKey) string { return c.NoticeID }),
		SourceHashes: column(copies, func(c ledger.CopyKey) string { return c.SourceHash }),
	})
	return column(rows, func(row queries.OfferedCopy) ledger.OfferedCopy {
		return ledger.OfferedCopy{CopyKey: ledger.CopyKey{NoticeID: row.NoticeID, SourceHash: row.SourceHash}, Revision: row.Revision}
	}), err
}

// Documents reads the documents of current revisions.
func (r records) Documents(ctx context.Context, ids []string) ([]ledger.Document, error) {
	rows, err := r.q.Documents(ctx, ids)
	return column(rows, func(row queries.DocumentsRow) ledger.Document {
		return ledger.Document{NoticeID: row.ID, Document: row.Doc}
	}), err
}

// Misses reads the counts of an agency's notices.
func (r records) Misses(ctx context.Context, agency string) ([]ledger.Miss, error) {
	first, beyond := span(agency)
	rows, err := r.q.MissesBetween(ctx, queries.MissesBetweenParams{First: first, Beyond: beyond})
	return column(rows, func(row queries.Miss) ledger.Miss { return ledger.Miss(row) }), err
}

// Unsourced reads which of an agency's ids no source stands for.
func (r records) Unsourced(ctx context.Context, agency string) ([]string, error) {
	first, beyond := span(agency)
	return r.q.UnsourcedBetween(ctx, queries.UnsourcedBetweenParams{First: first, Beyond: beyond})
}

// span returns the ids of an agency: the first that there could be, and the
// first beyond them. ';' follows ':' in ASCII.
func span(agency string) (first, beyond string) { return agency + ":", agency + ";" }

// column makes one value of each row.
func column[R, C any](rows []R, of func(R) C) []C {
	values := make([]C, len(rows))
	for i, row := range rows {
		values[i] = of(row)
	}
	return values
}
