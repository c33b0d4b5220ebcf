package loadtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
)

// audience is who may ask for something.
type audience int

const (
	forAnybody audience = iota
	forProbes           // never counted against a limit
	forOperators
)

// course is an endpoint of the scenario: how many of a thousand requests ask for
// it, whom it is for, and how it is asked.
type course struct {
	name     string
	weight   int
	audience audience
	request  string // as it is shown
	path     string // of those that are always the same
	// drawn makes requests of what the catalogue has; none when it has nothing fit.
	drawn func(*drawn) []request
}

// scenario is the default mix: mostly people with a product in their hand, some who
// browse and search, shops with lists, and the monitors of one deployment.
var scenario = []course{
	{name: "health", weight: 30, audience: forProbes, request: "GET /health", path: "/health"},
	{name: "healthz", weight: 20, audience: forProbes, request: "GET /api/healthz", path: "/api/healthz"},
	{name: "dashboard", weight: 10, audience: forOperators, request: "GET /api/v1/monitoring/system-health-dashboard", path: "/api/v1/monitoring/system-health-dashboard"},
	{name: "audit", weight: 5, audience: forOperators, request: "GET /api/v1/monitoring/security-audit", path: "/api/v1/monitoring/security-audit"},
	{name: "cache-stats", weight: 10, audience: forOperators, request: "GET " + cacheStats, path: cacheStats},
	{name: "storage", weight: 10, audience: forOperators, request: "GET /api/v1/azure-storage/health", path: "/api/v1/azure-storage/health"},
	{name: "recalls", weight: 170, request: "GET /api/recalls", drawn: (*drawn).lists},
	{name: "barcode", weight: 420, request: "GET /api/barcode", drawn: (*drawn).barcodes},
	{name: "verdict", weight: 170, request: "POST /api/v1/verdict", drawn: (*drawn).verdicts},
	{name: "batch", weight: 15, request: "POST /api/v1/verdict/batch", drawn: (*drawn).batches},
	{name: "search", weight: 140, request: "GET /api/recalls?q=", drawn: (*drawn).searches},
}

const cacheStats = "/api/v1/monitoring/azure-cache-stats"

// Names are the endpoints of the scenario.
func Names() []string {
	names := make([]string, len(scenario))
	for i, c := range scenario {
		names[i] = c.name
	}
	return names
}

// request is one that is ready to be sent, again and again.
type request struct {
	method string
	url    *url.URL
	body   []byte
	header http.Header
	// never is how a right answer never begins, or "".
	never string
}

// endpoint is a course that is asked, with its requests.
type endpoint struct {
	course
	requests []request
}

// popular is the exponent of Zipf's law for what people ask for: a few products are
// asked for all the time, and most of them seldom.
const popular = 1.1

// choose makes the endpoints of the plan.
func (t *Test) choose(ctx context.Context) error {
	var wanted []course
	lookups := false
	for _, c := range scenario {
		switch {
		case slices.Contains(t.plan.Without, c.name), len(t.plan.Only) > 0 && !slices.Contains(t.plan.Only, c.name):
		case c.audience == forOperators && t.plan.OpsToken == "":
			t.leftOut = append(t.leftOut, LeftOut{c.name, "it is for operators, and CROWNSAFE_OPS_TOKEN is not set"})
		default:
			wanted = append(wanted, c)
			lookups = lookups || c.drawn != nil
		}
	}
	d := &drawn{}
	if lookups {
		if err := t.draw(ctx, d); err != nil {
			return err
		}
	}
	for _, c := range wanted {
		e := &endpoint{course: c}
		if c.drawn == nil {
			e.requests = []request{{method: http.MethodGet, url: t.at(c.path)}}
		} else if e.requests = c.drawn(d); len(e.requests) == 0 {
			t.leftOut = append(t.leftOut, LeftOut{c.name, "the catalogue of the target has nothing to ask it for"})
			continue
		}
		for i := range e.requests {
			r := &e.requests[i]
			r.header = t.heads.of(c.audience, r.body != nil)
			if r.url.Host == "" {
				r.url = t.at(r.url.String())
			}
		}
		t.endpoints = append(t.endpoints, e)
	}
	if len(t.endpoints) == 0 {
		return planError("nothing is left to ask for")
	}
	return t.tryOperator(ctx)
}

// at is an address of the target.
func (t *Test) at(path string) *url.URL {
	u, err := url.Parse(t.target.String() + path)
	if err != nil {
		panic(fmt.Sprintf("loadtest: %q is no path: %v", path, err)) // paths are made here, and escaped
	}
	return u
}

// tryOperator fails when the operator's token is refused: each of its requests would be.
func (t *Test) tryOperator(ctx context.Context) error {
	i := slices.IndexFunc(t.endpoints, func(e *endpoint) bool { return e.audience == forOperators })
	if i < 0 {
		return nil
	}
	if _, _, err := t.get(ctx, t.at(cacheStats), t.heads.of(forOperators, false)); err != nil {
		return fmt.Errorf("asking with CROWNSAFE_OPS_TOKEN: %w", err)
	}
	return nil
}

// headers are what requests carry, shared by all of a kind.
type headers struct{ plain, operator map[bool]http.Header }

func headersOf(p *Plan) headers {
	with := func(name, value string) map[bool]http.Header {
		kinds := map[bool]http.Header{}
		for _, body := range []bool{false, true} {
			h := http.Header{"User-Agent": {"crownsafe-loadtest"}, "Accept": {"application/json"}}
			if value != "" {
				h.Set(name, value)
			}
			if body {
				h.Set("Content-Type", "application/json")
			}
			kinds[body] = h
		}
		return kinds
	}
	return headers{plain: with("X-API-Key", p.APIKey), operator: with("Authorization", bearer(p.OpsToken))}
}

func bearer(token string) string {
	if token == "" {
		return ""
	}
	return "Bearer " + token
}

func (h headers) of(a audience, body bool) http.Header {
	if a == forOperators {
		return h.operator[body]
	}
	return h.plain[body]
}

// picker chooses what comes next. It is for one goroutine.
type picker struct {
	endpoints []*endpoint
	random    *rand.Rand
	zipf      []*rand.Zipf
	total     int
}

func (t *Test) picker(stream uint64) *picker {
	p := &picker{endpoints: t.endpoints, random: rand.New(rand.NewPCG(t.plan.Seed, stream))}
	for _, e := range t.endpoints {
		p.total += e.weight
		p.zipf = append(p.zipf, rand.NewZipf(p.random, popular, 1, uint64(len(e.requests)-1)))
	}
	return p
}

// next returns the endpoint by its number, and one of its requests.
func (p *picker) next() (int, *request) {
	n := p.random.IntN(p.total)
	for i, e := range p.endpoints {
		if n -= e.weight; n < 0 {
			return i, &e.requests[p.zipf[i].Uint64()]
		}
	}
	panic("loadtest: the weights don't add up")
}
