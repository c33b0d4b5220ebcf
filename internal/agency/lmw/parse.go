package lmw

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/crownsafe/api/internal/agency"
)

// The kinds of record.
const (
	kindFood    = ".FoodWarning"
	kindProduct = ".ProductWarning"
)

// warning is a record as it comes. Fields that only one kind has are empty in
// the other.
type warning struct {
	Kind      agency.Text              `json:"_type"`
	ID        agency.Text              `json:"id"`
	Archived  agency.Text              `json:"archived"`
	Link      agency.Text              `json:"link"`
	Published agency.Text              `json:"publishedDate"` // milliseconds since 1970
	Title     agency.Text              `json:"title"`
	Reasons   agency.Text              `json:"warning"` // a list of fixed words
	States    agency.List[agency.Text] `json:"affectedStates"`
	Product   product                  `json:"product"`
	Recall    struct {
		Contact agency.Text `json:"contact"`
		Link    agency.Text `json:"link"`
	} `json:"productRecallInformation"`
	SafetyGate struct {
		Number  agency.Text `json:"alertNumber"`
		Message agency.Text `json:"message"` // HTML
	} `json:"rapexInformation"`
	Safety struct {
		Hazard    agency.Text `json:"hazard"`
		Injury    agency.Text `json:"injury"`
		Ordinance agency.Text `json:"ordinance"` // the law, or what is wrong
	} `json:"safetyInformation"`
}

type product struct {
	Designation  agency.Text              `json:"designation"`
	Manufacturer agency.Text              `json:"manufacturer"` // prose: firms, their part in it, addresses
	Images       agency.List[agency.Text] `json:"imageUrls"`
	Affected     agency.Text              `json:"affectedProducts"` // prose: which units
	Brand        agency.Text              `json:"brandName"`
	Category     agency.Text              `json:"category"`
	Model        agency.Text              `json:"model"`
	Description  agency.Text              `json:"shortDescription"`
}

// Parse implements agency.Agency.
func (a *Agency) Parse(ctx context.Context, format string, payload io.Reader, sink agency.Sink) error {
	if format != FormatMerged {
		return fmt.Errorf("%s has no format %q", Code, format)
	}
	p := &parser{agency: a, ctx: ctx, sink: sink, taken: map[string]bool{}}
	d := agency.NewJSONDecoder(payload)
	docs := false
	err := agency.EachMember(d, func(key string) error {
		if key != "response" {
			return agency.SkipValue(d)
		}
		return agency.EachMember(d, func(key string) error {
			if key != "docs" {
				return agency.SkipValue(d)
			}
			docs = true
			return agency.EachElement(d, p.element)
		})
	})
	if err != nil {
		return err
	}
	if !docs {
		return &agency.AnswerError{Agency: Code, Said: "the answer has no list of warnings"}
	}
	return agency.EndOfJSON(d)
}

// parser reads one payload.
type parser struct {
	agency *Agency
	ctx    context.Context
	sink   agency.Sink
	taken  map[string]bool // ids of the notices so far
}

var errTaken = errors.New("another notice of the same answer has this number")

func (p *parser) element(position int, raw json.RawMessage) error {
	if err := p.ctx.Err(); err != nil {
		return err
	}
	var w warning
	err := json.Unmarshal(raw, &w)
	var record agency.Record
	if err == nil {
		record, err = p.agency.record(&w, raw)
	}
	if err == nil && p.taken[record.Notice.ID] {
		err = errTaken
	}
	if err != nil {
		return p.sink.Reject(agency.Reject{NativeID: w.ID.Clean(), Position: position, Reason: err.Error(), Excerpt: agency.ExcerptOf(raw)})
	}
	p.taken[record.Notice.ID] = true
	return p.sink.Record(record)
}
