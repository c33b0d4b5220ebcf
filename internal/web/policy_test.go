package web_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// readPage is a page as a handler has written it.
func readPage(t *testing.T, write http.HandlerFunc, target string) page {
	t.Helper()
	rec := httptest.NewRecorder()
	write(rec, httptest.NewRequest(http.MethodGet, target, nil))
	source := rec.Body.String()
	root, err := html.Parse(strings.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	return page{Response: rec.Result(), root: root, source: source}
}

// TestNothingStandsWithoutItsNonce: each answer of each page has a nonce of its own,
// in its policy and at all that may be run or give style, and nothing is inline.
func TestNothingStandsWithoutItsNonce(t *testing.T) {
	t.Parallel()
	site := opsSite(t, newBoard())
	writers := map[string]http.HandlerFunc{
		"a refusal": func(w http.ResponseWriter, r *http.Request) { site.Error(w, r, http.StatusUnauthorized, "r1") },
		"a photo":   func(w http.ResponseWriter, r *http.Request) { site.Photo(w, r, nil, "too_large", 413) },
		"/signin":   func(w http.ResponseWriter, r *http.Request) { site.Account(w, r, "/signin", "", "", 200) },
		"/reset": func(w http.ResponseWriter, r *http.Request) {
			site.Account(w, r, "/reset", `"><script>`, "weak_password", 422)
		},
	}
	for _, target := range []string{"/", "/?q=036000291452", "/docs", "/docs/errors", "/status", "/ops", "/nowhere"} {
		writers[target] = site.ServeHTTP
	}
	seen := map[string]bool{}
	for name, write := range writers {
		target := "/"
		if strings.HasPrefix(name, "/") {
			target = name
		}
		for range 2 {
			p := readPage(t, write, target)
			nonce := checkPolicy(t, name, p)
			if len(nonce) < 22 || seen[nonce] { // 128 bits
				t.Errorf("%s: the nonce %q is too short, or was another answer's", name, nonce)
			}
			seen[nonce] = true
			for _, kept := range []string{"ETag", "Last-Modified"} {
				if p.Header.Get(kept) != "" {
					t.Errorf("%s: %s would have an old page stand under a new policy", name, kept)
				}
			}
			if got := p.Header.Get("Cache-Control"); !strings.Contains(got, "no-cache") && !strings.Contains(got, "no-store") {
				t.Errorf("%s: Cache-Control is %q", name, got)
			}
		}
	}
}

// checkPolicy compares a page with its policy and returns the nonce.
func checkPolicy(t *testing.T, name string, p page) string {
	t.Helper()
	policy := p.Header.Get("Content-Security-Policy")
	found := regexp.MustCompile(`style-src 'nonce-([^']+)'(;|$)`).FindStringSubmatch(policy)
	if found == nil || strings.Contains(policy, "unsafe") || !strings.HasPrefix(policy, "default-src 'none';") {
		t.Fatalf("%s: policy %q", name, policy)
	}
	nonce, scripts := found[1], 0
	for n := range p.root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Val, "javascript:") {
				t.Errorf("%s: inline %s in %s", name, a.Key, n.Data)
			}
		}
		switch {
		case n.Data == "style", n.Data == "script" && n.FirstChild != nil:
			t.Errorf("%s: an inline %s", name, n.Data)
		case n.Data == "script", n.Data == "link" && attribute(n, "rel") == "stylesheet":
			if attribute(n, "nonce") != nonce {
				t.Errorf("%s: %s has the nonce %q, and the policy %q", name, n.Data, attribute(n, "nonce"), nonce)
			}
			if n.Data == "script" {
				scripts++
			}
		}
	}
	if allowed := strings.Contains(policy, "script-src 'nonce-"+nonce+"'"); allowed != (scripts > 0) || !allowed && strings.Contains(policy, "script-src") {
		t.Errorf("%s has %d scripts and the policy %q", name, scripts, policy)
	}
	if (name == "/ops") != (scripts == 1) {
		t.Errorf("%s has %d scripts", name, scripts)
	}
	return nonce
}

func TestFilesHaveAPolicyThatAllowsNothing(t *testing.T) {
	if got := get(t, newSite(t, notices()), "/static/style.css").Header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none';") || strings.Contains(got, "self") {
		t.Errorf("policy %q", got)
	}
}
