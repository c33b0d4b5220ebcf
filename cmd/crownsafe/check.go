package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/recall"
)

// Exit statuses of check; not_affected and no_match end with 0.
const (
	exitAffected   = 3
	exitNeedCode   = 4
	exitCannotTell = 5
)

type checkCommand struct {
	Code       string `arg:"" optional:"" help:"Barcode in any printed form, GS1 element string or Digital Link."`
	Brand      string `help:"Brand."`
	Name       string `help:"Product name."`
	Model      string `help:"Model number or name."`
	Lot        string `help:"Lot or batch code."`
	Serial     string `help:"Serial number."`
	DateCode   string `help:"Date or production code."`
	MadeOn     string `help:"Date of manufacture: YYYY-MM-DD, YYYY-MM or YYYY."`
	BoughtOn   string `help:"Date of purchase."`
	BestBefore string `help:"Best-before date."`
	Expiry     string `help:"Expiry date."`
	Country    string `help:"Your country, two letters; orders the matches."`
	File       string `help:"CSV list of products instead, with a header; - reads the standard input." placeholder:"FILE"`
	Out        string `help:"With --file: write the rows with their answers here, as CSV." placeholder:"FILE"`
}

func (c *checkCommand) unit() recall.Unit {
	return recall.Unit{Scan: c.Code, Brand: c.Brand, Name: c.Name, Model: c.Model, Lot: c.Lot, Serial: c.Serial, DateCode: c.DateCode,
		MadeOn: c.MadeOn, BoughtOn: c.BoughtOn, BestBefore: c.BestBefore, Expiry: c.Expiry, Country: c.Country}
}

// Run answers for one unit, or for a list of them, and ends with the status that
// says how.
func (c *checkCommand) Run(s *session) (err error) {
	unit := c.unit()
	switch {
	case c.File != "" && unit != (recall.Unit{}):
		return usage("--file takes every product from the file; leave out what names another one")
	case c.File != "":
		return c.checkList(s)
	case c.Out != "":
		return usage("--out is for the rows of a --file")
	}
	if _, err := recall.Read(unit); err != nil {
		return usage("%s", badUnitLine(err))
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := a.Load(s.ctx); err != nil {
		return err
	}
	verdict, err := a.Lookup.Verdict(a.Catalogue.Current(), unit)
	if err != nil {
		return err
	}
	if s.json {
		err = json.NewEncoder(s.env.stdout).Encode(verdict)
	} else {
		err = printVerdict(s.env.stdout, &verdict)
	}
	if err != nil {
		return fmt.Errorf("printing the verdict: %w", err)
	}
	return statusOf(verdict.Verdict)
}

// badUnitLine words what cannot be used and what would be right.
func badUnitLine(err error) string {
	bad, ok := errors.AsType[*recall.BadUnit](err)
	if !ok {
		return err.Error()
	}
	line := strings.Replace(bad.Error(), "scan: ", "", 1)
	if len(bad.Suggestions) > 0 {
		line += "; did you mean " + strings.Join(bad.Suggestions, " or ") + "?"
	}
	return line
}

func statusOf(outcome recall.Outcome) error {
	switch outcome {
	case recall.Affected:
		return &exitStatus{code: exitAffected}
	case recall.NeedCode:
		return &exitStatus{code: exitNeedCode}
	case recall.CannotTell:
		return &exitStatus{code: exitCannotTell}
	}
	return nil
}

var headlines = map[recall.Outcome]string{
	recall.Affected:    "AFFECTED: a recall covers this very unit.",
	recall.NeedCode:    "ONE MORE CODE NEEDED: a recall covers this product; whether it covers this unit turns on a code.",
	recall.NotAffected: "NOT AFFECTED: recalls cover this product, and the codes given lie outside all of them.",
	recall.NoMatch:     "NO MATCH: nothing was found in the notices that were looked at.",
	recall.CannotTell:  "CANNOT TELL: nothing given can name a product.",
}

const (
	// shownMatches is how many matches a person is shown.
	shownMatches = 5
	// shownText is how much of a notice's text a person is shown, in characters;
	// shownAddress leaves whole what would be of no use when it is cut.
	shownText, shownAddress = 300, 4000
)

func printVerdict(out io.Writer, v *recall.Verdict) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", headlines[v.Verdict], printable(v.Advice, shownAddress))
	for i := range v.Matches[:min(len(v.Matches), shownMatches)] {
		printMatch(&b, &v.Matches[i])
	}
	if more := len(v.Matches) - shownMatches; more > 0 {
		fmt.Fprintf(&b, "\n… and %d more; --json lists them all.\n", more)
	}
	printCoverage(&b, v.Serial, v.Coverage)
	_, err := io.WriteString(out, b.String())
	return err
}

func printCoverage(b *strings.Builder, serial int64, coverage []recall.Coverage) {
	fmt.Fprintf(b, "\nLooked at (serial %d):\n", serial)
	loaded := 0
	for _, c := range coverage {
		fmt.Fprintf(b, "  %-18s %6d notices, %s%s\n", c.Agency, c.Notices, c.State, ageWords(c.AgeSeconds))
		loaded += c.Notices
	}
	if loaded == 0 {
		b.WriteString("  and the starter catalogue, a few hundred notices, for nothing else is loaded here: run sync or import.\n")
	}
}

func printMatch(b *strings.Builder, m *recall.Match) {
	fmt.Fprintf(b, "\n%s  %s  (%s, sure to %.0f %%)\n", printable(m.Recall.ID, shownText), m.Recall.PublishedAt.Format(time.DateOnly), m.Verdict, m.Confidence*100)
	fmt.Fprintf(b, "  %s\n", printable(m.Recall.Title, shownText))
	for _, e := range m.Evidence {
		fmt.Fprintf(b, "  %-12s “%s” (%s)\n", e.Identifier, printable(e.Quote, shownText), e.Field)
	}
	if m.Need != nil {
		fmt.Fprintf(b, "  needed       %s: %s\n", m.Need.Identifier, printable(m.Need.WherePrinted, shownText))
	}
	if m.Recall.Remedy.Text != "" {
		fmt.Fprintf(b, "  remedy       %s\n", printable(m.Recall.Remedy.Text, shownText))
	}
	if m.Recall.URL != "" {
		fmt.Fprintf(b, "  %s\n", printable(m.Recall.URL, shownAddress))
	}
}

func ageWords(seconds *int64) string {
	if seconds == nil {
		return ""
	}
	return fmt.Sprintf(", fetched %s ago", (time.Duration(*seconds) * time.Second).Round(time.Minute))
}
