package safetygate

import (
	"regexp"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/agency"
)

// span is a piece of a cell's text.
type span struct {
	text  string
	start int // in the cell's text
}

func (s span) end() int { return s.start + len(s.text) }

// trim drops blanks and the marks around a piece.
func (s span) trim() span {
	left := strings.TrimLeft(s.text, " \t\n,;:")
	s.start += len(s.text) - len(left)
	s.text = strings.TrimRight(left, " \t\n,;:")
	return s
}

// split cuts a piece at a separator and leaves out empty parts.
func (s span) split(separator *regexp.Regexp) []span {
	var parts []span
	from := 0
	add := func(to int) {
		if p := (span{s.text[from:to], s.start + from}).trim(); p.text != "" {
			parts = append(parts, p)
		}
	}
	for _, at := range separator.FindAllStringIndex(s.text, -1) {
		add(at[0])
		from = at[1]
	}
	add(len(s.text))
	return parts
}

// behind drops a label from the front of a piece.
func (s span) behind(label *regexp.Regexp) span {
	at := label.FindStringIndex(s.text)
	if at == nil || at[1] == len(s.text) {
		return s
	}
	return span{s.text[at[1]:], s.start + at[1]}.trim()
}

var (
	// entries part what a cell lists; members part one entry.
	entries = regexp.MustCompile(`[;\n|•]`)
	members = regexp.MustCompile(`(?i)\s*,\s+|,|\s&\s|\s(?:and|or|und|et|ou|e|y|i|és|en)\s`)
)

// listOf joins the values of an array into a cell.
func listOf(field string, values []string) agency.Cell {
	kept := slices.DeleteFunc(slices.Clone(values), namesNone)
	return agency.Cell{Field: field, Text: strings.Join(kept, "; ")}
}

// nothing are the ways in which the agency's cells say that there is none, in
// the languages of those who fill them in.
var nothing = map[string]bool{
	"": true, "unknown": true, "none": true, "no": true, "not known": true, "not available": true, "not applicable": true, "not specified": true,
	"not indicated": true, "not provided": true, "not stated": true, "no brand": true, "no name": true, "noname": true, "no-name": true,
	"unbranded": true, "without brand": true, "generic": true, "n/a": true, "na": true, "n.a": true, "-": true, "--": true, "---": true, "/": true, "?": true, "x": true,
	"no barcode": true, "no batch number": true, "no model": true, "without": true, "missing": true,
	"sans marque": true, "sans": true, "inconnu": true, "inconnue": true, "aucun": true, "aucune": true, "non connu": true, "non communiqué": true,
	"nincs": true, "ismeretlen": true, "nem ismert": true, "ohne": true, "ohne marke": true, "unbekannt": true, "keine": true, "keine angabe": true, "kein": true,
	"desconocido": true, "desconocida": true, "sin marca": true, "ninguno": true, "sconosciuto": true, "sconosciuta": true, "nessuno": true, "nessuna": true, "senza marca": true,
	"brak": true, "nieznany": true, "nieznana": true, "neznámy": true, "neznáma": true, "neznámá": true, "neznámý": true, "onbekend": true, "geen": true, "geen merk": true,
	"nav": true, "nav zināms": true, "nezināms": true, "nežinoma": true, "nežinomas": true, "tuntematon": true, "ei tiedossa": true, "okänd": true, "okänt": true, "ingen": true,
	"ukendt": true, "ukjent": true, "necunoscut": true, "necunoscută": true, "fără marcă": true, "неизвестен": true, "неизвестна": true, "няма": true, "άγνωστο": true, "άγνωστη": true,
	"nepoznato": true, "neznano": true, "ni podatka": true, "desconhecido": true, "desconhecida": true,
}

// namesNone tells a value that stands for none. "Various" stands for codes that
// are not named.
func namesNone(value string) bool {
	value = strings.ToLower(strings.Trim(strings.TrimSpace(value), ".*\"'()"))
	return nothing[value] || agency.Placeholder(value) && !openEnd.MatchString(value)
}

// known drops the ways of saying that a name is none.
func known(name string) string {
	if namesNone(name) || agency.Placeholder(name) {
		return ""
	}
	return name
}

// everything are the ways of saying that all are meant.
var everything = regexp.MustCompile(`(?i)^(?:all|every|any|tous|toutes|alle|todos|tutti)(?:\s+(?:the|les|of the|known|available|sold))*(?:\s+(?:batch|batches|lots?|models?|types?|units?|products?|numbers?|items?|sizes?|versions?|modèles|chargen|modelle))*\s*\.?$`)

// openEnd are words of a list that doesn't name all of its members.
var openEnd = regexp.MustCompile(`(?i)\betc\b|\.\.\.|…|\b(?:others?|various|several|multiple|different|diverse|divers|such as|for example|e\.g|including|among others|possibly|at least|plusieurs|différents|verschiedene)\b`)
