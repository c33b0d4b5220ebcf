package fsis

import (
	"regexp"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// read reads the codes of a line.
func (s story) read(line item) extract.Codes {
	codes := extract.Read([]extract.Field{{Name: line.field, Text: unquoteLabels(line.text)}},
		extract.Options{Language: s.language(), Cut: line.cut(), Food: true})
	for i := range codes.Units {
		u := &codes.Units[i]
		u.Quote.Text = line.text[u.Quote.Start:u.Quote.End]
		u.Quote.Start, u.Quote.End = u.Quote.Start+line.at, u.Quote.End+line.at
	}
	withoutYears(codes.Units)
	return codes
}

// readRelease reads the codes of the title or the press release.
func (s story) readRelease(fields ...string) extract.Codes {
	var texts []extract.Field
	for _, name := range fields {
		texts = append(texts, extract.Field{Name: name, Text: unquoteLabels(s.row[name])})
	}
	codes := extract.Read(texts, extract.Options{Language: s.language(), Cut: extract.HasCutEnd(s.row[fieldSummary]), Food: true})
	for i := range codes.Units {
		q := &codes.Units[i].Quote
		q.Text = s.row[q.Field][q.Start:q.End]
	}
	withoutYears(codes.Units)
	return codes
}

// onlyLabel is a quotation of nothing but the label's words for a date or a code.
var onlyLabel = regexp.MustCompile(`(?i)^(?:(?:best|use[ds]?|sell|freeze|enjoy|packed|pack|made|produced|production|expiration|exp|lot|batch|if|or|by|on|before|thru|through|code|number|date)\b[\s./:#-]*)+$`)

// unquoteLabels puts blanks in the place of the quotation marks around the
// label's own words, by which FSIS writes “USE BY” date of “01/02/27”, and in
// that of a second such word: “Best by/Use by”. The text keeps its length, so
// that what is read there stands at the same place in the original.
func unquoteLabels(text string) string {
	var out []byte
	last := 0 // the end of the label before
	blank := func(start, end int) {
		for i := start; i < end; i++ {
			out[i] = ' '
		}
	}
	for _, m := range quoted.FindAllStringSubmatchIndex(text, -1) {
		label := text[m[2]:m[3]]
		if !onlyLabel.MatchString(label) {
			continue
		}
		if out == nil {
			out = []byte(text)
		}
		if last > 0 && orBetween.MatchString(text[last:m[0]]) {
			blank(last, m[1])
		}
		blank(m[0], m[2])
		blank(m[3], m[1])
		if slash := strings.IndexByte(label, '/'); slash >= 0 {
			blank(m[2]+slash, m[3])
		}
		last = m[1]
	}
	if out == nil {
		return text
	}
	return string(out)
}

var orBetween = regexp.MustCompile(`(?i)^\s*(?:or|and|/|and/or)\s*$`)

var (
	twoNumbers = regexp.MustCompile(`(?:^|[^/\d])\d{1,2}/\d{1,2}(?:[^/\d]|$)`)
	dates      = []recall.UnitKind{recall.BestBefore, recall.Expiry, recall.Made, recall.Sold}
)

// withoutYears opens the windows of dates such as 7/16-7/26, which are days of
// the notice's year in one and months of years in another: to take the one for
// the other would exclude the very units that are meant.
func withoutYears(units []recall.Predicate) {
	for i := range units {
		u := &units[i]
		if !slices.Contains(dates, u.Kind) || !twoNumbers.MatchString(u.Quote.Text) {
			continue
		}
		for _, bound := range []*string{u.From, u.To} {
			if bound != nil && len(*bound) == len("2006-01") {
				*u = recall.Unreadable(u.Group, u.Kind, u.Quote)
				break
			}
		}
	}
}
