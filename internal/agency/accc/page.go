package accc

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/crownsafe/api/internal/agency"
)

// source is what a page or an item of the feed says of one recall, by field.
type source struct {
	address   string
	title     string
	published string // a date
	changed   string // a time, of a page
	topics    []string
	fields    map[string]string // by the keys below
	documents []string          // names of the lists that are attached
	links     []string
	whole     bool // a page, not the feed's excerpt of it
}

// Keys of a recall's fields; the site's own names where it has one.
const (
	keyDescription = "product-desc"
	keyModel       = "model"
	keyBrand       = "brand"
	keyReason      = "product-defects"
	keyHazards     = "hazards"
	keyAction      = "consumer-action"
	keySupplier    = "supplier-name"
	keyTraders     = "traders"
	keyNumbers     = "other-identify"
	keyFeatures    = "ident-features"
	keySaleDates   = "sale-dates"
	keyWhere       = "location-sold"
	keyOrigin      = "country-id"
	keyPRA         = "pra-number"
	keyPublished   = "published-date"
	keyTopics      = "product-category"
	keyAttached    = "ident-attach"
	keyContact     = "contact"
)

// labels are the headings that people see above the fields, in the wordings of
// the years. They find a field whose name the site has changed.
var labels = map[string]string{
	"product description": keyDescription, "model": keyModel, "brand": keyBrand,
	"reason the product is recalled": keyReason, "what are the defects": keyReason, "defects": keyReason,
	"the hazards to consumers": keyHazards, "what are the hazards": keyHazards, "hazards": keyHazards,
	"what consumers should do": keyAction, "what should consumers do": keyAction,
	"who is running the recall": keySupplier, "supplier": keySupplier,
	"who sold the product": keyTraders, "traders who sold this product": keyTraders, "traders": keyTraders,
	"other identifying numbers": keyNumbers, "identifying numbers": keyNumbers, "identifying number": keyNumbers,
	"identifying product features": keyFeatures, "identifying features": keyFeatures,
	"dates available for sale": keySaleDates, "where the product was sold": keyWhere,
	"manufacturer country id": keyOrigin, "country of manufacture": keyOrigin,
	"pra number": keyPRA, "recall published": keyPublished, "topics": keyTopics, "contact": keyContact,
}

const fieldClass = "field--name-field-psa-"

// fieldKey returns the site's name of the field that an element holds, or "".
func fieldKey(n *html.Node) string {
	for _, class := range strings.Fields(agency.HTMLAttribute(n, "class")) {
		if name, ok := strings.CutPrefix(class, fieldClass); ok {
			return strings.TrimPrefix(name, "recall-")
		}
	}
	return ""
}

// readFields collects the fields below a node, by the names that the site gives
// them, or else by their headings. The first of a name counts: the
// supplier stands below the title as well. Fields with numbers of a kind that is
// not among the keys ("GTIN", "SKU") come as numbers, behind their labels.
func (s *source) readFields(root *html.Node) {
	s.fields = map[string]string{}
	put := func(key, text string) {
		if text != "" && s.fields[key] == "" {
			s.fields[key] = text
		}
	}
	known := map[string]bool{}
	for _, key := range labels {
		known[key] = true
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if key := fieldKey(n); key != "" {
			label, value := labelled(n)
			switch {
			case key == keyNumbers:
				s.addNumbers(value)
			case known[key]:
				put(key, value)
			case numberKeys[key] && value != "":
				s.addNumbers(label + ": " + value)
			case key == keyAttached:
				s.documents = append(s.documents, value)
			}
			if key == keyTopics {
				s.readTopics(n)
			}
		}
	}
	for n := range root.Descendants() {
		if heading(n) {
			put(labels[labelOf(n)], behind(n))
		}
	}
	delete(s.fields, "")
}

func (s *source) addNumbers(line string) {
	s.fields[keyNumbers] = strings.TrimSpace(s.fields[keyNumbers] + "\n" + line)
}

// numberKeys are the fields that some recalls have for one kind of number.
var numberKeys = map[string]bool{
	"sku": true, "gtin": true, "ean": true, "upc": true, "barcode": true, "batch": true, "batch-number": true,
	"serial": true, "serial-number": true, "lot": true, "lot-number": true, "asin": true,
}

func heading(n *html.Node) bool {
	switch n.DataAtom {
	case atom.H2, atom.H3, atom.H4:
		return n.Type == html.ElementNode
	}
	return false
}

func labelOf(n *html.Node) string {
	return strings.ToLower(strings.Trim(agency.HTMLText(n), " :?"))
}

// labelled returns a field's label and its text without the label.
func labelled(field *html.Node) (label, value string) {
	var rest []*html.Node
	for n := range field.ChildNodes() {
		if heading(n) && label == "" {
			label = agency.HTMLText(n)
			continue
		}
		rest = append(rest, n)
	}
	return label, agency.HTMLText(rest...)
}

// behind returns what stands beside a heading up to the next one that is a
// field's label.
func behind(n *html.Node) string {
	var nodes []*html.Node
	for next := n.NextSibling; next != nil; next = next.NextSibling {
		if heading(next) && labels[labelOf(next)] != "" {
			break
		}
		nodes = append(nodes, next)
	}
	return agency.HTMLText(nodes...)
}

func (s *source) readTopics(field *html.Node) {
	for n := range field.Descendants() {
		if n.Type == html.ElementNode && n.DataAtom == atom.A {
			if topic := agency.HTMLText(n); topic != "" {
				s.topics = append(s.topics, topic)
			}
		}
	}
}

// firstDate returns the date of the first <time> below a node, or "".
func firstDate(root *html.Node) string {
	if at := agency.HTMLFirst(root, atom.Time, nil); at != nil {
		// Dates are given as noon UTC of their day.
		day, _, _ := strings.Cut(agency.HTMLAttribute(at, "datetime"), "T")
		return day
	}
	return ""
}

// parsePage reads one notice's page.
func (a *Agency) parsePage(payload io.Reader, sink agency.Sink) error {
	raw, err := io.ReadAll(payload)
	if err != nil {
		return fmt.Errorf("reading the page: %w", err)
	}
	if !agency.WholePage(raw) {
		return fmt.Errorf("reading the page: %w: it has no closing tag", agency.ErrTruncated)
	}
	root, err := agency.ParseHTML(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	return a.emit(pageSource(root), 1, raw, sink)
}

func pageSource(root *html.Node) source {
	s := source{address: agency.PageAddress(root), whole: true, changed: agency.HTMLMeta(root, "article:modified_time")}
	article := agency.HTMLFirst(root, atom.Article, agency.HTMLHasClass("psa-recall-full-view"))
	if article == nil {
		article = agency.HTMLFirst(root, atom.Main, nil)
	}
	if article == nil {
		article = root
	}
	s.readFields(article)
	s.links = agency.HTMLLinks(article)
	if h1 := agency.HTMLFirst(root, atom.H1, nil); h1 != nil {
		s.title = agency.HTMLText(h1)
	}
	if s.title == "" {
		s.title = agency.Clean(agency.HTMLMeta(root, "og:title"))
	}
	published := agency.HTMLFirst(article, atom.Div, func(n *html.Node) bool { return fieldKey(n) == keyPublished })
	if published != nil {
		s.published = firstDate(published)
	}
	if s.published == "" {
		s.published = s.fields[keyPublished]
	}
	if s.published == "" {
		s.published, _, _ = strings.Cut(agency.HTMLMeta(root, "article:published_time"), "T")
	}
	return s
}
