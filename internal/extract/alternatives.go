package extract

import "github.com/crownsafe/api/internal/recall"

// orCodes tells whether "or" stands between a window of manufacture or sale,
// whose dates end before token end, and codes: "purchased after May 2020 or with
// one of these date codes".
func (t *text) orCodes(m mention, end int) bool {
	const reach = 12
	for end < len(t.tokens) && !t.tokens[end].word {
		end++
	}
	if end < len(t.tokens) && isOr(t.tokens[end].lower) && t.sentences[end] == t.sentences[m.first] {
		for i := end + 1; i < len(t.tokens) && i < end+reach && t.sentences[i] == t.sentences[m.first]; i++ {
			if l, _ := labels.at(t, i); l.code() {
				return true
			} else if l.date() {
				break
			}
		}
	}
	before := m.first - 1
	for before > 0 && (t.tokens[before].lower == "were" || t.tokens[before].lower == "was" || t.tokens[before].lower == "those") {
		before--
	}
	if before < 0 || !isOr(t.tokens[before].lower) {
		return false
	}
	for _, code := range t.mentions {
		if code.first < m.first && code.label.code() && t.sentences[code.first] == t.sentences[m.first] {
			return true
		}
	}
	return false
}

func isOr(word string) bool { return word == "or" || word == "and/or" }

// orWindows adds the windows to which codes are the alternative: either makes a
// unit a recalled one. Where the codes were not read, they may be any.
func (r *reader) orWindows(groups []group, windows []mark) []group {
	if len(windows) > 0 && len(groups) == 0 {
		codes := windows[0]
		codes.kind, codes.models = recall.Lot, nil
		groups = append(groups, r.unreadable(codes))
	}
	for _, k := range windows {
		groups = append(groups, r.alternatives(k)...)
	}
	return groups
}
