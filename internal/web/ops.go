package web

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/health"
	"github.com/crownsafe/api/internal/traffic"
)

// Board tells operators how the service does; see package health.
type Board interface {
	Dashboard() health.Dashboard
}

// Traffic tells what was answered lately; see package traffic.
type Traffic interface {
	Summary(now time.Time, last time.Duration) traffic.Summary
	Rates(now time.Time, last, width time.Duration) []traffic.Point
	Faults(limit int) []traffic.Fault
}

// opsSections are the parts of the operators' page, each rendered by the template
// of its name, and sent anew by itself when it changes.
var opsSections = []struct {
	id, title string
	announced bool // changes are read aloud: only what changes seldom
}{
	{"ops-score", "Health", true},
	{"ops-facts", "This process", false},
	{"ops-traffic", "Requests", false},
	{"ops-subsystems", "Subsystems", false},
	{"ops-agencies", "Agencies", false},
	{"ops-faults", "Recent errors", false},
	{"ops-audit", "Security audit", false},
}

// opsSection is one section as it is now.
type opsSection struct {
	ID, Title string
	Announced bool
	Body      template.HTML
}

// showOps serves /ops, whole and without a script's help. Who may see it is for
// the caller to decide.
func (s *Site) showOps(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, "ops", http.StatusOK, struct {
		Sections []opsSection
		SignOut  bool
	}{s.opsNow(), s.SignIn != ""})
}

// opsNow renders every section.
func (s *Site) opsNow() []opsSection {
	view := s.opsView()
	sections := make([]opsSection, len(opsSections))
	for i, section := range opsSections {
		var body bytes.Buffer
		if err := s.pages["ops"].ExecuteTemplate(&body, section.id, view); err != nil {
			panic(fmt.Errorf("rendering the section %s: %w", section.id, err))
		}
		// What the template escaped is HTML.
		sections[i] = opsSection{section.id, section.title, section.announced, template.HTML(body.String())}
	}
	return sections
}

// opsView is what the sections show.
type opsView struct {
	Report     health.Dashboard
	Version    string
	Uptime     string
	Subsystems []subsystemView
	Agencies   []agencyView
	Traffic    trafficView
	Faults     []traffic.Fault
	Audit      *health.Audit
}

const shownFaults = 20

func (s *Site) opsView() opsView {
	report := s.Board.Dashboard()
	view := opsView{
		Report: report, Version: s.Version, Uptime: span(time.Duration(report.Uptime) * time.Second),
		Subsystems: subsystemViews(&report.Subsystems), Agencies: agencyViews(&report.Subsystems.RecallData),
		Traffic: trafficViewOf(s.Traffic, s.Now()), Faults: s.Traffic.Faults(shownFaults),
	}
	if s.Audit != nil {
		view.Audit = s.Audit()
	}
	return view
}

// subsystemView is one subsystem with the facts that operators look for first.
type subsystemView struct {
	Name   string
	Status health.Status
	Issues []string
	Facts  []fact
}

type fact struct{ Label, Value string }

func subsystemViews(s *health.Subsystems) []subsystemView {
	view := func(name string, s health.Subsystem, facts ...fact) subsystemView {
		return subsystemView{name, s.Status, s.Issues, facts}
	}
	audited := "never"
	if at := s.Security.RunAt; at != nil {
		audited = clock(*at)
	}
	return []subsystemView{
		view("Security", s.Security.Subsystem, fact{"Audited", audited}),
		view("Objects", s.Storage.Subsystem, fact{"Backend", s.Storage.Backend}, fact{"Answers in", milliseconds(s.Storage.LatencyMS)}),
		view("Cache", s.Cache.Subsystem, fact{"Backend", s.Cache.Backend}, fact{"Hits", rate(s.Cache.HitRate)}, fact{"Looked for", thousands(int(s.Cache.Requests))}),
		view("Connection pool", s.Pool.Subsystem, fact{"In use", fmt.Sprintf("%d of %d", s.Pool.InUse, s.Pool.Size)},
			fact{"Exhausted, last hour", thousands(int(s.Pool.Exhaustions))}, fact{"Reused", rate(s.Pool.ReuseRate)}),
		view("Database", s.Database.Subsystem, fact{"Backend", s.Database.Backend}, fact{"Answers in", milliseconds(s.Database.LatencyMS)},
			fact{"Connections", fmt.Sprint(s.Database.Connections)}),
		view("Recall data", s.RecallData.Subsystem, fact{"Notices", thousands(s.RecallData.Notices)}, fact{"Serial", thousands(int(s.RecallData.Serial))}),
	}
}

func milliseconds(ms *float64) string {
	if ms == nil {
		return "no answer"
	}
	return took(time.Duration(*ms * float64(time.Millisecond)))
}

func rate(percent *float64) string {
	if percent == nil {
		return "no traffic yet"
	}
	return fmt.Sprintf("%.1f %%", *percent)
}

// agencyView is one agency's age beside its objective.
type agencyView struct {
	Code, StateWords string
	Tone             health.Status
	Share            string // of the bar that is filled, in per cent
	Says             string
	Reason           string // in a sentence
}

// agencyViews puts what is past its objective first.
func agencyViews(d *health.RecallData) []agencyView {
	sources := slices.Clone(d.Sources)
	slices.SortStableFunc(sources, func(a, b health.SourceAge) int { return cmp.Compare(agencyUrgency(&a), agencyUrgency(&b)) })
	views := make([]agencyView, len(sources))
	for i := range sources {
		src := &sources[i]
		objective := time.Duration(src.Objective) * time.Second
		v := agencyView{Code: src.Agency, StateWords: src.State, Share: "0", Reason: sentence(src.Reason)}
		if v.Reason == "" && src.Age == nil {
			v.Reason = "Never fetched."
		}
		v.Says = "Objective: " + span(objective) + " at most."
		if src.Age != nil {
			age := time.Duration(*src.Age) * time.Second
			v.Says = span(age) + " old, of " + span(objective) + " at most."
			v.Share = fmt.Sprintf("%.1f", 100*min(1, age.Seconds()/max(1, objective.Seconds())))
		}
		switch agencyUrgency(src) {
		case 0:
			v.Tone, v.Share = health.Unhealthy, "100"
		case 1:
			v.Tone = health.Degraded
		case 2:
			v.Tone = health.Unknown
		default:
			v.Tone = health.Healthy
		}
		views[i] = v
	}
	return views
}

// agencyUrgency is 0 for a source that is past its objective, 1 for one that is
// not whole or not new, 2 for one that isn't expected to be fetched, 3 for one that is well.
func agencyUrgency(s *health.SourceAge) int {
	switch {
	case s.Past:
		return 0
	case s.State == "partial" || s.State == "failing" || s.State == "stale":
		return 1
	case s.State != "ok":
		return 2
	}
	return 3
}

// severityTone is the colour of a finding.
func severityTone(severity string) health.Status {
	if severity == "CRITICAL" || severity == "HIGH" {
		return health.Unhealthy
	}
	return health.Degraded
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05 UTC") }

func capital(status health.Status) string {
	return strings.ToUpper(string(status[:1])) + string(status[1:])
}
