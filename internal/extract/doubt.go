package extract

import (
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/recall"
)

// limiting are words before a code's label that say that only some units are
// recalled, or how to tell them.
var limiting = newLexicon(
	entry[bool]{true, []string{"certain", "specific", "select", "selected", "following", "affected", "recalled", "identified by", "identify", "identified", "determine", "verify", "check", "checking", "enter", "entering", "compare", "look up", "lookup", "search", "limited to", "certains", "concernés", "suivants", "vérifier", "within", "confirm", "match", "matching", "list of", "their"}},
)

// elsewhere are words that send the reader somewhere else for the codes.
var elsewhere = newLexicon(
	entry[bool]{true, []string{"website", "www*", "https", "http", "http*", "chart", "table", "visit", "online", "see if", "whether", "determine if", "included", "affected", "recalled", "involved", "part of", "below", "concernés", "site", "following", "identify", "identified"}},
)

// doubts finds the sentences by which a notice limits itself by a kind of mark
// of which nothing was read: "visit the website to check your serial number".
func (r *reader) doubts(groups, unread []group) []group {
	have := map[recall.UnitKind]bool{}
	for _, g := range append(append([]group(nil), groups...), unread...) {
		for _, p := range g.preds {
			have[family(p.Kind)] = true
		}
	}
	var found []group
	for _, t := range r.texts {
		for _, m := range t.mentions {
			if !m.label.code() && !m.label.date() {
				continue
			}
			kind := m.label.kind()
			if have[family(kind)] || kind == recall.DateCode && have[recall.Made] && r.places[kind].format != "" {
				continue // where the notation is stated, the window of manufacture says which codes are meant
			}
			if m.label == labelMade || m.label == labelSold {
				if !t.limitsByRanges(m) {
					continue
				}
			} else if !t.limits(m) {
				continue
			}
			have[family(kind)] = true
			first, end := t.sentenceTokens(m.first)
			k := mark{text: t, kind: kind, label: mention{label: m.label, first: first, next: m.next}, end: t.tokens[end-1].end}
			found = append(found, r.unreadable(k))
		}
	}
	if r.opts.Cut && len(found)+len(unread) == 0 {
		found = append(found, r.cutOff(groups)...)
	}
	return found
}

// family folds the kinds that people don't tell apart.
func family(kind recall.UnitKind) recall.UnitKind {
	switch kind {
	case recall.Batch, recall.DateCode:
		return recall.Lot
	case recall.Expiry:
		return recall.BestBefore
	}
	return kind
}

// limitsByRanges tells whether a notice sends the reader to a list for the days
// on which the recalled units were made or sold: "purchased in the date ranges
// below".
func (t *text) limitsByRanges(m mention) bool {
	_, end := t.sentenceTokens(m.first)
	for i := m.next + 1; i+1 < end; i++ {
		if t.tokens[i].lower == "date" && strings.HasPrefix(t.tokens[i+1].lower, "range") {
			switch t.tokens[i-1].lower {
			case "identified", "following", "specified", "listed", "these", "below", "certain", "specific":
				return !t.excludes(m.first)
			}
		}
	}
	return false
}

// someMarks are words that say that only some marks of a kind are recalled.
var someMarks = wordSet(`certain specific select selected limited`)

// limits tells whether a mention without values limits the notice. One that
// only tells where a mark is printed, or what to have at hand for a call,
// doesn't.
func (t *text) limits(m mention) bool {
	first, end := t.sentenceTokens(m.first)
	before := false
	for i := max(first, m.first-8); i < m.first; i++ {
		if _, span := limiting.at(t, i); span > 0 {
			before = true
		}
	}
	ranged := m.next < end && strings.HasPrefix(t.tokens[m.next].lower, "range")
	if !m.strong && !m.plural && !ranged || t.excludes(m.first) {
		return false
	}
	if m.first > first && someMarks[t.tokens[m.first-1].lower] || t.limitsByDigit(first, m.first) {
		return true
	}
	if t.describes(m.next, end) {
		return true
	}
	if !before {
		return false
	}
	for i := first; i < end; i++ {
		if _, span := elsewhere.at(t, i); span > 0 && i != m.first-1 {
			return true
		}
	}
	return false
}

// limitsByDigit tells whether a label stands behind a condition on single
// characters: "contain either the letter K or M as the last digit of the serial
// number".
func (t *text) limitsByDigit(first, label int) bool {
	contains, places := false, false
	for i := first; i < label; i++ {
		switch t.tokens[i].lower {
		case "contain", "contains", "containing", "with":
			contains = true
		case "digit", "digits", "character", "characters", "letter", "letters":
			places = places || contains && i+2 < label && t.tokens[i+1].lower == "of"
		}
	}
	return places
}

// describes tells whether the rest of a sentence says how a mark must look or
// which are recalled: "… start with the letter T", "… with year 2023 are included".
func (t *text) describes(i, end int) bool {
	digits := false
	for ; i+1 < end; i++ {
		next := t.tokens[i+1].lower
		digits = digits || t.tokens[i].digits > 0
		switch t.tokens[i].lower {
		case "begin", "begins", "beginning", "start", "starts", "starting", "end", "ends", "ending":
			if next == "with" || next == "in" {
				return true
			}
		case "digits", "digit":
			return true
		case "included", "affected", "verified", "checked":
			if next == "in" || next == "by" || next == "at" || digits {
				return true
			}
		}
	}
	return false
}

// cutText is the text that was cut off: the last one that looks so, or the last.
func (r *reader) cutText() *text {
	for _, t := range slices.Backward(r.texts) {
		if HasCutEnd(t.source) {
			return t
		}
	}
	return r.texts[len(r.texts)-1]
}

// cutOff doubts the codes of a text whose end was lost.
func (r *reader) cutOff(groups []group) []group {
	if len(r.texts) == 0 {
		return nil
	}
	t := r.cutText()
	last := len(t.tokens) - 1
	kind := recall.UnitKind("")
	if len(groups) > 0 {
		kind = groups[len(groups)-1].preds[0].Kind
	}
	first, _ := t.sentenceTokens(last)
	for i := first; i <= last; i++ {
		if m, ok := t.mentionAt(i); ok && (m.label.code() || isDateKind(m.label.kind())) {
			kind = m.label.kind()
		}
	}
	if kind == "" {
		return nil // nothing says that codes limit the notice: it covers every unit
	}
	k := mark{text: t, kind: kind, label: mention{first: max(first, last-12), next: last + 1}, end: t.tokens[last].end}
	return []group{r.unreadable(k)}
}
