package corpus

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/agency/cpsc"
	"github.com/crownsafe/api/internal/gtin"
	"github.com/crownsafe/api/internal/recall"
)

const testSeed = 7

func written(t *testing.T, first, end int) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := Write(&buf, Between(testSeed, first, end)); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// The agency's own reader takes every notice, with the codes that were put in.
func TestWrite_isReadAsTheAgencysAnswer(t *testing.T) {
	t.Parallel()
	const count = 1000
	payload := written(t, 0, count)
	a := cpsc.New(cpsc.Options{})
	rec := a.Recognise("recalls.json", payload[:min(len(payload), agency.RecogniseBytes)])
	if want := (agency.Recognition{Kind: agency.Notices, Format: cpsc.FormatREST}); rec != want {
		t.Fatalf("recognised as %+v, want %+v", rec, want)
	}
	var notices []recall.Notice
	err := a.Parse(t.Context(), rec.Format, bytes.NewReader(payload), agency.Sink{
		Record: func(r agency.Record) error { notices = append(notices, r.Notice); return nil },
		Reject: func(r agency.Reject) error { t.Errorf("rejected: %+v", r); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(notices) != count {
		t.Fatalf("%d notices read of %d", len(notices), count)
	}
	models, units := 0, 0
	wanted := slices.Collect(Between(testSeed, 0, count))
	for i := range notices {
		product := &notices[i].Products[0]
		for _, u := range wanted[i].ProductUPCs {
			if !slices.ContainsFunc(product.GTINs, func(g recall.PrintedGTIN) bool { return g.GTIN == "00"+u.UPC }) {
				t.Errorf("%s has no barcode %s", notices[i].ID, u.UPC)
			}
		}
		models += min(1, len(product.Models))
		units += min(1, len(product.Units))
	}
	if models < count*withModels*8/1000 || units < count/2 {
		t.Errorf("models were read from %d and unit predicates from %d of %d notices; that is no load for extraction", models, units, count)
	}
}

func TestBetween_givesTheSameNoticesWhereverItStarts(t *testing.T) {
	t.Parallel()
	whole := slices.Collect(Between(testSeed, 0, 60))
	part := slices.Collect(Between(testSeed, 40, 60))
	if diff := cmp.Diff(whole[40:], part); diff != "" {
		t.Error(diff)
	}
	if bytes.Equal(mustMarshal(t, whole), mustMarshal(t, slices.Collect(Between(testSeed+1, 0, 60)))) {
		t.Error("another seed gives the same notices")
	}
}

func mustMarshal(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestBetween_numbersAndBarcodesAreUnique(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for r := range Between(testSeed, 0, 21_000) {
		if seen[r.RecallNumber] {
			t.Fatalf("recall number %s twice", r.RecallNumber)
		}
		seen[r.RecallNumber] = true
		for _, u := range r.ProductUPCs {
			if seen[u.UPC] || !gtin.Valid(u.UPC) {
				t.Fatalf("barcode %s of recall %s is invalid or not its own", u.UPC, r.RecallNumber)
			}
			seen[u.UPC] = true
		}
	}
}

func TestBetween_textsAreAsLongAsRealOnes(t *testing.T) {
	t.Parallel()
	total, count := 0, 500
	for r := range Between(testSeed, 0, count) {
		total += len(r.Title) + len(r.Description) + len(r.Hazards[0].Name) + len(r.Remedies[0].Name)
	}
	if mean := total / count; mean < 1000 || mean > 1500 {
		t.Errorf("title, description, hazard and remedy have %d bytes on average; want 1,000 to 1,500", mean)
	}
}

func TestWrite_nothingIsAnEmptyArray(t *testing.T) {
	t.Parallel()
	var got []Recall
	if err := json.Unmarshal(written(t, 3, 3), &got); err != nil || len(got) != 0 {
		t.Errorf("%d notices, %v", len(got), err)
	}
}

func TestQueries_areDifferentAndSettled(t *testing.T) {
	t.Parallel()
	queries := Queries(testSeed, 100)
	if diff := cmp.Diff(queries, Queries(testSeed, 100)); diff != "" {
		t.Error(diff)
	}
	slices.Sort(queries)
	if got := len(slices.Compact(queries)); got != 100 {
		t.Errorf("%d different queries, want 100", got)
	}
}
