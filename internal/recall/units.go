package recall

import "slices"

// unitFinding is what a product's predicates say of the unit in question.
type unitFinding struct {
	covered    truth
	unreadable bool         // some predicate could not be understood
	byCode     bool         // covered rests on a lot, serial number or date code
	codeFits   bool         // some lot, serial number or date code of the notice is the one given
	codeSure   bool         // and it is too long to be met by chance
	proofs     []*Predicate // the predicates that decided
	need       Need         // what would decide, when covered is unknown
}

// findUnit evaluates the predicates of one product: groups are alternatives,
// within a group everything must hold. model is what is known of the unit's
// model against a list of models; exact, that the notice prints its barcode.
func (q *Question) findUnit(units []Predicate, model func(models []string, all bool) truth, exact bool) unitFinding {
	if len(units) == 0 {
		return unitFinding{covered: yes}
	}
	f := unitFinding{covered: no}
	var needs needTally
	for start := 0; start < len(units); {
		group, next := groupFrom(units, start)
		start = next
		g := q.findGroup(group, model, exact, &needs)
		f.codeFits = f.codeFits || g.codeFits
		f.codeSure = f.codeSure || g.codeSure
		if g.unreadable && !f.unreadable {
			f.unreadable, f.need = true, g.need
		}
		switch {
		case g.covered == yes:
			if f.covered != yes {
				f.covered, f.proofs = yes, nil
			}
			f.byCode = f.byCode || g.byCode
			f.proofs = append(f.proofs, g.proofs...)
		case g.covered == unknown && f.covered == no:
			f.covered, f.proofs = unknown, g.proofs
		case g.covered == no && f.covered == no:
			f.proofs = append(f.proofs, g.proofs...)
		}
	}
	if f.covered == no && f.unreadable {
		// What could not be read may cover this unit.
		f.covered = unknown
	}
	if len(needs.needs) > 0 {
		f.need = needs.most()
	}
	return f
}

// longMark is the length from which a mark that agrees is no chance among the
// products of one brand.
const longMark = 7

// groupFrom collects the predicates of the group that begins at start, which
// producers keep together, and returns where the next one begins.
func groupFrom(units []Predicate, start int) ([]Predicate, int) {
	end := start + 1
	for end < len(units) && units[end].Group == units[start].Group {
		end++
	}
	return units[start:end], end
}

func (q *Question) findGroup(group []Predicate, model func([]string, bool) truth, exact bool, needs *needTally) unitFinding {
	f := unitFinding{covered: yes}
	var code, date truth // of a printed mark that joins a code with a date
	paired, made := isPairedMark(group)
	limit := yes
	for i := range group {
		if len(group[i].Models) > 0 {
			limit = model(group[i].Models, coversAll(group))
			break
		}
	}
	var missing []*Predicate
	for i := range group {
		p := &group[i]
		t := q.holds(p)
		if p.Op == OpUnreadable || p.Except && p.Op == OpAll {
			// "All but all" is a misreading: nothing can be made of it.
			t, f.unreadable = unknown, true
			f.need = Need{Identifier: p.identifier(), WherePrinted: p.WherePrinted}
		}
		if p.Except {
			t = t.not()
		} else if t == yes && isCode(p.Kind) && p.Op != OpAll {
			f.codeFits = true
			f.codeSure = f.codeSure || (p.Op == OpEquals || p.Op == OpRange && p.From != nil && p.To != nil) && len(codeKey(*p.From)) >= longMark
		}
		if t == unknown {
			missing = append(missing, p)
		} else {
			f.proofs = append(f.proofs, p)
		}
		switch {
		case p.Except || !paired:
			f.covered = and(f.covered, t)
			f.byCode = f.codeFits
		case isCode(p.Kind) || made && p.Kind == Made:
			code = andGiven(code, t)
		default:
			date = andGiven(date, t)
		}
	}
	if paired {
		f.byCode = code == yes
		f.covered = and(f.covered, either(code, date))
	}
	if limit == unknown && f.covered == yes && f.codeSure && q.model == "" {
		limit = yes // such a serial number is on one model only
	}
	f.covered = and(f.covered, limit)
	switch {
	case f.covered == unknown && limit == unknown && !(exact && len(missing) > 0): // a barcode is of one model
		needs.add(Need{Identifier: "model"})
	case f.covered == unknown:
		for _, p := range missing {
			needs.add(Need{Identifier: p.identifier(), WherePrinted: p.WherePrinted})
			if paired {
				break // the first mark of a pair is enough to ask for
			}
		}
	}
	return f
}

// coversAll reports that a group names no mark but its models.
func coversAll(group []Predicate) bool {
	for i := range group {
		if group[i].Op != OpAll || group[i].Except {
			return false
		}
	}
	return true
}

// isPairedMark reports that a group joins a production code with a date that is
// printed beside it, or the day of packing with the best-by date: one mark, of
// which either half proves membership. made tells that the day is the first half.
func isPairedMark(group []Predicate) (paired, made bool) {
	code, date, last := false, false, false
	for i := range group {
		if group[i].Except {
			continue
		}
		switch group[i].Kind {
		case Lot, Batch, DateCode:
			code = true
		case Made:
			made = true
		case BestBefore, Expiry:
			date, last = true, true
		case Serial, Sold:
			return false, false
		}
	}
	if code {
		return date || made, false
	}
	return made && last, made && last
}

func isCode(kind UnitKind) bool {
	return kind == Lot || kind == Batch || kind == Serial || kind == DateCode
}

func and(a, b truth) truth {
	switch {
	case a == no || b == no:
		return no
	case a == unknown || b == unknown:
		return unknown
	}
	return yes
}

// andGiven joins the parts of one half of a mark: what was not given says nothing.
func andGiven(a, b truth) truth {
	switch {
	case a == no || b == no:
		return no
	case a == yes || b == yes:
		return yes
	}
	return unknown
}

// either: one half of a mark proves it, unless the other contradicts.
func either(code, date truth) truth {
	switch {
	case code == no || date == no:
		return no
	case code == yes || date == yes:
		return yes
	}
	return unknown
}

// holds evaluates one predicate, its Except apart.
func (q *Question) holds(p *Predicate) truth {
	if p.Op == OpAll {
		return yes
	}
	if p.Op == OpUnreadable {
		return unknown
	}
	switch p.Kind {
	case Made:
		return q.madeHolds(p)
	case Sold:
		return q.soldHolds(p)
	case BestBefore:
		return dateHolds(p, q.bestBefore, q.expiry)
	case Expiry:
		return dateHolds(p, q.expiry, q.bestBefore)
	}
	return q.codeHolds(p)
}

// dateHolds compares the date of its own kind, else its twin: people don't
// tell a best-before date from an expiry date, and a pack prints one of them.
func dateHolds(p *Predicate, own, twin Period) truth {
	if !own.Known() {
		own = twin
	}
	w, ok := p.window()
	if !ok || !own.Known() {
		return unknown
	}
	return w.covers(own)
}

func (q *Question) madeHolds(p *Predicate) truth {
	w, ok := p.window()
	if !ok {
		return unknown
	}
	if q.made.Known() {
		return w.covers(q.made)
	}
	result := unknown
	for _, c := range q.codes {
		made, ok := decodeDate(datePattern(p), c.key)
		if !ok && c.kind == DateCode {
			made, ok = monthCode(c.key)
		}
		if !ok {
			continue
		}
		switch t := w.covers(made); {
		case t == yes:
			return yes
		case c.kind == DateCode:
			result = t // a lot that can be read as a date may be none: it proves nothing
		}
	}
	return result
}

// soldHolds: a unit bought before the window is outside; one bought after it
// may have been sold new within it and come second-hand, so that nothing can
// be said.
func (q *Question) soldHolds(p *Predicate) truth {
	w, ok := p.window()
	if !ok || !q.bought.Known() {
		return unknown
	}
	if !w.Last.IsZero() && q.bought.Last.After(w.Last) {
		return unknown
	}
	return w.covers(q.bought)
}

// codeHolds compares every code that was given, its own kind first: people
// don't know whether a code is a lot, a batch, a serial number or a date code.
// A code given under another kind's name proves that a unit lies outside only
// where it is built like the notice's codes.
func (q *Question) codeHolds(p *Predicate) truth {
	result := unknown
	kind := p.Kind
	if kind == Batch {
		kind = Lot
	}
	for _, c := range q.codes {
		t := q.compareCode(p, c.key)
		if t == yes {
			return yes
		}
		if t == no && (c.kind == kind || builtLike(p, c.key)) {
			result = no
		}
	}
	if result == unknown && p.Kind == DateCode && q.made.Known() {
		if w, ok := dateCodeWindow(p); ok {
			return w.covers(q.made)
		}
		if p.Op == OpEquals {
			if w, ok := monthCode(*p.From); ok {
				return w.covers(q.made)
			}
		}
	}
	return result
}

// compareCode compares one code with a predicate; a date code whose notation
// the notice states is compared as the date that it stands for.
func (q *Question) compareCode(p *Predicate, key string) truth {
	if p.Kind == DateCode {
		if pattern := datePattern(p); pattern != "" {
			if w, ok := dateCodeWindow(p); ok {
				made, ok := decodeDate(pattern, key)
				if !ok {
					return unknown
				}
				return w.covers(made)
			}
		}
	}
	return compareMark(p, key)
}

// builtLike reports whether a code has the length and the kinds of characters
// of the notice's own.
func builtLike(p *Predicate, key string) bool {
	for _, bound := range []*string{p.From, p.To} {
		if bound == nil {
			continue
		}
		own := codeKey(*bound)
		if p.Op == OpPrefix || p.Op == OpSuffix {
			return len(key) >= len(own) && p.Kind != Serial
		}
		if len(own) == len(key) && sameBuild(own, key) {
			return true
		}
	}
	return false
}

// identifier is the request's field that a predicate asks for.
func (p *Predicate) identifier() string {
	switch p.Kind {
	case Lot, Batch:
		return "lot"
	case Serial:
		return "serial"
	case DateCode:
		return "date_code"
	case Made:
		return "made_on"
	case Sold:
		return "bought_on"
	case BestBefore:
		return "best_before"
	case Expiry:
		return "expiry"
	}
	return "lot"
}

// needTally counts which missing identifier would decide most groups.
type needTally struct {
	needs  []Need
	counts []int
}

func (t *needTally) add(n Need) {
	i := slices.IndexFunc(t.needs, func(have Need) bool { return have.Identifier == n.Identifier })
	if i < 0 {
		t.needs, t.counts = append(t.needs, n), append(t.counts, 1)
		return
	}
	t.counts[i]++
	if t.needs[i].WherePrinted == "" {
		t.needs[i].WherePrinted = n.WherePrinted
	}
}

// most returns what was missing most often; there must be something.
func (t *needTally) most() Need {
	best := 0
	for i := range t.needs {
		if t.counts[i] > t.counts[best] {
			best = i
		}
	}
	return t.needs[best]
}
