package ingest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/store"
)

// ErrGuarded says that a complete dump was not believed: what could be read of
// it is stored, for a further notice never harms, but nothing counts as missing.
var ErrGuarded = errors.New("the dump is not taken for complete")

// Guarded reports that a recorded run ended because a complete dump was not
// believed.
func Guarded(run store.Run) bool { return strings.Contains(run.Reason, ErrGuarded.Error()) }

// One in guardShare, 5 %, is how much of what was there a dump may lack, and how
// much of a dump may be rejected.
const guardShare = 20

// dump gathers what a run read of one agency, to be held against the store at
// the run's end.
type dump struct {
	ids      map[string]struct{} // of notices
	refused  map[string]struct{} // keys of rejected records
	nameless int                 // rejected records whose number could not be read
	read     int                 // records, rejected ones included
	rejected int
	from     int64 // the store's serial when the run began
}

func newDump(serial int64) *dump {
	return &dump{ids: map[string]struct{}{}, refused: map[string]struct{}{}, from: serial}
}

// add takes what one batch holds.
func (d *dump) add(code string, b batch) {
	d.read += b.read
	d.rejected += len(b.rejections)
	for i := range b.incoming {
		d.ids[b.incoming[i].Notice.ID] = struct{}{}
	}
	for i := range b.rejections {
		key := store.RecordKey(code, b.rejections[i].NativeID)
		if key == "" {
			d.nameless++
			continue
		}
		d.refused[key] = struct{}{}
	}
}

// DumpReport is what came of one agency's complete dump.
type DumpReport struct {
	Agency    string         `json:"agency"`
	State     store.RunState `json:"state"`     // RunPartial when the dump was not believed
	Missing   int            `json:"missing"`   // active notices that it lacked and should have held
	Withdrawn int            `json:"withdrawn"` // of them, those that were missing for the last time
	Restored  int            `json:"restored"`  // notices that were withdrawn for being missing and are back
	Reason    string         `json:"reason"`    // why nothing counts as missing; empty when it does
}

// settle holds a complete dump against the store and adds to the run what came
// of it. The error is ErrGuarded when the dump was not believed, else the store's.
func (r *Runner) settle(ctx context.Context, a agency.Agency, d *dump, run *store.Run) (DumpReport, error) {
	if r.Storing != nil {
		r.Storing(ctx)
	}
	report, err := r.holdAgainst(ctx, a, d)
	report.Agency, report.State = run.Agency, store.RunDone
	if err != nil {
		report.State, report.Reason = store.RunPartial, err.Error()
		return report, err
	}
	run.Reason = report.Reason
	run.Withdrawn += report.Withdrawn
	run.Revised += report.Restored
	if r.Stored != nil && report.Withdrawn+report.Restored > 0 {
		r.Stored()
	}
	return report, nil
}

func (r *Runner) holdAgainst(ctx context.Context, a agency.Agency, d *dump) (DumpReport, error) {
	code := a.Describe().Code
	if d.rejected*guardShare > d.read {
		return DumpReport{}, fmt.Errorf("%w: %d of its %d records were rejected, more than 5 %%; nothing counts as missing", ErrGuarded, d.rejected, d.read)
	}
	parts, err := r.partsOf(ctx, a, d)
	if err != nil {
		return DumpReport{}, fmt.Errorf("reading the notices that a dump of %s should hold: %w", code, err)
	}
	verdict := store.Dump{Agency: code, Present: slices.Collect(maps.Keys(d.ids))}
	covered := 0
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		p := parts[name]
		if len(p.present) == 0 {
			continue // a part of which the dump holds nothing, so that it is none of that part
		}
		covered++
		if lost := len(p.missing); lost*guardShare > p.active() {
			return DumpReport{}, fmt.Errorf("%w: it lacks %d of the %d %sthat are here, more than 5 %%; what it holds is stored, nothing counts as missing",
				ErrGuarded, lost, p.active(), noticesOf(name))
		}
		verdict.Present = append(verdict.Present, p.present...)
		verdict.Missing = append(verdict.Missing, p.missing...)
	}
	if covered == 0 && len(parts) > 0 {
		return DumpReport{}, fmt.Errorf("%w: it holds none of the notices that are here; nothing counts as missing", ErrGuarded)
	}
	report := DumpReport{Missing: len(verdict.Missing)}
	if d.nameless > 0 && report.Missing > 0 {
		report.Reason = fmt.Sprintf("%d rejected records have no readable number and could be what is missing: nothing counts as missing", d.nameless)
		verdict.Missing = nil
	}
	outcome, err := r.Store.SettleDump(ctx, verdict, r.Now())
	if err != nil {
		return DumpReport{}, fmt.Errorf("settling the dump of %s: %w", code, err)
	}
	report.Withdrawn, report.Restored = outcome.Withdrawn, outcome.Restored
	return report, nil
}

// part is one part of an agency's active notices: the ids that a dump holds, and
// those that it lacks.
type part struct{ present, missing []string }

func (p *part) active() int { return len(p.present) + len(p.missing) }

// partsOf sorts an agency's active notices by part and by whether the dump holds them.
func (r *Runner) partsOf(ctx context.Context, a agency.Agency, d *dump) (map[string]*part, error) {
	parts, code := map[string]*part{}, a.Describe().Code
	divided, isDivided := a.(agency.Divided)
	err := r.Store.ActiveNotices(ctx, code, func(s store.Stored) error {
		name, id := "", s.Notice.ID
		if isDivided {
			name = divided.PartOf(&s.Notice)
		}
		p := parts[name]
		if p == nil {
			p = &part{}
			parts[name] = p
		}
		switch {
		case d.holds(code, id):
			p.present = append(p.present, id)
		case s.Serial <= d.from: // else somebody stored it while the dump was being read
			p.missing = append(p.missing, id)
		}
		return nil
	})
	return parts, err
}

// holds tells whether the dump has a record of a notice: a rejected one too.
func (d *dump) holds(code, id string) bool {
	if _, is := d.ids[id]; is {
		return true
	}
	if len(d.refused) == 0 {
		return false
	}
	_, is := d.refused[store.RecordKey(code, id)]
	return is
}

func noticesOf(part string) string {
	if part == "" {
		return "notices "
	}
	return fmt.Sprintf("notices (%s) ", part)
}

// settle holds the dumps against the store. When a file could not be read, or
// is the agency's word that it failed, what it would have held is not known, and
// no dump of the import counts.
func (im *importing) settle(ctx context.Context) error {
	for i := range im.report {
		row := &im.report[i]
		if row.Failed() && row.Status != FileRejected || row.Status == FileErrorBody { // of rejected records each dump has its own word
			return im.distrust(fmt.Errorf("%w: %s could not be read as notices (%s); nothing counts as missing", ErrGuarded, row.Path, row.Status))
		}
	}
	var doubts []error
	for _, code := range slices.Sorted(maps.Keys(im.dumps)) {
		a, err := im.runner.Agency(code)
		if err != nil {
			return err
		}
		run := im.runs[code]
		if run == nil {
			continue // files without one record
		}
		report, err := im.runner.settle(ctx, a, im.dumps[code], run)
		im.settled = append(im.settled, report)
		switch {
		case errors.Is(err, ErrGuarded):
			run.State, run.Reason = store.RunPartial, err.Error()
			doubts = append(doubts, fmt.Errorf("%s: %w", code, err))
		case err != nil:
			return err
		}
	}
	return errors.Join(doubts...)
}

// distrust marks every run of the import.
func (im *importing) distrust(doubt error) error {
	for _, run := range im.runs {
		if run.State == store.RunDone {
			run.State, run.Reason = store.RunPartial, doubt.Error()
		}
	}
	return doubt
}
