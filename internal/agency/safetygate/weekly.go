package safetygate

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/net/html/charset"

	"github.com/crownsafe/api/internal/agency"
)

// element is one element of the weekly XML with what stands inside it.
type element struct {
	XMLName  xml.Name
	Text     string    `xml:",chardata"`
	Children []element `xml:",any"`
}

// fields are the cleaned texts of an element's children by their names. What is
// nil or empty isn't among them.
type fields map[string][]string

func (e *element) fields() fields {
	f := fields{}
	for i := range e.Children {
		child := &e.Children[i]
		name := child.XMLName.Local
		if len(child.Children) > 0 { // a list: pictures
			for j := range child.Children {
				f.add(name, child.Children[j].Text)
			}
			continue
		}
		f.add(name, child.Text)
	}
	return f
}

func (f fields) add(name, text string) {
	if text = agency.Clean(text); !agency.Missing(text) {
		f[name] = append(f[name], text)
	}
}

func (f fields) first(name string) string {
	if len(f[name]) == 0 {
		return ""
	}
	return f[name][0]
}

// readWeekly reads a weekly report, one alert at a time. The alerts have no
// date of their own: it is the report's, which stands above them.
func (p *parser) readWeekly(payload io.Reader) error {
	d := newXMLDecoder(payload)
	reportDate := ""
	for position := 0; ; {
		start, err := nextStart(d)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading the report behind alert %d: %w", position, err)
		}
		switch start.Name.Local {
		case "report_date", "publicationDate":
			if err := d.DecodeElement(&reportDate, &start); err != nil {
				return fmt.Errorf("reading the report's date: %w", xmlError(err))
			}
		case "notifications":
			position++
			var e element
			if err := d.DecodeElement(&e, &start); err != nil {
				return fmt.Errorf("reading alert %d: %w", position, xmlError(err))
			}
			f := e.fields()
			one, err := p.agency.readAlert(f, reportDate)
			if err := p.take(one, err, position, []byte(excerptOf(&e))); err != nil {
				return err
			}
		}
	}
}

func newXMLDecoder(payload io.Reader) *xml.Decoder {
	d := xml.NewDecoder(agency.SkipMark(payload))
	d.Entity = xml.HTMLEntity // texts outside CDATA name no-break blanks
	d.CharsetReader = charset.NewReaderLabel
	return d
}

// nextStart moves to the next element's beginning; io.EOF is the regular end.
func nextStart(d *xml.Decoder) (xml.StartElement, error) {
	seen := d.InputOffset() > 0
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && seen:
			return xml.StartElement{}, io.EOF
		case errors.Is(err, io.EOF):
			return xml.StartElement{}, fmt.Errorf("%w (it is empty)", agency.ErrTruncated)
		case err != nil:
			return xml.StartElement{}, xmlError(err)
		}
		seen = true
		if start, ok := token.(xml.StartElement); ok {
			return start.Copy(), nil
		}
	}
}

// xmlError tells a payload that ends early from one that is no XML.
func xmlError(err error) error {
	if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok && strings.Contains(syntax.Msg, "unexpected EOF") || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w (%w)", agency.ErrTruncated, err)
	}
	return err
}

// readAlert reads one alert of a weekly report.
func (a *Agency) readAlert(f fields, reportDate string) (alert, error) {
	one := alert{
		number:       f.first("caseNumber"),
		category:     readCategory(f.first("category")),
		generic:      known(f.first("product")),
		specific:     known(f.first("name")),
		brands:       brandsOf(f["brand"]),
		description:  f.first("description"),
		packaging:    known(f.first("packageDescription")),
		models:       listOf("type_numberOfModel", f["type_numberOfModel"]),
		batches:      listOf("batchNumber", f["batchNumber"]),
		barcodes:     listOf("barcode", f["barcode"]),
		produced:     listOf("productionDates", f["productionDates"]),
		recallCode:   known(f.first("companyRecallCode")),
		risks:        risksOf(f.first("riskType")),
		danger:       f.first("danger"),
		measures:     weeklyMeasures(f.first("measures")),
		recalls:      addresses(f["URLrecall"]),
		countries:    []string{countryCode(f.first("notifyingCountry"))},
		sellers:      []string{known(f.first("onlineTrader"))},
		images:       addresses(f["pictures"]),
		hash:         agency.HashOf(f),
		completeness: completenessWeekly,
	}
	one.language = one.category.language()
	if pages := addresses(f["reference"]); len(pages) > 0 {
		one.url = pages[0]
	}
	return one, a.dates(&one, reportDate, "")
}

// excerptOf writes an alert as lines of names and texts.
func excerptOf(e *element) string {
	var b strings.Builder
	for _, child := range e.Children {
		fmt.Fprintf(&b, "%s: %s\n", child.XMLName.Local, strings.TrimSpace(child.Text))
	}
	return b.String()
}
