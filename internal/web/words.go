package web

import (
	"cmp"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/recall"
)

// unitWords are the page's words for a unit's fields, within a sentence.
var unitWords = map[string]string{
	"gtin": "barcode", "name": "product name", "serial": "serial number", "lot": "lot or batch code", "batch": "lot or batch code",
	"date_code": "date code", "made_on": "production date", "bought_on": "date of purchase", "best_before": "best-before date", "expiry": "expiry date",
}

// remedyWords are the page's words for remedies. The one that is left out says
// nothing beside the agency's words.
var remedyWords = map[recall.RemedyType]string{
	recall.RemedyRefund: "Get a refund", recall.RemedyReplace: "Get a replacement", recall.RemedyRepair: "Have it repaired",
	recall.RemedyDispose: "Throw it away", recall.RemedyReturn: "Take it back", recall.RemedyInstructions: "Follow the new instructions",
	recall.RemedyInspect: "Have it inspected", recall.RemedyLabel: "Get a new label", recall.RemedyStopUse: "Stop using it",
	recall.RemedyNone: "No remedy offered",
}

func fieldWords(field string) string { return cmp.Or(unitWords[field], words(field)) }

// place says where a quote stands. Starter entries are our words, not an agency's.
func place(field string) string {
	if field == "starter" {
		return "in our own short entry for this notice"
	}
	return "in the notice's field “" + field + "”"
}

func words(name string) string { return strings.ReplaceAll(name, "_", " ") }

func (s *Site) functions() template.FuncMap {
	return template.FuncMap{
		"asset":   s.asset,
		"version": func() string { return s.Version },
		"day":     func(t time.Time) string { return t.UTC().Format("2 January 2006") },
		"instant": instant,
		"iso":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"list":    func(items []string) string { return strings.Join(items, ", ") },
		"each":    func(items []string) string { return strings.Join(items, "; ") },
		"field":   fieldWords,
		"place":   place,
		"prose":   prose,
		"plural":  plural,

		"clock": clock, "capital": capital, "severity": severityTone, "sentence": sentence,
	}
}

func instant(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

func thousands(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// prose turns the document's descriptions into HTML: blank lines part
// paragraphs, and what stands between backticks is code. All else is escaped.
func prose(text string) template.HTML {
	var out strings.Builder
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		out.WriteString("<p>")
		for i, piece := range strings.Split(paragraph, "`") {
			escaped := template.HTMLEscapeString(piece)
			if i%2 == 1 {
				escaped = "<code>" + escaped + "</code>"
			}
			out.WriteString(escaped)
		}
		out.WriteString("</p>")
	}
	return template.HTML(out.String())
}
