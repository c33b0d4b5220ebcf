package lookup_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/lookup"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/source"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/sqlite"
)

var now = time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)

type fixedSources []source.Source

func (s fixedSources) List(*catalogue.Snapshot) []source.Source { return s }

// snapshot loads notices through a real store.
func snapshot(t *testing.T, notices ...recall.Notice) *catalogue.Snapshot {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	var batch []store.Incoming
	for _, n := range notices {
		n.Normalise()
		batch = append(batch, store.Incoming{Notice: n, SourceHash: n.ID, Completeness: 1})
	}
	if _, err := st.Apply(t.Context(), batch, now); err != nil {
		t.Fatal(err)
	}
	c := catalogue.New()
	if err := c.Load(context.Background(), st); err != nil {
		t.Fatal(err)
	}
	return c.Current()
}

func walker() recall.Notice {
	return recall.Notice{ID: "us-cpsc:30-001", Agency: "us-cpsc", Title: "Zorbino walkers", PublishedAt: now,
		Products: []recall.Product{{Name: "Zorbino infant walkers", Brand: "Zorbino", GTINs: []recall.PrintedGTIN{{GTIN: "00041220787340", Printed: "041220787340", From: "ProductUPCs"}}}}}
}

var sources = fixedSources{
	{Agency: "fr-rappelconso", State: source.Never, Reason: "never polled"},
	{Agency: "us-cpsc", State: source.OK, Notices: 1, BarcodeShare: 1},
	{Agency: "us-fda", State: source.OK, Notices: 9},
	{Agency: "us-nhtsa", State: source.Stale, Notices: 3},
}

func TestVerdictSaysWhatWasLookedAt(t *testing.T) {
	t.Parallel()
	s := lookup.New(sources, func() time.Time { return now })
	snap := snapshot(t, walker())
	for _, c := range []struct {
		name  string
		unit  recall.Unit
		want  recall.Outcome
		could map[string]bool // by agency; others are left out
	}{
		{"by barcode, only where notices print them", recall.Unit{GTIN: "041220787340"}, recall.Affected,
			map[string]bool{"fr-rappelconso": false, "us-cpsc": true, "us-nhtsa": false}},
		{"by words, in every agency's notices", recall.Unit{Brand: "Zorbino", Name: "high chair"}, recall.NoMatch,
			map[string]bool{"fr-rappelconso": false, "us-cpsc": true, "us-fda": true, "us-nhtsa": true}},
		{"by nothing that names a product", recall.Unit{Lot: "A1"}, recall.CannotTell,
			map[string]bool{"fr-rappelconso": false, "us-nhtsa": false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := s.Verdict(snap, c.unit)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]bool{}
			for _, cov := range v.Coverage {
				got[cov.Agency] = cov.CouldMatch
			}
			if diff := cmp.Diff(c.could, got); diff != "" || v.Verdict != c.want {
				t.Errorf("verdict %s, want %s; coverage:\n%s", v.Verdict, c.want, diff)
			}
			if v.Advice == "" || v.Serial != 1 || !v.AsOf.Equal(now) || v.Rewrites == nil || v.Flags == nil {
				t.Errorf("%+v", v)
			}
		})
	}
}

func TestEmptyCatalogueCannotTell(t *testing.T) {
	t.Parallel()
	s := lookup.New(sources, func() time.Time { return now })
	v, err := s.Verdict(catalogue.New().Current(), recall.Unit{GTIN: "041220787340"})
	if err != nil || v.Verdict != recall.CannotTell || v.Matches == nil {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestAmbiguousCodeShowsItsReadings(t *testing.T) {
	t.Parallel()
	s := lookup.New(sources, func() time.Time { return now })
	v, err := s.Barcode(snapshot(t, walker()), "01234565", recall.Unit{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"00012345000065", "00000001234565"}, v.Readings); diff != "" || v.Query.GTIN != v.Readings[0] || !cmp.Equal(v.Flags, []string{"ambiguous"}) {
		t.Errorf("%+v\n%s", v, diff)
	}
}

func TestBarcodeNamesItsOwnField(t *testing.T) {
	t.Parallel()
	s := lookup.New(sources, func() time.Time { return now })
	_, err := s.Barcode(snapshot(t, walker()), "041220787341", recall.Unit{})
	bad, ok := errors.AsType[*recall.BadUnit](err)
	if !ok || bad.Field != "code" || bad.Code != "check_digit" || !cmp.Equal(bad.Suggestions, []string{"041220787340"}) {
		t.Errorf("%+v", err)
	}
}

func TestVerdictsAnswersEachOnItsOwn(t *testing.T) {
	t.Parallel()
	s := lookup.New(sources, func() time.Time { return now })
	verdicts, errs := s.Verdicts(snapshot(t, walker()), []recall.Unit{{GTIN: "041220787340"}, {GTIN: "1"}, {}, {Brand: "Zorbino", Name: "walker"}})
	if verdicts[0].Verdict != recall.Affected || errs[0] != nil || errs[1] == nil || errs[2] == nil || verdicts[3].Verdict != recall.Affected {
		t.Errorf("%+v %v", verdicts, errs)
	}
}

// While the store is out of reach the answers are of the time up to which it was
// followed.
func TestAnswersTellUpToWhenTheyHold(t *testing.T) {
	t.Parallel()
	snap := snapshot(t, walker())
	for _, c := range []struct {
		later time.Duration
		want  func(now time.Time) time.Time
	}{
		{4 * time.Second, func(now time.Time) time.Time { return now }},
		{time.Minute, func(time.Time) time.Time { return snap.FreshAt() }},
		{100 * time.Hour, func(time.Time) time.Time { return snap.FreshAt() }},
		{-time.Hour, func(now time.Time) time.Time { return now }}, // a clock that was put right
	} {
		now := snap.FreshAt().Add(c.later)
		v, err := lookup.New(sources, func() time.Time { return now }).Verdict(snap, recall.Unit{GTIN: "041220787340"})
		if want := c.want(now).Truncate(time.Second); err != nil || !v.AsOf.Equal(want) || v.AsOf.Location() != time.UTC {
			t.Errorf("%s after it was known to be whole: as of %s, want %s; %v", c.later, v.AsOf, want, err)
		}
	}
}
