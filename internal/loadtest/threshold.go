package loadtest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Threshold is something that must be so: barcode:p95<65ms, failures<0.1%.
type Threshold struct {
	text     string
	endpoint string // "": all together
	metric   string
	sign     string
	value    float64 // in the metric's unit: milliseconds, percent or a number
	share    bool    // failures in percent
}

// String is the threshold as it was given.
func (t Threshold) String() string { return t.text }

// Outcome is whether a threshold was met.
type Outcome struct {
	Threshold string `json:"threshold"`
	Measured  string `json:"measured"`
	Met       bool   `json:"met"`
}

var thresholdForm = regexp.MustCompile(`^(?:([a-z-]+):)?([a-z0-9.]+)\s*(<=|>=|<|>)\s*([0-9.]+)\s*([a-zµ%/]*)$`)

// ParseThreshold reads [ENDPOINT:]METRIC SIGN VALUE. The metrics are avg, p50, p95,
// p99, p999 and max, times in ms (or s, us); failures, a number or a share in %;
// requests and rps. An error matches ErrPlan.
func ParseThreshold(text string) (Threshold, error) {
	t := Threshold{text: text}
	parts := thresholdForm.FindStringSubmatch(strings.TrimSpace(text))
	if parts == nil {
		return t, planError("%q is no threshold; it is like p99<25ms, barcode:p95<65ms, failures<0.1%% or rps>5000", text)
	}
	t.endpoint, t.metric, t.sign = parts[1], strings.Replace(parts[2], "p99.9", "p999", 1), parts[3]
	if t.endpoint != "" && !slices.Contains(Names(), t.endpoint) {
		return t, planError("%q is about an endpoint that there isn't; there are %s", text, strings.Join(Names(), ", "))
	}
	value, err := strconv.ParseFloat(parts[4], 64)
	if err != nil {
		return t, planError("%q has no number behind the sign", text)
	}
	t.value = value
	unit := parts[5]
	switch t.metric {
	case "avg", "p50", "p95", "p99", "p999", "max":
		if unit == "" {
			unit = "ms"
		}
		d, err := time.ParseDuration(parts[4] + unit)
		if err != nil {
			return t, planError("%q has no time behind the sign", text)
		}
		t.value = d.Seconds() * 1e3
	case "failures":
		t.share = unit == "%"
		if unit != "" && !t.share {
			return t, planError("%q: failures are a number, or a share in %%", text)
		}
	case "rps", "requests":
		if unit != "" && unit != "/s" {
			return t, planError("%q: %s has no unit", text, t.metric)
		}
	default:
		return t, planError("%q is about no metric; there are avg, p50, p95, p99, p999, max, failures, requests and rps", text)
	}
	return t, nil
}

// Judge judges a report by thresholds, notes the outcomes in it, and reports
// whether all are met. What wasn't measured meets none.
func (r *Report) Judge(thresholds []Threshold) bool {
	all := true
	for _, t := range thresholds {
		o := t.judge(r)
		r.Thresholds = append(r.Thresholds, o)
		all = all && o.Met
	}
	return all
}

func (t Threshold) judge(r *Report) Outcome {
	e := &r.Total
	if t.endpoint != "" {
		i := slices.IndexFunc(r.Endpoints, func(e Endpoint) bool { return e.Name == t.endpoint })
		if i < 0 {
			return Outcome{Threshold: t.text, Measured: "not asked"}
		}
		e = &r.Endpoints[i]
	}
	if e.Requests == 0 {
		return Outcome{Threshold: t.text, Measured: "nothing"}
	}
	value, words := t.of(e)
	met := false
	switch t.sign {
	case "<":
		met = value < t.value
	case "<=":
		met = value <= t.value
	case ">":
		met = value > t.value
	case ">=":
		met = value >= t.value
	}
	return Outcome{Threshold: t.text, Measured: words, Met: met}
}

// of returns what the threshold is about, and in words.
func (t Threshold) of(e *Endpoint) (float64, string) {
	switch t.metric {
	case "failures":
		if t.share {
			share := 100 * float64(e.Failures) / float64(e.Requests)
			return share, fmt.Sprintf("%.3g%%", share)
		}
		return float64(e.Failures), strconv.FormatInt(e.Failures, 10)
	case "requests":
		return float64(e.Requests), strconv.FormatInt(e.Requests, 10)
	case "rps":
		return e.RPS, fmt.Sprintf("%.1f/s", e.RPS)
	}
	time := e.time(t.metric)
	return float64(time), time.String() + " ms"
}

// time is one of the times of an endpoint by its name in JSON.
func (e *Endpoint) time(name string) Figure {
	switch name {
	case "avg":
		return e.Avg
	case "p50":
		return e.P50
	case "p95":
		return e.P95
	case "p99":
		return e.P99
	case "p999":
		return e.P999
	case "max":
		return e.Max
	}
	return none
}
