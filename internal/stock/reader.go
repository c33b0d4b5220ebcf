package stock

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/crownsafe/api/internal/recall"
)

// peekBytes is how much of a list is looked at to tell how it is written.
const peekBytes = 64 << 10

// Reader reads a list row by row.
type Reader struct {
	source   *bounded
	western  *western // nil: a byte order mark says how the text is written
	rows     *csv.Reader
	dialect  dialect
	first    int // lines before those that rows counts
	header   []string
	meanings []*column // by column; nil: passed through
}

// dialect is how a list is written, so that it is written back likewise.
type dialect struct {
	comma rune
	crlf  bool
	bom   bool
}

// separators are what may part the cells; the first one is taken when the
// header has none of them.
var separators = []rune{',', ';', '\t', '|'}

// NewReader reads a list's header. Commas, semicolons, tabs or bars part the
// cells, whichever the header has most of. A byte order mark may say that the
// text is UTF-16; without one, what is no UTF-8 is read as Windows-1252. The error
// wraps ErrEmpty or ErrNoColumns where the list is to blame.
func NewReader(in io.Reader) (*Reader, error) {
	text := bufio.NewReaderSize(in, peekBytes)
	r := &Reader{}
	if head, _ := text.Peek(3); bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) || bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		r.dialect.bom = true
	}
	var utf8Text io.Reader
	if r.dialect.bom {
		utf8Text = transform.NewReader(text, unicode.BOMOverride(encoding.Nop.NewDecoder()))
	} else {
		r.western = &western{in: text}
		utf8Text = r.western
	}
	decoded := bufio.NewReaderSize(utf8Text, peekBytes)
	head, err := decoded.Peek(peekBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the list: %w", err)
	}
	r.guess(string(head), decoded)
	if r.Western() {
		r.dialect.bom = true // the answers are UTF-8, which spreadsheets must be told
	}
	r.source = &bounded{in: &lineFeeds{in: decoded}}
	r.rows = csv.NewReader(r.source)
	r.rows.Comma, r.rows.FieldsPerRecord = r.dialect.comma, -1
	if err := r.readHeader(); err != nil {
		return nil, err
	}
	return r, nil
}

// Western reports that the list, as far as it has been read, turned out to be
// Windows-1252.
func (r *Reader) Western() bool { return r.western != nil && r.western.is }

// guess finds out how the list is written, and skips the line with which a
// spreadsheet may say it ("sep=;").
func (r *Reader) guess(head string, decoded *bufio.Reader) {
	r.dialect.crlf = strings.Contains(head, "\r\n")
	line := firstLine(head)
	if said, ok := strings.CutPrefix(strings.ToLower(line), "sep="); ok && len(said) == 1 && slices.Contains(separators, rune(said[0])) {
		skipped := len(line)
		if strings.HasPrefix(head[skipped:], "\r\n") {
			skipped++
		}
		_, _ = decoded.Discard(min(skipped+1, len(head))) // these bytes were peeked at
		r.dialect.comma, r.first = rune(said[0]), 1
		return
	}
	line = firstLine(strings.TrimLeft(head, "\r\n"))
	r.dialect.comma = separators[0]
	for _, comma := range separators {
		if countUnquoted(line, comma) > countUnquoted(line, r.dialect.comma) {
			r.dialect.comma = comma
		}
	}
}

func firstLine(text string) string {
	if end := strings.IndexAny(text, "\r\n"); end >= 0 {
		return text[:end]
	}
	return text
}

func countUnquoted(line string, comma rune) int {
	n, quoted := 0, false
	for _, c := range line {
		switch c {
		case '"':
			quoted = !quoted
		case comma:
			if !quoted {
				n++
			}
		}
	}
	return n
}

func (r *Reader) readHeader() error {
	_, header, err := r.next()
	if errors.Is(err, io.EOF) {
		return ErrEmpty
	}
	if err != nil {
		return fmt.Errorf("reading the header of the list: %w", err)
	}
	r.header = header
	known := false
	for _, heading := range header {
		c := columnOf(heading)
		r.meanings = append(r.meanings, c)
		known = known || c != nil
	}
	if !known {
		var names []string
		for _, c := range columns {
			names = append(names, c.field)
		}
		return fmt.Errorf("%w: the first line must name the columns, such as %s", ErrNoColumns, strings.Join(names, ", "))
	}
	return nil
}

// Fields tells for each column of the list which field of a unit it was taken
// for, "" for one that is only passed through.
func (r *Reader) Fields() (headings, fields []string) {
	for _, c := range r.meanings {
		field := ""
		if c != nil {
			field = c.field
		}
		fields = append(fields, field)
	}
	return r.header, fields
}

// Read returns the next row, io.EOF after the last one. Rows of nothing but
// blanks are passed over. Any other error ends the list.
func (r *Reader) Read() (Row, error) {
	for {
		line, cells, err := r.next()
		malformed, isMalformed := errors.AsType[*csv.ParseError](err)
		switch {
		case isMalformed:
			return r.malformedRow(malformed), nil
		case err != nil:
			return Row{}, err
		case blank(cells):
			continue
		}
		return r.row(line, cells), nil
	}
}

func (r *Reader) row(line int, cells []string) Row {
	row := Row{Line: line, Cells: make([]string, len(r.header))}
	copy(row.Cells, cells)
	if len(cells) > len(r.header) && !blank(cells[len(r.header):]) {
		row.Fault = fault("", "malformed", "has %d cells where the header has %d; is a cell with the separator in it not in quotes?", len(cells), len(r.header))
		return row
	}
	row.Unit, row.Fault = unit(r.meanings, row.Cells)
	if row.Fault == nil && row.Unit == (recall.Unit{}) {
		row.Fault = fault("", "empty", "names no product; give a barcode, or a brand with a product name or model")
	}
	return row
}

func (r *Reader) malformedRow(e *csv.ParseError) Row {
	row := Row{Line: r.first + e.StartLine, Cells: make([]string, len(r.header))}
	row.Cells[0] = strings.TrimSpace(string(r.source.since(r.rows.InputOffset())))
	where := ""
	if e.Line > e.StartLine {
		where = fmt.Sprintf(", and everything up to line %d was taken for one cell", r.first+e.Line)
	}
	row.Fault = fault("", "malformed", "has a quote where none belongs%s; a cell with quotes stands in quotes, and each of its own is doubled", where)
	return row
}

// next reads the next record and tells its line. A record in which quotes stand
// only inside of cells has one meaning, although it is no good CSV: 12" pan, ="0123".
func (r *Reader) next() (line int, cells []string, err error) {
	r.source.begin(r.rows.InputOffset())
	cells, err = r.rows.Read()
	if err == nil {
		line, _ = r.rows.FieldPos(0)
		return r.first + line, cells, nil
	}
	malformed, ok := errors.AsType[*csv.ParseError](err)
	if !ok || !errors.Is(err, csv.ErrBareQuote) {
		return 0, nil, err
	}
	raw := string(r.source.since(r.rows.InputOffset()))
	raw = strings.Trim(raw, "\r\n")
	if strings.HasPrefix(raw, `"`) || strings.Contains(raw, string(r.dialect.comma)+`"`) {
		return 0, nil, err
	}
	return r.first + malformed.StartLine, strings.Split(raw, string(r.dialect.comma)), nil
}

func blank(cells []string) bool {
	for _, cell := range cells {
		if strings.TrimSpace(cell) != "" {
			return false
		}
	}
	return true
}

// bounded ends a list with an error when a row is too long, and keeps the bytes
// of the present row.
type bounded struct {
	in   io.Reader
	kept []byte
	from int64 // offset of kept in the list
}

// begin forgets what stands before an offset.
func (b *bounded) begin(offset int64) {
	b.kept = append(b.kept[:0], b.kept[offset-b.from:]...)
	b.from = offset
}

// since returns the bytes from the beginning of the row up to an offset.
func (b *bounded) since(offset int64) []byte { return b.kept[:offset-b.from] }

func (b *bounded) Read(p []byte) (int, error) {
	left := MaxRowBytes - len(b.kept)
	if left <= 0 {
		return 0, fmt.Errorf("a row of the list is longer than %d bytes; is a quote left open?", MaxRowBytes)
	}
	n, err := b.in.Read(p[:min(len(p), left)])
	b.kept = append(b.kept, p[:n]...)
	return n, err
}
