package secaudit

import (
	"net/http"
	"strings"
)

// foreignOrigin is where a page is from that has no business here.
const foreignOrigin = "https://attacker.example"

func accessProbes() []rule {
	return []rule{
		{
			id: "operators-only", category: "access", worst: Critical, scope: everywhere,
			about: "what is for operators is answered 401 to others", remedy: "stop the service: this is a fault of the program",
			probe: func(p *prober) verdict {
				for _, path := range p.Operators {
					for name, got := range map[string]answer{
						"without a token": p.get(path), "with a token that is none": p.get(path, with("Authorization", "Bearer audit-probe")),
					} {
						if got.status != http.StatusUnauthorized {
							return fail(Critical, "%s %s is answered %d and not 401", path, name, got.status)
						}
					}
				}
				return pass("%d addresses are answered 401", len(p.Operators))
			},
		},
		{
			id: "operators-forwarded", category: "access", worst: High, scope: everywhere,
			about: "what came through a proxy on this machine, or for another host's name, isn't taken for the operator's own", remedy: "stop the service: this is a fault of the program",
			probe: func(p *prober) verdict {
				for _, path := range p.Operators {
					for _, got := range []answer{
						p.get(path, from(localAddr), toHost("localhost"), with("X-Forwarded-For", "203.0.113.9")),
						p.get(path, from(localAddr), toHost("attacker.example")),
					} {
						if got.status != http.StatusUnauthorized {
							return fail(High, "%s is answered %d to who came through a proxy", path, got.status)
						}
					}
				}
				return pass("they are answered 401")
			},
		},
		{
			id: "profiles-elsewhere", category: "debug switches", worst: High, scope: everywhere,
			about: "profiles and variables of the process are not answered where the service is", remedy: "stop the service: this is a fault of the program",
			probe: func(p *prober) verdict {
				for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/vars", "/debug/requests"} {
					if got := p.get(path, from(localAddr), toHost("localhost")); got.status < http.StatusBadRequest {
						return fail(High, "%s is answered %d", path, got.status)
					}
				}
				return pass("there is nothing at /debug/")
			},
		},
		{
			id: "rate-limit", category: "rate limits", worst: High,
			about: "who asks more than the limit is answered 429, with `Retry-After`", remedy: "set CROWNSAFE_RATE_LIMIT=on",
			probe: rateLimit,
		},
		{
			id: "cors-origin", category: "CORS", worst: High, scope: everywhere,
			about: "a page of an origin that isn't listed may not read answers that carry credentials", remedy: "list the origins of your pages only in CROWNSAFE_CORS_ORIGINS",
			probe: func(p *prober) verdict { return p.crossOrigin(foreignOrigin) },
		},
		{
			id: "cors-null", category: "CORS", worst: High, scope: everywhere,
			about: "the origin `null`, which any page can give itself, is not allowed", remedy: "take null out of CROWNSAFE_CORS_ORIGINS",
			probe: func(p *prober) verdict { return p.crossOrigin("null") },
		},
		{
			id: "cors-lookalike", category: "CORS", worst: High, scope: everywhere,
			about: "an origin that only looks like a listed one is not allowed", remedy: "list whole origins in CROWNSAFE_CORS_ORIGINS",
			probe: func(p *prober) verdict {
				if p.AllowedOrigin == "" {
					return idle("no origin is listed, or all are")
				}
				allowed, lookalikes := originsLike(p.AllowedOrigin)
				if p.get(p.Lookup, with("Origin", allowed)).header.Get("Access-Control-Allow-Origin") != allowed {
					return fail(Low, "an origin that is listed is refused as well: its pages don't work")
				}
				for _, origin := range lookalikes {
					if v := p.crossOrigin(origin); v.severity != "" {
						return v
					}
				}
				return pass("lookalikes are refused")
			},
		},
	}
}

// originsLike returns an origin that a listed one allows, and some that only look so.
func originsLike(listed string) (allowed string, lookalikes []string) {
	scheme, host, _ := strings.Cut(listed, "://")
	host, port, _ := strings.Cut(host, ":")
	if port = strings.TrimSuffix(port, "*"); port != "" {
		port = ":" + port
	}
	base := strings.TrimPrefix(host, "*.")
	allowed = scheme + "://" + strings.Replace(host, "*.", "audit-probe.", 1) + port
	return allowed, []string{scheme + "://" + base + ".attacker.example" + port, scheme + "://attacker-" + base + port}
}

// crossOrigin asks as a browser does for a page of an origin.
func (p *prober) crossOrigin(origin string) verdict {
	for _, path := range append([]string{p.Lookup, p.Member}, p.Operators...) {
		if path == "" {
			continue
		}
		for _, got := range []answer{
			p.get(path, with("Origin", origin)),
			p.ask(http.MethodOptions, path, with("Origin", origin), with("Access-Control-Request-Method", "GET"), with("Access-Control-Request-Headers", "authorization")),
		} {
			allowed, credentials := got.header.Get("Access-Control-Allow-Origin"), got.header.Get("Access-Control-Allow-Credentials")
			switch {
			case allowed == origin:
				return fail(High, "%s lets pages of any origin read its answers: the origin is repeated", path)
			case allowed == "*" && strings.EqualFold(credentials, "true"):
				return fail(High, "%s lets pages of any origin read its answers with credentials", path)
			}
		}
	}
	return pass("such a page reads nothing but what is public")
}

func rateLimit(p *prober) verdict {
	if !p.Limited {
		return idle("limits are off, which is a finding of its own")
	}
	for n := range p.Burst {
		got := p.get(p.Lookup, from(floodAddr))
		if got.status != http.StatusTooManyRequests {
			continue
		}
		if got.header.Get("Retry-After") == "" {
			return fail(High, "a 429 doesn't say when to come back")
		}
		return pass("request %d of one caller at once was answered 429", n+1)
	}
	return fail(High, "%d requests of one caller at once were all let through", p.Burst)
}
