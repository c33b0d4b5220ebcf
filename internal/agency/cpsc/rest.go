package cpsc

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/crownsafe/api/internal/agency"
)

// wireRecall is one element of the REST answer, by the Programmer's Guide.
// Products.Model, Products.Description and HazardType have never been filled.
type wireRecall struct {
	RecallID        agency.Text
	RecallNumber    agency.Text
	RecallDate      agency.Text // local date in Washington
	LastPublishDate agency.Text
	Title           agency.Text
	Description     agency.Text
	URL             agency.Text
	ConsumerContact agency.Text
	Products        agency.List[struct {
		Name          agency.Text
		Type          agency.Text
		NumberOfUnits agency.Text // prose
	}]
	Images agency.List[struct {
		URL     agency.Text
		Caption agency.Text
	}]
	Injuries      agency.List[wireName]
	Manufacturers agency.List[wireName]
	Retailers     agency.List[wireName]
	Importers     agency.List[wireName]
	Distributors  agency.List[wireName]
	ProductUPCs   agency.List[struct{ UPC agency.Text }]
	Hazards       agency.List[wireName]
	Remedies      agency.List[wireName]
	RemedyOptions agency.List[struct{ Option agency.Text }]
	// Inconjunctions are the pages of the same recall at other authorities.
	Inconjunctions agency.List[struct{ URL agency.Text }]
}

type wireName struct{ Name agency.Text }

// names returns what a list of names says, cleaned, without blanks and doubles.
func names(list agency.List[wireName]) []string {
	var out []string
	for _, n := range list {
		out = appendText(out, n.Name)
	}
	return out
}

func (a *Agency) parseREST(ctx context.Context, payload io.Reader, sink agency.Sink) error {
	d := agency.NewJSONDecoder(payload)
	err := agency.EachElementAhead(d, func(position int, raw json.RawMessage) (deliver func() error) {
		if err := ctx.Err(); err != nil {
			return func() error { return err }
		}
		return a.readREST(position, raw, sink)
	})
	if err != nil {
		return fmt.Errorf("reading CPSC's recalls: %w", err)
	}
	if err := agency.EndOfJSON(d); err != nil {
		return fmt.Errorf("reading CPSC's recalls: %w", err)
	}
	return nil
}

// readREST reads one element and returns what gives it to the sink.
func (a *Agency) readREST(position int, raw json.RawMessage, sink agency.Sink) (deliver func() error) {
	reject := func(id string, err error) func() error {
		return func() error {
			return sink.Reject(agency.Reject{NativeID: id, Position: position, Reason: err.Error(), Excerpt: agency.ExcerptOf(raw)})
		}
	}
	var w wireRecall
	if err := json.Unmarshal(raw, &w); err != nil {
		return reject(nativeIDOf(raw), err)
	}
	if said, failed := errorRecord(string(w.RecallID), string(w.RecallNumber), string(w.Title)); failed {
		return func() error { return &agency.AnswerError{Agency: Code, Said: said} }
	}
	record, err := a.record(w.recall())
	if err != nil {
		return reject(string(w.RecallNumber), err)
	}
	record.SourceHash = agency.HashOf(raw)
	return func() error { return sink.Record(record) }
}

// nativeIDOf reads the number of a record whose other fields can't be read.
func nativeIDOf(raw json.RawMessage) string {
	var w struct{ RecallNumber any }
	if json.Unmarshal(raw, &w) != nil || w.RecallNumber == nil {
		return ""
	}
	return fmt.Sprint(w.RecallNumber)
}

// errorRecord recognises the record by which the service reports a failure of
// its own: RecallID 0, no number, the cause in Title.
func errorRecord(id, number, title string) (said string, failed bool) {
	if id != "0" || !agency.Missing(number) {
		return "", false
	}
	if said = agency.Clean(title); said == "" {
		said = "a record with RecallID 0"
	}
	return said, true
}

// recall brings a REST record into the shape that both formats share.
func (w wireRecall) recall() source {
	s := source{
		number: string(w.RecallNumber), date: string(w.RecallDate), changed: string(w.LastPublishDate),
		title: w.Title.Clean(), description: w.Description.Clean(), url: strings.TrimSpace(string(w.URL)), contact: w.ConsumerContact.Clean(),
		incidents: strings.Join(names(w.Injuries), "\n"), hazards: names(w.Hazards),
		remedy: strings.Join(names(w.Remedies), "\n"), soldAt: names(w.Retailers),
		manufacturers: names(w.Manufacturers), importers: names(w.Importers), distributors: names(w.Distributors),
		completeness: completenessREST,
	}
	for _, p := range w.Products {
		s.products = appendText(s.products, p.Name)
		s.units = appendText(s.units, p.NumberOfUnits)
	}
	for _, image := range w.Images {
		// Some addresses hold blanks.
		if address := strings.ReplaceAll(strings.TrimSpace(string(image.URL)), " ", "%20"); address != "" {
			s.images = append(s.images, address)
		}
		s.captions = appendText(s.captions, image.Caption)
	}
	for _, u := range w.ProductUPCs {
		s.upcs = appendText(s.upcs, u.UPC)
	}
	for _, other := range w.Inconjunctions {
		s.inconjunctions = append(s.inconjunctions, strings.TrimSpace(string(other.URL)))
	}
	for _, o := range w.RemedyOptions {
		s.remedyOptions = appendText(s.remedyOptions, o.Option)
	}
	return s
}
