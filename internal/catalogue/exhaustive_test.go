package catalogue

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/recall"
)

// crowd is a snapshot of several segments with dead notices among them, large
// enough for words that stand in many notices.
var crowd = sync.OnceValue(func() *Snapshot {
	s, c := newShelf(synthetics(0, 900)...), New()
	catchUp := func() {
		if _, err := c.CatchUp(context.Background(), s); err != nil {
			panic(err)
		}
	}
	catchUp()
	for round := range 4 {
		for i := range 60 {
			n := synthetic(5000 + round*60 + i)
			n.ID = synthetic(round*7 + i*11).ID // replaces one
			s.put(n)
		}
		s.withdraw(synthetic(round*31 + 3).ID)
		s.supersede(synthetic(round*17 + 300).ID)
		s.put(synthetics(900+round*90, 990+round*90)...)
		catchUp()
	}
	c.merges.Wait()
	return c.Current()
})

// total is what a notice has come to, word by word.
type total struct {
	sum, covered int64
	fields       field
	named        bool // by a word that may find it
	special      bool // by a word that is not common
}

// exhaustively adds up every word over every posting of every part.
func exhaustively(s *Snapshot, pieces []piece, namingOnly bool, common func(*word) bool) (map[candidate]*total, int64) {
	totals, all := map[candidate]*total{}, int64(0)
	add := func(found map[candidate]mark, common bool) {
		weight := int64(rarity(len(found), s.living))
		if len(found) > 0 {
			all += weight
		}
		for c, m := range found {
			if totals[c] == nil {
				totals[c] = new(total)
			}
			t := totals[c]
			t.sum += weight * int64(m.value())
			t.covered += weight
			t.fields |= m.field()
			t.special = t.special || !common
			t.named = t.named || !common || m.field()&inBrand != 0
		}
	}
	for _, p := range pieces {
		if p.code != nil {
			found := standing(s, p.code, namingOnly)
			known := decided(found)
			if known || namingOnly {
				add(found, false)
			}
			if known && !namingOnly {
				continue
			}
		}
		for i := range p.words {
			w := &p.words[i]
			found := standing(s, w, namingOnly)
			if w.spelling != "" && !decided(found) {
				addSimilar(s, found, w.spelling, namingOnly)
			}
			add(found, common != nil && common(w))
		}
	}
	return totals, all
}

func decided(found map[candidate]mark) bool {
	for _, m := range found {
		if m.field()&deciding != 0 {
			return true
		}
	}
	return false
}

func standing(s *Snapshot, w *word, namingOnly bool) map[candidate]mark {
	found := map[candidate]mark{}
	for i := range s.parts {
		p := &s.parts[i]
		for _, f := range w.forms {
			addTerm(found, p, f.term, f.quality, namingOnly)
		}
		if w.barcode == "" || namingOnly {
			continue
		}
		own, related := askedKeys(w.barcode)
		for _, doc := range p.barcodes.find(own) {
			note(found, p, doc, inGTIN, exactly)
		}
		for _, key := range related {
			for _, doc := range p.barcodes.find(key) {
				note(found, p, doc, inGTIN, caseOrItem)
			}
		}
	}
	return found
}

func addSimilar(s *Snapshot, found map[candidate]mark, spelling string, namingOnly bool) {
	for i := range s.parts {
		p := &s.parts[i]
		for number := range p.terms.len() {
			term := p.terms.term(number)
			if q := prefixQuality(spelling, term); strings.HasPrefix(term, spelling) && len(spelling) >= minPrefix && q > 0 && !namingOnly {
				addTerm(found, p, term, q, namingOnly)
			}
		}
		for _, term := range p.typos().near(nil, &p.terms, spelling) {
			for j := range s.parts {
				addTerm(found, &s.parts[j], term, typoQuality(spelling, term), namingOnly)
			}
		}
	}
}

func addTerm(found map[candidate]mark, p *part, term string, quality uint32, namingOnly bool) {
	number, ok := p.terms.find(term, textKey(term))
	if !ok {
		return
	}
	for _, posting := range p.terms.appendAll(nil, number) {
		in := posting.field()
		if namingOnly {
			in &= naming
		}
		note(found, p, posting.doc(), in, quality)
	}
}

func note(found map[candidate]mark, p *part, doc uint32, in field, quality uint32) {
	if in == 0 || p.dead.has(doc) {
		return
	}
	c := candidate{p, doc}
	m := newMark(0, in, quality)
	found[c] = max(found[c], m)&^0xffff | (found[c]|m)&0xffff
}

// admitted looks at the notice itself.
func admitted(q *Query, c candidate) bool {
	n := c.part.notice(c.doc)
	one := func(wanted, have []string) bool {
		return len(wanted) == 0 || slices.ContainsFunc(have, func(v string) bool { return slices.Contains(wanted, v) })
	}
	var hazards, remedies []string
	for _, h := range n.Hazards {
		hazards = append(hazards, string(h.Type))
	}
	for _, r := range n.Remedy.Types {
		remedies = append(remedies, string(r))
	}
	return !c.part.dead.has(c.doc) && c.part.traits[c.doc]&isGone == 0 && n.Status == q.status() &&
		one(q.Agencies, []string{n.Agency}) && one(q.Countries, n.Countries) && one(q.Categories, n.Categories) &&
		one(strs(q.Audiences), []string{string(n.Audience)}) && one(strs(q.Hazards), hazards) && one(strs(q.Remedies), remedies) &&
		(q.From.IsZero() || !n.PublishedAt.Before(q.From)) && (q.To.IsZero() || n.PublishedAt.Before(q.To.AddDate(0, 0, 1)))
}

// found is a hit as the exhaustive way finds it.
type found struct {
	ID      string
	Score   float64
	Matched []string
	key     int64
}

func exhaustiveSearch(s *Snapshot, q Query) []found {
	pieces := read(q.Words)
	order := q.sortOrder(len(pieces) > 0)
	totals, weight := exhaustively(s, pieces, false, nil)
	if len(pieces) == 0 {
		for i := range s.parts {
			for doc := range uint32(s.parts[i].len()) {
				totals[candidate{&s.parts[i], doc}] = new(total)
			}
		}
	}
	list := []found{}
	for c, t := range totals {
		if !admitted(&q, c) {
			continue
		}
		hit := found{ID: c.part.id(c.doc), Matched: []string{}}
		score := t.sum * t.covered * brevity[c.part.widths[c.doc]]
		if len(pieces) > 0 {
			hit.Score, hit.Matched = float64(score)/float64(weight)/(64<<20), t.fields.names()
		}
		switch hit.key = score; order {
		case ByNewest:
			hit.key = c.part.published[c.doc]
		case ByOldest:
			hit.key = -c.part.published[c.doc]
		}
		list = append(list, hit)
	}
	slices.SortFunc(list, func(a, b found) int { return cmp.Or(cmp.Compare(b.key, a.key), strings.Compare(a.ID, b.ID)) })
	return list
}

func drawCrowdQuery(t *rapid.T) Query {
	q := drawQuery(t)
	n := synthetic(rapid.IntRange(0, 1300).Draw(t, "about"))
	about := strings.Fields(n.Title + " " + n.Products[0].Models[0] + " " + n.Summary + " " + strings.Join(printed(&n), " "))
	q.Words += " " + strings.Join(rapid.SliceOfN(rapid.SampledFrom(about), 0, 6).Draw(t, "its words"), " ")
	if rapid.Bool().Draw(t, "agencies") {
		q.Agencies = []string{n.Agency, "us-fda"}
	}
	if rapid.IntRange(0, 2).Draw(t, "period") == 0 {
		q.From = n.PublishedAt.AddDate(-rapid.IntRange(0, 9).Draw(t, "years before"), 0, 0)
	}
	if rapid.IntRange(0, 2).Draw(t, "end") == 0 {
		q.To = n.PublishedAt.AddDate(rapid.IntRange(0, 9).Draw(t, "years after"), 0, 0)
	}
	return q
}

func TestAPageIsWhatScoringEveryNoticeWouldGive(t *testing.T) {
	s := crowd()
	rapid.Check(t, func(t *rapid.T) {
		query := drawCrowdQuery(t)
		want := exhaustiveSearch(s, query)
		query.Limit = rapid.SampledFrom([]int{1, 3, 20, 100}).Draw(t, "limit")
		got := []found{}
		for range 4 {
			page, err := s.Search(query)
			if err != nil {
				t.Fatal(err)
			}
			if page.Total != len(want) {
				t.Fatalf("%+v: %d hits in all, want %d", query, page.Total, len(want))
			}
			for _, h := range page.Hits {
				got = append(got, found{ID: h.Notice.ID, Score: h.Score, Matched: h.Matched})
			}
			if query.Cursor = page.Next; query.Cursor == "" {
				break
			}
		}
		if query.Cursor == "" && len(got) != len(want) {
			t.Fatalf("%d hits on all pages, want %d", len(got), len(want))
		}
		if diff := gocmp.Diff(want[:len(got)], got, gocmp.Comparer(func(a, b found) bool {
			return a.ID == b.ID && a.Score == b.Score && slices.Equal(a.Matched, b.Matched)
		})); diff != "" {
			t.Fatalf("%+v (-exhaustive +got):\n%s", query, diff)
		}
	})
}

func TestFacetsCountWhatLookingAtEveryHitWouldGive(t *testing.T) {
	s := crowd()
	rapid.Check(t, func(t *rapid.T) {
		query := drawCrowdQuery(t)
		query.Facets = []string{"agency", "country", "hazard", "status", "year"}
		page, err := s.Search(query)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]map[string]int{}
		for _, name := range query.Facets {
			want[name] = map[string]int{}
		}
		for _, hit := range exhaustiveSearch(s, query) {
			n, _, _ := s.Notice(hit.ID)
			want["agency"][n.Agency]++
			want["status"][string(n.Status)]++
			want["year"][n.PublishedAt.Format("2006")]++
			for _, c := range n.Countries {
				want["country"][c]++
			}
			for _, h := range n.Hazards {
				want["hazard"][string(h.Type)]++
			}
		}
		got := map[string]map[string]int{}
		for name, counts := range page.Facets {
			got[name] = map[string]int{}
			for _, c := range counts {
				got[name][c.Value] = c.Count
			}
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("%+v (-want +got):\n%s", query, diff)
		}
	})
}

func TestCandidatesAreThoseThatSharedMostOfAll(t *testing.T) {
	s := crowd()
	rapid.Check(t, func(t *rapid.T) {
		n := synthetic(rapid.IntRange(0, 1300).Draw(t, "about"))
		fields := strings.Fields(n.Products[0].Name + " wooden stroller buggy wite Summer " + n.Title)
		name := strings.Join(rapid.SliceOfN(rapid.SampledFrom(fields), 1, 8).Draw(t, "name"), " ")
		common := func(w *word) bool { return recall.Common(w.means) }
		pieces := read(name)
		totals, _ := exhaustively(s, pieces, true, common)
		onlyCommon := true
		for _, total := range totals {
			onlyCommon = onlyCommon && !total.special
		}
		var sums []int64
		for c, total := range totals {
			if c.part.stands(c.doc) && (total.named || onlyCommon) {
				sums = append(sums, total.sum)
			}
		}
		slices.SortFunc(sums, func(a, b int64) int { return cmp.Compare(b, a) })
		if len(sums) > 0 {
			sums = slices.DeleteFunc(sums, func(sum int64) bool { return sum < sums[0]/farBehind })
		}
		if len(sums) > maxByWords {
			last := sums[maxByWords-1]
			equal := slices.IndexFunc(sums, func(sum int64) bool { return sum < last })
			switch {
			case last < sums[0]/closeBehind:
				sums = sums[:maxByWords]
			case equal >= 0:
				sums = sums[:min(equal, maxEqual)]
			default:
				sums = sums[:min(len(sums), maxEqual)]
			}
		}
		x := newScan(s, true, nil)
		defer x.release()
		x.lookForCandidates(pieces, nil, common)
		got := []int64{}
		rows, _ := x.bestFound()
		for _, row := range rows {
			if key := totals[candidate{row.part, row.doc}].sum; key != row.key {
				t.Errorf("%s shares %d, not %d", row.part.id(row.doc), key, row.key)
			}
			got = append(got, row.key)
		}
		if !slices.Equal(got, sums) {
			t.Fatalf("%q: candidates share %v, want %v", name, got, sums)
		}
	})
}

func TestKeysComeBackFromWhereTheyAreScattered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfN(rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 40)), 0, 100).Draw(t, "keys")
		var list []keyed
		want := map[uint64][]uint32{}
		for i, key := range keys {
			list = append(list, keyed{key, uint32(i)})
			want[key] = append(want[key], uint32(i))
		}
		x := newKeyIndex(list)
		for key, docs := range want {
			if got := x.find(key); !slices.Equal(got, docs) {
				t.Fatalf("key %d has notices %v, want %v", key, got, docs)
			}
		}
		if got := x.find(rapid.Uint64().Draw(t, "other")); len(got) > 0 && len(want) == 0 {
			t.Fatalf("an empty index finds %v", got)
		}
		count := 0
		x.each(func(key uint64, doc uint32) {
			if keys[doc] != key {
				t.Fatalf("key %d came back as %d", keys[doc], key)
			}
			count++
		})
		if count != len(keys) {
			t.Fatalf("%d of %d keys came back", count, len(keys))
		}
	})
}
