package kats

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/crownsafe/api/internal/agency"
)

// row is a recall as it comes; old ones have null in many fields.
type row struct {
	UID          agency.Text            `json:"recallUid"`
	Product      agency.Text            `json:"recallProductName"`
	Brand        agency.Text            `json:"recallBrandName"`
	Model        agency.Text            `json:"recallModelName"`
	ModelCount   agency.Text            `json:"recallModelCnt"`
	Type         agency.Text            `json:"recallTypeName"` // ordered, advised or of the firm's own will
	Means        agency.Text            `json:"recallMeans"`
	Barcode      agency.Text            `json:"barcodeNum"`
	Category     agency.Text            `json:"categoryName"`    // a path: 어린이>완구
	Item         agency.Text            `json:"productItemName"` // a path as well
	Certificate  agency.Text            `json:"certNum"`         // KC mark
	Firm         agency.Text            `json:"recallCmpnyName"`
	Phone        agency.Text            `json:"recallInqryTel"`
	ForeignFirm  agency.Text            `json:"recallFrgnCmpnyName"`
	Maker        agency.Text            `json:"makerName"`
	MadeIn       agency.Text            `json:"makingCntryName"`
	Published    agency.Text            `json:"publishDate"`
	Amount       agency.Text            `json:"recallActionAmt"`
	Harm         agency.Text            `json:"harmDscr"`
	Accidents    agency.Text            `json:"accidentCaseDscr"`
	Announcement agency.Text            `json:"publishActionDscr"`
	Files        agency.List[fileOrURL] `json:"recallFiles"`
	// detailed tells a record of the detail call, which alone has the files.
	detailed bool
}

// fileOrURL is a picture: its address, or an object that holds it among its values.
type fileOrURL string

// UnmarshalJSON takes a text, or the first web address among an object's texts.
func (f *fileOrURL) UnmarshalJSON(raw []byte) error {
	var text agency.Text
	if err := json.Unmarshal(raw, &text); err == nil {
		*f = fileOrURL(text.Clean())
		return nil
	}
	var fields map[string]agency.Text
	if err := json.Unmarshal(raw, &fields); err != nil {
		return fmt.Errorf("reading a file: %w", err)
	}
	for _, key := range []string{"fileUrl", "fileurl", "imageUrl", "imageurl", "url", "filePath", "filepath"} {
		if address := fields[key].Clean(); strings.HasPrefix(address, "http") {
			*f = fileOrURL(address)
			return nil
		}
	}
	return nil
}

// Parse implements agency.Agency.
func (a *Agency) Parse(ctx context.Context, format string, payload io.Reader, sink agency.Sink) error {
	if format != FormatRecalls {
		return fmt.Errorf("%s has no format %q", Code, format)
	}
	body, err := io.ReadAll(payload)
	if err != nil {
		return fmt.Errorf("reading the payload: %w", err)
	}
	e, err := readAnswer(body, func(position int, raw json.RawMessage) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		record, native, err := a.read(raw)
		if err != nil {
			return sink.Reject(agency.Reject{NativeID: native, Position: position, Reason: err.Error(), Excerpt: agency.ExcerptOf(raw)})
		}
		return sink.Record(record)
	})
	switch {
	case err != nil:
		return err
	case e.code != "" && e.code != codeOK:
		return &agency.AnswerError{Agency: Code, Said: a.redact(string(e.code) + ": " + e.message.Clean())}
	case !e.hasData:
		return &agency.AnswerError{Agency: Code, Said: "the answer has no resultData"}
	}
	return nil
}

func (a *Agency) read(raw json.RawMessage) (record agency.Record, native string, err error) {
	var r row
	if err := json.Unmarshal(raw, &r); err != nil {
		return record, r.UID.Clean(), err
	}
	r.detailed = agency.ReadHead(raw).Has("recallFiles")
	record, err = a.record(&r, raw)
	return record, r.UID.Clean(), err
}
