package catalogue

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/recall"
)

// smallNotice draws a notice of a small world, in which words, codes and values
// meet often.
func smallNotice(t *rapid.T, id string) recall.Notice {
	n := synthetic(rapid.IntRange(0, 60).Draw(t, "seed"))
	n.ID = id
	n.Countries = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"US", "CA", "FR"}), 0, 3, rapid.ID).Draw(t, "countries")
	n.Products[0].Models = rapid.SliceOfN(rapid.SampledFrom([]string{"AB-100", "ZX 9", "310", "TK77-C"}), 0, 2).Draw(t, "models")
	n.Summary = rapid.StringMatching(`(a|frame|buckle|pram|giraffe| |model AB-100|2024)*`).Draw(t, "summary")
	n.Normalise()
	return n
}

// step changes the shelf in one of the ways in which stores change.
func step(t *rapid.T, s *shelf) {
	id := fmt.Sprintf("us-cpsc:26-%03d", rapid.IntRange(0, 40).Draw(t, "id"))
	_, known := s.byID[id]
	switch what := rapid.IntRange(0, 9).Draw(t, "what"); {
	case what == 0 && known:
		s.withdraw(id)
	case what == 1 && known:
		s.supersede(id)
	default:
		s.put(smallNotice(t, id))
	}
}

// grown builds the shelf's catalogue step by step, and another one from scratch.
func grown(t *rapid.T) (grown, rebuilt *Snapshot, s *shelf) {
	s = newShelf()
	c := New()
	for range rapid.IntRange(0, 60).Draw(t, "steps") {
		step(t, s)
		if rapid.IntRange(0, 2).Draw(t, "catch up") == 0 {
			if _, err := c.CatchUp(context.Background(), s); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := c.CatchUp(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	c.merges.Wait()
	fresh := New()
	if err := fresh.Load(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	return c.Current(), fresh.Current(), s
}

func drawQuery(t *rapid.T) Query {
	q := Query{Limit: 100}
	if rapid.Bool().Draw(t, "facets") {
		q.Facets = []string{"agency", "country", "audience", "category", "hazard", "remedy", "status", "year"}
	}
	q.Words = strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"stroller", "pram", "buggy", "strolr", "recall", "the", "wooden",
		"AB-100", "ab100", "310", "giraffe", "girafe", "fire", "frame", "26-012", "us-cpsc:26-004", "travel", "cot", "nurs"}), 0, 4).Draw(t, "words"), " ")
	q.Countries = rapid.SliceOfN(rapid.SampledFrom([]string{"US", "FR"}), 0, 2).Draw(t, "countries")
	q.Hazards = rapid.SliceOfN(rapid.SampledFrom(synthHazards), 0, 3).Draw(t, "hazards")
	q.Sort = rapid.SampledFrom([]Sort{"", ByRelevance, ByNewest, ByOldest}).Draw(t, "sort")
	if rapid.IntRange(0, 4).Draw(t, "withdrawn") == 0 {
		q.Status = recall.Withdrawn
	}
	return q
}

func TestGrownInStepsOrBuiltAtOnceIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, s := grown(t)
		alike(t, s, a, b)
	})
}

type fataler interface{ Fatal(args ...any) }

func question(t fataler, u recall.Unit) recall.Question {
	q, err := recall.Read(u)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func printed(n *recall.Notice) []string {
	var list []string
	for _, p := range n.Products {
		for _, g := range p.GTINs {
			list = append(list, g.Printed)
		}
	}
	return list
}

func TestWithdrawnAndSupersededNoticesAreNeverCandidates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		snapshot, _, s := grown(t)
		for id, stored := range s.byID {
			n := stored.Notice
			u := recall.Unit{Brand: n.Products[0].Brand, Name: n.Products[0].Name}
			if list := printed(&n); len(list) > 0 {
				u.GTIN = list[0]
			}
			q := question(t, u)
			found := false
			for _, c := range snapshot.Candidates(&q) {
				found = found || c.ID == id
			}
			if found == stored.Tombstone {
				t.Fatalf("%s (tombstone: %v) among its own candidates: %v", id, stored.Tombstone, found)
			}
		}
	})
}

func TestEveryHitIsCountedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		snapshot, _, _ := grown(t)
		query := drawQuery(t)
		query.Facets = []string{"agency", "audience", "status", "year"}
		page, err := snapshot.Search(query)
		if err != nil {
			t.Fatal(err)
		}
		if page.Total != len(page.Hits) || page.Next != "" {
			t.Fatalf("total %d, %d hits, next %q", page.Total, len(page.Hits), page.Next)
		}
		for _, name := range query.Facets {
			sum := 0
			for _, c := range page.Facets[name] {
				sum += c.Count
			}
			if sum != page.Total {
				t.Fatalf("facet %s counts %d of %d hits", name, sum, page.Total)
			}
		}
	})
}

func TestPagesNeitherLoseNorRepeatWhileNoticesAreAdded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, c := newShelf(), New()
		for i := range rapid.IntRange(5, 40).Draw(t, "at first") {
			s.put(smallNotice(t, fmt.Sprintf("us-fda:F-%03d", i*2)))
		}
		if err := c.Load(context.Background(), s); err != nil {
			t.Fatal(err)
		}
		query := drawQuery(t)
		query.Status = ""
		whole, err := c.Current().Search(query)
		if err != nil {
			t.Fatal(err)
		}
		query.Limit = rapid.IntRange(1, 7).Draw(t, "limit")
		seen := map[string]int{}
		for added := 1; ; added += 2 {
			page, err := c.Current().Search(query)
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range page.Hits {
				seen[h.Notice.ID]++
			}
			if query.Cursor = page.Next; query.Cursor == "" {
				break
			}
			s.put(smallNotice(t, fmt.Sprintf("us-fda:F-%03d", added)))
			if _, err := c.CatchUp(context.Background(), s); err != nil {
				t.Fatal(err)
			}
		}
		for _, h := range whole.Hits {
			if seen[h.Notice.ID] != 1 {
				t.Fatalf("%s of the hits at first came %d times", h.Notice.ID, seen[h.Notice.ID])
			}
		}
		for id, n := range seen {
			if n != 1 {
				t.Fatalf("%s came %d times", id, n)
			}
		}
	})
}
