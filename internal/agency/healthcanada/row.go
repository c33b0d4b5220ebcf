package healthcanada

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/crownsafe/api/internal/agency"
)

// row is one element of the open data file; all fields are strings.
type row struct {
	NID          agency.Text `json:"NID"`
	Title        agency.Text `json:"Title"`
	URL          agency.Text `json:"URL"`
	Organization agency.Text `json:"Organization"`
	Product      agency.Text `json:"Product"`
	Issue        agency.Text `json:"Issue"`
	Action       agency.Text `json:"What you should do"`
	Category     agency.Text `json:"Category"`
	Class        agency.Text `json:"Recall class"`
	Updated      agency.Text `json:"Last updated"`
	Archived     agency.Text `json:"Archived"`
}

// The fields that quotes name.
const (
	fieldTitle    = "Title"
	fieldProduct  = "Product"
	fieldAffected = "Affected products"
)

func readRow(raw json.RawMessage) (row, error) {
	var r row
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, fmt.Errorf("reading the row: %w", err)
	}
	for _, field := range []*agency.Text{&r.NID, &r.Title, &r.URL, &r.Organization, &r.Product, &r.Issue, &r.Category, &r.Class, &r.Updated, &r.Archived} {
		*field = agency.Text(field.Clean())
	}
	r.Action = agency.Text(apart(r.Action.Clean()))
	return r, nil
}

// The file's advice lost the ends of its paragraphs: "the product.Consumers
// should", "allergicDo not serve".
var (
	lostStop = regexp.MustCompile(`([\p{Ll}\d)][.:!?])(\p{Lu})`)
	lostLine = regexp.MustCompile(`([\p{Ll})])((?:Do|Check|Recalled|Learn|Sign|View|Report|If|For|Please|Food|Contact|Consult|Verify|Consumers|Health|This|Joint|Ne|Vérifiez|Les|Si|Pour|Consultez|Communiquez) )`)
)

func apart(text string) string {
	return lostLine.ReplaceAllString(lostStop.ReplaceAllString(text, "$1\n$2"), "$1\n$2")
}

var numeric = regexp.MustCompile(`^\d+$`)

// french tells the rows of the French site, which mostly repeat an English one.
func (r row) french() bool { return strings.Contains(string(r.URL), "/fr/") }

func (r row) language() string {
	if r.french() {
		return "fr"
	}
	return "en"
}

// Parse implements agency.Agency. Rows in French are held back until the
// payload's end, and come then for the notices that have no English row.
func (a *Agency) Parse(ctx context.Context, format string, payload io.Reader, sink agency.Sink) error {
	p := &parser{agency: a, sink: sink, english: map[string]bool{}}
	var err error
	switch format {
	case FormatRows:
		err = p.readRows(ctx, payload)
	case FormatPage:
		err = p.readPage(ctx, payload)
	default:
		return fmt.Errorf("%s knows no format %q", Code, format)
	}
	if err != nil {
		return fmt.Errorf("reading Health Canada's notices: %w", err)
	}
	return nil
}

// parser reads one payload.
type parser struct {
	agency  *Agency
	sink    agency.Sink
	english map[string]bool // NIDs that came with an English row
	held    []heldRow
	stopped bool // by the sink or the context: there is nothing more to emit
}

// heldRow is a row in French that waits for its English one.
type heldRow struct {
	position int
	row      row
	raw      json.RawMessage
}

func (p *parser) readRows(ctx context.Context, payload io.Reader) error {
	d := agency.NewJSONDecoder(payload)
	err := agency.EachElement(d, func(position int, raw json.RawMessage) error {
		if err := ctx.Err(); err != nil {
			return p.watch(err)
		}
		return p.row(position, raw)
	})
	if err == nil {
		err = agency.EndOfJSON(d)
	}
	if !p.stopped {
		err = errors.Join(err, p.flush())
	}
	return err
}

func (p *parser) row(position int, raw json.RawMessage) error {
	r, err := readRow(raw)
	switch {
	case err != nil:
		return p.reject(position, r, err, raw)
	case r.french():
		p.held = append(p.held, heldRow{position, r, raw})
		return nil
	}
	p.english[string(r.NID)] = true
	return p.emit(position, r, nil, raw)
}

func (p *parser) flush() error {
	for _, h := range p.held {
		if p.english[string(h.row.NID)] {
			continue
		}
		if err := p.emit(h.position, h.row, nil, h.raw); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) emit(position int, r row, pg *page, raw json.RawMessage) error {
	record, err := p.agency.record(r, pg)
	if err != nil {
		return p.reject(position, r, err, raw)
	}
	record.SourceHash = agency.HashOf(raw)
	if pg != nil {
		record.SourceHash = agency.HashOf([]any{record.SourceHash, pg})
	}
	return p.watch(p.sink.Record(record))
}

func (p *parser) reject(position int, r row, reason error, raw json.RawMessage) error {
	return p.watch(p.sink.Reject(agency.Reject{NativeID: string(r.NID), Position: position, Reason: reason.Error(), Excerpt: agency.ExcerptOf(raw)}))
}

// watch remembers that the sink wants no more.
func (p *parser) watch(err error) error {
	p.stopped = p.stopped || err != nil
	return err
}
