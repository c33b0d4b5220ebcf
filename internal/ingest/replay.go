package ingest

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/store"
)

// ReplayProgress is told how far a replay is.
type ReplayProgress struct {
	Payloads, Of int // read anew, in all
	Tally        Tally
}

// PayloadFault is an archived payload that could not be read whole.
type PayloadFault struct {
	Raw    string `json:"raw"`    // key in the archive
	Source string `json:"source"` // address or file name that it came from
	Reason string `json:"reason"`
}

// ReplayReport is what came of a replay.
type ReplayReport struct {
	Run      store.Run
	Payloads int
	Faults   []PayloadFault
}

// Replay reads every archived payload of an agency anew, after its parser was
// changed. It changes what the change of the parser changes and nothing else:
// the record that a notice's present revision stands on gives a further revision
// when it reads differently now, older records stay older, a record that could
// not be read before becomes a notice, or the present revision of one when no
// later payload held it, and what is withdrawn stays withdrawn. Again, it
// changes nothing.
//
// A payload that cannot be read whole is reported and fails no other. The error
// says that the replay could not go on, or not begin while another process is at
// it: ErrElsewhere.
func (r *Runner) Replay(ctx context.Context, a agency.Agency, progress func(ReplayProgress)) (report ReplayReport, err error) {
	code := a.Describe().Code
	ctx, span := r.runSpan(ctx, store.RunReplay, code)
	defer func() { endRun(span, &report.Run, err) }()
	report = ReplayReport{Faults: []PayloadFault{}, Run: store.Run{Agency: code, Kind: store.RunReplay, State: store.RunRunning, StartedAt: r.Now()}}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	release, err := r.hold(ctx, code, stop)
	if err != nil {
		return report, err
	}
	defer release()
	payloads, err := r.Store.Payloads(ctx, code)
	if err != nil {
		return report, fmt.Errorf("listing the archived payloads of %s: %w", code, err)
	}
	if report.Run.ID, err = r.Store.StartRun(ctx, code, store.RunReplay, report.Run.StartedAt); err != nil {
		return report, fmt.Errorf("recording the replay of %s: %w", code, err)
	}
	// The latest payload that holds a notice speaks first, and those before it
	// only where it had nothing to say.
	slices.Reverse(payloads)
	slices.SortStableFunc(payloads, func(x, y store.ArchivedPayload) int { return y.LastFetchedAt.Compare(x.LastFetchedAt) })
	rp := &replay{runner: r, agency: a, spoken: map[string]bool{}, well: map[string]bool{}, report: &report, tell: progress}
	replayErr := stopped(ctx, rp.all(ctx, payloads))
	run := &report.Run
	run.FinishedAt, run.State = r.Now(), store.RunDone
	switch {
	case replayErr != nil:
		run.State, run.Reason = store.RunPartial, replayErr.Error()
	case len(report.Faults) > 0:
		run.State, run.Reason = store.RunPartial, fmt.Sprintf("%d payloads could not be read whole: %s", len(report.Faults), report.Faults[0].Reason)
	}
	finishing, cancel := finishing(ctx)
	defer cancel()
	if err := r.Store.FinishRun(finishing, *run); err != nil {
		return report, errors.Join(replayErr, fmt.Errorf("recording the replay of %s: %w", code, err))
	}
	return report, replayErr
}

// replay is one replay under way, from the latest payload to the first.
type replay struct {
	runner *Runner
	agency agency.Agency
	spoken map[string]bool // ids of which a later payload held a record that counts
	well   map[string]bool // keys of records that a later payload held in good order
	report *ReplayReport
	tell   func(ReplayProgress) // may be nil
}

func (rp *replay) all(ctx context.Context, payloads []store.ArchivedPayload) error {
	var sum Tally
	show := func() {
		if rp.tell != nil {
			rp.tell(ReplayProgress{Payloads: rp.report.Payloads, Of: len(payloads), Tally: sum})
		}
	}
	show()
	for _, p := range payloads {
		t, err := rp.one(ctx, p, func(t Tally) { sum.Add(t); show() })
		t.addTo(&rp.report.Run)
		switch {
		case isFatal(ctx, err):
			return fmt.Errorf("replaying %s: %w", p.Key, err)
		case err != nil:
			rp.report.Faults = append(rp.report.Faults, PayloadFault{Raw: p.Key, Source: p.SourceURL, Reason: err.Error()})
		}
		rp.report.Payloads++
		show()
	}
	return nil
}

// one reads one payload anew.
func (rp *replay) one(ctx context.Context, p store.ArchivedPayload, progress func(Tally)) (Tally, error) {
	r := rp.runner
	raw, err := r.Archive.OpenRaw(ctx, p.Key)
	if err != nil {
		return Tally{}, fmt.Errorf("opening %s: %w", p.SourceURL, err)
	}
	if err := raw.Close(); err != nil {
		return Tally{}, fmt.Errorf("opening %s: %w", p.SourceURL, err)
	}
	if err := r.Store.ForgetRejections(ctx, p.Agency, p.Key); err != nil {
		return Tally{}, fmt.Errorf("clearing the rejections of %s: %w", p.SourceURL, err)
	}
	unheard, spoken := map[string]store.Incoming{}, []string{}
	in := &intake{
		runner: r, agency: rp.agency, source: p.SourceURL, fetchedAt: p.FetchedAt, live: p.Live, replayed: true, progress: progress,
		archived: blob.Archived{Key: p.Key, SHA256: strings.TrimSuffix(path.Base(p.Key), ".gz"), Size: p.Size},
		heard: func(in store.Incoming, effect store.Effect) {
			id := in.Notice.ID
			switch effect {
			case store.Older:
			case store.Unheard:
				if !rp.spoken[id] {
					unheard[id] = in // of two in one payload, the latter
				}
			default:
				spoken = append(spoken, id)
			}
		},
		settled: func(rejection store.Rejection) bool {
			return rp.well[store.RecordKey(p.Agency, rejection.NativeID)]
		},
	}
	t, err := in.take(ctx, p.Format)
	for _, id := range spoken {
		rp.spoken[id], rp.well[store.RecordKey(p.Agency, id)] = true, true
	}
	late, lateErr := rp.place(ctx, p, unheard)
	t.Add(late)
	if lateErr != nil {
		return t, lateErr
	}
	return t, err
}

// place stores the records that could not be read before, by the rules that
// would have held when their payload came.
func (rp *replay) place(ctx context.Context, p store.ArchivedPayload, unheard map[string]store.Incoming) (Tally, error) {
	var batch []store.Incoming
	for id, in := range unheard {
		rp.spoken[id], rp.well[store.RecordKey(p.Agency, id)] = true, true
		outdated, err := rp.outdated(ctx, p, id)
		if err != nil {
			return Tally{}, err
		}
		if !outdated {
			in.Replayed = false
			batch = append(batch, in)
		}
	}
	effects, err := rp.runner.Store.Apply(ctx, batch, rp.runner.Now())
	if err != nil {
		return Tally{}, fmt.Errorf("storing %d notices that were not read before: %w", len(batch), err)
	}
	return tallyOf(effects), nil
}

// outdated tells whether a notice was fetched again, or withdrawn, after a
// payload last came.
func (rp *replay) outdated(ctx context.Context, p store.ArchivedPayload, id string) (bool, error) {
	stored, err := rp.runner.Store.Notice(ctx, id)
	if err != nil {
		return false, fmt.Errorf("reading what is stored of %s: %w", id, err)
	}
	if !stored.Tombstone {
		return stored.Notice.Provenance.FetchedAt.After(p.LastFetchedAt), nil
	}
	revisions, err := rp.runner.Store.Revisions(ctx, id)
	if err != nil {
		return false, fmt.Errorf("reading when %s was withdrawn: %w", id, err)
	}
	return revisions[len(revisions)-1].SeenAt.After(p.LastFetchedAt), nil
}
