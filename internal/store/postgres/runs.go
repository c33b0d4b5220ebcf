package postgres

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/ledger"
	"github.com/crownsafe/api/internal/store/postgres/queries"
)

// StartRun records that a run has begun; see store.Runs.
func (s *Store) StartRun(ctx context.Context, agency string, kind store.RunKind, at time.Time) (int64, error) {
	id, err := queries.New(s.pool).StartRun(ctx, queries.StartRunParams{
		Agency: agency, Kind: string(kind), State: string(store.RunRunning), StartedAt: at.UnixMicro(),
	})
	if err != nil {
		return 0, failf(ctx, err, "starting a %s run of %s", kind, agency)
	}
	return id, nil
}

// FinishRun records the end of a run; see store.Runs.
func (s *Store) FinishRun(ctx context.Context, run store.Run) error {
	found, err := queries.New(s.pool).FinishRun(ctx, queries.FinishRunParams{
		ID: run.ID, State: string(run.State), Reason: []byte(run.Reason), FinishedAt: micros(run.FinishedAt),
		Read: int64(run.Read), Added: int64(run.Added), Revised: int64(run.Revised),
		Unchanged: int64(run.Unchanged), Older: int64(run.Older), Rejected: int64(run.Rejected),
		Withdrawn: int64(run.Withdrawn),
	})
	if err == nil && found == 0 {
		err = pgx.ErrNoRows
	}
	if err != nil {
		return failf(ctx, err, "finishing run %d", run.ID)
	}
	return nil
}

// Reject records rejections; see store.Runs.
func (s *Store) Reject(ctx context.Context, rejections []store.Rejection) error {
	if len(rejections) == 0 {
		return nil
	}
	err := s.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		statements := &pipeline{Tx: tx}
		q := queries.New(statements)
		agencies := column(rejections, func(r store.Rejection) string { return r.Agency })
		slices.Sort(agencies) // in one order everywhere: so nobody waits for one who waits for him
		for _, agency := range slices.Compact(agencies) {
			if err := q.LockRejections(ctx, agency); err != nil {
				return err
			}
		}
		for _, r := range rejections {
			if err := reject(ctx, q, r); err != nil {
				return err
			}
		}
		return statements.send(ctx)
	})
	if err != nil {
		return failf(ctx, err, "recording %d rejections", len(rejections))
	}
	return nil
}

// reject records one rejection, in place of those of the same record in earlier
// payloads.
func reject(ctx context.Context, q *queries.Queries, r store.Rejection) error {
	key, at := []byte(store.RecordKey(r.Agency, r.NativeID)), r.SeenAt.UnixMicro()
	err := q.DropEarlierRejections(ctx, queries.DropEarlierRejectionsParams{Agency: r.Agency, RecordKey: key, Raw: r.Raw, SeenAt: at})
	if err != nil {
		return err
	}
	return q.AddRejection(ctx, queries.AddRejectionParams{
		Agency: r.Agency, NativeID: []byte(r.NativeID), RecordKey: key, Reason: []byte(r.Reason), Excerpt: []byte(r.Excerpt),
		Raw: r.Raw, Position: int64(r.Position), SeenAt: at,
	})
}

// Rejections returns an agency's, newest first; see store.Runs.
func (s *Store) Rejections(ctx context.Context, agency string, after *store.Rejection, limit int) ([]store.Rejection, error) {
	page := queries.RejectionsParams{Agency: agency, Before: math.MaxInt64, BeforeID: math.MaxInt64, Most: atMost(limit)}
	if after != nil {
		page.Before, page.BeforeID = after.SeenAt.UnixMicro(), after.ID
	}
	rows, err := queries.New(s.pool).Rejections(ctx, page)
	if err != nil {
		return nil, failf(ctx, err, "reading the rejections of %s", agency)
	}
	return column(rows, func(r queries.RejectionsRow) store.Rejection {
		return store.Rejection{
			ID: r.ID, Agency: r.Agency, NativeID: string(r.NativeID), Reason: string(r.Reason), Excerpt: string(r.Excerpt),
			Raw: r.Raw, Position: int(r.Position), SeenAt: ledger.Time(r.SeenAt),
		}
	}), nil
}

// ForgetRejections takes the rejections of a payload back; see store.Runs.
func (s *Store) ForgetRejections(ctx context.Context, agency, raw string) error {
	err := queries.New(s.pool).DropRejectionsOfPayload(ctx, queries.DropRejectionsOfPayloadParams{Agency: agency, Raw: raw})
	if err != nil {
		return failf(ctx, err, "forgetting the rejections of payload %s", raw)
	}
	return nil
}

// Sources returns what is known of each agency; see store.Runs.
func (s *Store) Sources(ctx context.Context) ([]store.SourceRecord, error) {
	q := queries.New(s.pool)
	rows, err := q.Sources(ctx)
	if err != nil {
		return nil, failf(ctx, err, "reading the sources")
	}
	polls, err := q.RunsByID(ctx, column(rows, func(r queries.SourcesRow) int64 { return r.LastPoll }))
	if err != nil {
		return nil, failf(ctx, err, "reading the last polls")
	}
	return column(rows, func(r queries.SourcesRow) store.SourceRecord {
		record := store.SourceRecord{
			Agency: r.Agency, LastSuccess: timeOf(r.LastSuccess), FirstSuccess: timeOf(r.FirstSuccess),
			LastImport: timeOf(r.LastImport), ImportFault: string(r.ImportFault), Rejected: int(r.Rejected),
		}
		if i := slices.IndexFunc(polls, func(run queries.Run) bool { return run.ID == r.LastPoll }); i >= 0 {
			record.LastPoll = runFrom(polls[i])
		}
		return record
	}), nil
}

func runFrom(r queries.Run) *store.Run {
	return &store.Run{
		ID: r.ID, Agency: r.Agency, Kind: store.RunKind(r.Kind), State: store.RunState(r.State), Reason: string(r.Reason),
		StartedAt: ledger.Time(r.StartedAt), FinishedAt: timeOf(r.FinishedAt),
		Read: int(r.Read), Added: int(r.Added), Revised: int(r.Revised),
		Unchanged: int(r.Unchanged), Older: int(r.Older), Rejected: int(r.Rejected),
		Withdrawn: int(r.Withdrawn),
	}
}

// RecordPayload remembers that bytes are in the archive; see store.Runs.
func (s *Store) RecordPayload(ctx context.Context, p store.ArchivedPayload) error {
	err := queries.New(s.pool).AddPayload(ctx, queries.AddPayloadParams{
		Agency: p.Agency, Key: p.Key, SourceUrl: []byte(p.SourceURL), Format: p.Format, Live: p.Live,
		FetchedAt: p.FetchedAt.UnixMicro(), Size: p.Size,
	})
	if err != nil {
		return failf(ctx, err, "recording payload %s", p.Key)
	}
	return nil
}

// Payloads returns an agency's archived payloads, oldest first; see store.Runs.
func (s *Store) Payloads(ctx context.Context, agency string) ([]store.ArchivedPayload, error) {
	rows, err := queries.New(s.pool).Payloads(ctx, agency)
	if err != nil {
		return nil, failf(ctx, err, "reading the payloads of %s", agency)
	}
	return column(rows, func(r queries.PayloadsRow) store.ArchivedPayload {
		return store.ArchivedPayload{
			Agency: r.Agency, Key: r.Key, SourceURL: string(r.SourceUrl), Format: r.Format, Live: r.Live,
			FetchedAt: ledger.Time(r.FetchedAt), LastFetchedAt: ledger.Time(r.LastFetchedAt), Size: r.Size,
		}
	}), nil
}
