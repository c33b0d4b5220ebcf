package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/crownsafe/api/internal/recall"
)

// Problem is the one shape of every error (RFC 9457).
type Problem struct {
	Type        string            `json:"type" format:"uri-reference" doc:"where the code is explained"`
	Title       string            `json:"title" doc:"what the code means, the same for every occurrence"`
	Status      int               `json:"status" doc:"the HTTP status"`
	Detail      string            `json:"detail" doc:"what is wrong with this request"`
	Instance    string            `json:"instance" format:"uri-reference" doc:"the path that was asked for"`
	Code        string            `json:"code" doc:"stable and machine-readable; see /docs/errors"`
	TraceID     string            `json:"trace_id" doc:"W3C trace id, as in the server's logs"`
	Errors      []FieldError      `json:"errors,omitempty" doc:"what is wrong with which field"`
	Suggestions []string          `json:"suggestions,omitzero" doc:"for a barcode: the codes that could have been meant"`
	Checks      map[string]string `json:"checks,omitempty" doc:"for /api/healthz: what was asked and what it said"`

	header http.Header // sent along: Allow, Retry-After
}

// FieldError is one bad field.
type FieldError struct {
	Location string `json:"location" doc:"such as query.limit or body.units[3].gtin"`
	Message  string `json:"message"`
	Value    string `json:"value,omitempty" doc:"what was given, cut to 100 characters; never for secrets"`
}

// Error makes a problem an error that handlers can return.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus makes a problem a huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders makes a problem a huma.HeadersError.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType makes huma send a problem under its media type.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// newProblem makes a problem of a code from the table in codes.go.
func newProblem(code, detail string, fields ...FieldError) *Problem {
	kind := kindOf(code)
	return &Problem{
		Type: "/docs/errors#" + code, Title: kind.Title, Status: kind.Status,
		Detail: detail, Code: code, Errors: fields,
	}
}

// fieldProblem makes a problem about one field.
func fieldProblem(code, location, message, value string) *Problem {
	detail := location + " " + message
	if !strings.HasSuffix(detail, "?") {
		detail += "."
	}
	return newProblem(code, detail, FieldError{Location: location, Message: message, Value: shown(location, value)})
}

// badUnit turns what is wrong with a unit into a problem; at is the location of
// the unit's fields, such as "body" or "query".
func badUnit(bad *recall.BadUnit, at string) *Problem {
	location := strings.TrimSuffix(at+"."+bad.Field, ".")
	p := newProblem(unitCode(bad.Code), bad.Error(), FieldError{Location: location, Message: bad.Message, Value: shown(location, bad.Value)})
	if gtinCode(p.Code) {
		p.Suggestions = append([]string{}, bad.Suggestions...)
	}
	return p
}

// secretWords mark fields whose values are never repeated.
var secretWords = []string{"password", "passwd", "secret", "token", "key", "credential", "authorization"}

// shown returns a value as a problem may repeat it: valid UTF-8, at most 100
// characters, and nothing for a field that could hold a secret.
func shown(location, value string) string {
	name := strings.ToLower(location[strings.LastIndexByte(location, '.')+1:])
	for _, word := range secretWords {
		if strings.Contains(name, word) {
			return ""
		}
	}
	if len(value) > 4*100 {
		value = value[:4*100]
	}
	value = strings.ToValidUTF8(value, "\uFFFD")
	if utf8.RuneCountInString(value) > 100 {
		value = string([]rune(value)[:100])
	}
	return value
}

// scalar renders a value that huma complains about. Objects and lists are not
// repeated: they could hold anything, also a secret under another name.
func scalar(location string, value any) string {
	if location == "body" || location == "" {
		return ""
	}
	switch v := value.(type) {
	case string:
		return shown(location, v)
	case bool, int, int64, uint64, float64, json.Number:
		return shown(location, fmt.Sprint(v))
	}
	return ""
}

// huma keeps its constructors and its strictness in package variables; they are
// set once, before any API is built.
func init() {
	huma.DefaultArrayNullable = false
	huma.ValidateStrictCasing = true
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return problemOf(status, message, errs)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		p := problemOf(status, message, errs)
		p.locate(ctx.Context())
		return p
	}
}

// problemOf turns what huma found into a problem. A problem among the errors is
// the answer itself.
func problemOf(status int, message string, errs []error) *Problem {
	for _, err := range errs {
		if p, ok := errors.AsType[*Problem](err); ok {
			return p
		}
	}
	p := newProblem(codeOfStatus(status), message)
	if status >= http.StatusInternalServerError {
		// The message and the errors may tell of the inside; the log has them.
		p.Detail = kindOf(p.Code).Meaning
		return p
	}
	for _, err := range errs {
		detail, ok := errors.AsType[*huma.ErrorDetail](err)
		if !ok {
			continue
		}
		p.Errors = append(p.Errors, FieldError{
			Location: detail.Location, Message: detail.Message, Value: scalar(detail.Location, detail.Value),
		})
	}
	if len(p.Errors) > 0 {
		p.Detail = p.Errors[0].Location + ": " + p.Errors[0].Message
	}
	return p
}

// locate says in which request the problem arose.
func (p *Problem) locate(ctx context.Context) {
	if x := exchangeOf(ctx); x != nil {
		p.TraceID, p.Instance, x.code = x.traceID, x.instance, p.Code
	}
}

// send writes the problem. It is the only place outside huma's own path that
// writes an error.
func (p *Problem) send(w http.ResponseWriter, r *http.Request) {
	p.locate(r.Context())
	body, err := encode(p)
	if err != nil { // strings and integers always encode
		panic(fmt.Errorf("encoding problem %s: %w", p.Code, err))
	}
	h := w.Header()
	for name, values := range p.header {
		h[name] = values
	}
	h.Set("Content-Type", p.ContentType(""))
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client may be gone
	}
}
