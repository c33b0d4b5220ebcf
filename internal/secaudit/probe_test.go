package secaudit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// flaw is a fault of the service in this test.
type flaw string

// flaws holds for each probe what turns it red.
var flaws = map[string][]flaw{
	"jwt-valid":           {"refuses everybody"},
	"jwt-none":            {"takes alg none"},
	"jwt-other-key":       {"takes other keys"},
	"jwt-expired":         {"takes expired tokens"},
	"jwt-audience":        {"takes other audiences"},
	"jwt-garbage":         {"breaks on garbage"},
	"operators-only":      {"operators are everybody", "operators are who shows anything"},
	"operators-forwarded": {"operators are all of this machine"},
	"profiles-elsewhere":  {"profiles"},
	"rate-limit":          {"no limit", "no Retry-After"},
	"cors-origin":         {"reflects origins", "any origin with credentials"},
	"cors-null":           {"reflects origins", "allows null"},
	"cors-lookalike":      {"allows prefixes of origins", "allows suffixes of origins", "allows no origin"},
	"headers-api":         {"no nosniff", "no referrer policy", "unsafe referrer policy"},
	"headers-page":        {"no nosniff on pages"},
	"headers-error":       {"no nosniff on errors"},
	"csp-inline":          {"inline scripts", "scripts from everywhere", "no policy for scripts"},
	"framing":             {"frames"},
	"hsts":                {"no hsts"},
	"banner":              {"banner"},
	"cookies":             {"bare cookie", "cookie of any site", "cookie in plain text"},
	"private-caching":     {"errors are cached"},
	"body-limit":          {"takes any body", "takes any body in chunks"},
	"uri-limit":           {"takes any address", "breaks on long addresses"},
	"trace-method":        {"answers TRACE"},
	"host-header":         {"repeats the host"},
	"open-redirect":       {"redirects anywhere"},
	"request-id":          {"repeats request ids"},
	"error-leaks":         {"tells statements", "tells the host", "panics"},
	"secret-echo":         {"repeats values"},
	"path-traversal":      {"serves the folder"},
	"contract":            {"no contract"},
}

// small is a service with everything that the probes look for, and with flaws.
type small struct {
	flaws map[flaw]bool
	asked map[string]int // by address
}

const allowedOrigin = "https://shop.example"

// tokens is a forge whose tokens say what they are.
type tokens struct{ broken bool }

func (f tokens) make(kind string) (string, error) {
	if f.broken {
		return "", errors.New("there is no key")
	}
	return kind, nil
}
func (f tokens) Valid(context.Context) (string, error)         { return f.make("good") }
func (f tokens) Expired(context.Context) (string, error)       { return f.make("expired") }
func (f tokens) OtherKey(context.Context) (string, error)      { return f.make("other-key") }
func (f tokens) NoAlgorithm(context.Context) (string, error)   { return f.make("none") }
func (f tokens) OtherAudience(context.Context) (string, error) { return f.make("other-audience") }

func target(s *small) *Target {
	return &Target{
		Handler: s, Forge: tokens{}, Member: "/me", Operators: []string{"/ops"}, Lookup: "/lookup", Page: "/", Body: "/body", MostBody: 4096,
		Burst: 50, Limited: true, HTTPS: true, AllowedOrigin: allowedOrigin, Private: []string{"pod-17", "/var/lib/crown"},
	}
}

func withFlaws(list ...flaw) *small {
	s := &small{flaws: map[flaw]bool{}, asked: map[string]int{}}
	for _, f := range list {
		s.flaws[f] = true
	}
	return s
}

func (s *small) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.dress(w.Header(), r)
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	if s.asked[host]++; s.asked[host] > 40 && !s.flaws["no limit"] {
		if !s.flaws["no Retry-After"] {
			w.Header().Set("Retry-After", "1")
		}
		s.refuse(w, r, http.StatusTooManyRequests, "too many")
		return
	}
	if len(r.RequestURI) > 16<<10 && !s.flaws["takes any address"] {
		if s.flaws["breaks on long addresses"] {
			s.refuse(w, r, http.StatusInternalServerError, "broken")
			return
		}
		s.refuse(w, r, http.StatusRequestURITooLong, "too long")
		return
	}
	s.cors(w, r)
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if s.flaws["answers TRACE"] && r.Method == http.MethodTrace {
		fmt.Fprint(w, r.Header)
		return
	}
	s.serve(w, r)
}

// dress sets the headers that every answer carries.
func (s *small) dress(h http.Header, r *http.Request) {
	page := strings.Contains(r.Header.Get("Accept"), "text/html")
	policy := map[string]string{"default-src": "'none'", "script-src": "'self' 'nonce-abc'", "frame-ancestors": "'none'"}
	for f, change := range map[flaw]func(){
		"inline scripts":          func() { policy["script-src"] += " 'unsafe-inline'" },
		"scripts from everywhere": func() { policy["script-src"] = "*" },
		"no policy for scripts":   func() { delete(policy, "script-src"); delete(policy, "default-src"); policy["img-src"] = "'self'" },
		"frames":                  func() { delete(policy, "frame-ancestors") },
	} {
		if s.flaws[f] {
			change()
		}
	}
	var directives []string
	for _, name := range []string{"default-src", "script-src", "img-src", "frame-ancestors"} {
		if policy[name] != "" {
			directives = append(directives, name+" "+policy[name])
		}
	}
	h.Set("Content-Security-Policy", strings.Join(directives, "; "))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Request-Id", "made-here")
	h.Set("Strict-Transport-Security", "max-age=31536000")
	for f, change := range map[flaw]func(){
		"no nosniff":             func() { h.Del("X-Content-Type-Options") },
		"no referrer policy":     func() { h.Del("Referrer-Policy") },
		"unsafe referrer policy": func() { h.Set("Referrer-Policy", "unsafe-url") },
		"no hsts":                func() { h.Del("Strict-Transport-Security") },
		"banner":                 func() { h.Set("Server", "Crown/1.2.3") },
		"bare cookie":            func() { h.Set("Set-Cookie", "a=b; SameSite=Lax; Secure") },
		"cookie of any site":     func() { h.Set("Set-Cookie", "a=b; HttpOnly; Secure; SameSite=None") },
		"cookie in plain text":   func() { h.Set("Set-Cookie", "a=b; HttpOnly; SameSite=Strict") },
		"repeats request ids":    func() { h.Set("X-Request-Id", r.Header.Get("X-Request-Id")) },
		"repeats the host":       func() { h.Set("Link", "<https://"+r.Host+"/docs>") },
		"no nosniff on pages": func() {
			if page {
				h.Del("X-Content-Type-Options")
			}
		},
	} {
		if s.flaws[f] {
			change()
		}
	}
}

func (s *small) cors(w http.ResponseWriter, r *http.Request) {
	origin := r.Header.Get("Origin")
	allowed := origin == allowedOrigin && !s.flaws["allows no origin"] || s.flaws["reflects origins"] || s.flaws["allows null"] && origin == "null" ||
		s.flaws["allows prefixes of origins"] && strings.HasPrefix(origin, allowedOrigin) ||
		s.flaws["allows suffixes of origins"] && strings.HasSuffix(origin, "shop.example")
	switch {
	case origin == "":
	case allowed:
		w.Header().Set("Access-Control-Allow-Origin", origin)
	case s.flaws["any origin with credentials"]:
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Credentials", "true")
	}
}

func (s *small) refuse(w http.ResponseWriter, _ *http.Request, status int, detail string) {
	if s.flaws["no nosniff on errors"] {
		w.Header().Del("X-Content-Type-Options")
	}
	if !s.flaws["errors are cached"] {
		w.Header().Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"detail": detail})
}

func (s *small) serve(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	switch {
	case s.flaws["redirects anywhere"] && strings.HasPrefix(path, "//"):
		w.Header().Set("Location", path)
		w.WriteHeader(http.StatusMovedPermanently)
	case s.flaws["serves the folder"] && strings.HasSuffix(path, "secret.key"), s.flaws["profiles"] && strings.HasPrefix(path, "/debug/pprof"):
		fmt.Fprint(w, "bytes")
	case r.Method == http.MethodPost:
		s.take(w, r)
	case r.Method != http.MethodGet:
		s.refuse(w, r, http.StatusMethodNotAllowed, "not so")
	case path == "/me":
		s.open(w, r, s.member(r))
	case path == "/ops":
		s.open(w, r, s.operator(r))
	case path == "/lookup" && r.URL.Query().Has("limit"):
		s.refuse(w, r, http.StatusUnprocessableEntity, s.leak())
	case path == "/", path == "/lookup":
		fmt.Fprint(w, "{}")
	case path == "/openapi.json" && !s.flaws["no contract"]:
		w.Header().Set("Content-Type", "application/vnd.oai.openapi+json")
		fmt.Fprint(w, `{"openapi":"3.1.0"}`)
	default:
		s.refuse(w, r, http.StatusNotFound, "nothing is here")
	}
}

// leak is the detail of an error.
func (s *small) leak() string {
	switch {
	case s.flaws["tells statements"]:
		return "ERROR: syntax error (SQLSTATE 42601)"
	case s.flaws["tells the host"]:
		return "pod-17 says no"
	case s.flaws["panics"]:
		panic("broken")
	}
	return "limit is no number"
}

func (s *small) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	anyBody := s.flaws["takes any body"] && r.ContentLength >= 0 || s.flaws["takes any body in chunks"] && r.ContentLength < 0
	switch {
	case err != nil, len(body) > 1024 && !anyBody:
		s.refuse(w, r, http.StatusRequestEntityTooLarge, "too large")
	case s.flaws["repeats values"]:
		s.refuse(w, r, http.StatusUnprocessableEntity, string(body))
	default:
		s.refuse(w, r, http.StatusUnprocessableEntity, "unknown field")
	}
}

func (s *small) open(w http.ResponseWriter, r *http.Request, status int) {
	if status != http.StatusOK {
		s.refuse(w, r, status, "not you")
		return
	}
	fmt.Fprint(w, "{}")
}

// member answers for a token: what it is named after.
func (s *small) member(r *http.Request) int {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	taken := map[string]bool{
		"good": !s.flaws["refuses everybody"], "none": s.flaws["takes alg none"], "other-key": s.flaws["takes other keys"],
		"expired": s.flaws["takes expired tokens"], "other-audience": s.flaws["takes other audiences"],
	}
	switch {
	case taken[token]:
		return http.StatusOK
	case s.flaws["breaks on garbage"] && token == "a.b.c":
		return http.StatusInternalServerError
	}
	return http.StatusUnauthorized
}

func (s *small) operator(r *http.Request) int {
	local := strings.HasPrefix(r.RemoteAddr, "127.")
	switch {
	case s.flaws["operators are everybody"], s.flaws["operators are all of this machine"] && local,
		s.flaws["operators are who shows anything"] && strings.Contains(r.Header.Get("Authorization"), "audit-probe"):
		return http.StatusOK
	}
	return http.StatusUnauthorized
}

// TestProbesTurnRedAndGreen: nothing is found in a good handler, and each flaw is
// found by its probe.
func TestProbesTurnRedAndGreen(t *testing.T) {
	t.Parallel()
	report := Run(t.Context(), sound(), target(withFlaws()))
	if found := report.Findings(); len(found) > 0 {
		t.Fatalf("in a good handler: %+v", found)
	}
	for id, list := range flaws {
		for _, f := range list {
			report := Run(t.Context(), sound(), target(withFlaws(f)))
			if check := checkOf(t, report, id); check.Passed {
				t.Errorf("%s passes although the handler %s: %s", id, f, check.Detail)
			}
		}
	}
}

// TestAProbeFindsWhatItIsSaidToFind: the severity in the documentation is the one
// that a flaw has.
func TestAProbeFindsWhatItIsSaidToFind(t *testing.T) {
	t.Parallel()
	for _, r := range rules() {
		if r.probe == nil {
			continue
		}
		report := Run(t.Context(), sound(), target(withFlaws(flaws[r.id][0])))
		if check := checkOf(t, report, r.id); check.Severity != r.worst {
			t.Errorf("%s is said to find %s and finds %s", r.id, r.worst, check.Severity)
		}
	}
}

// TestProbesOfWhatIsNotThere pass and say so.
func TestProbesOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	bare := target(withFlaws("no limit", "no hsts", "takes alg none"))
	bare.Forge, bare.Limited, bare.HTTPS, bare.AllowedOrigin = nil, false, false, ""
	report := Run(t.Context(), sound(), bare)
	if found := report.Findings(); len(found) > 0 {
		t.Errorf("found %+v", found)
	}
	var idle []string
	for _, check := range report.Checks {
		if check.Vacuous {
			idle = append(idle, check.ID)
		}
	}
	want := []string{"jwt-valid", "jwt-none", "jwt-other-key", "jwt-expired", "jwt-audience", "jwt-garbage", "rate-limit", "cors-lookalike", "hsts"}
	if !slices.Equal(idle, want) {
		t.Errorf("had nothing to ask for: %v", idle)
	}
	keyless := target(withFlaws())
	keyless.Forge = tokens{broken: true}
	if check := checkOf(t, Run(t.Context(), sound(), keyless), "jwt-valid"); check.Passed {
		t.Error("that no token can be made is not found")
	}
}
