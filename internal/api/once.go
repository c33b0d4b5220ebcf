package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/crownsafe/api/internal/account"
)

// Once keeps what was answered to requests that create something, so that one that
// is sent again, because its answer was lost, creates nothing twice.
type Once struct {
	Attempts account.Attempts // nil: nothing is kept, and Idempotency-Key is passed over
	// Seal makes what only Open reads: answers hold keys that are shown once.
	Seal func(plain, about []byte) ([]byte, error)
	Open func(sealed, about []byte) ([]byte, error)
}

const (
	onceHeader   = "Idempotency-Key"
	maxKeyLength = 255
	// onceLease is how long the first request may take, and onceKeep how long its
	// answer is kept.
	onceLease = time.Minute
	onceKeep  = 24 * time.Hour
	// onceFinish bounds what is kept after the answer, which has its own time.
	onceFinish = 5 * time.Second
)

// onceHeaders are the headers of an answer that are kept with it. The others are of
// the exchange, or of nobody.
var onceHeaders = []string{"Content-Type", "Content-Location", "Location", "Etag", "Cache-Control", "Crown-Safe-Serial"}

// passing are the statuses of answers that are not kept, beside those that are ours
// to mend: the same request may fare better.
var passing = []int{
	http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge,
	http.StatusUnsupportedMediaType, http.StatusTooManyRequests,
}

// keptAnswer is an answer as it is sealed.
type keptAnswer struct {
	Status int         `json:"status"`
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
}

// once lets a request that creates something be answered, once for each
// Idempotency-Key of its sender.
func (s *service) once(w http.ResponseWriter, r *http.Request, x *exchange) {
	given := r.Header[onceHeader]
	if len(given) == 0 || s.Once.Attempts == nil {
		s.mux.ServeHTTP(w, r)
		return
	}
	key := given[0]
	if len(given) > 1 || !sendable(key) {
		s.fail(w, r, newProblem(codeInvalid, fmt.Sprintf("Idempotency-Key is one key of 1 to %d visible ASCII characters.", maxKeyLength),
			FieldError{Location: "header.Idempotency-Key", Message: fmt.Sprintf("must be one key of 1 to %d visible ASCII characters", maxKeyLength)}))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if err != nil {
		s.fail(w, r, unreadable(err))
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	a := attempt{owner: ownerOf(x), key: key, print: fingerprint(r, body)}
	begun, err := s.Once.Attempts.BeginAttempt(r.Context(), a.owner, a.key, a.print, s.Now(), onceLease, onceKeep)
	switch {
	case err != nil:
		s.fail(w, r, s.problem(r.Context(), x.route, &outage{fmt.Errorf("beginning a request that must not be done twice: %w", err)}))
	case begun.First:
		a.lease = begun.Lease
		s.first(w, r, a)
	case !bytes.Equal(begun.Fingerprint, a.print):
		s.fail(w, r, newProblem(codeKeyReused, kindOf(codeKeyReused).Meaning, FieldError{Location: "header.Idempotency-Key", Message: "came with another request before"}))
	case begun.Answer == nil:
		p := newProblem(codeInProgress, kindOf(codeInProgress).Meaning)
		p.header = http.Header{"Retry-After": {"1"}}
		s.fail(w, r, p)
	default:
		s.again(w, r, x, a, begun.Answer)
	}
}

// attempt is a request that must not be done twice.
type attempt struct {
	owner, key string
	print      []byte
	lease      account.Lease // of who does it
}

// about binds a sealed answer to its request.
func (a attempt) about() []byte { return fmt.Appendf(nil, "%q %q %x", a.owner, a.key, a.print) }

// ownerOf names whose keys a caller's are: the user's, or those of the network
// address while nobody can tell whose.
func ownerOf(x *exchange) string {
	if x.caller.UserID != "" {
		return "user:" + x.caller.UserID
	}
	sum := sha256.Sum256([]byte(place(x.address)))
	return fmt.Sprintf("%s:%x %s", x.caller.Kind, sum[:12], x.route)
}

// fingerprint tells requests apart.
func fingerprint(r *http.Request, body []byte) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %x", r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), sha256.Sum256(body)))
	return sum[:]
}

func sendable(key string) bool {
	for i := range len(key) {
		if key[i] < ' ' || key[i] > '~' {
			return false
		}
	}
	return key != "" && len(key) <= maxKeyLength
}

func unreadable(err error) *Problem {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return newProblem(codeTooLarge, fmt.Sprintf("The body is larger than the %d bytes that this call takes.", maxBodyBytes))
	}
	if isTimeout(err) {
		return newProblem(codeTimeout, kindOf(codeTimeout).Meaning)
	}
	return newProblem(codeMalformed, "The body could not be read to its end.")
}

// first does a request and keeps its answer, unless another attempt may fare better.
func (s *service) first(w http.ResponseWriter, r *http.Request, a attempt) {
	copied := &copier{ResponseWriter: w}
	var sealed []byte
	defer func() { // also when the operation panics: then nothing is kept
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), onceFinish)
		defer cancel()
		if err := s.Once.Attempts.FinishAttempt(ctx, a.owner, a.key, a.lease, sealed); err != nil {
			s.Logger.LogAttrs(ctx, slog.LevelError, "the answer to a request that must not be done twice could not be kept", slog.String("error", err.Error()))
		}
	}()
	s.mux.ServeHTTP(copied, r)
	if copied.status == 0 || copied.status >= http.StatusInternalServerError || slices.Contains(passing, copied.status) {
		return
	}
	answer := keptAnswer{Status: copied.status, Header: http.Header{}, Body: copied.body.Bytes()}
	maps.Copy(answer.Header, w.Header())
	maps.DeleteFunc(answer.Header, func(name string, _ []string) bool { return !slices.Contains(onceHeaders, name) })
	plain, err := json.Marshal(answer)
	if err == nil {
		sealed, err = s.Once.Seal(plain, a.about())
	}
	if err != nil {
		s.Logger.LogAttrs(r.Context(), slog.LevelError, "the answer to a request that must not be done twice could not be sealed", slog.String("error", err.Error()))
	}
}

// again sends an answer that was kept.
func (s *service) again(w http.ResponseWriter, r *http.Request, x *exchange, a attempt, sealed []byte) {
	var answer keptAnswer
	plain, err := s.Once.Open(sealed, a.about())
	if err == nil {
		err = json.Unmarshal(plain, &answer)
	}
	if err != nil { // sealed with a key that was changed since
		s.fail(w, r, s.problem(r.Context(), x.route, fmt.Errorf("opening an answer that was kept: %w", err)))
		return
	}
	h := w.Header()
	maps.Copy(h, answer.Header)
	h.Set("Idempotent-Replayed", "true")
	w.WriteHeader(answer.Status)
	_, _ = w.Write(answer.Body) // the client may be gone
}

// copier keeps what is written through it.
type copier struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (c *copier) WriteHeader(status int) {
	if c.status == 0 && status >= http.StatusOK {
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *copier) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	c.body.Write(b)
	return c.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (c *copier) Unwrap() http.ResponseWriter { return c.ResponseWriter }
