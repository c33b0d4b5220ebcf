package secaudit

import (
	"io"
	"net/http"
	"regexp"
	"strings"
)

func requestProbes() []rule {
	const category = "requests"
	const remedy = "report it: this is a fault of the program"
	return []rule{
		{
			id: "body-limit", category: category, worst: High, scope: everywhere, remedy: remedy,
			about: "a body that is too large is answered 413, whether it says its size or not",
			probe: func(p *prober) verdict {
				for _, sized := range []bool{true, false} {
					got := p.ask(http.MethodPost, p.Body, sending(`{"name":"`+strings.Repeat("a", p.MostBody)+`"}`), func(a *asked) {
						if !sized {
							a.body = unsized{a.body}
						}
					})
					if got.status != http.StatusRequestEntityTooLarge {
						return fail(High, "a body of %d bytes is answered %d and not 413", p.MostBody, got.status)
					}
				}
				return pass("it is answered 413")
			},
		},
		{
			id: "uri-limit", category: category, worst: Low, scope: everywhere, remedy: remedy,
			about: "an address that is too long is refused",
			probe: func(p *prober) verdict {
				if got := p.get(p.Lookup + "?q=" + strings.Repeat("a", 128<<10)); got.status < 400 || got.status >= 500 {
					return fail(Low, "an address of 128 KiB is answered %d", got.status)
				}
				return pass("it is refused")
			},
		},
		{
			id: "trace-method", category: category, worst: Medium, scope: everywhere, remedy: remedy,
			about: "`TRACE`, `TRACK` and `CONNECT` are refused",
			probe: func(p *prober) verdict {
				for _, method := range []string{http.MethodTrace, "TRACK", http.MethodConnect} {
					got := p.ask(method, p.Page, with("X-Audit", "audit-probe-value"))
					if got.status < http.StatusBadRequest || strings.Contains(got.everything(), "audit-probe-value") {
						return fail(Medium, "%s is answered %d", method, got.status)
					}
				}
				return pass("they are refused")
			},
		},
		{
			id: "host-header", category: category, worst: Medium, scope: everywhere, remedy: remedy,
			about: "the name that a caller gives the service is not repeated in answers",
			probe: func(p *prober) verdict {
				for _, path := range []string{p.Page, p.Lookup, "/openapi.json", "/audit-probe"} {
					got := p.get(path, toHost("attacker.example"), with("X-Forwarded-Host", "attacker.example"), with("Accept", "text/html"))
					if strings.Contains(got.everything(), "attacker.example") {
						return fail(Medium, "%s repeats the name: a cache, or a link in a mail, would lead there", path)
					}
				}
				return pass("it is not repeated")
			},
		},
		{
			id: "open-redirect", category: category, worst: Medium, scope: everywhere, remedy: remedy,
			about: "no address leads to another host",
			probe: func(p *prober) verdict {
				for _, path := range []string{"//attacker.example/%2e%2e", "//attacker.example//", "/%2f%2fattacker.example", "/?next=https://attacker.example"} {
					location := p.get(path).header.Get("Location")
					if strings.HasPrefix(location, "//") || strings.Contains(location, "://attacker") || strings.HasPrefix(location, `/\`) {
						return fail(Medium, "%s leads to another host", path)
					}
				}
				return pass("none does")
			},
		},
		{
			id: "request-id", category: category, worst: High, scope: everywhere, remedy: remedy,
			about: "a request id with line ends in it is not repeated",
			probe: func(p *prober) verdict {
				got := p.get(p.Lookup, with("X-Request-Id", "audit\r\nSet-Cookie: probe=1"), with("Traceparent", "00-audit\r\nX-Probe: 1"))
				for name, values := range got.header {
					if strings.ContainsAny(strings.Join(values, ""), "\r\n") || name == "Set-Cookie" || name == "X-Probe" {
						return fail(High, "%s repeats what a caller sent, line ends and all: answers can be forged", name)
					}
				}
				return pass("it is replaced")
			},
		},
		{
			id: "error-leaks", category: category, worst: Medium, scope: everywhere, remedy: remedy,
			about: "errors tell nothing of the inside: no stack, statement, path or host, and nothing breaks",
			probe: errorLeaks,
		},
		{
			id: "secret-echo", category: category, worst: High, scope: everywhere, remedy: remedy,
			about: "a password or a key in a request that is refused is not repeated in the answer",
			probe: func(p *prober) verdict {
				const canary = "audit-probe-canary-7f3a"
				for _, body := range []string{
					`{"password":"` + canary + `"}`, `{"email":1,"password":["` + canary + `"]}`, `{"token":{"a":"` + canary + `"}}`, `{"api_key":"` + canary + `","gtin":1}`,
				} {
					for _, path := range []string{p.Body, "/api/v1/auth/login", "/api/v1/auth/register", "/api/v1/auth/reset"} {
						got := p.ask(http.MethodPost, path, sending(body), with("Authorization", "Bearer "+canary), with("X-Api-Key", canary))
						if strings.Contains(got.everything(), canary) {
							return fail(High, "the answer of %s repeats it", path)
						}
					}
				}
				return pass("it is not repeated")
			},
		},
		{
			id: "path-traversal", category: category, worst: High, scope: everywhere, remedy: remedy,
			about: "no address leads out of what is served, to files of the machine",
			probe: func(p *prober) verdict {
				for _, path := range []string{
					"/static/../../../../etc/passwd", "/static/..%2f..%2f..%2f..%2fetc%2fpasswd", "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
					"/blobs/../secret.key", "/blobs/..%2fsecret.key", "/photos/..%2f..%2fsecret.key", "/.env", "/.git/config", "/secret.key", "/crownsafe.db",
				} {
					if got := p.get(path); got.status < 300 {
						return fail(High, "%s is answered %d", path, got.status)
					}
				}
				return pass("none does")
			},
		},
		{
			id: "contract", category: category, worst: Low, scope: everywhere, remedy: remedy,
			about: "the contract is served, so that who calls can hold the service to it",
			probe: func(p *prober) verdict {
				if got := p.get("/openapi.json"); got.status != http.StatusOK || !strings.Contains(got.header.Get("Content-Type"), "openapi") || !strings.HasPrefix(got.body, "{") {
					return fail(Low, "/openapi.json is answered %d", got.status)
				}
				return pass("/openapi.json is there")
			},
		},
	}
}

// unsized hides how long a body is, as in a request that comes in chunks.
type unsized struct{ io.Reader }

// inside finds words that only the inside of the program has.
var inside = regexp.MustCompile(`goroutine \d|\.go:\d|/internal/|runtime error|SQLSTATE|\bpgx\b|pgconn|(?i:sqlite|postgres(ql)?://|redis://|panic:|SELECT .+ FROM )`)

// errorLeaks asks for errors of many kinds. That there is an error is well; what it
// says is looked at, and that the program didn't break.
func errorLeaks(p *prober) verdict {
	answers := map[string]answer{
		"a bad number":    p.get(p.Lookup + "?limit=audit"),
		"a bad cursor":    p.get(p.Lookup + "?cursor=%00%ff"),
		"half a document": p.ask(http.MethodPost, p.Body, sending(`{"gtin":`)),
		"no document":     p.ask(http.MethodPost, p.Body, sending(`[]`)),
		"a zero byte":     p.get("/api/v1/barcode/%00"),
		"a quote":         p.get("/api/v1/recalls/%27%3B--"),
		"no such path":    p.get("/api/audit-probe"),
		"another method":  p.ask(http.MethodDelete, p.Lookup),
	}
	for what, got := range answers {
		text := got.everything()
		if got.panicked || got.status == http.StatusInternalServerError {
			return fail(Medium, "%s breaks the program (%d)", what, got.status)
		}
		if found := inside.FindString(text); found != "" {
			return fail(Medium, "the answer to %s tells of the inside: %q", what, found)
		}
		for _, private := range p.Private {
			if private != "" && strings.Contains(text, private) {
				return fail(Medium, "the answer to %s names a host or a folder of this machine", what)
			}
		}
	}
	return pass("%d kinds of errors tell nothing", len(answers))
}
