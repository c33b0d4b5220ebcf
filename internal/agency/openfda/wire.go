package openfda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/crownsafe/api/internal/agency"
)

// wireReport is one enforcement report: one product of one event. All fields
// are strings by the service's dictionary; missing ones are absent or "".
type wireReport struct {
	Status                   agency.Text `json:"status"`
	City                     agency.Text `json:"city"`
	State                    agency.Text `json:"state"`
	Country                  agency.Text `json:"country"`
	ProductType              agency.Text `json:"product_type"`
	EventID                  agency.Text `json:"event_id"`
	RecallingFirm            agency.Text `json:"recalling_firm"`
	Address1                 agency.Text `json:"address_1"`
	Address2                 agency.Text `json:"address_2"`
	PostalCode               agency.Text `json:"postal_code"`
	DistributionPattern      agency.Text `json:"distribution_pattern"`
	RecallNumber             agency.Text `json:"recall_number"`
	ProductDescription       agency.Text `json:"product_description"`
	ProductQuantity          agency.Text `json:"product_quantity"`
	ReasonForRecall          agency.Text `json:"reason_for_recall"`
	RecallInitiationDate     agency.Text `json:"recall_initiation_date"`
	CenterClassificationDate agency.Text `json:"center_classification_date"`
	ReportDate               agency.Text `json:"report_date"`
	CodeInfo                 agency.Text `json:"code_info"`
	MoreCodeInfo             agency.Text `json:"more_code_info"`
	// OpenFDA is what the service joined to drugs from their labels.
	OpenFDA struct {
		BrandName agency.List[agency.Text] `json:"brand_name"`
	} `json:"openfda"`

	describedAs string // product_description as written, of which provisional ids are made
}

// clean cleans every field.
func (w *wireReport) clean() {
	w.describedAs = string(w.ProductDescription)
	for _, field := range []*agency.Text{
		&w.Status, &w.City, &w.State, &w.Country, &w.ProductType, &w.EventID, &w.RecallingFirm, &w.Address1, &w.Address2,
		&w.PostalCode, &w.DistributionPattern, &w.RecallNumber, &w.ProductDescription, &w.ProductQuantity, &w.ReasonForRecall,
		&w.RecallInitiationDate, &w.CenterClassificationDate, &w.ReportDate, &w.CodeInfo, &w.MoreCodeInfo,
	} {
		*field = agency.Text(field.Clean())
	}
}

// failure is the service's own error body.
type failure struct {
	Code    agency.Text `json:"code"`
	Message agency.Text `json:"message"`
}

func (f failure) notFound() bool { return f.Code == "NOT_FOUND" }

func (f failure) String() string { return strings.TrimSpace(string(f.Code + ": " + f.Message)) }

func readFailure(d *json.Decoder) (failure, error) {
	var f failure
	err := agency.DecodeValue(d, &f)
	return f, err
}

// errDecided stops the reading of a payload whose kind is known.
var errDecided = errors.New("decided")

// Parse reads an answer or one of the official examples. Reports that have no
// number yet come behind those that have: several of one event may share their
// provisional id, and are joined.
func (a *Agency) Parse(ctx context.Context, format string, payload io.Reader, sink agency.Sink) error {
	if format != FormatEnforcement {
		return fmt.Errorf("%s knows no format %q", Code, format)
	}
	d := agency.NewJSONDecoder(payload)
	p := parser{agency: a, sink: sink, unnumbered: map[string]*pending{}}
	err := agency.EachMember(d, func(key string) error {
		switch key {
		case "error":
			f, err := readFailure(d)
			if err != nil {
				return fmt.Errorf("reading the service's error: %w", err)
			}
			if f.notFound() {
				return nil
			}
			return &agency.AnswerError{Agency: Code, Said: f.String()}
		case "results":
			return agency.EachElement(d, func(position int, raw json.RawMessage) error {
				if err := ctx.Err(); err != nil {
					return p.watch(err)
				}
				return p.report(position, raw)
			})
		case "result":
			var raw json.RawMessage
			if err := agency.DecodeValue(d, &raw); err != nil {
				return fmt.Errorf("reading the one report: %w", err)
			}
			return p.report(1, raw)
		}
		return agency.SkipValue(d)
	})
	if err == nil {
		err = agency.EndOfJSON(d)
	}
	if !p.stopped {
		// What was read before the payload broke off counts.
		if flushErr := p.flush(); flushErr != nil {
			return flushErr
		}
	}
	if err != nil {
		return fmt.Errorf("reading FDA's enforcement reports: %w", err)
	}
	return nil
}

// parser holds back the reports without a number until the payload ends.
type parser struct {
	agency     *Agency
	sink       agency.Sink
	unnumbered map[string]*pending
	order      []*pending
	stopped    bool // by the sink: it gets nothing more
}

// pending is a report without a number and those that share its provisional id.
type pending struct {
	position int
	wire     wireReport
	raws     []json.RawMessage
}

func (p *parser) report(position int, raw json.RawMessage) error {
	var w wireReport
	if err := json.Unmarshal(raw, &w); err != nil {
		return p.reject(position, w, err, raw)
	}
	w.clean()
	if _, ok := w.number(); ok {
		return p.emit(position, w, []json.RawMessage{raw})
	}
	id, err := w.provisionalID()
	if err != nil {
		return p.reject(position, w, err, raw)
	}
	held, ok := p.unnumbered[id]
	if !ok {
		held = &pending{position: position, wire: w}
		p.unnumbered[id] = held
		p.order = append(p.order, held)
	} else {
		held.wire.join(w)
	}
	held.raws = append(held.raws, raw)
	return nil
}

// join adds the codes of a report about the same product to this one's.
func (w *wireReport) join(other wireReport) {
	for _, field := range []struct {
		to   *agency.Text
		from agency.Text
	}{{&w.CodeInfo, other.CodeInfo}, {&w.MoreCodeInfo, other.MoreCodeInfo}} {
		if field.from != "" && field.from != *field.to {
			*field.to += "\n" + field.from
		}
	}
}

func (p *parser) flush() error {
	for _, held := range p.order {
		if err := p.emit(held.position, held.wire, held.raws); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) emit(position int, w wireReport, raws []json.RawMessage) error {
	record, err := p.agency.record(w)
	if err != nil {
		return p.reject(position, w, err, raws[0])
	}
	record.SourceHash = agency.HashOf(raws[0])
	if len(raws) > 1 {
		hashes := make([]string, len(raws))
		for i, raw := range raws {
			hashes[i] = agency.HashOf(raw)
		}
		record.SourceHash = agency.HashOf(hashes)
	}
	return p.watch(p.sink.Record(record))
}

func (p *parser) reject(position int, w wireReport, reason error, raw json.RawMessage) error {
	return p.watch(p.sink.Reject(agency.Reject{
		NativeID: string(w.RecallNumber), Position: position, Reason: reason.Error(), Excerpt: agency.ExcerptOf(raw),
	}))
}

// watch remembers that the sink wants no more.
func (p *parser) watch(err error) error {
	p.stopped = p.stopped || err != nil
	return err
}
