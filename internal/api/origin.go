package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/jub0bs/cors"

	"github.com/crownsafe/api/internal/auth"
)

// originsMaxAge is how long a browser remembers what it may ask, in seconds.
const originsMaxAge = 600

// exposed are the headers that scripts of other pages may read.
var exposed = []string{"Crown-Safe-Serial", "ETag", "Idempotent-Replayed", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id"}

// AllowOrigins makes the answer to the question whether scripts of pages elsewhere
// may read answers of the API: those of the origins in the list ("https://a.example",
// "https://*.a.example", "*" for all). They never act for whoever is signed in with
// a browser here: their requests carry no cookie. nil for an empty list: then no
// script of another page reads anything.
func AllowOrigins(origins []string) (*cors.Middleware, error) {
	if len(origins) == 0 {
		return nil, nil
	}
	m, err := cors.NewMiddleware(cors.Config{
		Origins: origins, Credentialed: false, MaxAgeInSeconds: originsMaxAge, ResponseHeaders: exposed,
		Methods:        []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete},
		RequestHeaders: []string{"Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Traceparent", "Tracestate", "X-Api-Key", "X-Request-Id"},
	})
	if err != nil {
		return nil, fmt.Errorf("allowing other origins: %w", err)
	}
	return m, nil
}

// guardOrigins prepares what is to be said to pages elsewhere.
func (s *service) guardOrigins() (err error) {
	if s.origins, err = AllowOrigins(s.Origins); err != nil {
		return err
	}
	s.csrf = http.NewCrossOriginProtection()
	if s.PublicURL == "" {
		return nil
	}
	// A proxy may call us by another name than the browser does.
	public, err := url.Parse(s.PublicURL)
	if err != nil {
		return fmt.Errorf("reading the public address: %w", err)
	}
	s.overTLS = public.Scheme == "https"
	if err := s.csrf.AddTrustedOrigin(public.Scheme + "://" + public.Host); err != nil {
		return fmt.Errorf("trusting the service's own origin: %w", err)
	}
	return nil
}

// sameOrigin refuses what a page of another site has a browser send in somebody's
// name: everything that changes something with the session's cookie, or because it
// comes from this machine, and every form of the pages.
func (s *service) sameOrigin(r *http.Request, x *exchange, n need) *Problem {
	here := x.caller.Kind == auth.Anonymous && !n.public() && s.Operators.admitsHere(r)
	if !x.caller.Cookie && !here && strings.HasPrefix(r.URL.Path, "/api/") {
		return nil
	}
	if n.effects { // a link on another site is as good as a form
		unsafe := *r
		unsafe.Method = http.MethodPost
		r = &unsafe
	}
	if s.csrf.Check(r) != nil {
		return newProblem(codeOrigin, kindOf(codeOrigin).Meaning)
	}
	return nil
}

// acrossOrigins answers what pages elsewhere may read, and their browsers' questions
// whether they may (preflights; Fetch Standard, section 3.3), which cost nothing.
func (s *service) acrossOrigins(w http.ResponseWriter, r *http.Request, x *exchange) {
	asked := true
	wrapped := s.origins.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = false
		s.answer(w, r, x)
	}))
	if r.Method != http.MethodOptions {
		wrapped.ServeHTTP(w, r)
		return
	}
	rec := &recorder{ResponseWriter: w}
	if wrapped.ServeHTTP(rec, r); asked {
		s.log(r, x, rec.status, rec.size)
	}
}
