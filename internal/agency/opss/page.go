package opss

import (
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/crownsafe/api/internal/agency"
)

// page is a notice's body: sections of prose, and tables of what is recalled.
type page struct {
	sections []section
	tables   [][]row // one for each product
}

type section struct{ heading, text string }

// row is one line of a product's table: "Barcode", "4006381333931".
type row struct{ label, text string }

func readPage(body string) (page, error) {
	root, err := agency.ParseHTML(strings.NewReader(body))
	if err != nil {
		return page{}, err
	}
	var p page
	for _, s := range agency.HTMLSections(agency.HTMLFirst(root, atom.Body, nil)) {
		prose := slices.DeleteFunc(slices.Clone(s.Nodes), func(n *html.Node) bool { return n.DataAtom == atom.Table })
		if text := agency.HTMLText(prose...); text != "" {
			p.sections = append(p.sections, section{strings.ToLower(s.Heading), text})
		}
	}
	for _, t := range agency.HTMLTables(root) {
		p.tables = append(p.tables, products(t.Rows)...)
	}
	return p, nil
}

// products turns a table into the rows of each product that it is about. Most
// tables have a label and a value in each row; some have a column for each of
// several products, and some a heading line and a row for each.
func products(cells [][]agency.HTMLCell) [][]row {
	columns := 0
	for _, line := range cells {
		columns = max(columns, len(line))
	}
	if columns < 2 {
		return nil
	}
	if columns > 2 && !labelsStandFirst(cells) {
		return rowByRow(cells)
	}
	var out [][]row
	for column := 1; column < columns; column++ {
		var rows []row
		for _, line := range cells {
			if column < len(line) && line[column].Text != "" {
				rows = append(rows, row{label(line[0].Text), line[column].Text})
			}
		}
		if len(rows) > 0 {
			out = append(out, rows)
		}
	}
	return out
}

// labelsStandFirst tells whether a table has its labels in the first column.
func labelsStandFirst(cells [][]agency.HTMLCell) bool {
	known := 0
	for _, line := range cells {
		if len(line) > 0 && meaningOf(label(line[0].Text)) != other {
			known++
		}
	}
	return known > 1
}

func rowByRow(cells [][]agency.HTMLCell) [][]row {
	var out [][]row
	for _, line := range cells[1:] {
		var rows []row
		for column, cell := range line {
			if column < len(cells[0]) && cell.Text != "" {
				rows = append(rows, row{label(cells[0][column].Text), cell.Text})
			}
		}
		if len(rows) > 0 {
			out = append(out, rows)
		}
	}
	return out
}

func label(text string) string { return strings.TrimRight(text, " :") }

// section returns the prose under the first heading that begins so.
func (p *page) section(heading string) string {
	for _, s := range p.sections {
		if strings.HasPrefix(s.heading, heading) {
			return s.text
		}
	}
	return ""
}

// told returns what a line that begins with a word and a colon says: the
// summary consists of such lines.
func (p *page) told(word string) string {
	for _, s := range p.sections {
		for line := range strings.Lines(s.text) {
			before, after, ok := strings.Cut(line, ":")
			if ok && strings.EqualFold(strings.TrimSpace(before), word) {
				return strings.TrimSpace(after)
			}
		}
	}
	return ""
}

var psdNumber = regexp.MustCompile(`(?i)\b((?:19|[2-9]\d)(?:0[1-9]|1[0-2])-\d{4}[a-z]?)\b`)

// number returns the number in the Product Safety Database that the body states.
func (p *page) number() string { return lastNumber(p.told("PSD notification number")) }

func lastNumber(s string) string {
	all := psdNumber.FindAllString(s, -1)
	if len(all) == 0 {
		return ""
	}
	return strings.ToLower(all[len(all)-1])
}
