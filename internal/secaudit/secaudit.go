// Package secaudit audits how the service is set up: pure rules over facts that
// somebody gathered, and probes of the handler that serves, in process. A rule
// finds one thing, says how bad it is and what to do about it.
//
// It knows nothing of settings, stores or files, opens no connection and reads no
// file: facts come in Facts, and no secret is among them.
package secaudit

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Severity says how bad a finding is.
type Severity string

// The severities, and None for a report without a finding.
const (
	Critical Severity = "CRITICAL" // somebody can get in, or soon will
	High     Severity = "HIGH"     // a safeguard is missing that should hold when another fails
	Medium   Severity = "MEDIUM"
	Low      Severity = "LOW"
	None     Severity = "NONE"
)

// Severities lists those that a finding can have, the worst first.
func Severities() []Severity { return []Severity{Critical, High, Medium, Low} }

// atMost is the severity, or the bound where that is milder.
func (s Severity) atMost(bound Severity) Severity {
	list := Severities()
	return list[max(slices.Index(list, s), slices.Index(list, bound))]
}

// Check is what became of one rule.
type Check struct {
	ID       string   `json:"id"`
	Category string   `json:"category"`
	Severity Severity `json:"severity" enum:"CRITICAL,HIGH,MEDIUM,LOW" doc:"of the finding; of a check that passed: the worst that it could have found"`
	Passed   bool     `json:"passed"`
	Detail   string   `json:"detail" doc:"what was found; never a secret"`
	Remedy   string   `json:"remedy" doc:"what to do when it has not passed"`
	// Vacuous says that a probe passed because it had nothing to ask for.
	Vacuous bool `json:"-"`
}

// Totals counts findings by severity.
type Totals struct {
	Critical int `json:"CRITICAL"`
	High     int `json:"HIGH"`
	Medium   int `json:"MEDIUM"`
	Low      int `json:"LOW"`
}

// Report is one run of the audit.
type Report struct {
	Checks    []Check   `json:"checks"`
	Totals    Totals    `json:"totals" doc:"checks that have not passed"`
	RiskLevel Severity  `json:"risk_level" enum:"CRITICAL,HIGH,MEDIUM,LOW,NONE" doc:"of the worst finding"`
	RunAt     time.Time `json:"run_at"`
}

// Findings are the checks that have not passed, the worst first.
func (r *Report) Findings() []Check {
	var found []Check
	for _, severity := range Severities() {
		for _, check := range r.Checks {
			if !check.Passed && check.Severity == severity {
				found = append(found, check)
			}
		}
	}
	return found
}

// Count tells how many findings there are of a severity.
func (r *Report) Count(severity Severity) int {
	n := 0
	for _, check := range r.Checks {
		if !check.Passed && check.Severity == severity {
			n++
		}
	}
	return n
}

// verdict is what a rule says: no severity means that it passed.
type verdict struct {
	severity Severity
	detail   string
	vacuous  bool
}

func pass(format string, args ...any) verdict { return verdict{detail: fmt.Sprintf(format, args...)} }

func fail(severity Severity, format string, args ...any) verdict {
	return verdict{severity: severity, detail: fmt.Sprintf(format, args...)}
}

// idle is the verdict of a probe that has nothing to ask for.
func idle(why string) verdict { return verdict{detail: why, vacuous: true} }

// rule is one check: of facts or, by asking the handler, of a target.
type rule struct {
	id, category string
	worst        Severity
	// scope says where the rule holds.
	scope  scope
	about  string // what is looked at, for the documentation
	remedy string
	facts  func(*Facts) verdict
	probe  func(*prober) verdict
}

// scope says in which environments a rule's finding counts for what it is.
type scope int

const (
	// deployed: in development a finding is LOW at most, since a laptop is nobody's
	// production.
	deployed scope = iota
	// production: elsewhere what is missing isn't missed, and the check passes.
	production
	// everywhere: what somebody has set wrongly is wrong in any environment.
	everywhere
)

// rules are all checks, in the order of a report.
func rules() []rule {
	return slices.Concat(secretRules(), settingRules(), serverRules(), hostRules(), buildRules(),
		tokenProbes(), accessProbes(), headerProbes(), requestProbes())
}

// Run makes a report. Without a target the probes say that there was nothing to
// ask, and pass: the program always has one.
func Run(ctx context.Context, facts *Facts, target *Target) Report {
	report := Report{RiskLevel: None, RunAt: facts.At.UTC()}
	for place, r := range rules() {
		var asking *prober
		if target != nil {
			asking = newProber(ctx, target, place)
		}
		report.Checks = append(report.Checks, r.check(facts, asking))
	}
	report.Totals = Totals{report.Count(Critical), report.Count(High), report.Count(Medium), report.Count(Low)}
	for _, severity := range slices.Backward(Severities()) {
		if report.Count(severity) > 0 {
			report.RiskLevel = severity
		}
	}
	return report
}

func (r *rule) check(facts *Facts, asking *prober) Check {
	check := Check{ID: r.id, Category: r.category, Severity: r.worst, Passed: true, Remedy: r.remedy}
	var found verdict
	switch {
	case r.scope == production && facts.Environment != "production":
		found = verdict{detail: "asked of production only", vacuous: r.probe != nil}
	case r.facts != nil:
		found = r.facts(facts)
	case asking == nil:
		found = idle("there is no handler to ask")
	default:
		found = r.probe(asking)
	}
	check.Detail, check.Vacuous = found.detail, found.vacuous
	if found.severity == "" {
		return check
	}
	check.Passed, check.Severity = false, found.severity
	if r.scope != everywhere && facts.Environment == "development" {
		check.Severity = check.Severity.atMost(Low)
	}
	return check
}

// Described is a rule for the documentation.
type Described struct {
	ID, Category string
	Worst        Severity
	About        string
	Where        string // the environments in which a finding counts for what it is
}

// Describe lists every rule.
func Describe() []Described {
	var list []Described
	for _, r := range rules() {
		where := map[scope]string{deployed: "LOW in development", production: "production only", everywhere: "everywhere"}[r.scope]
		list = append(list, Described{r.id, r.category, r.worst, r.about, where})
	}
	return list
}
