package agency

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// ParseHTML reads a page or a piece of one. HTML has no errors of its own (the
// standard says what to make of any bytes); the error is the reader's, or says
// that elements are nested too deeply to be an honest page.
func ParseHTML(source io.Reader) (*html.Node, error) {
	root, err := html.Parse(source)
	if err != nil {
		return nil, fmt.Errorf("reading HTML: %w", err)
	}
	return root, nil
}

// HTMLText returns what a reader sees of some nodes, cleaned as by Clean: each
// block, list item, table row and <br> on a line of its own, cells of a row
// apart by a blank, scripts and styles left out.
func HTMLText(nodes ...*html.Node) string {
	var b strings.Builder
	for _, n := range nodes {
		writeText(&b, n)
	}
	return Clean(b.String())
}

func writeText(b *strings.Builder, n *html.Node) {
	switch n.Type {
	case html.TextNode:
		b.WriteString(spaces.Replace(n.Data)) // line ends of the source are blanks to a reader
		return
	case html.CommentNode, html.DoctypeNode:
		return
	}
	edge := ""
	switch n.DataAtom {
	case atom.Script, atom.Style, atom.Noscript, atom.Template, atom.Head:
		return
	case atom.Td, atom.Th:
		edge = " "
	case atom.Br, atom.P, atom.Div, atom.Li, atom.Ul, atom.Ol, atom.Tr, atom.Table, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6,
		atom.Dt, atom.Dd, atom.Dl, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Blockquote, atom.Pre, atom.Caption, atom.Figcaption:
		edge = "\n"
	}
	b.WriteString(edge)
	for child := range n.ChildNodes() {
		writeText(b, child)
	}
	b.WriteString(edge)
}

var spaces = strings.NewReplacer("\n", " ", "\r", " ", "\t", " ")

// HTMLAttribute returns an element's attribute, or "".
func HTMLAttribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// HTMLFirst returns the first element of a kind below a node, in the page's
// order, that match agrees to (nil: any), or nil.
func HTMLFirst(root *html.Node, kind atom.Atom, match func(*html.Node) bool) *html.Node {
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.DataAtom == kind && (match == nil || match(n)) {
			return n
		}
	}
	return nil
}

// HTMLHasClass makes a match for HTMLFirst: the element carries a class.
func HTMLHasClass(class string) func(*html.Node) bool {
	return func(n *html.Node) bool { return slices.Contains(strings.Fields(HTMLAttribute(n, "class")), class) }
}

// HTMLLinks returns the addresses that links below a node lead to, as written.
func HTMLLinks(root *html.Node) []string {
	var links []string
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.DataAtom == atom.A {
			if href := strings.TrimSpace(HTMLAttribute(n, "href")); href != "" {
				links = append(links, href)
			}
		}
	}
	return links
}

// HTMLTable is a table's cells, row by row. A cell that spans rows or columns
// stands in each of them.
type HTMLTable struct {
	Caption string
	Rows    [][]HTMLCell
}

// HTMLCell is one cell of a table.
type HTMLCell struct {
	Text   string     // as by HTMLText
	Header bool       // a <th>
	Node   *html.Node // for links and pictures in it
}

// maxSpan bounds what a cell may span: the standard allows 1,000 columns and
// 65,534 rows, which no honest table of products uses.
const maxSpan = 100

// HTMLTables returns the tables below a node, in the page's order; a table
// within a table's cell is part of that cell's text alone.
func HTMLTables(root *html.Node) []HTMLTable {
	var tables []HTMLTable
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode && n.DataAtom == atom.Table {
			tables = append(tables, readTable(n))
			return
		}
		for child := range n.ChildNodes() {
			walk(child)
		}
	}
	walk(root)
	return tables
}

func readTable(table *html.Node) HTMLTable {
	var t HTMLTable
	var above []span // by column, of cells that reach down
	for part := range table.ChildNodes() {
		switch part.DataAtom {
		case atom.Caption:
			t.Caption = HTMLText(part)
		case atom.Thead, atom.Tbody, atom.Tfoot:
			for row := range part.ChildNodes() {
				if row.DataAtom == atom.Tr {
					t.Rows = append(t.Rows, readTableRow(row, &above))
				}
			}
			above = nil // a cell never reaches into the next part
		}
	}
	return t
}

// span is a cell that covers its column in so many rows more.
type span struct {
	cell HTMLCell
	rows int
}

func readTableRow(row *html.Node, above *[]span) []HTMLCell {
	var cells []HTMLCell
	fromAbove := func() {
		for len(cells) < len(*above) && (*above)[len(cells)].rows > 0 {
			s := &(*above)[len(cells)]
			s.rows--
			cells = append(cells, s.cell)
		}
	}
	for n := range row.ChildNodes() {
		if n.DataAtom != atom.Td && n.DataAtom != atom.Th {
			continue
		}
		fromAbove()
		cell := HTMLCell{Text: HTMLText(n), Header: n.DataAtom == atom.Th, Node: n}
		for range spanOf(n, "colspan") {
			for len(*above) <= len(cells) {
				*above = append(*above, span{})
			}
			(*above)[len(cells)] = span{cell, spanOf(n, "rowspan") - 1}
			cells = append(cells, cell)
		}
	}
	fromAbove()
	return cells
}

func spanOf(cell *html.Node, name string) int {
	n, err := strconv.Atoi(strings.TrimSpace(HTMLAttribute(cell, name)))
	if err != nil {
		return 1
	}
	return min(max(n, 1), maxSpan)
}

// HTMLSection is what stands under one heading of a page.
type HTMLSection struct {
	Heading string // "" for what stands before the first one
	Level   int    // 1 to 6 as in <h1> to <h6>; 0 without a heading
	Nodes   []*html.Node
}

// HTMLSections cuts the children of a node at its headings, in the page's
// order. A heading inside another child starts a section only where no child of
// the node is a heading: pages wrap their articles.
func HTMLSections(root *html.Node) []HTMLSection {
	if direct := slices.ContainsFunc(slices.Collect(root.ChildNodes()), func(n *html.Node) bool { return headingLevel(n) > 0 }); !direct {
		for n := range root.Descendants() {
			if headingLevel(n) > 0 {
				root = n.Parent
				break
			}
		}
	}
	sections := []HTMLSection{{}}
	for n := range root.ChildNodes() {
		if level := headingLevel(n); level > 0 {
			sections = append(sections, HTMLSection{Heading: HTMLText(n), Level: level})
			continue
		}
		last := &sections[len(sections)-1]
		last.Nodes = append(last.Nodes, n)
	}
	return sections
}

func headingLevel(n *html.Node) int {
	if n.Type != html.ElementNode {
		return 0
	}
	return slices.Index([]atom.Atom{0, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6}, n.DataAtom)
}
