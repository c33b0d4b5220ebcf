package loadtest

import (
	"math"
	"slices"
)

// Comparison is a run beside an earlier one.
type Comparison struct {
	// Unlike says what of the two runs differs, such as their rates; figures of runs that
	// differ say little about the program.
	Unlike []string     `json:"unlike"`
	Rows   []Difference `json:"rows"`
}

// Difference is one metric of one endpoint in both runs. Either may be missing.
type Difference struct {
	Endpoint string `json:"endpoint"`
	Metric   string `json:"metric"` // rps, failures in percent, or a time
	Base     Figure `json:"base"`
	Now      Figure `json:"now"`
	// Change is in percent of the base; null where there is none.
	Change Figure `json:"change_percent"`
	Worse  bool   `json:"worse"`
}

// Allowance is how much worse a run may be than an earlier one.
type Allowance struct {
	// Percent by which a time may grow and a rate may shrink.
	Percent float64
	// Slack is how many milliseconds more never count: of a time that is short, the
	// machine's moods are many percent.
	Slack Figure
	// Failures is how many percentage points more requests may fail.
	Failures float64
}

// compared are the metrics that comparisons have. p999 and max of a short run tell of
// single requests.
var compared = []string{"avg", "p50", "p95", "p99"}

// beyond is the share of requests that lie beyond a metric, of which there must be
// telling in both runs before a difference counts: fewer are single requests' moods.
var beyond = map[string]float64{"avg": 0.5, "p50": 0.5, "p95": 0.05, "p99": 0.01}

const (
	telling = 10
	// tellingRate is of how many requests a rate tells: which endpoint is asked next is chance.
	tellingRate = 100
)

// Compare compares a run with a base. An endpoint that the base has and the run hasn't
// is worse: nobody knows how it does.
func Compare(base, now *Report, allow Allowance) Comparison {
	c := Comparison{Unlike: unlike(base, now), Rows: []Difference{}}
	pairs := [][2]*Endpoint{{&base.Total, &now.Total}}
	for i := range base.Endpoints {
		pairs = append(pairs, [2]*Endpoint{&base.Endpoints[i], named(now, base.Endpoints[i].Name)})
	}
	for i := range now.Endpoints {
		if named(base, now.Endpoints[i].Name) == nil {
			pairs = append(pairs, [2]*Endpoint{nil, &now.Endpoints[i]})
		}
	}
	for _, pair := range pairs {
		c.Rows = append(c.Rows, differences(pair[0], pair[1], allow)...)
	}
	return c
}

// Worse reports whether anything got worse by more than is allowed.
func (c Comparison) Worse() bool {
	return slices.ContainsFunc(c.Rows, func(d Difference) bool { return d.Worse })
}

func unlike(base, now *Report) []string {
	list := []string{}
	if base.Loop != now.Loop || base.Users != now.Users || base.Rate != now.Rate {
		list = append(list, "the load")
	}
	if base.Seed != now.Seed {
		list = append(list, "the seed")
	}
	if base.Interrupted || now.Interrupted {
		list = append(list, "the length: a run was interrupted")
	}
	return list
}

func named(r *Report, name string) *Endpoint {
	for i := range r.Endpoints {
		if r.Endpoints[i].Name == name {
			return &r.Endpoints[i]
		}
	}
	return nil
}

// differences are the rows of an endpoint.
func differences(base, now *Endpoint, allow Allowance) []Difference {
	if base == nil {
		return []Difference{difference(now.Name, "rps", none, Figure(now.RPS))}
	}
	rate, failed := none, none
	if now != nil {
		rate, failed = Figure(now.RPS), now.failed()
	}
	list := []Difference{difference(base.Name, "rps", Figure(base.RPS), rate), difference(base.Name, "failures", base.failed(), failed)}
	list[0].Worse = now == nil || base.Requests >= tellingRate && float64(list[0].Change) < -allow.Percent
	list[1].Worse = now != nil && float64(failed-base.failed()) > allow.Failures
	for _, metric := range compared {
		after := none
		if now != nil {
			after = now.time(metric)
		}
		d := difference(base.Name, metric, base.time(metric), after)
		grew := float64(d.Change) > allow.Percent && d.Now-d.Base > allow.Slack
		d.Worse = now != nil && (d.Base.Known() && !d.Now.Known() || grew && beyond[metric]*float64(min(base.Requests, now.Requests)) >= telling)
		list = append(list, d)
	}
	return list
}

// failed is the share of requests that failed, in percent.
func (e *Endpoint) failed() Figure {
	if e.Requests == 0 {
		return none
	}
	return Figure(100 * float64(e.Failures) / float64(e.Requests))
}

func difference(endpoint, metric string, base, now Figure) Difference {
	d := Difference{Endpoint: endpoint, Metric: metric, Base: base, Now: now, Change: none}
	if base > 0 && now.Known() {
		d.Change = Figure(math.Round(float64(now-base)/float64(base)*1e3) / 10)
	}
	return d
}
