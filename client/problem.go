package client

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
)

// Problem is the server's refusal: an RFC 9457 problem document. Compare Code, which is
// stable; docs/errors.md of the server lists the codes. An answer of somebody else on
// the way, such as a proxy, has no Code.
type Problem struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Instance string `json:"instance"`
	Code     string `json:"code"`
	// TraceID finds the request in the server's log.
	TraceID string `json:"trace_id"`
	// Errors tell what is wrong with which field.
	Errors []FieldError `json:"errors,omitempty"`
	// Suggestions are, for a barcode, the codes that could have been meant. Ask the person;
	// never take one for granted.
	Suggestions []string `json:"suggestions,omitzero"`
	// Checks are what a health check asked and what was said.
	Checks map[string]string `json:"checks,omitempty"`
	// RetryAfter is how long the server asks to wait; 0: it doesn't say.
	RetryAfter time.Duration `json:"-"`
}

// FieldError is one field that cannot be used.
type FieldError struct {
	// Location is such as query.limit or body.units[3].gtin.
	Location string `json:"location"`
	Message  string `json:"message"`
	Value    string `json:"value,omitempty"`
}

// Error implements error.
func (p *Problem) Error() string {
	if p.Code == "" {
		return fmt.Sprintf("crownsafe: answered %d %s", p.Status, p.Title)
	}
	return fmt.Sprintf("crownsafe: %s (%d): %s", p.Code, p.Status, p.Detail)
}

const maxProblem = 1 << 20

// readProblem makes a problem of an answer that is no success.
func readProblem(resp *http.Response) *Problem {
	p := &Problem{}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind == "application/problem+json" {
		raw, err := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
		if err != nil || json.Unmarshal(raw, p) != nil {
			p = &Problem{} // half a problem tells less than its status
		}
	}
	p.Status = resp.StatusCode
	if p.Title == "" {
		p.Title = http.StatusText(resp.StatusCode)
	}
	p.RetryAfter = retryAfter(resp.Header.Get("Retry-After"))
	return p
}
