// Package lookup answers one question about one unit: it reads what was typed,
// asks the catalogue, and says beside the decision what was looked at and how
// old it is.
//
// It knows nothing of HTTP, of terminals or of the store: the API, the page
// and the command line word its answers each in their way.
package lookup

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/source"
)

// Sources tells the state of every source now.
type Sources interface {
	List(snap *catalogue.Snapshot) []source.Source
}

// Service answers questions. It is safe for concurrent use.
type Service struct {
	sources Sources
	now     func() time.Time
	observe func(recall.Outcome)
}

// New makes a service over the sources' states.
func New(sources Sources, now func() time.Time) *Service {
	return &Service{sources: sources, now: now, observe: func(recall.Outcome) {}}
}

// Observe lets the service tell of each verdict that it gives, from whichever
// goroutine found it. It is to be called before the first question.
func (s *Service) Observe(observe func(recall.Outcome)) { s.observe = observe }

// Verdict answers for one unit from one snapshot. The error is a
// *recall.BadUnit when something given cannot be used.
func (s *Service) Verdict(snap *catalogue.Snapshot, u recall.Unit) (recall.Verdict, error) {
	question, err := recall.Read(u)
	if err != nil {
		return recall.Verdict{}, err
	}
	return s.answer(snap, &question, s.sources.List(snap)), nil
}

// Verdicts answers for many units; the sources are looked at once. The result
// holds for each unit either a verdict or an error.
func (s *Service) Verdicts(snap *catalogue.Snapshot, units []recall.Unit) ([]recall.Verdict, []error) {
	verdicts, errs := make([]recall.Verdict, len(units)), make([]error, len(units))
	sources := s.sources.List(snap)
	onAllProcessors(len(units), func(i int) {
		question, err := recall.Read(units[i])
		if err != nil {
			errs[i] = err
			return
		}
		verdicts[i] = s.answer(snap, &question, sources)
	})
	return verdicts, errs
}

// onAllProcessors calls do for 0 to n-1. A panic ends in the caller, where whoever
// serves the request can take care of it.
func onAllProcessors(n int, do func(i int)) {
	var next atomic.Int64
	var panicked atomic.Pointer[any]
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		workers.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					panicked.Store(&r)
				}
			}()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	workers.Wait()
	if r := panicked.Load(); r != nil {
		panic(*r)
	}
}

// Barcode answers for a scanned or typed code with what else is known of the
// unit. What is given apart from the code beats what the code holds.
func (s *Service) Barcode(snap *catalogue.Snapshot, code string, u recall.Unit) (recall.Verdict, error) {
	u.Scan = code
	v, err := s.Verdict(snap, u)
	if bad, ok := err.(*recall.BadUnit); ok && bad.Field == "scan" {
		bad.Field = "code"
	}
	return v, err
}

func (s *Service) answer(snap *catalogue.Snapshot, q *recall.Question, sources []source.Source) recall.Verdict {
	decision := recall.Decision{Outcome: recall.CannotTell, Matches: []recall.Match{}}
	if snap.Len() > 0 {
		decision = snap.Decide(q)
	}
	v := recall.Verdict{
		Verdict: decision.Outcome, Query: q.Unit, Rewrites: q.Rewrites, Flags: q.Flags,
		Matches: decision.Matches, Coverage: coverage(q, sources), Advice: decision.Advice(q),
		AsOf: s.asOf(snap), Serial: snap.Serial(),
	}
	if snap.Len() == 0 {
		v.Advice = "No notices are loaded, so nothing can be said. Try again later, or look at the agencies' own pages."
	}
	if len(q.GTINs) > 1 {
		v.Readings = slices.Clone(q.GTINs)
	}
	s.observe(v.Verdict)
	return v
}

// moments is how long ago the catalogue may have been held against its store for
// an answer to be of now: it happens several times a second, and takes longer
// only while much is being stored or the store doesn't answer.
const moments = 5 * time.Second

// asOf is the time up to which an answer holds, in whole seconds: now, or when the
// catalogue was last known to be all that its store holds. Only of one that was
// never loaded, and tells nothing, that isn't known.
func (s *Service) asOf(snap *catalogue.Snapshot) time.Time {
	now := s.now()
	if fresh := snap.FreshAt(); !fresh.IsZero() && now.Sub(fresh) > moments {
		now = fresh
	}
	return now.UTC().Truncate(time.Second)
}

// coverage lists the agencies whose notices could have matched, and every one
// that is not ok.
func coverage(q *recall.Question, sources []source.Source) []recall.Coverage {
	list := make([]recall.Coverage, 0, len(sources))
	for _, src := range sources {
		could := couldMatch(q, src)
		if !could && src.State == source.OK {
			continue
		}
		list = append(list, recall.Coverage{
			Agency: src.Agency, State: string(src.State), AgeSeconds: src.AgeSeconds,
			Notices: src.Notices, BarcodeShare: src.BarcodeShare, CouldMatch: could,
		})
	}
	return list
}

// couldMatch: a barcode alone finds something only where notices print
// barcodes; a brand, a name or a model finds something in every agency's.
func couldMatch(q *recall.Question, src source.Source) bool {
	if src.Notices+src.Starter == 0 {
		return false
	}
	if len(q.Words()) > 0 || len(q.ModelKeys()) > 0 {
		return true
	}
	return len(q.GTINs) > 0 && (src.BarcodeShare > 0 || src.Starter > 0)
}
