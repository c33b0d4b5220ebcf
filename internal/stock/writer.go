package stock

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/crownsafe/api/internal/recall"
)

// added are the columns that a Writer adds, after those of the list.
var added = []string{"verdict", "recall_ids", "recall_title", "need", "advice", "recall_url"}

// Faulty stands in the verdict's column of a row that could not be asked about.
const Faulty = "error"

// Writer writes a list with its answers, in the way in which the list is
// written.
type Writer struct {
	out   io.Writer
	rows  *csv.Writer
	width int // columns of the list that are passed through
	begun bool
	list  *Reader
}

// NewWriter makes a writer for the rows of a list. A list that is such a
// writer's own work gets its answers anew, instead of a second set of columns.
func NewWriter(out io.Writer, list *Reader) *Writer {
	w := &Writer{out: out, rows: csv.NewWriter(out), width: len(list.header), list: list}
	w.rows.Comma, w.rows.UseCRLF = list.dialect.comma, list.dialect.crlf
	if own := w.width - len(added); own > 0 && slices.Equal(list.header[own:], added) {
		w.width = own
	}
	return w
}

// Verdict writes a row with its answer.
func (w *Writer) Verdict(row Row, v *recall.Verdict) error {
	var ids []string
	for i := range v.Matches {
		ids = append(ids, v.Matches[i].Recall.ID)
	}
	var title, need, url string
	if len(v.Matches) > 0 {
		strongest := &v.Matches[0]
		title, url = strongest.Recall.Title, strongest.Recall.URL
		if strongest.Need != nil {
			need = strongest.Need.Identifier
		}
	}
	return w.write(row, string(v.Verdict), strings.Join(ids, " "), title, need, v.Advice, url)
}

// Fault writes a row that could not be asked about, with what is wrong and what
// would be right as its advice.
func (w *Writer) Fault(row Row, advice string) error {
	return w.write(row, Faulty, "", "", "", advice, "")
}

func (w *Writer) write(row Row, answer ...string) error {
	if err := w.begin(); err != nil {
		return err
	}
	if err := w.rows.Write(harmless(row.Cells[:w.width], answer)); err != nil {
		return fmt.Errorf("writing the answer to line %d: %w", row.Line, err)
	}
	return nil
}

// begin writes the header, once.
func (w *Writer) begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	if w.list.dialect.bom {
		if _, err := io.WriteString(w.out, "\ufeff"); err != nil {
			return fmt.Errorf("writing the list: %w", err)
		}
	}
	if err := w.rows.Write(harmless(w.list.header[:w.width], added)); err != nil {
		return fmt.Errorf("writing the header of the list: %w", err)
	}
	return nil
}

// Flush writes what is still held back, the header of a list without rows too.
func (w *Writer) Flush() error {
	if err := w.begin(); err != nil {
		return err
	}
	w.rows.Flush()
	if err := w.rows.Error(); err != nil {
		return fmt.Errorf("writing the list: %w", err)
	}
	return nil
}

// harmless joins cells so that no spreadsheet runs one: a cell that would be
// taken for a formula gets an apostrophe before it.
func harmless(lists ...[]string) []string {
	cells := slices.Concat(lists...)
	for i, cell := range cells {
		if formula(cell) {
			cells[i] = "'" + cell
		}
	}
	return cells
}

// formula reports whether spreadsheets take a cell for a formula. A number with
// its sign is none.
func formula(cell string) bool {
	trimmed := strings.TrimLeft(cell, " \u00a0")
	first, size := utf8.DecodeRuneInString(trimmed)
	switch first {
	case '=', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠':
		return true
	case '+', '-':
		return strings.Trim(trimmed[size:], "0123456789.,") != ""
	}
	return false
}
