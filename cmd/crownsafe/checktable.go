package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/source"
	"github.com/crownsafe/api/internal/stock"
)

const (
	// shownRows is how many rows of a list a person is shown, the most urgent first.
	shownRows = 100
	// shownProduct and shownAdvice are the widths of the table's columns of
	// words, in characters.
	shownProduct = 36
	shownAdvice  = 72
)

// tableAnswers prints a table for people. It keeps what it will print and no
// more, however long the list is.
type tableAnswers struct {
	out     io.Writer
	serial  int64
	sources []source.Source
	kept    map[recall.Outcome][]tableRow
}

type tableRow struct {
	line                    int
	product, notice, advice string
}

func (t *tableAnswers) verdict(row stock.Row, v *recall.Verdict) error {
	var notice, advice string
	if len(v.Matches) > 0 {
		notice, advice = v.Matches[0].Recall.ID, v.Matches[0].Recall.Title
		if need := v.Matches[0].Need; need != nil {
			advice = strings.TrimSuffix("look for the "+need.Identifier+": "+need.WherePrinted, ": ")
		}
		if more := len(v.Matches) - 1; more > 0 {
			notice += fmt.Sprintf(" +%d", more)
		}
	}
	if v.Verdict == recall.CannotTell {
		advice = v.Advice
	}
	t.keep(v.Verdict, row, notice, advice)
	return nil
}

func (t *tableAnswers) fault(row stock.Row, bad *recall.BadUnit) error {
	t.keep(stock.Faulty, row, "", badUnitLine(bad))
	return nil
}

func (t *tableAnswers) keep(outcome recall.Outcome, row stock.Row, notice, advice string) {
	if t.kept == nil {
		t.kept = map[recall.Outcome][]tableRow{}
	}
	if len(t.kept[outcome]) == shownRows {
		return
	}
	u := &row.Unit
	product := strings.TrimSpace(u.Brand + " " + cmp.Or(u.Name, u.Model))
	product = cmp.Or(product, u.GTIN, u.Scan, strings.Join(row.Cells, " "))
	t.kept[outcome] = append(t.kept[outcome], tableRow{row.Line, printable(product, shownProduct), printable(notice, shownProduct), printable(advice, shownAdvice)})
}

func (t *tableAnswers) finish(counts *tally) error {
	var b strings.Builder
	if counts.rows > 0 {
		t.printRows(&b)
	}
	if more := counts.rows - shownRows; more > 0 {
		fmt.Fprintf(&b, "… and %s of the least urgent; --out FILE writes them all.\n", count(more, "row", "rows"))
	}
	fmt.Fprintf(&b, "%s\n", counts)
	coverage := make([]recall.Coverage, 0, len(t.sources))
	for _, src := range t.sources {
		coverage = append(coverage, recall.Coverage{Agency: src.Agency, State: string(src.State), AgeSeconds: src.AgeSeconds, Notices: src.Notices})
	}
	printCoverage(&b, t.serial, coverage)
	if _, err := io.WriteString(t.out, b.String()); err != nil {
		return fmt.Errorf("printing the table: %w", err)
	}
	return nil
}

func (t *tableAnswers) printRows(b *strings.Builder) {
	table := tabwriter.NewWriter(b, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "line\tverdict\tproduct\tnotice\t")
	left := shownRows
	for _, outcome := range outcomesByUrgency {
		for _, row := range t.kept[outcome][:min(left, len(t.kept[outcome]))] {
			fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", row.line, outcome, row.product, row.notice, row.advice)
			left--
		}
	}
	_ = table.Flush() // a strings.Builder takes everything
}

// printable makes one line of a text that somebody else wrote, without what
// would steer the terminal, at most so many characters.
func printable(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsGraphic(r):
			return r
		case unicode.Is(unicode.Cf, r): // turns the direction of what follows, or parts no words
			return -1
		}
		return ' '
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
