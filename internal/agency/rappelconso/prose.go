package rappelconso

import (
	"strings"
)

// readProse reads version 1's identification, whose groups stand one behind the
// other without marks: "3447571405167 LOT 12 Date de durabilité minimale entre
// le 04/03/2022 et le 27/03/2022 3447571405112 Tous les lots". A barcode starts
// a group, and so does whatever follows a date.
func readProse(field string) []marking {
	var markings []marking
	m := marking{}
	lotFrom := -1 // where the lot's words started
	closeLot := func(end int) {
		if lotFrom >= 0 {
			m.lot = (span{field[lotFrom:end], lotFrom, end}).trimmed(" \n")
			lotFrom = -1
		}
	}
	flush := func() {
		if m.lot.text != "" || len(m.codes) > 0 || len(m.shop) > 0 || m.dates.kind != "" {
			markings = append(markings, m)
		}
		m = marking{}
	}
	for at := 0; at < len(field); {
		word := wordAt(field, at)
		if word.text == "" {
			break
		}
		if dates, end, ok := datesAt(field, word.start); ok {
			closeLot(word.start)
			m.dates = dates
			flush()
			at = end
			continue
		}
		if readsAsCode(word.text) || len(word.text) >= 12 && usableLength(word.text) {
			closeLot(word.start)
			flush()
			m.takeCode(word)
			at = word.end
			continue
		}
		if lotFrom < 0 {
			lotFrom = word.start
		}
		at = word.end
	}
	closeLot(len(field))
	flush()
	return markings
}

// usableLength tells whether a word has as many digits as a barcode, though it
// may be a shop's own.
func usableLength(word string) bool {
	code := closed(word)
	return len(code) == len(word) && len(code) <= 14
}

func wordAt(s string, at int) span {
	for at < len(s) && (s[at] == ' ' || s[at] == '\n') {
		at++
	}
	end := at
	for end < len(s) && s[end] != ' ' && s[end] != '\n' {
		end++
	}
	return span{s[at:end], at, end}
}

// datesAt reads a kind of date and the dates behind it: one, or a window
// "entre le … et le …".
func datesAt(s string, at int) (d datePair, end int, ok bool) {
	for _, k := range dateKinds {
		if _, is := cutPrefixFold(s[at:], k.words); !is {
			continue
		}
		d.kind, end = k.kind, at+len(k.words)
		if d.kind == "" {
			return datePair{}, end, true
		}
		for next := wordAt(s, end); next.text != ""; next = wordAt(s, next.end) {
			if date := frenchDate(strings.TrimRight(next.text, ".,;")); date != "" {
				if d.to != "" && d.from != d.to {
					break // the third date belongs to the next group
				}
				d.from, d.to, end = firstDate(d.from, date), date, next.end
				continue
			}
			if !isOneOf(next.text, []string{"entre", "le", "et", "du", "au"}) {
				break
			}
		}
		if d.from > d.to {
			d.from, d.to = d.to, d.from
		}
		d.quote = span{s[at:end], at, end}
		return d, end, true
	}
	return datePair{}, 0, false
}

func firstDate(have, date string) string {
	if have != "" {
		return have
	}
	return date
}
