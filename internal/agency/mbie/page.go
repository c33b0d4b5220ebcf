package mbie

import (
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/crownsafe/api/internal/agency"
)

// source is what a page says of one recall.
type source struct {
	address    string
	title      string
	published  string // as written: 2 October 2026
	status     string // "Archived 15 April 2016", or ""
	categories []string
	fields     map[string]string // by the keys below
	links      []string
}

// Keys of a notice's parts, which are the fields that quotes name.
const (
	keyIdentifiers = "product_identifiers"
	keySupplier    = "supplier_contact"
	keyAgency      = "responsible_agency"
	keyHazard      = "hazard"
	keyAction      = "what_to_do"
	keyTips        = "product_safety_tips"
)

// labels are the headings of a notice's parts. Pages hold the parts beside the
// pictures twice, for wide and for narrow screens.
var labels = map[string]string{
	"product identifiers": keyIdentifiers, "product identifier": keyIdentifiers, "identifiers": keyIdentifiers,
	"supplier contact": keySupplier, "supplier": keySupplier, "supplier details": keySupplier,
	"responsible agency": keyAgency, "the hazard": keyHazard, "hazard": keyHazard,
	"what to do": keyAction, "product safety tips": keyTips,
}

// day is a date as the pages write it.
var day = regexp.MustCompile(`\b\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November|December) \d{4}\b`)

func readPage(root *html.Node) source {
	s := source{address: agency.PageAddress(root), fields: map[string]string{}}
	main := agency.HTMLFirst(root, atom.Div, func(n *html.Node) bool { return agency.HTMLAttribute(n, "id") == "main" })
	if main == nil {
		main = root
	}
	if h1 := agency.HTMLFirst(main, atom.H1, nil); h1 != nil {
		s.title = agency.HTMLText(h1)
	}
	if s.title == "" {
		s.title = agency.Clean(agency.HTMLMeta(root, "og:title"))
	}
	s.links = agency.HTMLLinks(main)
	s.readParts(main)
	s.readHead(main)
	return s
}

// readParts collects what stands beside the known headings; the first counts.
func (s *source) readParts(main *html.Node) {
	for n := range main.Descendants() {
		key := partOf(n)
		if key == "" || s.fields[key] != "" {
			continue
		}
		var nodes []*html.Node
		for next := n.NextSibling; next != nil && partOf(next) == ""; next = next.NextSibling {
			nodes = append(nodes, next)
		}
		if text := agency.HTMLText(nodes...); text != "" {
			s.fields[key] = text
		}
	}
}

// partOf returns the key of the part that a node is the heading of, or "".
func partOf(n *html.Node) string {
	switch n.DataAtom {
	case atom.H2, atom.H3, atom.H4:
		return labels[strings.ToLower(strings.Trim(agency.HTMLText(n), " :!?.…"))]
	}
	return ""
}

// readHead reads what stands around the title: date, categories and status.
func (s *source) readHead(main *html.Node) {
	for n := range main.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		class := agency.HTMLAttribute(n, "class")
		switch {
		case strings.Contains(class, "recall__date"), n.DataAtom == atom.Time:
			if s.published == "" {
				s.published = day.FindString(agency.HTMLText(n))
			}
		case strings.Contains(class, "recall__status"):
			s.status = agency.HTMLText(n)
		case n.DataAtom == atom.A && strings.Contains(agency.HTMLAttribute(n, "href"), "/recalls?category="):
			if c := agency.HTMLText(n); c != "" && !slices.Contains(s.categories, c) {
				s.categories = append(s.categories, c)
			}
		}
	}
}
