package agency

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// Glossary reads codes in a language that package extract doesn't know: it puts
// English words in the place of those that announce, join or bound codes, and
// dates in ISO 8601, lets extract read that, and leads every quote back to the
// words that the agency wrote. It is safe for concurrent use.
//
// What is not in the glossary stays as it is. It announces nothing then, so
// that a code behind it limits no notice.
type Glossary struct {
	dates []datePattern
	words []wordPattern
}

// Gloss is a word of the language and what stands for it in English.
type Gloss struct {
	// Pattern is a regular expression; of one with a group only the group is
	// replaced, and the rest is what must stand around it.
	Pattern string
	English string
}

// DateForm is a way in which the language writes dates.
type DateForm struct {
	// Pattern is a regular expression with the groups year, month and day, of
	// which day may be missing, and year too where the date right behind it has one.
	Pattern string
	// Months leads from lower-case names to numbers where month is a name.
	Months map[string]int
}

type wordPattern struct {
	*regexp.Regexp
	english string
}

type datePattern struct {
	*regexp.Regexp
	months           map[string]int
	year, month, day int // numbers of the groups; -1: none
}

// NewGlossary compiles a glossary; earlier entries win over later ones, and
// dates over words. A pattern that doesn't compile is a programmer's slip and panics.
func NewGlossary(dates []DateForm, words []Gloss) *Glossary {
	g := &Glossary{}
	for _, d := range dates {
		re := regexp.MustCompile(d.Pattern)
		g.dates = append(g.dates, datePattern{re, d.Months, re.SubexpIndex("year"), re.SubexpIndex("month"), re.SubexpIndex("day")})
	}
	for _, w := range words {
		g.words = append(g.words, wordPattern{regexp.MustCompile(w.Pattern), w.English})
	}
	return g
}

// Read is extract.Read for the glossary's language.
func (g *Glossary) Read(fields []extract.Field, opts extract.Options) extract.Codes {
	opts.Language = "en"
	glossed := make(map[string]glossedText, len(fields))
	english := make([]extract.Field, 0, len(fields))
	for _, f := range fields {
		t := g.gloss(f.Text)
		glossed[f.Name] = t
		english = append(english, extract.Field{Name: f.Name, Text: t.text})
	}
	codes := extract.Read(english, opts)
	verbatim := func(s string) bool {
		return slices.ContainsFunc(fields, func(f extract.Field) bool { return strings.Contains(f.Text, s) })
	}
	codes.Models = slices.DeleteFunc(codes.Models, func(m string) bool { return !verbatim(m) })
	for i := range codes.Units {
		u := &codes.Units[i]
		t := glossed[u.Quote.Field]
		u.Quote.Start, u.Quote.End = t.origin(u.Quote.Start, u.Quote.End)
		u.Quote.Text = t.source[u.Quote.Start:u.Quote.End]
		if !verbatim(u.WherePrinted) {
			u.WherePrinted = ""
		}
		if isCode(u.Kind) {
			t.restoreCode(u)
		}
	}
	return codes
}

// glossedText is a text with some parts replaced.
type glossedText struct {
	source, text string
	swaps        []swap // in order
}

// swap is a replaced part: where it stood in the source, where it stands now.
type swap struct {
	from, to       int
	start, end     int
	english        string
	undated        bool // a day and a month whose year the next date has
	monthNo, dayNo int
}

// origin returns where a part of the glossed text stood in the source.
func (t glossedText) origin(start, end int) (from, to int) {
	return t.originOf(start, false), t.originOf(end, true)
}

func (t glossedText) originOf(at int, isEnd bool) int {
	shift := 0
	for _, p := range t.swaps {
		if at <= p.start {
			break
		}
		if at < p.end {
			if isEnd {
				return p.to
			}
			return p.from
		}
		shift = p.to - p.end
	}
	return at + shift
}

func isCode(kind recall.UnitKind) bool {
	return kind == recall.Lot || kind == recall.Batch || kind == recall.Serial || kind == recall.DateCode
}

// restoreCode gives a code that is printed as a date its printed form back; a
// span of such codes has no order that could be relied on. An open bound of
// codes counts as included: one word for "from … on" serves dates and codes.
func (t glossedText) restoreCode(u *recall.Predicate) {
	for _, bound := range []*string{u.From, u.To} {
		if bound == nil || strings.Contains(t.source, *bound) {
			continue
		}
		at := slices.IndexFunc(t.swaps, func(s swap) bool { return s.english == *bound })
		if at < 0 || u.Op != recall.OpEquals {
			*u = recall.Unreadable(u.Group, u.Kind, u.Quote)
			return
		}
		*bound = t.source[t.swaps[at].from:t.swaps[at].to]
	}
	u.FromInclusive, u.ToInclusive = u.FromInclusive || u.From != nil, u.ToInclusive || u.To != nil && u.Op == recall.OpRange
}

func (g *Glossary) gloss(source string) glossedText {
	swaps := g.findDates(source)
	for _, w := range g.words {
		for _, m := range w.FindAllStringSubmatchIndex(source, -1) {
			from, to := m[0], m[1]
			if len(m) > 2 && m[2] >= 0 {
				from, to = m[2], m[3]
			}
			swaps = addSwap(swaps, swap{from: from, to: to, english: w.english})
		}
	}
	slices.SortFunc(swaps, func(a, b swap) int { return a.from - b.from })
	var b strings.Builder
	done := 0
	for i := range swaps {
		p := &swaps[i]
		b.WriteString(source[done:p.from])
		p.start = b.Len()
		b.WriteString(p.english)
		p.end = b.Len()
		done = p.to
	}
	b.WriteString(source[done:])
	return glossedText{source: source, text: b.String(), swaps: swaps}
}

// addSwap adds a swap where none is yet.
func addSwap(swaps []swap, p swap) []swap {
	overlaps := func(have swap) bool { return p.from < have.to && have.from < p.to }
	if p.from >= p.to || slices.ContainsFunc(swaps, overlaps) {
		return swaps
	}
	return append(swaps, p)
}

func (g *Glossary) findDates(source string) []swap {
	var swaps []swap
	for _, d := range g.dates {
		for _, m := range d.FindAllStringSubmatchIndex(source, -1) {
			if p, ok := d.swap(source, m); ok {
				swaps = addSwap(swaps, p)
			}
		}
	}
	slices.SortFunc(swaps, func(a, b swap) int { return a.from - b.from })
	for i := range slices.Backward(swaps) {
		swaps[i].date(source, swaps[i+1:])
	}
	return slices.DeleteFunc(swaps, func(p swap) bool { return p.undated })
}

func (d datePattern) swap(source string, m []int) (swap, bool) {
	group := func(n int) string {
		if n < 0 || m[2*n] < 0 {
			return ""
		}
		return source[m[2*n]:m[2*n+1]]
	}
	p := swap{from: m[0], to: m[1], dayNo: number(group(d.day))}
	var known bool
	if p.monthNo, known = d.months[strings.ToLower(group(d.month))]; !known {
		p.monthNo = number(group(d.month))
	}
	year := number(group(d.year))
	if len(group(d.year)) == 2 {
		year += 2000
	}
	if p.monthNo < 1 || p.monthNo > 12 || p.dayNo > 31 {
		return p, false
	}
	if p.undated = year == 0; !p.undated {
		p.english = isoDate(year, p.monthNo, p.dayNo)
	}
	return p, true
}

// number reads digits; everything else is 0.
func number(digits string) int {
	n, _ := strconv.Atoi(digits) // the groups of patterns hold digits or nothing
	return n
}

func isoDate(year, month, day int) string {
	if day == 0 {
		return fmt.Sprintf("%04d-%02d", year, month)
	}
	return fmt.Sprintf("%04d-%02d-%02d", year, month, day)
}

// date gives a day without a year that of the date right behind it: "01.12. bis
// 15.02.2026" begins in the year before.
func (p *swap) date(source string, behind []swap) {
	const apart = 12 // bytes: " und vom ", "부터 "
	if !p.undated || len(behind) == 0 {
		return
	}
	next := behind[0]
	if next.undated || next.from-p.to > apart || strings.ContainsAny(source[p.to:next.from], ";\n") {
		return
	}
	year := number(next.english[:len("2006")])
	if p.monthNo > next.monthNo || p.monthNo == next.monthNo && next.dayNo > 0 && p.dayNo > next.dayNo {
		year--
	}
	p.english, p.undated = isoDate(year, p.monthNo, p.dayNo), false
}
