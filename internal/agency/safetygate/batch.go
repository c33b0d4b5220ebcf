package safetygate

import (
	"regexp"
	"strings"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/recall"
)

var (
	batchLabel = regexp.MustCompile(`(?i)^(?:(?:batch|lot|charge|chargen|partia|partie|lote|lotto|šarže)(?:e?s)?[ .\-]*(?:number|numbers|no|nr|nos|code|codes|n°|nummer|#)*|n° de lot|numéro de lot)\s*[.:#\s]\s*`)
	batchRange = regexp.MustCompile(`(?i)^(?:from\s+|between\s+|von\s+|du\s+)?(\S+)\s*(?:\s-\s|–|—|\sto\s|\suntil\s|\sthrough\s|\sbis\s|\sà\s|\sau\s|\sal\s|-)\s*(\S+)$`)
	batchCode  = regexp.MustCompile(`^#?[\pL\d][\pL\d./_#\-]*$`)
	// batchDate is what may be a day, a month, a year, or a batch named after one.
	batchDate = regexp.MustCompile(`^(?:\d{1,2}[./\-]\d{1,2}[./\-](?:\d{2}|\d{4})|\d{1,2}[./\-](?:19|20)\d\d|(?:19|20)\d\d[./\-]\d{1,2}(?:[./\-]\d{1,2})?|(?:19|20)\d\d|20[0-3]\d[01]\d[0-3]\d)$`)
	fullDate  = regexp.MustCompile(`^(\d{1,2})[./](\d{1,2})[./](\d{4})$`)
)

// batchReading is what a cell of batches was found to say. Its groups are
// alternatives.
type batchReading struct {
	cell    agency.Cell
	vehicle bool
	groups  [][]recall.Predicate
	unread  *span // the first thing that was not understood
}

// readBatches reads the batch numbers: codes, ranges, windows of production. A
// date that stands there by itself may be the batch, or a day of production or
// expiry: it proves that a unit is covered, and never that one isn't.
func readBatches(cell agency.Cell, vehicle bool) [][]recall.Predicate {
	r := batchReading{cell: cell, vehicle: vehicle}
	for _, entry := range (span{cell.Text, 0}).split(entries) {
		r.entry(entry)
	}
	if r.unread != nil {
		r.add(recall.Unreadable(1, recall.Batch, r.quote(*r.unread)))
	}
	return r.groups
}

func (r *batchReading) quote(s span) recall.Quote {
	return recall.Quote{Text: s.text, Field: r.cell.Field, Start: s.start, End: s.end()}
}

func (r *batchReading) add(group ...recall.Predicate) { r.groups = append(r.groups, group) }

func (r *batchReading) doubt(s span) {
	if r.unread == nil {
		r.unread = &s
	}
}

// entry reads one entry of the cell. What is no list of codes is read as prose.
func (r *batchReading) entry(entry span) {
	bare := entry.behind(batchLabel)
	switch {
	case namesNone(bare.text):
		return
	case everything.MatchString(entry.text), everything.MatchString(bare.text):
		r.add(recall.All(1, recall.Batch, r.quote(entry)))
		return
	}
	list := batchReading{cell: r.cell, vehicle: r.vehicle}
	for _, part := range bare.split(members) {
		list.part(part)
	}
	if list.unread != nil && !openEnd.MatchString(entry.text) {
		if groups, whole := r.prose(entry); whole {
			r.groups = append(r.groups, groups...)
			return
		}
	}
	r.groups = append(r.groups, list.groups...)
	if list.unread != nil {
		r.doubt(entry)
	}
}

// part reads one member of a list.
func (r *batchReading) part(part span) {
	code := part.behind(batchLabel)
	switch {
	case namesNone(code.text):
	case r.window(code):
	case batchDate.MatchString(code.text):
		r.add(recall.Equals(1, recall.Batch, code.text, r.quote(code)))
		r.doubt(code)
	case r.span(code):
	case batchCode.MatchString(code.text) && strings.ContainsAny(code.text, "0123456789"):
		r.code(code)
	default:
		r.doubt(part)
	}
}

// code reads one code. A slash may stand inside it, or between two.
func (r *batchReading) code(code span) {
	r.add(recall.Equals(1, recall.Batch, code.text, r.quote(code)))
	halves := code.split(slash)
	if len(halves) < 2 || len(halves[0].text) < 4 {
		return
	}
	for _, half := range halves {
		if !sameShape(half.text, halves[0].text) {
			r.doubt(code)
			return
		}
	}
	for _, half := range halves {
		r.add(recall.Equals(1, recall.Batch, half.text, r.quote(half)))
	}
}

var slash = regexp.MustCompile(`/`)

// span reads a range of codes. One with a hyphen alone may be one code as well.
func (r *batchReading) span(code span) bool {
	at := batchRange.FindStringSubmatchIndex(code.text)
	if at == nil {
		return false
	}
	from, to := code.text[at[2]:at[3]], code.text[at[4]:at[5]]
	if !strings.ContainsAny(from, "0123456789") || !batchCode.MatchString(from) || !batchCode.MatchString(to) || batchDate.MatchString(from) {
		return false
	}
	hyphen := code.text == from+"-"+to
	switch {
	case !sameShape(from, to) || len(from) < 3:
		if hyphen {
			return false // one code: 25-D0069
		}
		r.doubt(code)
		return true
	case hyphen:
		r.add(recall.Equals(1, recall.Batch, code.text, r.quote(code)))
	}
	r.add(recall.Range(1, recall.Batch, from, to, r.quote(code)))
	return true
}

// window reads "09.11.1998 - 19.12.2003". On vehicles it is when they were
// made; elsewhere it most likely is.
func (r *batchReading) window(code span) bool {
	at := batchRange.FindStringSubmatchIndex(code.text)
	if at == nil {
		return false
	}
	from, to := isoDay(code.text[at[2]:at[3]]), isoDay(code.text[at[4]:at[5]])
	if from == "" || to == "" || from > to {
		return false
	}
	r.add(recall.Range(1, recall.Made, from, to, r.quote(code)))
	if !r.vehicle {
		r.doubt(code)
	}
	return true
}

// isoDay turns a day in figures into YYYY-MM-DD, and what is none into "".
func isoDay(s string) string {
	m := fullDate.FindStringSubmatch(s)
	if m == nil {
		return ""
	}
	day := m[3] + "-" + twoDigits(m[2]) + "-" + twoDigits(m[1])
	if _, err := recall.ParsePeriod(day); err != nil {
		return ""
	}
	return day
}

func twoDigits(s string) string {
	if len(s) == 1 {
		return "0" + s
	}
	return s
}

// prose reads words that say themselves what the codes behind them are: "Batch
// 123/24 EXP 05/2026". whole tells that nothing was left in doubt.
func (r *batchReading) prose(entry span) (groups [][]recall.Predicate, whole bool) {
	if !labelled.MatchString(entry.text) {
		return nil, false
	}
	groups = agency.Cell{Field: r.cell.Field, Text: entry.text, Language: dayFirst}.Codes(recall.Batch)
	for _, group := range groups {
		for i := range group {
			if group[i].Op == recall.OpUnreadable || mayBeRange(group[i]) {
				return nil, false
			}
			group[i].Quote.Start += entry.start
			group[i].Quote.End += entry.start
		}
	}
	return groups, len(groups) > 0
}

// mayBeRange tells whether what was read as one code may be two ends of a range.
func mayBeRange(p recall.Predicate) bool {
	if p.Op != recall.OpEquals || p.From == nil {
		return false
	}
	from, to, ok := strings.Cut(*p.From, "-")
	return ok && len(from) >= 3 && sameShape(from, to)
}

var labelled = regexp.MustCompile(`(?i)\b(?:batch|lot|exp|expiry|best before|use by|bbe?|serial|s/n|mfg|mfd|manufactured|production|produced|date code|péremption|fabrication)\b`)

// sameShape tells whether two codes have letters and digits in the same places.
func sameShape(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		digitA, digitB := a[i] >= '0' && a[i] <= '9', b[i] >= '0' && b[i] <= '9'
		if digitA != digitB || !digitA && a[i]|0x20 != b[i]|0x20 {
			return false
		}
	}
	return true
}
