package source

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"slices"
	"sync/atomic"
	"time"
	"weak"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

// Board answers for the state of every source from memory: it is refreshed
// from the store beside the requests, so that an outage of the store ages the
// sources and never stops an answer.
type Board struct {
	agencies []agency.Description
	records  Records
	now      func() time.Time
	offline  bool
	facts    atomic.Pointer[map[string]Known]
	counted  atomic.Pointer[withdrawals]
}

// withdrawals is how many withdrawn notices a snapshot holds, by agency. The
// snapshot itself is not kept alive by it.
type withdrawals struct {
	snap     weak.Pointer[catalogue.Snapshot]
	byAgency map[string]int
}

// Records is what a store knows of sources; see store.Runs and store.Arrivals.
type Records interface {
	Sources(ctx context.Context) ([]store.SourceRecord, error)
	Arrivals(ctx context.Context, agency string, limit int) ([]store.Arrival, error)
}

// Known is what a board knows of one source, to be kept outside a store.
type Known struct {
	Record store.SourceRecord `json:"record"`
	Lag    Lag                `json:"lag"`
}

// NewBoard makes a board over the agencies, in order of their codes.
func NewBoard(agencies []agency.Description, records Records, offline bool, now func() time.Time) *Board {
	sorted := slices.Clone(agencies)
	slices.SortFunc(sorted, func(a, b agency.Description) int {
		if a.Code < b.Code {
			return -1
		}
		return 1
	})
	b := &Board{agencies: sorted, records: records, now: now, offline: offline}
	b.facts.Store(&map[string]Known{})
	return b
}

// Refresh reads the store's records. On an error the last known ones stand.
func (b *Board) Refresh(ctx context.Context) error {
	records, err := b.records.Sources(ctx)
	if err != nil {
		return fmt.Errorf("reading the sources' records: %w", err)
	}
	facts := make(map[string]Known, len(records))
	for _, r := range records {
		arrivals, err := b.records.Arrivals(ctx, r.Agency, lagWindow)
		if err != nil {
			return fmt.Errorf("reading how long the notices of %s took: %w", r.Agency, err)
		}
		facts[r.Agency] = Known{r, lagOf(arrivals)}
	}
	b.facts.Store(&facts)
	return nil
}

// Known returns what the board knows, in order of agency.
func (b *Board) Known() []Known {
	facts := *b.facts.Load()
	list := make([]Known, 0, len(facts))
	for _, agency := range slices.Sorted(maps.Keys(facts)) {
		list = append(list, facts[agency])
	}
	return list
}

// Restore makes a board know what another one knew, until Refresh has read the
// store. Ages go on from the times in it.
func (b *Board) Restore(list []Known) {
	facts := make(map[string]Known, len(list))
	for _, k := range list {
		facts[k.Record.Agency] = k
	}
	b.facts.Store(&facts)
}

// List returns every agency's state now, in order of code, with what the
// snapshot holds of it.
func (b *Board) List(snap *catalogue.Snapshot) []Source {
	now, counts, all := b.now(), snap.Counts(), *b.facts.Load()
	withdrawn := b.withdrawnIn(snap)
	list := make([]Source, 0, len(b.agencies))
	for _, d := range b.agencies {
		record, count := all[d.Code].Record, counts[d.Code]
		state, reason := stateOf(facts{record: record, objective: d.Objective, offline: b.offline, hasFiles: count.Notices > 0, withheld: d.Withheld}, now)
		active := max(0, count.Notices-withdrawn[d.Code])
		s := Source{
			Agency: d.Code, Name: d.Name, Country: d.Country, State: state, Reason: reason,
			Notices: active, Starter: count.Starter, BarcodeShare: share(count.WithBarcode, count.Notices),
			Rejected: record.Rejected, LagSeconds: all[d.Code].Lag, Quality: qualityOf(&count), Licence: d.Licence, Attribution: d.Attribution, Republish: d.Republish,
			Objective: d.Objective, Withheld: d.Withheld != "",
		}
		if !record.LastSuccess.IsZero() {
			at, age := record.LastSuccess.UTC(), int64(max(0, now.Sub(record.LastSuccess).Seconds()))
			s.LastSuccessAt, s.AgeSeconds = &at, &age
		}
		list = append(list, s)
	}
	return list
}

// withdrawnIn counts a snapshot's withdrawn notices by agency, once for each
// snapshot: every verdict asks. Starter entries are never withdrawn.
func (b *Board) withdrawnIn(snap *catalogue.Snapshot) map[string]int {
	this := weak.Make(snap)
	if c := b.counted.Load(); c != nil && c.snap == this {
		return c.byAgency
	}
	counts := map[string]int{}
	page, err := snap.Search(catalogue.Query{Status: recall.Withdrawn, Facets: []string{"agency"}, Limit: 1})
	if err != nil {
		return counts // only a bad cursor or facet fails
	}
	for _, f := range page.Facets["agency"] {
		counts[f.Value] = f.Count
	}
	b.counted.Store(&withdrawals{this, counts})
	return counts
}

// Fingerprint changes exactly when some source's state does; ages don't count.
func (b *Board) Fingerprint(snap *catalogue.Snapshot) string {
	h := fnv.New64a()
	for _, s := range b.List(snap) {
		fmt.Fprintf(h, "%s=%s/%d/%d;", s.Agency, s.State, s.Rejected, s.Notices)
	}
	return fmt.Sprintf("%x", h.Sum64())
}

func qualityOf(c *catalogue.AgencyCounts) Quality {
	q := Quality{
		Barcode: share(c.WithBarcode, c.Notices), UnitCodes: share(c.WithUnitCodes, c.Notices), Model: share(c.WithModel, c.Notices),
		Image: share(c.WithImage, c.Notices), Remedy: share(c.WithRemedy, c.Notices), Contact: share(c.WithContact, c.Notices),
		Flagged: share(c.Flagged, c.Notices), Flags: make(map[recall.FlagKind]int, len(c.Flags)),
	}
	for i, kind := range recall.FlagKinds() {
		q.Flags[kind] = c.Flags[i]
	}
	if c.Notices > 0 {
		q.Score = math.Round(float64(c.Score)/float64(c.Notices)*10) / 10
	}
	return q
}

// share is a/b with three decimals, 0 for nothing.
func share(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return math.Round(float64(a)/float64(b)*1000) / 1000
}
