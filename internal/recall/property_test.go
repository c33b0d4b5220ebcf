package recall_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/recall"
)

// Small pools, so that questions and notices meet often.
var (
	poolBrands = []string{"", "Zorbino", "Velaro", "Plumova"}
	poolNames  = []string{"infant walker", "CityGlide stroller", "DreamNest bassinet", "walker", "nursery lamp Lumo"}
	poolModels = []string{"QX-831", "QX-844", "310", "Maestro"}
	poolCodes  = []string{"A17", "B20", "A18", "20240501", "20230501", "SR-100", "SR-150"}
	poolDates  = []string{"2024-04-01", "2024-05", "2023", "2025-01-09"}
	poolGTINs  = []string{"041220787340", "036000291452", "4006381333931", "10036000291459"}
	poolKinds  = []recall.UnitKind{recall.Lot, recall.Batch, recall.Serial, recall.DateCode, recall.Made, recall.Sold, recall.BestBefore, recall.Expiry}
)

func isDateKind(k recall.UnitKind) bool {
	return k == recall.Made || k == recall.Sold || k == recall.BestBefore || k == recall.Expiry
}

func genPredicate(t *rapid.T, group int) recall.Predicate {
	kind := rapid.SampledFrom(poolKinds).Draw(t, "kind")
	pool := poolCodes
	if isDateKind(kind) {
		pool = poolDates
	}
	a, b := rapid.SampledFrom(pool).Draw(t, "from"), rapid.SampledFrom(pool).Draw(t, "to")
	var p recall.Predicate
	switch op := rapid.IntRange(0, 5).Draw(t, "op"); {
	case op == 0:
		p = recall.Equals(group, kind, a, quote(a))
	case op == 1:
		p = recall.Range(group, kind, min(a, b), max(a, b), quote(a+" to "+b))
	case op == 2 && !isDateKind(kind):
		p = recall.Affix(group, kind, recall.OpPrefix, a[:2], quote(a))
	case op == 3:
		p = recall.All(group, kind, quote("all"))
	case op == 4:
		p = recall.Unreadable(group, kind, quote("see the table"))
	default:
		p = recall.Range(group, kind, "", b, quote("up to "+b))
	}
	p.Except = rapid.IntRange(0, 9).Draw(t, "except") == 0
	if rapid.IntRange(0, 5).Draw(t, "limited") == 0 {
		p.Models = []string{rapid.SampledFrom(poolModels).Draw(t, "limit")}
	}
	return p
}

func genProduct(t *rapid.T) recall.Product {
	p := recall.Product{Name: rapid.SampledFrom(poolNames).Draw(t, "name"), Brand: rapid.SampledFrom(poolBrands).Draw(t, "brand")}
	for range rapid.IntRange(0, 2).Draw(t, "gtins") {
		p.GTINs = append(p.GTINs, gtins(rapid.SampledFrom(poolGTINs).Draw(t, "gtin"))...)
	}
	for range rapid.IntRange(0, 2).Draw(t, "models") {
		p.Models = append(p.Models, rapid.SampledFrom(poolModels).Draw(t, "model"))
	}
	for g := range rapid.IntRange(0, 3).Draw(t, "groups") {
		for range rapid.IntRange(1, 2).Draw(t, "predicates") {
			p.Units = append(p.Units, genPredicate(t, g+1))
		}
	}
	return p
}

func genNotices(t *rapid.T) []*recall.Notice {
	var list []*recall.Notice
	for i := range rapid.IntRange(1, 5).Draw(t, "notices") {
		var products []recall.Product
		for range rapid.IntRange(1, 2).Draw(t, "products") {
			products = append(products, genProduct(t))
		}
		n := notice(fmt.Sprintf("us-cpsc:30-%03d", i), products[0].Brand+" "+products[0].Name, products...)
		n.PublishedAt = time.Date(2020+i%2, 1, 1, 0, 0, 0, 0, time.UTC)
		if rapid.IntRange(0, 6).Draw(t, "withdrawn") == 0 {
			n.Status = recall.Withdrawn
		}
		list = append(list, n)
	}
	return list
}

// unitFieldNames are the fields that genUnit may fill.
var unitFieldNames = []string{"gtin", "brand", "name", "model", "lot", "serial", "date_code", "made_on", "bought_on", "best_before", "expiry"}

func setField(u *recall.Unit, field, value string) { *unitField(u, field) = value }

func unitField(u *recall.Unit, field string) *string {
	return map[string]*string{"gtin": &u.GTIN, "brand": &u.Brand, "name": &u.Name, "model": &u.Model, "lot": &u.Lot, "serial": &u.Serial,
		"date_code": &u.DateCode, "made_on": &u.MadeOn, "bought_on": &u.BoughtOn, "best_before": &u.BestBefore, "expiry": &u.Expiry}[field]
}

func genField(t *rapid.T, field string) string {
	switch field {
	case "gtin":
		return rapid.SampledFrom(poolGTINs).Draw(t, field)
	case "brand":
		return rapid.SampledFrom(poolBrands[1:]).Draw(t, field)
	case "name":
		return rapid.SampledFrom(poolNames).Draw(t, field)
	case "model":
		return rapid.SampledFrom(poolModels).Draw(t, field)
	case "lot", "serial", "date_code":
		return rapid.SampledFrom(poolCodes).Draw(t, field)
	}
	return rapid.SampledFrom(poolDates).Draw(t, field)
}

func genUnit(t *rapid.T) recall.Unit {
	var u recall.Unit
	for _, field := range unitFieldNames {
		if rapid.Bool().Draw(t, "give "+field) {
			setField(&u, field, genField(t, field))
		}
	}
	if u == (recall.Unit{}) {
		u.Brand = "Zorbino"
	}
	return u
}

func TestOrderOfNoticesNeverMatters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		notices, u := genNotices(t), genUnit(t)
		want := decide(t, u, notices...)
		seed := rapid.Uint64().Draw(t, "seed")
		shuffled := slices.Clone(notices)
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if diff := cmp.Diff(want, decide(t, u, shuffled...)); diff != "" {
			t.Fatalf("another order, another answer:\n%s", diff)
		}
	})
}

func TestAddingAnIdentifierNeverTurnsAffectedIntoNoMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		notices, u := genNotices(t), genUnit(t)
		if decide(t, u, notices...).Outcome != recall.Affected {
			return
		}
		more := u
		// Another brand or name is another product, not one more identifier of this one.
		field := rapid.SampledFrom([]string{"lot", "serial", "date_code", "made_on", "bought_on", "best_before", "expiry", "model", "gtin"}).Draw(t, "field")
		if *unitField(&more, field) != "" {
			return // it would be replaced, not added
		}
		setField(&more, field, genField(t, field))
		if got := decide(t, more, notices...); got.Outcome == recall.NoMatch {
			t.Fatalf("%+v is affected, %+v is no match", u, more)
		}
	})
}

func TestWithdrawnNoticesNeverCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		notices, u := genNotices(t), genUnit(t)
		standing := slices.DeleteFunc(slices.Clone(notices), func(n *recall.Notice) bool { return n.Status == recall.Withdrawn })
		if diff := cmp.Diff(decide(t, u, standing...), decide(t, u, notices...)); diff != "" {
			t.Fatalf("a withdrawn notice changed the answer:\n%s", diff)
		}
	})
}

func TestUnreadablePredicateNeverExcludes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		product, u := genProduct(t), genUnit(t)
		product.Units = append(product.Units, recall.Unreadable(9, rapid.SampledFrom(poolKinds).Draw(t, "kind"), quote("see the table")))
		if got := decide(t, u, notice("us-cpsc:30-001", product.Name, product)); got.Outcome == recall.NotAffected {
			t.Fatalf("%+v is not affected by a notice whose limits could not be read: %+v", u, got.Matches)
		}
	})
}

func TestMoreNoticesNeverWeakenTheAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		notices, u := genNotices(t), genUnit(t)
		all := decide(t, u, notices...).Outcome
		for _, n := range notices {
			if one := decide(t, u, n).Outcome; one == recall.Affected && all != recall.Affected {
				t.Fatalf("%s alone says affected, all together say %s", n.ID, all)
			}
		}
	})
}

func TestNotAffectedRestsOnACodeThatWasGiven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		notices, u := genNotices(t), genUnit(t)
		u.Model, u.Lot, u.Serial, u.DateCode, u.MadeOn, u.BoughtOn, u.BestBefore, u.Expiry = "", "", "", "", "", "", "", ""
		if u == (recall.Unit{}) {
			return
		}
		if got := decide(t, u, notices...); got.Outcome == recall.NotAffected && u.Name == "" {
			t.Fatalf("%+v gives no code, yet it is not affected: %+v", u, got.Matches)
		}
	})
}

func TestEveryMatchIsWellFormed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := decide(t, genUnit(t), genNotices(t)...)
		for _, m := range d.Matches {
			if (m.Verdict == recall.NeedCode) != (m.Need != nil) {
				t.Fatalf("need and verdict don't fit: %+v", m)
			}
			if m.Need != nil && (m.Need.Identifier == "" || m.Need.WherePrinted == "") {
				t.Fatalf("an empty need: %+v", m.Need)
			}
			if m.Confidence <= 0 || m.Confidence > 1 || len(m.MatchedOn) == 0 || m.Evidence == nil || m.Recall.Hazards == nil || m.Recall.Remedy.Types == nil {
				t.Fatalf("a malformed match: %+v", m)
			}
		}
		if len(d.Matches) > 0 && d.Outcome != d.Matches[0].Verdict {
			t.Fatalf("outcome %s, strongest match %s", d.Outcome, d.Matches[0].Verdict)
		}
	})
}
