package agency_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// invented is a glossary of a made-up language.
var invented = agency.NewGlossary([]agency.DateForm{
	{Pattern: `\b(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4}|\d{2})\b`},
	{Pattern: `(?i)\b(?P<month>unua|dua) (?P<year>\d{4})\b`, Months: map[string]int{"unua": 1, "dua": 2}},
	{Pattern: `\b(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.`},
}, []agency.Gloss{
	{Pattern: `(?i)\bloto\b`, English: "lot"},
	{Pattern: `(?i)\buzebla\b`, English: "best before"},
	{Pattern: `(?i)\bmodelo\b`, English: "model"},
	{Pattern: `\b(malantaŭ) [A-Z0-9]`, English: "after"},
	{Pattern: `\bgis\b`, English: "through"},
	{Pattern: `\b(?:kaj)\b`, English: "and"},
	{Pattern: `\bĉiuj\b`, English: "all"},
})

func TestGlossaryReads(t *testing.T) {
	type unit struct {
		Kind                     recall.UnitKind
		Op                       recall.Op
		From, To, Quote          string
		FromIncluded, ToIncluded bool
	}
	for text, want := range map[string][]unit{
		"Kremo, loto A17 kaj A18.": {
			{recall.Lot, recall.OpEquals, "A17", "A17", "loto A17", true, true}, {recall.Lot, recall.OpEquals, "A18", "A18", "A18", true, true},
		},
		"uzebla 03.04.2026":             {{recall.BestBefore, recall.OpEquals, "2026-04-03", "2026-04-03", "uzebla 03.04.2026", true, true}},
		"uzebla 03.04.26":               {{recall.BestBefore, recall.OpEquals, "2026-04-03", "2026-04-03", "uzebla 03.04.26", true, true}},
		"uzebla gis unua 2026":          {{recall.BestBefore, recall.OpRange, "", "2026-01", "uzebla gis unua 2026", true, true}},
		"uzebla 01.12. gis 15.02.2026":  {{recall.BestBefore, recall.OpRange, "2025-12-01", "2026-02-15", "uzebla 01.12. gis 15.02.2026", true, true}},
		"loto 03.04.2026":               {{recall.Lot, recall.OpEquals, "03.04.2026", "03.04.2026", "loto 03.04.2026", true, true}},
		"loto malantaŭ A17":             {{recall.Lot, recall.OpRange, "A17", "", "loto malantaŭ A17", true, true}},
		"ekzemplo A17 de fabrikisto 12": {},
	} {
		t.Run(text, func(t *testing.T) {
			codes := invented.Read([]extract.Field{{Name: "description", Text: text}}, extract.Options{})
			got := []unit{}
			for _, u := range codes.Units {
				got = append(got, unit{u.Kind, u.Op, deref(u.From), deref(u.To), u.Quote.Text, u.FromInclusive, u.ToInclusive})
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func TestGlossaryKeepsOnlyModelsThatArePrinted(t *testing.T) {
	codes := invented.Read([]extract.Field{{Name: "title", Text: "Modelo KX-200 kaj KX-300"}}, extract.Options{})
	if diff := cmp.Diff([]string{"KX-200", "KX-300"}, codes.Models); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Whatever is replaced, a quote is the very words of its field.
func TestGlossaryQuotesTheAgencysWords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom([]string{"loto", "uzebla", "modelo", "gis", "kaj", "ĉiuj", "malantaŭ", "A17", "B-2000", "1234", "03.04.2026",
			"01.12.", "dua 2026", ",", ":", "ĥoro", "(", ")", "4006381333931", "."}), 0, 14).Draw(t, "words")
		text := strings.Join(words, " ")
		for _, u := range invented.Read([]extract.Field{{Name: "title", Text: text}}, extract.Options{}).Units {
			q := u.Quote
			if q.Start < 0 || q.End > len(text) || q.Start > q.End || text[q.Start:q.End] != q.Text {
				t.Fatalf("quote %+v is not the field's words in %q", q, text)
			}
			if isCode := u.Kind == recall.Lot; isCode && u.Op == recall.OpEquals && !strings.Contains(text, *u.From) {
				t.Fatalf("lot %q is not printed in %q", *u.From, text)
			}
		}
	})
}
