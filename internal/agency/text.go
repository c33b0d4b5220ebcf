package agency

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strings"
	"time"

	fastjson "github.com/segmentio/encoding/json"
	"golang.org/x/text/unicode/norm"
)

var (
	breakTag = regexp.MustCompile(`(?i)<\s*(br|/p|/div|/li|/tr)\b[^>]*>`)
	anyTag   = regexp.MustCompile(`</?[a-zA-Z][^>]*>`)
	blanks   = regexp.MustCompile(`[ \t\r\f\v]+`)
	newlines = regexp.MustCompile(` ?\n[ \n]*`)

	oddBlanks = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u2007", " ", "\u200b", "", "\ufeff", "", "¤", "\n", "\r\n", "\n", "\r", "\n")
)

// Clean turns an agency's text into plain text: entities decoded at most twice
// (feeds escape what was escaped already), tags and no-break blanks gone, ¤ and
// <br> as line ends, NFC, blanks folded.
func Clean(s string) string {
	if strings.ContainsRune(s, '&') {
		s = html.UnescapeString(s)
		if strings.ContainsRune(s, '&') {
			s = html.UnescapeString(s)
		}
	}
	if strings.ContainsRune(s, '<') {
		s = breakTag.ReplaceAllString(s, "\n")
		s = anyTag.ReplaceAllString(s, " ")
	}
	if plain(s) {
		return strings.TrimSpace(s)
	}
	s = oddBlanks.Replace(s)
	s = norm.NFC.String(s)
	s = blanks.ReplaceAllString(s, " ")
	s = newlines.ReplaceAllString(s, "\n")
	return strings.TrimSpace(s)
}

// plain reports that there is nothing to fold or compose: ASCII with single
// blanks, as most fields are.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 0x80 || c < ' ' || c == ' ' && i > 0 && s[i-1] == ' ' {
			return false
		}
	}
	return true
}

// Missing reports that a field's value is one of the ways in which feeds say
// that there is none: null, "", "N/A", "-" and their like.
func Missing(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "", "n/a", "na", "-", "--", "null", "none", "nil", "not applicable", "non concerné", "néant":
		return true
	}
	return false
}

// Placeholder reports that a brand is a word for having no brand.
func Placeholder(brand string) bool {
	if Missing(brand) {
		return true
	}
	switch strings.ToLower(strings.Trim(strings.TrimSpace(brand), ".")) {
	case "unknown", "no brand", "no name", "unbranded", "generic", "various", "several", "multiple", "other", "others",
		"sans marque", "sans", "aucune", "aucune marque", "inconnu", "inconnue", "marque inconnue", "diverses", "divers", "nincs",
		"ohne marke", "unbekannt", "keine", "/", ".", "x", "xxx", "?", "not known", "not specified", "non spécifié", "non précisé", "non communiqué":
		return true
	}
	return false
}

// frenchMonths and the layouts below are the ways in which feeds write dates.
var frenchMonths = map[string]time.Month{
	"janvier": 1, "février": 2, "fevrier": 2, "mars": 3, "avril": 4, "mai": 5, "juin": 6, "juillet": 7,
	"août": 8, "aout": 8, "septembre": 9, "octobre": 10, "novembre": 11, "décembre": 12, "decembre": 12,
}

var frenchDate = regexp.MustCompile(`(?i)^(?:\p{L}+ )?(\d{1,2})(?:er)? (\p{L}+) (\d{4})$`)

// ParseDate reads a date in one of the agencies' notations: YYYY-MM-DD with or
// without a time, YYYYMMDD, dd/mm/yyyy, "March 26, 2026", "jeudi 31 mars 2022".
// A date without a zone is midnight UTC of that day. Dates before 1967 (the
// first recall on record) and more than a day after now are refused: feeds
// write 19010101 for "unknown", 9999 for "not applicable", and mistype years.
func ParseDate(s string, now time.Time) (time.Time, error) {
	t, err := parseDate(strings.TrimSpace(s))
	if err != nil {
		return time.Time{}, err
	}
	if t.Year() < 1967 || t.After(now.AddDate(0, 0, 1)) {
		return time.Time{}, fmt.Errorf("date %q is outside 1967 to tomorrow", s)
	}
	return t, nil
}

func parseDate(s string) (time.Time, error) {
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04:05.999", "2006-01-02", "20060102", "02/01/2006",
		"January 2, 2006", "January 02, 2006", "Jan 2, 2006",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	if m := frenchDate.FindStringSubmatch(s); m != nil {
		if month, ok := frenchMonths[strings.ToLower(m[2])]; ok {
			var day, year int
			if _, err := fmt.Sscan(m[1], &day); err == nil {
				if _, err := fmt.Sscan(m[3], &year); err == nil {
					return time.Date(year, month, day, 0, 0, 0, 0, time.UTC), nil
				}
			}
		}
	}
	return time.Time{}, fmt.Errorf("date %q is in no known notation", s)
}

// HashOf returns the hexadecimal SHA-256 of a value's JSON. Of a record's own
// JSON (a json.RawMessage) the keys are sorted first, so that the order of
// fields and the blanks between them make no difference.
func HashOf(v any) string {
	if raw, ok := v.(json.RawMessage); ok {
		var anything any
		if err := fastjson.Unmarshal(raw, &anything); err == nil {
			v = anything
		}
	}
	content, err := fastjson.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("hashing a record that is no JSON value: %v", err)) // records are made of strings, numbers, maps and slices only
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
