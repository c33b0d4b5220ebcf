package secaudit

import (
	"context"
	"net/http"
)

func tokenProbes() []rule {
	const category = "JWT"
	return []rule{
		{
			id: "jwt-valid", category: category, worst: Medium,
			about: "a good access token is taken: else the probes below prove nothing", remedy: "look into the log for why tokens are refused",
			probe: func(p *prober) verdict {
				if p.Forge == nil {
					return idle("the service gives out no access tokens")
				}
				token, err := p.Forge.Valid(p.ctx)
				if err != nil {
					return fail(Medium, "no token can be made: there is no key to sign with")
				}
				if got := p.get(p.Member, with("Authorization", "Bearer "+token)); got.status == http.StatusUnauthorized || got.status >= 500 {
					return fail(Medium, "a good token is answered %d", got.status)
				}
				return pass("a good token is taken")
			},
		},
		refusal("jwt-none", Critical, "a token without a signature (alg none) is refused",
			func(ctx context.Context, f Forge) (string, error) { return f.NoAlgorithm(ctx) }),
		refusal("jwt-other-key", Critical, "a token that somebody else signed is refused",
			func(ctx context.Context, f Forge) (string, error) { return f.OtherKey(ctx) }),
		refusal("jwt-expired", Critical, "a token that has ended is refused",
			func(ctx context.Context, f Forge) (string, error) { return f.Expired(ctx) }),
		refusal("jwt-audience", High, "a token for another service is refused",
			func(ctx context.Context, f Forge) (string, error) { return f.OtherAudience(ctx) }),
		{
			id: "jwt-garbage", category: category, worst: Medium,
			about: "what is no token at all is refused, and nothing breaks by it", remedy: "report it: this is a fault of the program",
			probe: func(p *prober) verdict {
				if p.Forge == nil {
					return idle("the service gives out no access tokens")
				}
				for _, token := range []string{"", ".", "..", "a.b.c", "eyJhbGciOiJub25lIn0..", "null", "{}"} {
					if got := p.get(p.Member, with("Authorization", "Bearer "+token)); got.status != http.StatusUnauthorized {
						return fail(Medium, "what is no token is answered %d and not 401", got.status)
					}
				}
				return pass("what is no token is answered 401")
			},
		},
	}
}

// refusal is the probe that a forged token opens nothing.
func refusal(id string, severity Severity, about string, forge func(context.Context, Forge) (string, error)) rule {
	return rule{
		id: id, category: "JWT", worst: severity, scope: everywhere, about: about,
		remedy: "stop the service: this is a fault of the program, and tokens protect nothing",
		probe: func(p *prober) verdict {
			if p.Forge == nil {
				return idle("the service gives out no access tokens")
			}
			token, err := forge(p.ctx, p.Forge)
			if err != nil {
				return idle("there is no key to sign with, and so no token is taken")
			}
			for _, path := range append([]string{p.Member}, p.Operators...) {
				if got := p.get(path, with("Authorization", "Bearer "+token)); got.status != http.StatusUnauthorized {
					return fail(severity, "such a token is answered %d and not 401 at %s", got.status, path)
				}
			}
			return pass("it is answered 401")
		},
	}
}
