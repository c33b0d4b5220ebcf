package secaudit

import (
	"net/http"
	"strings"
)

func headerProbes() []rule {
	const category = "headers"
	const remedy = "report it: this is a fault of the program, or of what stands before its handler"
	return []rule{
		{
			id: "headers-api", category: category, worst: Medium, scope: everywhere, remedy: remedy,
			about: "answers of the API carry `nosniff`, a content security policy and a referrer policy",
			probe: func(p *prober) verdict { return guarded(p.get(p.Lookup)) },
		},
		{
			id: "headers-page", category: category, worst: Medium, scope: everywhere, remedy: remedy,
			about: "so do pages",
			probe: func(p *prober) verdict { return guarded(p.get(p.Page, with("Accept", "text/html"))) },
		},
		{
			id: "headers-error", category: category, worst: Medium, scope: everywhere, remedy: remedy,
			about: "so do errors, as documents and as pages",
			probe: func(p *prober) verdict {
				for _, got := range []answer{p.get("/api/audit-probe"), p.get("/audit-probe", with("Accept", "text/html"))} {
					if v := guarded(got); v.severity != "" {
						return v
					}
				}
				return pass("they are there")
			},
		},
		{
			id: "csp-inline", category: category, worst: Medium, scope: everywhere, remedy: remedy,
			about: "the policy of pages allows no inline scripts but by nonce, and nothing of everywhere",
			probe: func(p *prober) verdict {
				policy := p.get(p.Page, with("Accept", "text/html")).header.Get("Content-Security-Policy")
				for directive := range strings.SplitSeq(policy, ";") {
					name, sources, _ := strings.Cut(strings.TrimSpace(directive), " ")
					if name != "script-src" && name != "default-src" && name != "script-src-elem" {
						continue
					}
					for source := range strings.FieldsSeq(sources) {
						if source == "'unsafe-inline'" || source == "'unsafe-eval'" || source == "*" || source == "data:" {
							return fail(Medium, "%s allows %s: what is smuggled into a page runs", name, source)
						}
					}
				}
				if !strings.Contains(policy, "script-src") && !strings.Contains(policy, "default-src") {
					return fail(Medium, "the policy says nothing of scripts")
				}
				return pass("only scripts that are the page's own run")
			},
		},
		{
			id: "framing", category: category, worst: Medium, scope: everywhere, remedy: remedy,
			about: "pages can't be framed by others",
			probe: func(p *prober) verdict {
				header := p.get(p.Page, with("Accept", "text/html")).header
				if policy := header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'none'") && !strings.Contains(policy, "frame-ancestors 'self'") {
					return fail(Medium, "any site may show the page in a frame and have people click there")
				}
				return pass("no other site may frame it")
			},
		},
		{
			id: "hsts", category: category, worst: Medium, scope: production,
			about: "browsers are told to come by TLS only, where `CROWNSAFE_PUBLIC_URL` is https", remedy: "report it: this is a fault of the program",
			probe: func(p *prober) verdict {
				if !p.HTTPS {
					return idle("clients don't come over https, which is a finding of its own")
				}
				if !strings.Contains(p.get(p.Page).header.Get("Strict-Transport-Security"), "max-age=") {
					return fail(Medium, "Strict-Transport-Security is missing: the first request of a browser may go in plain text")
				}
				return pass("Strict-Transport-Security is there")
			},
		},
		{
			id: "banner", category: category, worst: Low, scope: everywhere, remedy: remedy,
			about: "answers don't tell which software of which version made them",
			probe: func(p *prober) verdict {
				for _, path := range []string{p.Page, p.Lookup} {
					header := p.get(path).header
					for _, name := range []string{"Server", "X-Powered-By", "X-Aspnet-Version"} {
						if header.Get(name) != "" {
							return fail(Low, "%s is told in %s", name, path)
						}
					}
				}
				return pass("they don't")
			},
		},
		{
			id: "cookies", category: category, worst: Medium, scope: everywhere, remedy: remedy,
			about: "cookies are `HttpOnly` and `SameSite`, and `Secure` where clients come over https",
			probe: cookies,
		},
		{
			id: "private-caching", category: category, worst: Medium, scope: everywhere, remedy: remedy,
			about: "what is for operators, and errors, are kept by no cache",
			probe: func(p *prober) verdict {
				for _, path := range append([]string{"/api/audit-probe"}, p.Operators...) {
					if caching := p.get(path).header.Get("Cache-Control"); !strings.Contains(caching, "no-store") {
						return fail(Medium, "the error of %s may be kept by caches (Cache-Control: %s)", path, caching)
					}
				}
				return pass("Cache-Control is no-store")
			},
		},
	}
}

// guarded looks for the headers that every answer carries.
func guarded(got answer) verdict {
	for _, want := range []struct{ name, value string }{
		{"X-Content-Type-Options", "nosniff"}, {"Content-Security-Policy", "-src"}, {"Referrer-Policy", ""}, {"X-Request-Id", ""},
	} {
		if value := got.header.Get(want.name); value == "" || !strings.Contains(strings.ToLower(value), want.value) {
			return fail(Medium, "an answer of status %d has no good %s", got.status, want.name)
		}
	}
	if policy := got.header.Get("Referrer-Policy"); strings.Contains(policy, "unsafe") || policy == "no-referrer-when-downgrade" {
		return fail(Medium, "the referrer policy %s tells other sites which page somebody comes from", policy)
	}
	return pass("they are there")
}

func cookies(p *prober) verdict {
	for _, path := range append([]string{p.Page, p.Lookup}, p.Operators...) {
		got := p.get(path, with("Accept", "text/html"))
		for _, cookie := range (&http.Response{Header: got.header}).Cookies() {
			switch {
			case !cookie.HttpOnly:
				return fail(Medium, "scripts can read the cookie %s", cookie.Name)
			case cookie.SameSite != http.SameSiteLaxMode && cookie.SameSite != http.SameSiteStrictMode:
				return fail(Medium, "other sites' requests carry the cookie %s", cookie.Name)
			case p.HTTPS && !cookie.Secure:
				return fail(Medium, "the cookie %s goes in plain text too", cookie.Name)
			}
		}
	}
	return pass("no cookie is without them")
}
