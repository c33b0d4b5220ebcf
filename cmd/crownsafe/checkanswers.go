package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/stock"
)

// outcomesByUrgency lists the outcomes in the order in which somebody should
// look at their rows. Rows that could not be answered come after needCode.
var outcomesByUrgency = []recall.Outcome{recall.Affected, recall.NeedCode, stock.Faulty, recall.CannotTell, recall.NotAffected, recall.NoMatch}

// tally counts the rows of a list by outcome; stock.Faulty are those that could
// not be asked about.
type tally struct {
	rows     int
	outcomes map[recall.Outcome]int
}

func (t *tally) add(outcome recall.Outcome) {
	if t.outcomes == nil {
		t.outcomes = map[recall.Outcome]int{}
	}
	t.rows++
	t.outcomes[outcome]++
}

func (t *tally) verdict(_ stock.Row, v *recall.Verdict) error { t.add(v.Verdict); return nil }
func (t *tally) fault(stock.Row, *recall.BadUnit) error       { t.add(stock.Faulty); return nil }
func (t *tally) finish(*tally) error                          { return nil }

// status is the worst row's: affected, then what could not be answered, then
// what needs a code.
func (t *tally) status() error {
	switch {
	case t.outcomes[recall.Affected] > 0:
		return &exitStatus{code: exitAffected}
	case t.outcomes[recall.CannotTell]+t.outcomes[stock.Faulty] > 0:
		return &exitStatus{code: exitCannotTell}
	case t.outcomes[recall.NeedCode] > 0:
		return &exitStatus{code: exitNeedCode}
	}
	return nil
}

// String words the counts, such as "3 rows: 1 affected, 2 no_match".
func (t *tally) String() string {
	var parts []string
	for _, outcome := range outcomesByUrgency {
		if n := t.outcomes[outcome]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, outcome))
		}
	}
	if len(parts) == 0 {
		return "no rows"
	}
	return count(t.rows, "row", "rows") + ": " + strings.Join(parts, ", ")
}

// tellColumns tells which columns were understood: one that wasn't would
// otherwise go unnoticed and weaken every answer.
func tellColumns(out io.Writer, list *stock.Reader) {
	headings, fields := list.Fields()
	var taken, passed []string
	for i, heading := range headings {
		heading = printable(heading, shownProduct)
		switch {
		case fields[i] != "":
			taken = append(taken, fmt.Sprintf("%s as %s", heading, fields[i]))
		case heading != "":
			passed = append(passed, heading)
		}
	}
	line := "columns read: " + strings.Join(taken, ", ")
	if len(passed) > 0 {
		line += "; only passed through: " + strings.Join(passed, ", ")
	}
	fmt.Fprintln(out, line)
}

// csvAnswers writes the list back with its answers.
type csvAnswers struct {
	*stock.Writer
	counts io.Writer // where the counts go; nil: nowhere
}

func (c csvAnswers) verdict(row stock.Row, v *recall.Verdict) error { return c.Verdict(row, v) }

func (c csvAnswers) fault(row stock.Row, bad *recall.BadUnit) error {
	return c.Fault(row, badUnitLine(bad))
}

func (c csvAnswers) finish(t *tally) error {
	if c.counts != nil {
		fmt.Fprintln(c.counts, t)
	}
	return c.Flush()
}

// jsonAnswers writes one document: the verdict or the error of each row, with
// the line at which the row begins, and the counts.
type jsonAnswers struct {
	out   io.Writer
	begun bool
}

type jsonVerdict struct {
	Line int `json:"line"`
	*recall.Verdict
}

type jsonFault struct {
	Line  int `json:"line"`
	Error struct {
		Code        string   `json:"code"`
		Field       string   `json:"field"`
		Message     string   `json:"message"`
		Suggestions []string `json:"suggestions"`
	} `json:"error"`
}

func (j *jsonAnswers) verdict(row stock.Row, v *recall.Verdict) error {
	return j.write(jsonVerdict{row.Line, v})
}

func (j *jsonAnswers) fault(row stock.Row, bad *recall.BadUnit) error {
	f := jsonFault{Line: row.Line}
	f.Error.Code, f.Error.Field, f.Error.Message = bad.Code, bad.Field, bad.Message
	f.Error.Suggestions = append([]string{}, bad.Suggestions...)
	return j.write(f)
}

func (j *jsonAnswers) write(item any) error {
	raw, err := json.Marshal(item)
	if err != nil {
		return fmt.Errorf("encoding an answer: %w", err)
	}
	before := ",\n"
	if !j.begun {
		before, j.begun = `{"items":[`, true
	}
	if _, err := fmt.Fprintf(j.out, "%s%s", before, raw); err != nil {
		return fmt.Errorf("printing an answer: %w", err)
	}
	return nil
}

func (j *jsonAnswers) finish(t *tally) error {
	totals := map[string]int{"rows": t.rows}
	for _, outcome := range outcomesByUrgency {
		totals[string(outcome)] = t.outcomes[outcome]
	}
	raw, err := json.Marshal(totals)
	if err != nil {
		return fmt.Errorf("encoding the counts: %w", err)
	}
	before := ""
	if !j.begun {
		before = `{"items":[`
	}
	if _, err := fmt.Fprintf(j.out, "%s],\"totals\":%s}\n", before, raw); err != nil {
		return fmt.Errorf("printing the counts: %w", err)
	}
	return nil
}
