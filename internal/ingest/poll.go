package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/store"
)

// ErrUnknownAgency says that no agency has the code that was asked for.
var ErrUnknownAgency = errors.New("no such agency")

// ErrWithheld says that an agency's live feed cannot be asked as things are;
// the text beside it says why, and what would change that.
var ErrWithheld = errors.New("not polled")

// Agency returns the agency of a code.
func (r *Runner) Agency(code string) (agency.Agency, error) {
	for _, a := range r.Agencies {
		if a.Describe().Code == code {
			return a, nil
		}
	}
	return nil, fmt.Errorf("%w: %q", ErrUnknownAgency, code)
}

// Poll asks one agency's live feed for what changed and takes it in. The run is
// recorded whatever comes of it: done only when every answer was read whole, and
// a complete dump believed: see ErrGuarded.
// The returned run says what happened; the error is that of the fetch, of a
// payload that could not be read, or of the store. An agency that is withheld
// is not asked, and there is no run: ErrWithheld; nor when another process is at
// it: ErrElsewhere.
func (r *Runner) Poll(ctx context.Context, a agency.Agency, progress func(Tally)) (run store.Run, err error) {
	d := a.Describe()
	code := d.Code
	if d.Withheld != "" {
		return store.Run{}, fmt.Errorf("%s is %w: %s", code, ErrWithheld, d.Withheld)
	}
	ctx, span := r.runSpan(ctx, store.RunPoll, code)
	defer func() { endRun(span, &run, err) }()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	release, err := r.hold(ctx, code, stop)
	if err != nil {
		return store.Run{Agency: code, Kind: store.RunPoll, State: store.RunFailed, StartedAt: r.Now()}, err
	}
	defer release()
	return r.poll(ctx, a, progress)
}

// poll polls while the agency's lease is held.
func (r *Runner) poll(ctx context.Context, a agency.Agency, progress func(Tally)) (store.Run, error) {
	code := a.Describe().Code
	run := store.Run{Agency: code, Kind: store.RunPoll, State: store.RunRunning, StartedAt: r.Now()}
	p, err := r.preparePoll(ctx, a)
	if err != nil {
		return run, err
	}
	run.ID, err = r.Store.StartRun(ctx, code, store.RunPoll, run.StartedAt)
	if err != nil {
		return run, fmt.Errorf("recording the poll of %s: %w", code, err)
	}
	complete := false
	pollErr := a.Fetch(ctx, r.Client, p.since, func(payload agency.Payload) error {
		t, err := r.takePayload(ctx, p, payload, progress)
		t.addTo(&run)
		complete = complete || err == nil && payload.Complete
		return err
	})
	if pollErr == nil && complete {
		var report DumpReport
		if report, pollErr = r.settle(ctx, a, p.dump, &run); pollErr == nil {
			r.Logger.Info("a complete dump was held against the store", "agency", code, "records", p.dump.read,
				"missing", report.Missing, "withdrawn", report.Withdrawn, "restored", report.Restored, "reason", report.Reason)
		}
	}
	pollErr = stopped(ctx, pollErr)
	run.FinishedAt = r.Now()
	switch {
	case pollErr == nil:
		run.State = store.RunDone
	case errors.Is(pollErr, ErrLeaseLost): // a partial run would count against the source, whatever came of the other process's
		run.State, run.Reason = store.RunFailed, publicReason(pollErr)
	case run.Read > 0, errors.Is(pollErr, ErrGuarded):
		run.State, run.Reason = store.RunPartial, publicReason(pollErr)
	default:
		run.State, run.Reason = store.RunFailed, publicReason(pollErr)
	}
	// The run is recorded even when the caller stopped it: a half-done poll must
	// not look like one that is still going on.
	if r.Polled != nil {
		r.Polled(run)
	}
	finishing, cancel := finishing(ctx)
	defer cancel()
	if err := r.Store.FinishRun(finishing, run); err != nil {
		return run, errors.Join(pollErr, fmt.Errorf("recording the poll of %s: %w", code, err))
	}
	if pollErr != nil {
		return run, fmt.Errorf("polling %s: %w", code, pollErr)
	}
	return run, nil
}

// polling is what one poll knows when it begins.
type polling struct {
	agency agency.Agency
	since  agency.Since
	first  time.Time // success of the source; zero: there was none
	dump   *dump
}

func (r *Runner) preparePoll(ctx context.Context, a agency.Agency) (*polling, error) {
	code := a.Describe().Code
	record, err := r.record(ctx, code)
	if err != nil {
		return nil, err
	}
	serial, err := r.Store.Serial(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading where the store stands before %s is polled: %w", code, err)
	}
	return &polling{
		agency: a, since: agency.Since{Now: r.Now(), LastSuccess: record.LastSuccess},
		first: record.FirstSuccess, dump: newDump(serial),
	}, nil
}

// record reads what the store knows of an agency's runs.
func (r *Runner) record(ctx context.Context, code string) (store.SourceRecord, error) {
	records, err := r.Store.Sources(ctx)
	if err != nil {
		return store.SourceRecord{}, fmt.Errorf("reading when %s was last polled: %w", code, err)
	}
	for _, record := range records {
		if record.Agency == code {
			return record, nil
		}
	}
	return store.SourceRecord{}, nil
}

func (r *Runner) takePayload(ctx context.Context, from *polling, p agency.Payload, progress func(Tally)) (Tally, error) {
	a, head := from.agency, p.Body[:min(len(p.Body), agency.RecogniseBytes)]
	code := a.Describe().Code
	rec := a.Recognise(p.URL, head)
	switch rec.Kind {
	case agency.Empty:
		return Tally{}, nil
	case agency.ErrorBody:
		return Tally{}, &agency.AnswerError{Agency: code, URL: p.URL, Said: rec.Note}
	case agency.NotMine:
		return Tally{}, notTheirs{&agency.AnswerError{Agency: code, URL: p.URL, Said: "not in any of its formats: " + excerpt(head)}}
	}
	in := &intake{
		runner: r, agency: a, source: p.URL, fetchedAt: p.FetchedAt, live: true,
		dump: from.dump, timed: from.first, progress: progress,
	}
	if err := in.archive(ctx, bytes.NewReader(p.Body)); err != nil {
		return Tally{}, err
	}
	if err := in.recordPayload(ctx, rec.Format); err != nil {
		return Tally{}, err
	}
	return in.take(ctx, rec.Format)
}

func excerpt(head []byte) string {
	return fmt.Sprintf("%.120q", head)
}
