package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// route finds the operation for a request and lets it answer, if the caller may ask
// for it; else it answers with the problem. Who asks for what isn't there is nobody's
// business.
func (s *service) route(w http.ResponseWriter, r *http.Request) {
	if p := tooMuch(r); p != nil {
		s.fail(w, r, p)
		return
	}
	escapeCode(r)
	pattern := s.pattern(r)
	if pattern == "" {
		s.unrouted(w, r)
		return
	}
	x := exchangeOf(r.Context())
	x.route = pattern
	n := s.mux.needs[pattern]
	if p := s.admit(w, r, x, n); p != nil {
		s.fail(w, r, p)
		return
	}
	if n.creates {
		s.once(w, r, x)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// admit returns nil when a request may go to its operation, else why not.
func (s *service) admit(w http.ResponseWriter, r *http.Request, x *exchange, n need) *Problem {
	if n.budget != unlimited || !n.public() { // a probe waits for no store, whatever it shows
		s.whoCalls(w.Header(), r, x, n)
	}
	if p := s.refuse(w.Header(), r, x, n); p != nil {
		return p
	}
	if p := s.sameOrigin(r, x, n); p != nil {
		return p
	}
	if p := s.charge(r.Context(), w.Header(), x, n.budget, max(n.cost, 1)); p != nil {
		return p
	}
	if p := s.authorise(r, x, n); p != nil {
		return p
	}
	return s.chargeOwn(r.Context(), w.Header(), x, n.own)
}

// refuse returns nil when nothing was shown that isn't good, or that doesn't matter.
// Who guesses has few guesses.
func (s *service) refuse(h http.Header, r *http.Request, x *exchange, n need) *Problem {
	switch {
	case x.refused == nil:
		return nil
	case n.ignores:
		if x.guessed {
			_ = s.takeRefused(r.Context(), h, x) // it counts, and no more than that
		}
		return nil
	case x.refused.Status != http.StatusUnauthorized:
		return x.refused
	}
	if p := s.takeRefused(r.Context(), h, x); p != nil {
		return p
	}
	return x.refused
}

// tooMuch refuses what no operation takes.
func tooMuch(r *http.Request) *Problem {
	if len(r.RequestURI) > maxURIBytes {
		return newProblem(codeURITooLong, fmt.Sprintf("The address has %d bytes; at most %d are read.", len(r.RequestURI), maxURIBytes))
	}
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead // and no body
	if encoding := r.Header.Get("Content-Encoding"); !reads && encoding != "" && !strings.EqualFold(encoding, "identity") {
		return newProblem(codeMediaType, "The body is compressed; send it as it is.")
	}
	return nil
}

// pattern returns the mux's pattern for a request, "" for none. The address that
// takes pictures is no barcode, although it stands where one could.
func (s *service) pattern(r *http.Request) string {
	_, pattern := s.mux.Handler(r)
	if slices.Contains(imagePaths, r.URL.Path) && strings.HasSuffix(pattern, "/{code}") {
		return ""
	}
	return pattern
}

// codePaths are the paths whose rest is a code, whatever it holds.
var codePaths = []string{"/api/v1/barcode/", "/api/barcode/"}

// escapeCode makes the rest of a barcode's path one segment, so that a GS1
// Digital Link that was pasted with its slashes reaches the operation, and not
// the mux's path cleaning. An empty code stays an empty segment and is asked
// for as a query parameter would be.
func escapeCode(r *http.Request) {
	escaped := r.URL.EscapedPath()
	for _, prefix := range codePaths {
		rest, ok := strings.CutPrefix(escaped, prefix)
		if !ok {
			continue
		}
		if rest == "" {
			r.URL.Path, r.URL.RawPath = strings.TrimSuffix(prefix, "/"), ""
			return
		}
		rest = strings.ReplaceAll(rest, "/", "%2F")
		if strings.Trim(rest, ".") == "" { // dot segments would be cleaned away
			rest = strings.ReplaceAll(rest, ".", "%2E")
		}
		r.URL.RawPath = prefix + rest
		return
	}
}

// unrouted answers what no pattern matches: 405 when another method would, else 404.
func (s *service) unrouted(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := *r
		other.Method = method
		if s.pattern(&other) != "" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		s.fail(w, r, newProblem(codeNotFound, "There is nothing at this address; /docs lists what there is."))
		return
	}
	list := strings.Join(allowed, ", ")
	p := newProblem(codeMethod, "This address takes "+list+".")
	p.header = http.Header{"Allow": {list}}
	s.fail(w, r, p)
}
