package recall

import (
	"cmp"
	"slices"
	"strings"
)

// Decision is the pure part of a verdict: the outcome and the notices that it
// rests on, strongest first.
type Decision struct {
	Outcome Outcome
	Matches []Match
}

// MaxMatches bounds the matches of one decision; the strongest are kept.
const MaxMatches = 50

// Decide answers a question from the notices that could be about the product.
// It is the algorithm of docs/verdicts.md. Notices that are not about it do no
// harm, their order makes no difference, withdrawn ones never count.
func Decide(q *Question, candidates []*Notice) Decision {
	var findings []finding
	for _, n := range candidates {
		if n.Status == Withdrawn {
			continue
		}
		if f := q.judge(n); f.outcome != NoMatch {
			findings = append(findings, f)
		}
	}
	findings = dropVague(findings)
	slices.SortFunc(findings, func(a, b finding) int { return q.order(&a, &b) })
	findings = slices.CompactFunc(findings, func(a, b finding) bool { return a.notice.ID == b.notice.ID })
	d := Decision{Outcome: NoMatch, Matches: []Match{}}
	if len(findings) == 0 {
		if !q.CanName() {
			d.Outcome = CannotTell
		}
		return d
	}
	d.Outcome = findings[0].outcome
	for i := range findings[:min(len(findings), MaxMatches)] {
		d.Matches = append(d.Matches, findings[i].match(q))
	}
	return d
}

// DecideAmongSome is Decide where not every notice that could be about the product
// is at hand: what is left out may cover the unit, so not_affected turns into
// need_code, unless the unit was excluded under a barcode that the notice prints.
func DecideAmongSome(q *Question, some []*Notice) Decision {
	d := Decide(q, some)
	if d.Outcome != NotAffected || slices.Contains(d.Matches[0].MatchedOn, "gtin") {
		return d
	}
	d.Outcome = NeedCode
	m := &d.Matches[0]
	m.Verdict = NeedCode
	m.Need = &Need{Identifier: "gtin", WherePrinted: "under the barcode on the package"}
	return d
}

// finding is what one notice says of the unit.
type finding struct {
	notice     *Notice
	product    *Product
	outcome    Outcome
	vague      bool // rests on a brand and a class of product alone
	doubtful   bool // vague, and perhaps another product of the line
	confidence float64
	matchedOn  []string
	evidence   []Evidence
	need       *Need
}

// rank orders outcomes by strength.
func (o Outcome) rank() int {
	switch o {
	case Affected:
		return 3
	case NeedCode:
		return 2
	case NotAffected:
		return 1
	}
	return 0
}

// Stronger reports whether an outcome wins over another: affected, need_code,
// not_affected, no_match, in this order.
func (o Outcome) Stronger(than Outcome) bool { return o.rank() > than.rank() }

// order: the strongest outcome first, then notices of the asker's country, the
// surest, the newest; the id breaks ties.
func (q *Question) order(a, b *finding) int {
	return cmp.Or(
		cmp.Compare(b.outcome.rank(), a.outcome.rank()),
		-boolCompare(slices.Contains(a.notice.Countries, q.Unit.Country), slices.Contains(b.notice.Countries, q.Unit.Country)),
		cmp.Compare(b.confidence, a.confidence),
		b.notice.PublishedAt.Compare(a.notice.PublishedAt),
		strings.Compare(a.notice.ID, b.notice.ID),
	)
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// dropVague leaves out what rests on a brand and a class alone where a notice
// names the very product: but never so that not_affected would be what is left.
// What is doubtful, some other product of the line, is left out even then.
func dropVague(findings []finding) []finding {
	sure, excluded := false, false
	for i := range findings {
		if !findings[i].vague {
			sure = sure || findings[i].outcome.Stronger(NotAffected)
			excluded = true
		}
	}
	return slices.DeleteFunc(findings, func(f finding) bool { return f.vague && sure || f.doubtful && excluded })
}

// judge finds the strongest thing that a notice says of the unit over its products.
func (q *Question) judge(n *Notice) finding {
	best, title := finding{notice: n, outcome: NoMatch}, titleWords{title: n.Title}
	for i := range n.Products {
		f := q.judgeProduct(n, &n.Products[i], &title)
		if f.outcome.Stronger(best.outcome) || f.outcome == best.outcome && f.confidence > best.confidence {
			best = f
		}
	}
	return best
}

// judgeProduct is steps 2 to 6 of docs/verdicts.md for one product of a notice.
func (q *Question) judgeProduct(n *Notice, p *Product, title *titleWords) finding {
	f := finding{notice: n, product: p, outcome: NoMatch}
	id := q.identify(p, title)
	if !id.found {
		return f
	}
	f.vague, f.doubtful, f.confidence, f.matchedOn, f.evidence = id.vague, id.doubtful, id.confidence, id.on, id.evidence
	unit := q.findUnit(p.Units, q.modelIn(p, id.exact), id.exact)
	for _, proof := range unit.proofs {
		f.evidence = append(f.evidence, Evidence{Identifier: proof.identifier(), Quote: proof.Quote.Text, Field: proof.Quote.Field})
		if !slices.Contains(f.matchedOn, proof.identifier()) && unit.covered == yes && proof.Op != OpAll && !proof.Except {
			f.matchedOn = append(f.matchedOn, proof.identifier())
		}
	}
	if len(f.evidence) > maxEvidence {
		f.evidence = f.evidence[:maxEvidence]
	}
	f.conclude(id, unit)
	return f
}

// maxEvidence bounds the quotes of one match; notices list hundreds of lots.
const maxEvidence = 12

// conclude joins what is known of the product with what is known of the unit.
func (f *finding) conclude(id identity, unit unitFinding) {
	switch {
	case f.vague && (f.doubtful || !unit.codeFits) && (unit.covered == no || id.model == no && !unit.unreadable):
		// The unit is outside a notice that may not be about this product at all.
		f.outcome = NoMatch
	case id.model == no && unit.unreadable && unit.covered != no:
		// The models that were read may not be all.
		f.ask(Need{Identifier: "model"}, 0.5)
	case id.model == no && !id.exact && unit.covered == yes && unit.byCode:
		// A listed code on another model: one of the two was copied wrongly, or the list is not whole.
		f.ask(Need{Identifier: "model"}, 0.5)
	case id.model == no && !id.exact:
		// Another model than those that the notice is about: it doesn't cover the product.
		f.outcome = NoMatch
	case unit.covered == no, id.model == no:
		f.outcome = NotAffected
	case unit.covered == unknown:
		need := unit.need
		if id.model == unknown && !id.exact && (len(f.product.Models) != 1 || !decidesAlone(f.product.Units)) {
			need = Need{Identifier: "model"}
		}
		f.ask(need, 0.7)
	case id.possible:
		f.ask(Need{Identifier: "name"}, 0.5)
	case id.model == unknown && !unit.byCode && !id.exact:
		f.ask(Need{Identifier: "model"}, 0.6)
	case f.doubtful && !unit.codeSure, f.vague && !unit.byCode:
		f.ask(Need{Identifier: "name"}, 0.4)
	default:
		// A code of this very unit leaves no doubt about the product.
		f.outcome, f.vague = Affected, false
	}
}

// decidesAlone reports that a lot, serial number or date code says which units
// are meant whatever their model: it is the one thing to ask for.
func decidesAlone(units []Predicate) bool {
	code := false
	for i := range units {
		if len(units[i].Models) > 0 || units[i].Op == OpUnreadable {
			return false
		}
		code = code || isCode(units[i].Kind) && units[i].Op != OpAll
	}
	return code
}

func (f *finding) ask(need Need, factor float64) {
	f.outcome = NeedCode
	f.confidence *= factor
	f.need = &need
}

// identity is how a product was recognised.
type identity struct {
	found      bool
	exact      bool // by a barcode that the notice prints
	possible   bool // only by a barcode that it may mean, or by the name of a line without a brand
	vague      bool
	doubtful   bool  // vague, and only a long code that fits makes it sure
	model      truth // yes: one of the notice's; no: another; unknown: not given
	confidence float64
	on         []string
	evidence   []Evidence
}

// identify decides whether the product is the one in question: steps 2 to 4.
func (q *Question) identify(p *Product, title *titleWords) identity {
	id := identity{model: yes, on: []string{}, evidence: []Evidence{}}
	printed, possible := q.barcodeOf(p)
	if printed != nil {
		id.evidence = append(id.evidence, Evidence{Identifier: "gtin", Quote: printed.Printed, Field: printed.From})
	}
	var brand brandAgreement
	var name nameAgreement
	var words productWords
	if len(q.brand) > 0 || len(q.name) > 0 || q.model != "" {
		words.brand = Tokens(p.Brand)
		if brand = brandDisagrees; !q.otherBrand(p, &words, title) {
			words.readBrand(p, title)
			brand = q.brandOf(&words)
		}
		if brand != brandDisagrees {
			words.readName(p, title)
			name = q.nameOf(&words, brand)
		}
	}
	model, printedModel := q.modelOf(p, &words, brand)
	switch {
	case len(p.Models) == 1 && ModelKey(p.Models[0]) == "":
		// Models limit the notice, and none could be read: the one given may be one of them.
		if q.model == "" && model != yes {
			id.model = unknown
		}
	case len(p.Models) > 0:
		id.model = model
	}
	if model == yes {
		id.evidence = append(id.evidence, Evidence{Identifier: "model", Quote: printedModel, Field: "models"})
	}
	byModel := model == yes && q.modelNames(printedModel, brand, name, &words)
	byLine := model == yes && brand == brandUnknown && namesLine(printedModel)
	id.settle(printed != nil && !possible, printed != nil && possible || byLine, byModel, name)
	if !id.found {
		return id
	}
	for _, on := range []struct {
		field string
		holds bool
	}{{"gtin", printed != nil}, {"brand", brand == brandAgrees}, {"name", name != nameNone}, {"model", model == yes}} {
		if on.holds {
			id.on = append(id.on, on.field)
		}
	}
	if name != nameNone || brand == brandAgrees && byModel {
		id.evidence = append(id.evidence, Evidence{Identifier: "name", Quote: strings.TrimSpace(p.Name), Field: "products.name"})
	}
	if brand == brandUnknown && byModel && printed == nil {
		id.confidence -= 0.1
	}
	return id
}

// settle weighs the ways in which a product can be recognised, surest first.
func (id *identity) settle(exact, possible, byModel bool, name nameAgreement) {
	switch {
	case exact:
		id.found, id.exact, id.confidence = true, true, 0.99
	case byModel:
		id.found, id.confidence = true, 0.95
	case name == nameStrong:
		id.found, id.confidence = true, 0.85
	case possible:
		id.found, id.possible, id.confidence = true, true, 0.8
	case name == nameVague:
		id.found, id.vague, id.confidence = true, true, 0.6
	case name == nameDoubtful:
		id.found, id.vague, id.doubtful, id.confidence = true, true, true, 0.4
	}
}

// match turns a finding into what is told of it.
func (f *finding) match(q *Question) Match {
	n := f.notice
	m := Match{
		Recall: Summary{ID: n.ID, Agency: n.Agency, Title: n.Title, URL: n.URL, PublishedAt: n.PublishedAt,
			Hazards: present(n.Hazards), Remedy: n.Remedy},
		Verdict: f.outcome, Confidence: float64(int(f.confidence*100+0.5)) / 100,
		MatchedOn: present(f.matchedOn), Evidence: present(f.evidence), Need: f.need,
	}
	m.Recall.Remedy.Types = present(m.Recall.Remedy.Types)
	if m.Need != nil && m.Need.WherePrinted == "" {
		where := *m.Need
		where.WherePrinted = f.wherePrinted(where.Identifier)
		m.Need = &where
	}
	return m
}

// wherePrinted falls back on what is true of most products where the notice
// doesn't say where a mark stands.
func (f *finding) wherePrinted(identifier string) string {
	for i := range f.product.Units {
		if p := &f.product.Units[i]; p.identifier() == identifier && p.WherePrinted != "" {
			return p.WherePrinted
		}
	}
	switch identifier {
	case "model":
		return "on the product's label or underside, the hang tag or the instructions"
	case "lot", "best_before", "expiry":
		return "on the package, near the barcode, the seam or the bottom"
	case "serial", "date_code", "made_on":
		return "on a label or stamped on the product, often underneath or at the back"
	case "bought_on":
		return "on the receipt"
	case "name":
		return "on the front of the product or its package"
	}
	return ""
}
