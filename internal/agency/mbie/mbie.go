// Package mbie reads the recall notices that New Zealand's Ministry of
// Business, Innovation and Employment publishes on Product Safety New Zealand
// (www.productsafety.govt.nz). The site is web pages only.
//
// It must not know how notices are stored, nor how prose is understood: it
// hands cleaned text to package extract.
package mbie

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/agency"
)

// Code is the agency's code in notice ids.
const Code = "nz-mbie"

// FormatPage is a notice's page.
const FormatPage = "page-html"

// DefaultBaseURL is the site.
const DefaultBaseURL = "https://www.productsafety.govt.nz"

const (
	host     = "www.productsafety.govt.nz"
	interval = time.Hour
)

// Options configures an Agency; the zero value is ready for use.
type Options struct {
	BaseURL string           // of the site; empty: DefaultBaseURL
	Now     func() time.Time // refuses dates in the future; nil: time.Now
}

// Agency reads Product Safety New Zealand. It is safe for concurrent use.
type Agency struct {
	baseURL string
	now     func() time.Time
	pages   agency.PageLog
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

// Describe tells what there is to know about Product Safety New Zealand. Its
// licence leaves photographs out, so notices have none.
func (a *Agency) Describe() agency.Description {
	return agency.Description{
		Code:        Code,
		Name:        "Ministry of Business, Innovation and Employment (Product Safety New Zealand)",
		Country:     "NZ",
		Licence:     "CC-BY-4.0 (photographs excluded)",
		Attribution: "Ministry of Business, Innovation and Employment, Product Safety New Zealand, www.productsafety.govt.nz, CC BY 4.0; without photographs",
		Republish:   true,
		Interval:    interval,
		Objective:   24 * time.Hour,
	}
}

// Recognise knows a notice's page by the address that it gives as its own.
func (a *Agency) Recognise(_ string, head []byte) agency.Recognition {
	if _, is := agency.Apology(head); !is {
		return agency.Recognition{}
	}
	page, err := agency.ParseHTML(bytes.NewReader(head))
	if err != nil {
		return agency.Recognition{}
	}
	if _, ok := nativeID(agency.PageAddress(page)); !ok {
		return agency.Recognition{}
	}
	return agency.Recognition{Kind: agency.Notices, Format: FormatPage}
}

// nativeID is the slug of a notice's address, which is /recalls/slug.
func nativeID(address string) (string, bool) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || !strings.EqualFold(strings.TrimPrefix(u.Host, "www."), strings.TrimPrefix(host, "www.")) {
		return "", false
	}
	slug, ok := strings.CutPrefix(strings.TrimSuffix(u.Path, "/"), "/recalls/")
	if !ok || slug == "" || strings.Contains(slug, "/") {
		return "", false
	}
	return agency.Slug(u.Path), true
}

// Parse reads a notice's page.
func (a *Agency) Parse(_ context.Context, format string, payload io.Reader, sink agency.Sink) error {
	if format != FormatPage {
		return fmt.Errorf("%s knows no format %q", Code, format)
	}
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
	s := readPage(root)
	record, err := a.record(s)
	if err != nil {
		native, _ := nativeID(s.address)
		return sink.Reject(agency.Reject{NativeID: native, Position: 1, Reason: err.Error(), Excerpt: agency.ExcerptOf(raw)})
	}
	return sink.Record(record)
}
