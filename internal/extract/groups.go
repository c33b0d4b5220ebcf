package extract

import (
	"cmp"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/recall"
)

// group is one alternative: its predicates must hold together.
type group struct {
	preds []recall.Predicate
	text  *text
	near  int // token that tells its sentence
}

// key tells groups apart that say something else.
func (g *group) key() string {
	var b strings.Builder
	for _, p := range g.preds {
		b.WriteString(string(p.Kind))
		b.WriteString(string(p.Op))
		for _, bound := range []*string{p.From, p.To} {
			b.WriteByte(0)
			if bound != nil {
				b.WriteString(*bound)
			}
		}
		if p.Except {
			b.WriteByte('!')
		}
		if !p.FromInclusive || !p.ToInclusive {
			b.WriteByte('(')
		}
		for _, m := range p.Models {
			b.WriteByte(1)
			b.WriteString(m)
		}
	}
	return b.String()
}

// mostGroups bounds how many groups one notice may get; beyond it, conditions
// are left off, which can only widen what is covered.
const mostGroups = 3000

// codes puts what was read together.
func (r *reader) codes() Codes {
	r.found.Models = slices.DeleteFunc(r.found.Models, func(m string) bool { return r.notModels[squeeze(m)] })
	r.settleTradeNumbers()
	r.sweepModels()
	if len(r.found.Models) == 0 && len(r.modelMarks) == 0 {
		r.leadModels()
	}
	r.bindModels()
	r.barcodesAmongModels()
	groups := r.groups()
	seen := make(map[string]bool, len(groups))
	n := 0
	for _, g := range groups {
		if key := g.key(); !seen[key] {
			seen[key] = true
			n++
			for _, p := range g.preds {
				p.Group = n
				r.found.Units = append(r.found.Units, p)
			}
		}
	}
	return r.found
}

func (r *reader) groups() []group {
	var windows, sales, instead, exceptions []mark
	var groups, unread []group
	pairs := pairing{r: r}
	for _, k := range r.marks {
		k = r.settleFormat(k)
		switch {
		case k.except:
			exceptions = append(exceptions, k)
			continue
		case k.or:
			instead = append(instead, k)
		case k.kind == recall.Sold:
			sales = append(sales, k)
		case k.kind == recall.Made && len(k.values) > 0:
			if !slices.ContainsFunc(windows, func(w mark) bool { return sameValues(w.values, k.values) && slices.Equal(w.models, k.models) }) {
				windows = append(windows, k)
			}
		case len(k.values) > 0 || k.all:
			pairs.add(k)
		}
		if k.doubt {
			unread = append(unread, r.unreadable(k))
		}
	}
	groups = pairs.groups()
	groups = r.joinWindows(groups, windows)
	for n, k := range sales {
		if slices.ContainsFunc(windows, func(w mark) bool { return w.orElse(&k) }) { // made after … and/or bought after …
			groups = append(groups, r.alternatives(k)...)
			sales = slices.Delete(sales, n, n+1)
			break
		}
	}
	groups = r.joinWindows(groups, sales)
	groups = append(groups, r.tabled...)
	unread = append(unread, r.doubts(groups, unread)...)
	groups = joinUnread(groups, unread)
	groups = r.orWindows(groups, instead)
	groups = r.takeOut(groups, exceptions)
	groups = r.coverOtherModels(groups)
	if len(r.found.Models) == 0 && r.modelsMissing && len(groups) == 0 {
		r.found.Models = []string{unreadModels}
	}
	if len(r.modelMarks) > 0 && len(r.found.Models) > 0 && (r.modelsMissing || r.modelsOpen || r.unexplained != nil || r.modelsCut()) {
		groups = r.leaveOpen(groups)
	}
	return groups
}

// unreadModels stands for models of which a notice says that they limit it, and
// none of which could be read.
const unreadModels = "*"

// sameValues tells whether two marks say the same.
func sameValues(a, b []value) bool {
	return slices.EqualFunc(a, b, func(v, w value) bool {
		return v.form == w.form && v.from == w.from && v.to == w.to && v.exclusiveEnd == w.exclusiveEnd
	})
}

// predicates turns a mark's values into predicates, alternatives all.
func (r *reader) predicates(k mark) []recall.Predicate {
	if len(k.values) == 0 {
		if !k.all {
			return nil
		}
		return []recall.Predicate{r.finish(recall.All(0, k.kind, k.quote(value{})), k)}
	}
	out := make([]recall.Predicate, 0, len(k.values))
	for _, v := range k.values {
		if (v.form == isPrefix || v.form == isSuffix) && v.to != "" {
			op := recall.OpPrefix
			if v.form == isSuffix {
				op = recall.OpSuffix
			}
			for _, part := range beginnings(v.from, v.to) {
				out = append(out, r.finish(recall.Affix(0, k.kind, op, part, k.quote(v)), k))
			}
			continue
		}
		var p recall.Predicate
		switch quote := k.quote(v); v.form {
		case isRange:
			p = recall.Range(0, k.kind, v.from, v.to, quote)
			p.FromInclusive = !v.exclusiveEnd || v.from == ""
			p.ToInclusive = !v.exclusiveEnd || v.to == ""
		case isPrefix:
			p = recall.Affix(0, k.kind, recall.OpPrefix, v.from, quote)
		case isSuffix:
			p = recall.Affix(0, k.kind, recall.OpSuffix, v.from, quote)
		default:
			p = recall.Equals(0, k.kind, v.from, quote)
		}
		out = append(out, r.finish(p, k))
	}
	return out
}

func (r *reader) finish(p recall.Predicate, k mark) recall.Predicate {
	p.Models = append(p.Models, k.models...)
	p.Except = k.except
	where := r.places[k.kind]
	if code := r.places[recall.DateCode]; k.kind == recall.Made && where.format == "" {
		// The date is printed as a date code.
		where = place{where: cmp.Or(where.where, code.where), format: code.format}
	}
	p.WherePrinted = where.String()
	return p
}

func (r *reader) unreadable(k mark) group {
	return group{[]recall.Predicate{r.finish(recall.Unreadable(0, k.kind, k.quote(value{})), k)}, k.text, k.label.first}
}

// longestQuote is how long a quote may be that shows a value with its label.
const longestQuote = 160

// quote is the words that a value comes from: the first one's with its label,
// where they stand together; those of a list's other members alone, or each
// quote would repeat the list up to it.
func (k *mark) quote(v value) recall.Quote {
	at := v.at
	start := at.start
	if k.label.first < len(k.text.tokens) && k.label.next > 0 {
		start = k.text.tokens[k.label.first].start
	}
	if at.end == 0 {
		at = span{start, max(k.end, start)}
		if at.end-at.start > longestQuote {
			at.end = k.text.boundary(at.start + longestQuote)
		}
	} else if v.at == k.values[0].at && start <= at.start && at.end-start <= longestQuote {
		at.start = start
	}
	return k.text.quote(at)
}

func (t *text) quote(at span) recall.Quote {
	return recall.Quote{Text: t.source[at.start:at.end], Field: t.field, Start: at.start, End: at.end}
}

// boundary is the end of the last token that ends at or before a byte.
func (t *text) boundary(at int) int {
	end := 0
	for i := range t.tokens {
		if t.tokens[i].end > at {
			break
		}
		end = t.tokens[i].end
	}
	return end
}

// joinWindows adds the windows of manufacture or sale to the groups.
//
// One window holds for the whole notice. Of several, each holds for the codes
// of its own sentence and is an alternative otherwise.
func (r *reader) joinWindows(groups []group, windows []mark) []group {
	if len(windows) == 0 {
		return groups
	}
	attached := make([]bool, len(windows))
	for n := range windows {
		w := &windows[n]
		preds := r.windowPredicates(*w)
		if len(preds) == 0 {
			continue
		}
		var next []group
		for _, g := range groups {
			if !w.holdsFor(g, len(windows) == 1) || len(groups)*len(preds) > mostGroups {
				next = append(next, g)
				continue
			}
			attached[n] = true
			for _, p := range preds {
				next = append(next, group{append(slices.Clone(g.preds), p...), g.text, g.near})
			}
		}
		groups = next
	}
	for n := range windows {
		if attached[n] || len(windows) == 1 && len(groups) > 0 {
			continue
		}
		groups = append(groups, r.alternatives(windows[n])...)
	}
	return groups
}

// alternatives makes a group of each of a window's values.
func (r *reader) alternatives(k mark) []group {
	var out []group
	for _, p := range r.windowPredicates(k) {
		out = append(out, group{p, k.text, k.label.first})
	}
	return out
}

// orElse tells whether "or" joins this mark to the next.
func (k *mark) orElse(next *mark) bool {
	start := next.text.tokens[next.label.first].start
	return k.text == next.text && k.end <= start && start-k.end < longestQuote && strings.Contains(k.text.lower[k.end:start]+" ", "or ") && !strings.Contains(k.text.lower[k.end:start], "for ")
}

// holdsFor tells whether a window limits a group of codes.
func (k *mark) holdsFor(g group, single bool) bool {
	together := g.text == k.text && g.text.sentences[g.near] == k.text.sentences[k.label.first]
	for _, p := range g.preds {
		if p.Kind == recall.Made && k.kind == recall.Made {
			return false
		}
		if p.Kind == recall.Serial && !together && k.kind == recall.Made {
			return false // the serial number tells already which units were made then
		}
		if len(p.Models) > 0 && len(k.models) > 0 && !slices.Equal(p.Models, k.models) {
			return false
		}
	}
	return single || together
}

// windowPredicates are a window's alternatives; a date of manufacture that is
// printed in a stated format brings the date code that it makes.
func (r *reader) windowPredicates(k mark) [][]recall.Predicate {
	var out [][]recall.Predicate
	for i, p := range r.predicates(k) {
		preds := []recall.Predicate{p}
		if code, ok := r.dateCodeOf(k, k.values[i], p); ok {
			preds = append(preds, code)
		}
		out = append(out, preds)
	}
	return out
}

// joinUnread adds what could not be read: to groups that only tell when units
// were made, it belongs as a further condition; beside codes that were read it
// is an alternative, so that it can neither exclude a unit nor hide one.
func joinUnread(groups, unread []group) []group {
	if len(unread) == 0 {
		return groups
	}
	onlyWindows := len(groups) > 0
	for _, g := range groups {
		for _, p := range g.preds {
			onlyWindows = onlyWindows && (p.Kind == recall.Made || p.Kind == recall.Sold)
		}
	}
	if !onlyWindows || len(unread) > 1 || unread[0].preds[0].Kind == recall.Made {
		return append(groups, unread...)
	}
	for i := range groups {
		groups[i].preds = append(groups[i].preds, unread[0].preds...)
	}
	return groups
}

// takeOut adds the exceptions to every group that speaks of the same kind of
// mark, or makes them the only condition.
func (r *reader) takeOut(groups []group, exceptions []mark) []group {
	const most = 50
	var preds []recall.Predicate
	for _, k := range exceptions {
		if len(k.models) == 0 {
			preds = append(preds, r.predicates(k)...)
		}
	}
	if len(preds) == 0 || len(preds) > most {
		return groups
	}
	if len(groups) == 0 {
		return []group{{preds: preds}}
	}
	for i := range groups {
		kinds := map[recall.UnitKind]bool{}
		for _, p := range groups[i].preds {
			kinds[p.Kind] = true
		}
		for _, p := range preds {
			if kinds[p.Kind] {
				groups[i].preds = append(groups[i].preds, p)
			}
		}
	}
	return groups
}
