package loadtest

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
)

// Cause is why a request failed: the status of the answer, 0 where there was none,
// and a word or two.
type Cause struct {
	Status int    `json:"status"`
	Cause  string `json:"cause"`
}

// Causes that are decided on elsewhere.
const (
	causeLimited = "rate_limited"
	causeTimeout = "timeout"
	causeUnsent  = "not sent: too many requests were waiting"
)

// looked is how much of a body is looked at.
const looked = 64

// send sends a request and reads the answer to its end. It returns nil for one that
// is what it should be.
func (t *Test) send(ctx context.Context, r *request, scratch []byte) *Cause {
	ctx, cancel := context.WithTimeout(ctx, t.plan.Timeout)
	defer cancel()
	out := &http.Request{Method: r.method, URL: r.url, Header: r.header}
	if r.body != nil {
		out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(r.body)), int64(len(r.body))
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.body)), nil }
	}
	response, err := t.client.Do(out.WithContext(ctx))
	if err != nil {
		return &Cause{0, failure(err)}
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		body, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
		if err != nil {
			return &Cause{response.StatusCode, failure(err)}
		}
		return &Cause{response.StatusCode, causeOf(response.StatusCode, body)}
	}
	start, length, err := drain(response.Body, scratch)
	switch {
	case err != nil:
		return &Cause{response.StatusCode, failure(err)}
	case length == 0 || start[0] != '{' || !strings.HasPrefix(response.Header.Get("Content-Type"), "application/json"):
		return &Cause{response.StatusCode, "the answer is no JSON object"}
	case r.never != "" && bytes.HasPrefix(start, []byte(r.never)):
		return &Cause{response.StatusCode, "no_match for a barcode of the catalogue"}
	}
	return nil
}

// drain reads a body to its end through scratch and returns how it begins.
func drain(body io.Reader, scratch []byte) (start []byte, length int, err error) {
	for {
		room := scratch[min(length, looked):]
		n, err := body.Read(room)
		length += n
		if errors.Is(err, io.EOF) {
			return scratch[:min(length, looked)], length, nil
		}
		if err != nil {
			return nil, length, err
		}
	}
}

// causeOf names what an answer with another status than 200 says: the code of its
// problem document, or else what the status means.
func causeOf(status int, body []byte) string {
	var problem struct{ Code string }
	if json.Unmarshal(body, &problem) == nil && problem.Code != "" && len(problem.Code) <= looked {
		return problem.Code
	}
	if status == http.StatusTooManyRequests {
		return causeLimited
	}
	return strings.ToLower(http.StatusText(status))
}

// failure names why there was no whole answer. Errors of the network name ports and
// would make as many causes as there are connections.
func failure(err error) string {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return causeTimeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the answer is cut short"
	case errors.Is(err, io.EOF):
		return "connection closed"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine has no more connections"
	case errors.As(err, &dns):
		return "the name cannot be resolved"
	case errors.As(err, &certificate):
		return "the certificate is not trusted"
	}
	return "no answer"
}
