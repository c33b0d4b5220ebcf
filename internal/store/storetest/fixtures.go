package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

// start is when the suite's stories begin.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// day returns the time n days into the story.
func day(n int) time.Time { return start.AddDate(0, 0, n) }

// Notice makes a complete, invented notice of a usual size (about 3 kB of
// JSON), different for each n: for the suite, and for an adapter's benchmarks.
func Notice(n int) recall.Notice {
	code := fmt.Sprintf("BL%05d", n)
	quote := recall.Quote{
		Text: "Model " + code + " with a date code between 2240 and 2312 is included in this recall.", Field: "description", Start: 120, End: 197,
	}
	updated := start.AddDate(0, 0, -20)
	reports := 12 + n%7
	notice := recall.Notice{
		ID:          fmt.Sprintf("us-example:%05d", n),
		Agency:      "us-example",
		URL:         fmt.Sprintf("https://recalls.example/%05d", n),
		Language:    "en",
		Title:       fmt.Sprintf("Birchlane Recalls Bassinets %s Due to Suffocation Hazard", code),
		Summary:     strings.Repeat("This recall involves bassinets with a wooden stand, sold in grey and in oat. The side can lean outwards when a leg is not locked. ", 4) + code,
		PublishedAt: start.AddDate(0, -2, 0),
		UpdatedAt:   &updated,
		Countries:   []string{"US", "CA"},
		Audience:    recall.Infant,
		Categories:  []string{"bassinets"},
		Hazards:     []recall.Hazard{{Type: recall.HazardSuffocation, Text: "An infant can roll against the side and suffocate."}},
		Incidents:   recall.Incidents{Reports: &reports},
		Remedy: recall.Remedy{
			Types: []recall.RemedyType{recall.RemedyRepair, recall.RemedyStopUse},
			Text:  "Stop using the bassinet at once and ask Birchlane for a free set of locks.", Contact: "555-0100 from 9 a.m. to 5 p.m.",
		},
		UnitsCount: []recall.UnitCount{{Country: "US", Count: 41000 + n, Approximate: true}},
		SoldAt:     []string{"Juvenile product stores nationwide and birchlane.example from June 2024 through May 2025"},
		Images:     []string{"https://recalls.example/pictures/" + code + ".jpg"},
		Aliases:    []recall.Alias{{ID: fmt.Sprintf("ca-example:%05d", n), Kind: recall.Declared}},
		Provenance: recall.Provenance{
			FetchedAt: start.AddDate(0, 0, -1), SourceURL: "https://recalls.example/all.json", SHA256: strings.Repeat("5a", 32),
			Raw: "raw/us-example/5a/5a.gz", Licence: "public domain", Attribution: "Example Agency",
		},
	}
	for _, colour := range []string{"grey", "oat"} {
		notice.Products = append(notice.Products, recall.Product{
			Name: "Bassinet " + colour, Brand: "Birchlane",
			GTINs:  []recall.PrintedGTIN{{GTIN: fmt.Sprintf("0%013d", n), Printed: fmt.Sprintf("%013d", n), From: "ProductUPCs"}},
			Models: []string{code, code + "-" + colour},
			Units:  []recall.Predicate{recall.Range(1, recall.DateCode, "2240", "2312", quote), recall.Equals(2, recall.Lot, code, quote)},
		})
	}
	notice.Normalise()
	return notice
}

// Copy makes the copy of a notice that a file of its agency would give, in
// version 1.
func Copy(n recall.Notice) store.Incoming {
	return store.Incoming{Notice: n, SourceHash: "record of " + n.ID + ": " + n.Title, Version: 1, Completeness: 2}
}

// titled returns a copy with another title, and so another content and source.
func titled(in store.Incoming, title string) store.Incoming {
	in.Notice.Title = title
	in.SourceHash = "record of " + in.Notice.ID + ": " + title
	return in
}

// apply applies a batch that must succeed.
func apply(t testing.TB, s store.Store, now time.Time, batch ...store.Incoming) []store.Effect {
	t.Helper()
	effects, err := s.Apply(t.Context(), batch, now)
	if err != nil {
		t.Fatalf("Apply: %v", err)
	}
	if len(effects) != len(batch) {
		t.Fatalf("Apply returned %d effects for %d notices", len(effects), len(batch))
	}
	return effects
}

// expect applies one copy and checks its effect.
func expect(t testing.TB, s store.Store, now time.Time, in store.Incoming, want store.Effect) {
	t.Helper()
	if got := apply(t, s, now, in)[0]; got != want {
		t.Fatalf("%s (%s): effect %v, want %v", in.Notice.ID, in.SourceHash, got, want)
	}
}

// changes reads everything above a serial.
func changes(t testing.TB, s store.Store, since int64, limit int) []store.Stored {
	t.Helper()
	var all []store.Stored
	err := s.Changes(t.Context(), since, limit, func(c store.Stored) error {
		all = append(all, c)
		return nil
	})
	if err != nil {
		t.Fatalf("Changes(%d, %d): %v", since, limit, err)
	}
	return all
}

// state is all that can be seen of a store's notices.
type state struct {
	Serial    int64
	Current   []store.Stored
	Revisions map[string][]store.Revision
}

func stateOf(t testing.TB, s store.Store) state {
	t.Helper()
	return stateSince(t, s, 0)
}

// stateSince is the state of what changed after a serial.
func stateSince(t testing.TB, s store.Store, since int64) state {
	t.Helper()
	seen := state{Serial: serialOf(t, s), Current: changes(t, s, since, 0), Revisions: map[string][]store.Revision{}}
	for _, c := range seen.Current {
		all, err := s.Revisions(t.Context(), c.Notice.ID)
		if err != nil {
			t.Fatalf("Revisions(%s): %v", c.Notice.ID, err)
		}
		seen.Revisions[c.Notice.ID] = all
	}
	return seen
}

func serialOf(t testing.TB, s store.Store) int64 {
	t.Helper()
	serial, err := s.Serial(t.Context())
	if err != nil {
		t.Fatalf("Serial: %v", err)
	}
	return serial
}

// same fails unless two values are equal; a nil slice equals an empty one.
func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}
