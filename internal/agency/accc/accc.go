// Package accc reads the recall notices that the Australian Competition and
// Consumer Commission publishes on Product Safety Australia
// (www.productsafety.gov.au): the notices' pages, and the RSS feed of the
// newest hundred. The site has no other machine-readable form.
//
// It must not know how notices are stored, nor how prose is understood: it
// hands cleaned text to package extract.
package accc

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/agency"
)

// Code is the agency's code in notice ids.
const Code = "au-accc"

// The formats: a notice's page, which has everything, and the feed, which has
// the notices' prose but neither brand, model nor identifying numbers.
const (
	FormatPage = "page-html"
	FormatRSS  = "rss"
)

// DefaultBaseURL is the site.
const DefaultBaseURL = "https://www.productsafety.gov.au"

const (
	host     = "www.productsafety.gov.au"
	interval = time.Hour
)

// Options configures an Agency; the zero value is ready for use.
type Options struct {
	BaseURL string           // of the site; empty: DefaultBaseURL
	Now     func() time.Time // refuses dates in the future; nil: time.Now
}

// Agency reads Product Safety Australia. It is safe for concurrent use.
type Agency struct {
	baseURL string
	now     func() time.Time
	pages   agency.PageLog
	fed     agency.PageLog // which feeds were handed over before the first success
}

var _ agency.Agency = (*Agency)(nil)

// New returns the agency.
func New(o Options) *Agency {
	a := &Agency{baseURL: strings.TrimSuffix(o.BaseURL, "/"), now: o.Now}
	if a.baseURL == "" {
		a.baseURL = DefaultBaseURL
	}
	if a.now == nil {
		a.now = time.Now
	}
	return a
}

// Describe tells what there is to know about Product Safety Australia. Its
// licence leaves photographs out, so notices have none.
func (a *Agency) Describe() agency.Description {
	return agency.Description{
		Code:        Code,
		Name:        "Australian Competition and Consumer Commission",
		Country:     "AU",
		Licence:     "CC-BY-4.0 (photographs and third-party material excluded)",
		Attribution: "© Commonwealth of Australia, Australian Competition and Consumer Commission, ACCC Product Safety, www.productsafety.gov.au, CC BY 4.0; without photographs",
		Republish:   true,
		Interval:    interval,
		Objective:   24 * time.Hour,
	}
}

var (
	feedStart = regexp.MustCompile(`(?is)^(?:\s|<\?[^>]*\?>|<!--.*?-->)*<rss\b`)
	recallKey = []byte("field-psa-recall")
)

// Recognise knows a notice's page by the address that it gives as its own, and
// the feed by its site and the links of its items.
func (a *Agency) Recognise(_ string, head []byte) agency.Recognition {
	head = bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\ufeff")))
	if feedStart.Match(head) {
		return recogniseFeed(head)
	}
	if _, is := agency.Apology(head); !is {
		return agency.Recognition{}
	}
	page, err := agency.ParseHTML(bytes.NewReader(head))
	if err != nil {
		return agency.Recognition{}
	}
	if _, ok := nativeID(agency.PageAddress(page), bytes.Contains(head, recallKey)); !ok {
		return agency.Recognition{}
	}
	return agency.Recognition{Kind: agency.Notices, Format: FormatPage}
}

func recogniseFeed(head []byte) agency.Recognition {
	switch {
	case !bytes.Contains(head, []byte(host)):
		return agency.Recognition{}
	case bytes.Contains(head, []byte(host+"/"+recallFolder+"/")), bytes.Contains(head, recallKey):
		return agency.Recognition{Kind: agency.Notices, Format: FormatRSS}
	case !bytes.Contains(head, []byte("<item")) && bytes.Contains(head, []byte("</rss")):
		return agency.Recognition{Kind: agency.Empty, Format: FormatRSS, Note: "a feed without items"}
	}
	return agency.Recognition{}
}

// recallFolder holds the notices' pages; a few old ones stand in others.
const recallFolder = "search-consumer-product-recalls"

var otherFolders = regexp.MustCompile(`^/(?:recalls|search-product-recalls)/[^/]+$|^/node/\d+$`)

// nativeID makes the native id of the notice at an address of the site: the
// slug, by which a page without a name of its own is "node-" and its number.
// Outside the notices' folder an address is a notice's only if the page says
// so itself.
func nativeID(address string, isRecall bool) (string, bool) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || !strings.EqualFold(strings.TrimPrefix(u.Host, "www."), strings.TrimPrefix(host, "www.")) {
		return "", false
	}
	path := strings.TrimSuffix(u.Path, "/")
	slug := agency.Slug(path)
	switch folder, _ := strings.CutSuffix(path, "/"+path[strings.LastIndexByte(path, '/')+1:]); {
	case slug == "":
		return "", false
	case folder == "/"+recallFolder:
		return slug, true
	case isRecall && folder == "/node" && otherFolders.MatchString(path):
		return "node-" + slug, true
	case isRecall && otherFolders.MatchString(path):
		return slug, true
	}
	return "", false
}

// Parse reads a page or a feed.
func (a *Agency) Parse(ctx context.Context, format string, payload io.Reader, sink agency.Sink) error {
	switch format {
	case FormatPage:
		return a.parsePage(payload, sink)
	case FormatRSS:
		return a.parseFeed(ctx, payload, sink)
	}
	return fmt.Errorf("%s knows no format %q", Code, format)
}
