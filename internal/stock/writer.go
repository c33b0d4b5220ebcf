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

// added are the columns that a Writer adds, after those of the list, unless the
// list has them already.
var added = []string{"verdict", "recall_ids", "recall_title", "need", "advice", "recall_url"}

// Faulty stands in the verdict's column of a row that could not be asked about.
const Faulty = "error"

// Writer writes a list with its answers, in the way in which the list is
// written.
type Writer struct {
	out    io.Writer
	rows   *csv.Writer
	header []string
	answer []int // by column of the header: its place in added, -1 for one of the list's own
	begun  bool
	list   *Reader
}

// NewWriter makes a writer for the rows of a list. Columns of answers that the
// list has already are filled anew where they stand, instead of a second time.
func NewWriter(out io.Writer, list *Reader) *Writer {
	w := &Writer{out: out, rows: csv.NewWriter(out), header: slices.Clone(list.header), list: list}
	w.rows.Comma, w.rows.UseCRLF = list.dialect.comma, list.dialect.crlf
	for _, name := range added {
		if !slices.Contains(list.header, name) {
			w.header = append(w.header, name)
		}
	}
	for _, name := range w.header {
		w.answer = append(w.answer, slices.Index(added, name))
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
	cells := make([]string, len(w.header))
	copy(cells, row.Cells)
	for i, place := range w.answer {
		if place >= 0 {
			cells[i] = answer[place]
		}
	}
	if err := w.rows.Write(harmless(cells)); err != nil {
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
	if err := w.rows.Write(harmless(slices.Clone(w.header))); err != nil {
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

// harmless sees to it that no spreadsheet runs a cell: one that would be taken
// for a formula gets an apostrophe before it.
func harmless(cells []string) []string {
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
