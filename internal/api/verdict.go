package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/crownsafe/api/internal/recall"
)

// maxBatch is how many units one batch may hold.
const maxBatch = 1000

// BatchRequest is the body of a batch.
type BatchRequest struct {
	Units []recall.Unit `json:"units" minItems:"0" maxItems:"1000"`
}

// BatchAnswer is a batch's answer: for each unit, in order, its verdict or what
// was wrong with it.
type BatchAnswer struct {
	Items []BatchItem `json:"items"`
}

// BatchItem is a verdict or {"error": problem}.
type BatchItem struct {
	Verdict *recall.Verdict
	Error   *Problem
}

// BatchError stands in for the verdict on a unit that could not be used.
type BatchError struct {
	Error Problem `json:"error"`
}

// MarshalJSON writes whichever of the two it is.
func (b BatchItem) MarshalJSON() ([]byte, error) {
	if b.Error != nil {
		return encode(BatchError{*b.Error})
	}
	return encode(b.Verdict)
}

// Schema makes BatchItem a huma.SchemaProvider.
func (BatchItem) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		r.Schema(reflect.TypeFor[recall.Verdict](), true, "Verdict"),
		r.Schema(reflect.TypeFor[BatchError](), true, "BatchError"),
	}}
}

// jsonBody is a body that was read whole; what it means is the operation's.
type jsonBody struct {
	raw []byte
}

type verdictBody struct{ jsonBody }

// Resolve reads the body; it makes verdictBody a huma.Resolver.
func (b *verdictBody) Resolve(ctx huma.Context) []error { return b.read(ctx, maxVerdictBytes) }

type batchBody struct{ jsonBody }

// Resolve reads the body; it makes batchBody a huma.Resolver.
func (b *batchBody) Resolve(ctx huma.Context) []error { return b.read(ctx, maxBatchBytes) }

// read takes the body as JSON text of at most limit bytes.
func (b *jsonBody) read(ctx huma.Context, limit int64) []error {
	contentType, _, _ := strings.Cut(ctx.Header("Content-Type"), ";")
	contentType = strings.ToLower(strings.TrimSpace(contentType))
	if contentType != "" && contentType != jsonType[0] && !strings.HasSuffix(contentType, "+json") {
		return []error{newProblem(codeMediaType, fmt.Sprintf("The body is %q; send application/json.", shown("", contentType)))}
	}
	raw, err := io.ReadAll(io.LimitReader(ctx.BodyReader(), limit+1))
	switch {
	case int64(len(raw)) > limit:
		return []error{newProblem(codeTooLarge, fmt.Sprintf("The body is larger than the %d bytes that this call takes.", limit))}
	case isTimeout(err):
		return []error{newProblem(codeTimeout, kindOf(codeTimeout).Meaning)}
	case err != nil:
		return []error{newProblem(codeMalformed, "The body could not be read to its end.")}
	case !utf8.Valid(raw):
		return []error{newProblem(codeCharacters, "The body is not valid UTF-8.", FieldError{Location: "body", Message: "is not valid UTF-8"})}
	case len(bytes.TrimSpace(raw)) == 0:
		return []error{newProblem(codeMalformed, "The body is empty; send a JSON object.", FieldError{Location: "body", Message: "is empty"})}
	case !json.Valid(raw):
		return []error{newProblem(codeMalformed, "The body is not JSON"+whereBroken(raw)+".", FieldError{Location: "body", Message: "is not JSON" + whereBroken(raw)})}
	}
	b.raw = raw
	return nil
}

func isTimeout(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

func whereBroken(raw []byte) string {
	var v json.RawMessage
	if e, ok := errors.AsType[*json.SyntaxError](json.Unmarshal(raw, &v)); ok {
		return fmt.Sprintf(" from byte %d on", e.Offset)
	}
	return ""
}

func (s *service) registerVerdict(api huma.API) {
	op := operation("post-verdict", http.MethodPost, "/api/v1/verdict", tagSafety, "Verdict on one unit",
		"Give whatever is known of the unit. Brand with name or model, or a barcode, names the product; lot, serial and dates decide about the unit.",
		http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	registry := api.OpenAPI().Components.Schemas
	unit := registry.Schema(reflect.TypeFor[recall.Unit](), true, "Unit")
	handle[verdictBody, recall.Verdict](s, api, op, func(ctx context.Context, in *verdictBody) (*answer, error) {
		u, problem := readUnit(registry, unit, in.raw, "body")
		if problem != nil {
			return nil, problem
		}
		snap := s.Catalogue.Current()
		v, err := s.decide(ctx, func() (recall.Verdict, error) { return s.Lookup.Verdict(snap, u) })
		if err != nil {
			return nil, unitProblem(err, "body", "")
		}
		return uncached(snap.Serial(), v)
	})
	describeBody(api, op.Path, unit)

	op = operation("post-verdict-batch", http.MethodPost, "/api/v1/verdict/batch", tagSafety, "Verdicts on many units",
		"At most 1,000 units. The items come in the units' order; a bad unit has its problem in its place and never fails the rest.",
		http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	handle[batchBody, BatchAnswer](s, api, op, func(ctx context.Context, in *batchBody) (*answer, error) {
		raws, problem := readBatch(in.raw)
		if problem != nil {
			return nil, problem
		}
		if err := s.chargeMore(ctx, lookups, batchCost(len(raws))-1); err != nil {
			return nil, err
		}
		return s.batch(ctx, raws, func(i int) (recall.Unit, *Problem) {
			return readUnit(registry, unit, raws[i], fmt.Sprintf("body.units[%d]", i))
		})
	})
	describeBody(api, op.Path, registry.Schema(reflect.TypeFor[BatchRequest](), true, "BatchRequest"))
}

// batchCost is what a batch of so many units costs, in calls.
func batchCost(units int) int64 { return int64(max(1, (units+batchShare-1)/batchShare)) }

// batch answers for every unit that can be read.
func (s *service) batch(ctx context.Context, raws []json.RawMessage, read func(i int) (recall.Unit, *Problem)) (*answer, error) {
	items := make([]BatchItem, len(raws))
	var units []recall.Unit
	var places []int
	for i := range raws {
		u, problem := read(i)
		if problem != nil {
			items[i].Error = problem
			continue
		}
		units, places = append(units, u), append(places, i)
	}
	snap := s.Catalogue.Current()
	verdicts, errs := s.decideAll(ctx, func() ([]recall.Verdict, []error) { return s.Lookup.Verdicts(snap, units) })
	for j, i := range places {
		if errs[j] == nil {
			items[i].Verdict = &verdicts[j]
			continue
		}
		items[i].Error = s.problem(ctx, "post-verdict-batch", unitProblem(errs[j], fmt.Sprintf("body.units[%d]", i), ""))
	}
	for i := range items {
		if items[i].Error != nil {
			items[i].Error.locate(ctx)
		}
	}
	return uncached(snap.Serial(), BatchAnswer{Items: items})
}

// uncached is the answer to a POST, which nobody may keep.
func uncached(serial int64, v any) (*answer, error) {
	body, err := encode(v)
	if err != nil {
		return nil, err
	}
	a := &answer{Caching: "no-store", Serial: serial}
	a.carry(body)
	return a, nil
}

// describeBody adds the body to the document. huma isn't told before, because
// it would read and refuse a whole batch for one bad item.
func describeBody(api huma.API, path string, schema *huma.Schema) {
	api.OpenAPI().Paths[path].Post.RequestBody = &huma.RequestBody{
		Required: true, Content: map[string]*huma.MediaType{jsonType[0]: {Schema: schema}},
	}
}
