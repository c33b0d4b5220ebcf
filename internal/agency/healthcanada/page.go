package healthcanada

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// pageMark says in a payload that it is a savedPage.
const pageMark = "ca-hc notice page"

// savedPage is what Fetch hands over of a notice's page: the page as it came,
// beside the row of the open data file that led to it, as written.
type savedPage struct {
	Source string          `json:"source"` // pageMark
	URL    string          `json:"url"`
	Row    json.RawMessage `json:"row"`
	HTML   string          `json:"html"`
}

// page is what a notice's page tells beyond the row.
type page struct {
	Published string // the day of first publication, as written
	Affected  string // what stands under "Affected products" besides the tables
	Issue     string
	Action    string // what to do, with its paragraphs
	Brands    []string
	Tables    [][][]string // of affected products: rows of cells, the header first
	Images    []string
	Links     []string
}

func (p *parser) readPage(ctx context.Context, payload io.Reader) error {
	if err := ctx.Err(); err != nil {
		return p.watch(err)
	}
	var saved savedPage
	d := agency.NewJSONDecoder(payload)
	if err := agency.DecodeValue(d, &saved); err != nil {
		return err
	}
	if err := agency.EndOfJSON(d); err != nil {
		return err
	}
	r, err := readRow(saved.Row)
	if err != nil {
		return p.reject(1, r, err, saved.Row)
	}
	pg, err := readPage(saved.HTML, saved.URL)
	if err != nil {
		return p.reject(1, r, err, []byte(saved.HTML))
	}
	return p.emit(1, r, pg, saved.Row)
}

// The page's sections by their class and, where the site should change those,
// by their headings.
var (
	sectionAffected = section{"ar-affected-products", regexp.MustCompile(`(?i)^(?:affected products?|produits? (?:touchés?|visés?|concernés?))$`)}
	sectionIssue    = section{"ar-issue", regexp.MustCompile(`(?i)^(?:issue|problème)$`)}
	sectionAction   = section{"ar-what-you-should-do", regexp.MustCompile(`(?i)^(?:what you should do|ce que vous devriez faire)$`)}
	sectionImages   = section{"ar-product-images", regexp.MustCompile(`(?i)^images?$`)}
	sectionBrands   = section{"ar-brand-details", regexp.MustCompile(`(?i)^(?:brands?\(?s?\)?|marques?\(?s?\)?)$`)}
)

type section struct {
	class   string
	heading *regexp.Regexp
}

// errNoNotice says that a page is not even one of the site's notices.
var errNoNotice = errors.New("the page has no heading of a notice")

// readPage reads a notice's page. The error says that it is none: errNoNotice, or
// a notice whose products stand in no place where they are looked for.
func readPage(source, address string) (*page, error) {
	root, err := agency.ParseHTML(strings.NewReader(source))
	if err != nil {
		return nil, err
	}
	main := agency.HTMLFirst(root, atom.Main, nil)
	if main == nil {
		main = root
	}
	if agency.HTMLFirst(main, atom.H1, nil) == nil {
		return nil, errNoNotice
	}
	affected := sectionAffected.in(main)
	if affected == nil {
		return nil, errors.New("the page has no section of affected products")
	}
	p := &page{
		Published: labelled(agency.HTMLText(main), "original published date", "date de publication d'origine", "date de publication originale"),
		Issue:     sectionIssue.text(main), Action: sectionAction.text(main),
		Brands: brandsIn(main), Images: imagesIn(main, address), Links: agency.HTMLLinks(main),
	}
	for _, table := range agency.HTMLTables(affected) {
		p.Tables = append(p.Tables, cellsOf(table))
	}
	removeTables(affected)
	p.Affected = sectionAffected.text(main)
	return p, nil
}

// in returns the element that is the section, or nil.
func (s section) in(main *html.Node) *html.Node {
	for n := range main.Descendants() {
		if n.Type == html.ElementNode && agency.HTMLHasClass(s.class)(n) {
			return n
		}
	}
	for n := range main.Descendants() {
		if n.DataAtom == atom.H2 && s.heading.MatchString(agency.HTMLText(n)) {
			return enclosing(n)
		}
	}
	return nil
}

// enclosing returns the section that a heading heads: the element around it, or,
// where that holds other sections as well, a new one around all up to the next
// heading.
func enclosing(heading *html.Node) *html.Node {
	around := heading.Parent
	for around != nil && around.Parent != nil && agency.HTMLText(around) == agency.HTMLText(heading) {
		heading, around = around, around.Parent
	}
	if around == nil || headings(around) == 1 {
		return around
	}
	wrap := &html.Node{Type: html.ElementNode, DataAtom: atom.Section, Data: "section"}
	around.InsertBefore(wrap, heading)
	for n := heading; n != nil; {
		next := n.NextSibling
		around.RemoveChild(n)
		wrap.AppendChild(n)
		if n = next; n != nil && (n.DataAtom == atom.H2 || headings(n) > 0) {
			break
		}
	}
	return wrap
}

// headings counts the headings of sections below a node.
func headings(node *html.Node) int {
	count := 0
	for n := range node.Descendants() {
		if n.DataAtom == atom.H2 {
			count++
		}
	}
	return count
}

// text returns the section's words without its heading.
func (s section) text(main *html.Node) string {
	node := s.in(main)
	if node == nil {
		return ""
	}
	text := agency.HTMLText(node)
	if first, rest, _ := strings.Cut(text, "\n"); s.heading.MatchString(strings.TrimSpace(first)) {
		return strings.TrimSpace(rest)
	}
	return text
}

// labelled returns what stands behind a label, on its line or on the next.
func labelled(text string, labels ...string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		for _, label := range labels {
			if len(line) < len(label) || !strings.EqualFold(line[:len(label)], label) {
				continue
			}
			if rest := strings.TrimLeft(line[len(label):], " :"); rest != "" {
				return rest
			}
			if i+1 < len(lines) {
				return strings.TrimSpace(lines[i+1])
			}
		}
	}
	return ""
}

func brandsIn(main *html.Node) []string {
	var brands []string
	for line := range strings.SplitSeq(sectionBrands.text(main), "\n") {
		if line = strings.TrimSpace(line); line != "" && !sectionBrands.heading.MatchString(line) && !agency.Placeholder(line) && !slices.Contains(brands, line) {
			brands = append(brands, line)
		}
	}
	return brands
}

func cellsOf(table agency.HTMLTable) [][]string {
	rows := make([][]string, len(table.Rows))
	for i, row := range table.Rows {
		for _, cell := range row {
			rows[i] = append(rows[i], cell.Text)
		}
	}
	return rows
}

// removeTables leaves the prose of a section, so that the cells of one product
// are not read as codes of another.
func removeTables(node *html.Node) {
	for n := agency.HTMLFirst(node, atom.Table, nil); n != nil; n = agency.HTMLFirst(node, atom.Table, nil) {
		n.Parent.RemoveChild(n)
	}
}

// scaled is the part of a picture's path that names the size that it was scaled to.
var scaled = regexp.MustCompile(`/styles/[^/]+/public/`)

// imagesIn returns the addresses of the product's pictures, each in its first size.
func imagesIn(main *html.Node, address string) []string {
	within := sectionImages.in(main)
	base, err := url.Parse(address)
	if within == nil || err != nil {
		return nil
	}
	var images []string
	seen := map[string]bool{}
	for n := range within.Descendants() {
		for _, name := range []string{"href", "src", "data-src"} {
			u, err := base.Parse(strings.TrimSpace(agency.HTMLAttribute(n, name)))
			if err != nil || !strings.Contains(u.Path, "/sites/default/files/") || !picture.MatchString(u.Path) {
				continue
			}
			if key := scaled.ReplaceAllString(u.Path, "/public/"); !seen[key] {
				seen[key] = true
				images = append(images, u.String())
			}
		}
	}
	return images
}

var picture = regexp.MustCompile(`(?i)\.(?:png|jpe?g|gif|webp)$`)

var (
	sold    = regexp.MustCompile(`(?i)\b(approximately|about|environ)?\s*(\d{1,3}(?:[, ]\d{3})+|\d+)\s[^.\d]{0,80}?\b(?:in|au|aux|en)\s+(canada|the united states|the u\.s|états-unis|mexico)\b`)
	counted = regexp.MustCompile(`(?i)\b(?:reports?|incidents?|injur|complaints?|signalement|bless|plainte)`)
	stop    = regexp.MustCompile(`\.\s+|\n`)
)

var soldIn = map[string]string{"canada": "CA", "the united states": "US", "the u.s": "US", "états-unis": "US", "mexico": "MX"}

// unitCounts reads how many units were sold in each country.
func (p *page) unitCounts() []recall.UnitCount {
	var counts []recall.UnitCount
	for _, sentence := range stop.Split(p.Issue+"\n"+p.Affected, -1) {
		if !strings.Contains(sentence, "sold") && !strings.Contains(sentence, "distributed") && !strings.Contains(sentence, "vend") {
			continue
		}
		for _, m := range sold.FindAllStringSubmatch(sentence, -1) {
			country := soldIn[strings.ToLower(m[3])]
			n, err := strconv.Atoi(strings.NewReplacer(",", "", " ", "").Replace(m[2]))
			if err != nil || slices.ContainsFunc(counts, func(c recall.UnitCount) bool { return c.Country == country }) {
				continue
			}
			counts = append(counts, recall.UnitCount{Country: country, Count: n, Approximate: m[1] != ""})
		}
	}
	return counts
}

// incidents reads the sentences that count them.
func (p *page) incidents() recall.Incidents {
	var told []string
	for _, sentence := range stop.Split(p.Issue, -1) {
		if counted.MatchString(sentence) {
			told = append(told, sentence)
		}
	}
	return extract.Incidents(strings.Join(told, ". "))
}

// aliases are the notices of the U.S. Commission that the page names or links.
func (p *page) aliases() []recall.Alias {
	return cpscNotices(p.Affected + "\n" + p.Issue + "\n" + p.Action + "\n" + strings.Join(p.Links, "\n"))
}

var (
	// cpscNumber is a release's number behind the Commission's name, and
	// cpscRelease one in an address of its old site.
	cpscNumber  = regexp.MustCompile(`(?i)\bCPSC\b[^\n.]{0,60}?\b(?:recall|release|number|no\.?|#)[^\n.\d]{0,20}(\d{2})-(\d{3}[a-d]?)\b`)
	cpscRelease = regexp.MustCompile(`(?i)cpsc\.gov/[^\s"]*?/(?:prhtml\d{2}/)?(\d{2})(\d{3}[a-d]?)\.html`)
)

// cpscNotices returns the notices that a text names by their number. That a
// recall is joint with the Commission doesn't tell which of its recalls it is.
func cpscNotices(text string) []recall.Alias {
	var aliases []recall.Alias
	for _, pattern := range []*regexp.Regexp{cpscNumber, cpscRelease} {
		for _, m := range pattern.FindAllStringSubmatch(text, -1) {
			alias := recall.Alias{ID: "us-cpsc:" + m[1] + "-" + strings.ToLower(m[2]), Kind: recall.Declared}
			if !slices.Contains(aliases, alias) {
				aliases = append(aliases, alias)
			}
		}
	}
	return aliases
}

// save makes the payload of a page that was fetched.
func save(row json.RawMessage, answer agency.Answer) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // people read archives
	if err := e.Encode(savedPage{Source: pageMark, URL: answer.URL, Row: row, HTML: string(answer.Body)}); err != nil {
		return nil, fmt.Errorf("saving the page %s: %w", answer.URL, err)
	}
	return b.Bytes(), nil
}
