package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/ledger"
	"github.com/crownsafe/api/internal/store/sqlite/queries"
)

// StartRun records that a run has begun; see store.Runs.
func (s *Store) StartRun(ctx context.Context, agency string, kind store.RunKind, at time.Time) (int64, error) {
	var id int64
	err := s.write(ctx, func(ctx context.Context, q *queries.Queries) (err error) {
		id, err = q.StartRun(ctx, queries.StartRunParams{
			Agency: agency, Kind: string(kind), State: string(store.RunRunning), StartedAt: at.UnixMicro(),
		})
		return err
	})
	if err != nil {
		return 0, s.failf(ctx, err, "starting a %s run of %s", kind, agency)
	}
	return id, nil
}

// FinishRun records the end of a run; see store.Runs.
func (s *Store) FinishRun(ctx context.Context, run store.Run) error {
	err := s.write(ctx, func(ctx context.Context, q *queries.Queries) error {
		found, err := q.FinishRun(ctx, queries.FinishRunParams{
			ID: run.ID, State: string(run.State), Reason: run.Reason, FinishedAt: nullMicros(run.FinishedAt),
			Read: int64(run.Read), Added: int64(run.Added), Revised: int64(run.Revised),
			Unchanged: int64(run.Unchanged), Older: int64(run.Older), Rejected: int64(run.Rejected),
			Withdrawn: int64(run.Withdrawn),
		})
		if err == nil && found == 0 {
			return sql.ErrNoRows
		}
		return err
	})
	if err != nil {
		return s.failf(ctx, err, "finishing run %d", run.ID)
	}
	return nil
}

// Reject records rejections; see store.Runs.
func (s *Store) Reject(ctx context.Context, rejections []store.Rejection) error {
	if len(rejections) == 0 {
		return nil
	}
	err := s.write(ctx, func(ctx context.Context, q *queries.Queries) error {
		for _, r := range rejections {
			if err := reject(ctx, q, r); err != nil {
				return fmt.Errorf("record %d of %s: %w", r.Position, r.Raw, err)
			}
		}
		return nil
	})
	if err != nil {
		return s.failf(ctx, err, "recording %d rejections", len(rejections))
	}
	return nil
}

// reject records one rejection, in place of those of the same record in earlier
// payloads.
func reject(ctx context.Context, q *queries.Queries, r store.Rejection) error {
	key, at := store.RecordKey(r.Agency, r.NativeID), r.SeenAt.UnixMicro()
	if key != "" {
		later, err := q.RejectionsOfRecordElsewhere(ctx, queries.RejectionsOfRecordElsewhereParams{
			Agency: r.Agency, RecordKey: key, Raw: r.Raw, SeenAt: at,
		})
		if err != nil || later > 0 {
			return err
		}
		err = q.DropEarlierRejections(ctx, queries.DropEarlierRejectionsParams{Agency: r.Agency, RecordKey: key, Raw: r.Raw, SeenAt: at})
		if err != nil {
			return err
		}
	}
	return q.AddRejection(ctx, queries.AddRejectionParams{
		Agency: r.Agency, NativeID: r.NativeID, RecordKey: key, Reason: r.Reason, Excerpt: r.Excerpt,
		Raw: r.Raw, Position: int64(r.Position), SeenAt: at,
	})
}

// Rejections returns an agency's, newest first; see store.Runs.
func (s *Store) Rejections(ctx context.Context, agency string, after *store.Rejection, limit int) ([]store.Rejection, error) {
	page := queries.RejectionsParams{Agency: agency, Before: math.MaxInt64, BeforeID: math.MaxInt64, Most: atMost(limit)}
	if after != nil {
		page.Before, page.BeforeID = after.SeenAt.UnixMicro(), after.ID
	}
	rows, err := s.reading.Rejections(ctx, page)
	if err != nil {
		return nil, s.failf(ctx, err, "reading the rejections of %s", agency)
	}
	rejections := make([]store.Rejection, len(rows))
	for i, r := range rows {
		rejections[i] = store.Rejection{
			ID: r.ID, Agency: r.Agency, NativeID: r.NativeID, Reason: r.Reason, Excerpt: r.Excerpt,
			Raw: r.Raw, Position: int(r.Position), SeenAt: ledger.Time(r.SeenAt),
		}
	}
	return rejections, nil
}

// ForgetRejections takes the rejections of a payload back; see store.Runs.
func (s *Store) ForgetRejections(ctx context.Context, agency, raw string) error {
	err := s.write(ctx, func(ctx context.Context, q *queries.Queries) error {
		return q.DropRejectionsOfPayload(ctx, queries.DropRejectionsOfPayloadParams{Agency: agency, Raw: raw})
	})
	if err != nil {
		return s.failf(ctx, err, "forgetting the rejections of payload %s", raw)
	}
	return nil
}

// Sources returns what is known of each agency; see store.Runs.
func (s *Store) Sources(ctx context.Context) ([]store.SourceRecord, error) {
	var records []store.SourceRecord
	err := s.read(ctx, func(q *queries.Queries) error {
		agencies, err := q.AgenciesWithRuns(ctx)
		if err != nil {
			return err
		}
		for _, agency := range agencies {
			record, err := sourceOf(ctx, q, agency)
			if err != nil {
				return fmt.Errorf("agency %s: %w", agency, err)
			}
			records = append(records, record)
		}
		return nil
	})
	if err != nil {
		return nil, s.failf(ctx, err, "reading the sources")
	}
	return records, nil
}

func sourceOf(ctx context.Context, q *queries.Queries, agency string) (store.SourceRecord, error) {
	record := store.SourceRecord{Agency: agency}
	poll, err := q.LastFinishedPoll(ctx, agency)
	if err == nil {
		record.LastPoll = runFrom(poll)
	} else if !errors.Is(err, sql.ErrNoRows) {
		return record, err
	}
	if record.LastSuccess, err = timeOf(q.LastSuccess(ctx, agency)); err != nil {
		return record, err
	}
	if record.FirstSuccess, err = timeOf(q.FirstSuccess(ctx, agency)); err != nil {
		return record, err
	}
	if record.LastImport, err = timeOf(q.LastImport(ctx, agency)); err != nil {
		return record, err
	}
	record.ImportFault, err = q.LastImportFault(ctx, agency)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return record, err
	}
	rejected, err := q.CountRejections(ctx, agency)
	record.Rejected = int(rejected)
	return record, err
}

// timeOf reads the answer of a query for the time of a thing that may never
// have been.
func timeOf(us sql.NullInt64, err error) (time.Time, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return fromNullMicros(us), err
}

func runFrom(r queries.Run) *store.Run {
	return &store.Run{
		ID: r.ID, Agency: r.Agency, Kind: store.RunKind(r.Kind), State: store.RunState(r.State), Reason: r.Reason,
		StartedAt: ledger.Time(r.StartedAt), FinishedAt: fromNullMicros(r.FinishedAt),
		Read: int(r.Read), Added: int(r.Added), Revised: int(r.Revised),
		Unchanged: int(r.Unchanged), Older: int(r.Older), Rejected: int(r.Rejected),
		Withdrawn: int(r.Withdrawn),
	}
}

// RecordPayload remembers that bytes are in the archive; see store.Runs.
func (s *Store) RecordPayload(ctx context.Context, p store.ArchivedPayload) error {
	err := s.write(ctx, func(ctx context.Context, q *queries.Queries) error {
		return q.AddPayload(ctx, queries.AddPayloadParams{
			Agency: p.Agency, Key: p.Key, SourceUrl: p.SourceURL, Format: p.Format, Live: bit(p.Live),
			FetchedAt: p.FetchedAt.UnixMicro(), LastFetchedAt: p.FetchedAt.UnixMicro(), Size: p.Size,
		})
	})
	if err != nil {
		return s.failf(ctx, err, "recording payload %s", p.Key)
	}
	return nil
}

// Payloads returns an agency's archived payloads, oldest first; see store.Runs.
func (s *Store) Payloads(ctx context.Context, agency string) ([]store.ArchivedPayload, error) {
	rows, err := s.reading.Payloads(ctx, agency)
	if err != nil {
		return nil, s.failf(ctx, err, "reading the payloads of %s", agency)
	}
	payloads := make([]store.ArchivedPayload, len(rows))
	for i, r := range rows {
		payloads[i] = store.ArchivedPayload{
			Agency: r.Agency, Key: r.Key, SourceURL: r.SourceUrl, Format: r.Format, Live: r.Live != 0,
			FetchedAt: ledger.Time(r.FetchedAt), LastFetchedAt: ledger.Time(r.LastFetchedAt), Size: r.Size,
		}
	}
	return payloads, nil
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func nullMicros(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMicro(), Valid: !t.IsZero()}
}

func fromNullMicros(us sql.NullInt64) time.Time {
	if !us.Valid {
		return time.Time{}
	}
	return ledger.Time(us.Int64)
}
