package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/crownsafe/api/internal/recall"
)

// UnitParams is what a caller may know of the unit besides its barcode.
type UnitParams struct {
	Lot    string `query:"lot" maxLength:"512" doc:"lot, batch, production or date code on the unit"`
	Serial string `query:"serial" maxLength:"512" doc:"serial number of the unit"`
	Model  string `query:"model" maxLength:"512" doc:"model number or name"`
}

type barcodeByPath struct {
	Code string `path:"code" doc:"the code in any printed form, URL-escaped: EAN-8/13, UPC-A/E, GTIN-14, spaced or hyphenated, a GS1 element string with FNC1 kept, or a GS1 Digital Link URI" example:"00041220787340"`
	UnitParams
}

type barcodeByQuery struct {
	Code string `query:"code" doc:"the code in any printed form, URL-escaped; as in the path" example:"00041220787340"`
	UnitParams
}

const barcodeDescription = "The verdict on the unit with this barcode. A code that can't be one GTIN for certain is refused with what could have been meant in `suggestions[]`, never guessed."

func (s *service) registerBarcode(api huma.API) {
	op := operation("get-barcode", http.MethodGet, "/api/v1/barcode/{code}", tagSafety, "Verdict by barcode", barcodeDescription, http.StatusBadRequest, http.StatusRequestURITooLong, http.StatusUnprocessableEntity)
	handleRead[barcodeByPath, recall.Verdict](s, api, op, []string{"/api/barcode/{code}"}, func(ctx context.Context, in *barcodeByPath) (*answer, error) {
		return s.barcode(ctx, "path.code", in.Code, in.UnitParams)
	})
	op = operation("find-barcode", http.MethodGet, "/api/v1/barcode", tagSafety, "Verdict by barcode, as a parameter", barcodeDescription, http.StatusBadRequest, http.StatusRequestURITooLong, http.StatusUnprocessableEntity)
	others := []string{"/api/barcode"}
	handleRead[barcodeByQuery, recall.Verdict](s, api, op, others, func(ctx context.Context, in *barcodeByQuery) (*answer, error) {
		return s.barcode(ctx, "query.code", in.Code, in.UnitParams)
	})
	// The operation itself words the refusal of an empty code, so huma isn't
	// told that the parameter is required; readers of the document are.
	for _, path := range append(others, op.Path) {
		for _, p := range api.OpenAPI().Paths[path].Get.Parameters {
			if p.Name == "code" {
				p.Required = true
			}
		}
	}
}

func (s *service) barcode(ctx context.Context, location, code string, params UnitParams) (*answer, error) {
	if p := checkCharacters(location, code, true); p != nil {
		p.Suggestions = []string{}
		return nil, p
	}
	if strings.TrimSpace(code) == "" {
		p := fieldProblem(codeLength, location, "is empty; give the digits that are printed under the bars", code)
		p.Suggestions = []string{}
		return nil, p
	}
	snap := s.Catalogue.Current()
	var verdict recall.Outcome
	return s.read(ctx, snap, reading{
		key: fmt.Sprintf("barcode %q %q %q %q", code, params.Lot, params.Serial, params.Model), aged: true, unkept: !snap.Loaded(), verdict: &verdict,
		compute: func() ([]byte, error) {
			v, err := s.decide(ctx, func() (recall.Verdict, error) {
				return s.Lookup.Barcode(snap, code, recall.Unit{Lot: params.Lot, Serial: params.Serial, Model: params.Model})
			})
			if err != nil {
				return nil, unitProblem(err, "query", location)
			}
			verdict = v.Verdict
			return encode(v)
		},
	})
}

// unitProblem turns a lookup's error into a problem; at is where the unit's
// fields stand and code where the scanned code does.
func unitProblem(err error, at, code string) error {
	bad, ok := errors.AsType[*recall.BadUnit](err)
	if !ok {
		return err
	}
	p := badUnit(bad, at)
	if bad.Field == "code" {
		p.Errors[0].Location = code
	}
	return p
}
