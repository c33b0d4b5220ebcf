package health

import (
	"fmt"
	"slices"
	"strings"
)

// What each reason takes off the score.
const (
	storagePoints     = 20
	cachePoints       = 10
	poolPoints        = 15
	databasePoints    = 25
	stalePoints       = 10
	noCataloguePoints = 50
)

const (
	// cacheRequests is how many times something must have been looked for before
	// the hit rate says anything.
	cacheRequests = 100
	// cacheHitRate is the hit rate, in percent, below which it costs points.
	cacheHitRate = 50
	// poolExhaustions is how many an hour may have.
	poolExhaustions = 100
)

// severities are those of findings, the worst first, with the points of each.
var severities = []struct {
	name   string
	points int
}{{"CRITICAL", 50}, {"HIGH", 30}, {"MEDIUM", 15}, {"LOW", 5}}

// Score judges the facts: it returns the subsystems with their status and issues,
// the penalties in order of the subsystems, the score and its band.
func Score(facts Subsystems) Dashboard {
	r := Dashboard{Penalties: []Penalty{}}
	r.security(facts.Security)
	r.storage(facts.Storage)
	r.cache(facts.Cache)
	r.pool(facts.Pool)
	r.database(facts.Database)
	r.recallData(facts.RecallData)
	r.Score = 100
	for _, p := range r.Penalties {
		r.Score = max(0, r.Score-p.Points)
	}
	r.Status = Band(r.Score)
	return r
}

// Band is the status that a score means.
func Band(score int) Status {
	switch {
	case score >= 90:
		return Healthy
	case score >= 70:
		return Degraded
	case score >= 50:
		return Warning
	}
	return Critical
}

func (r *Dashboard) penalise(reason string, points int, why string) {
	r.Penalties = append(r.Penalties, Penalty{Reason: reason, Points: points, Why: why})
}

// judged is the state of a subsystem of which only this fact is known.
func judged(fact Subsystem) Subsystem {
	s := Subsystem{Status: Healthy, Issues: []string{}, Failing: fact.Failing}
	if s.Failing != "" {
		s.worsen(Unhealthy, s.Failing)
	}
	return s
}

// worsen notes an issue and what it means; a status never gets better by it.
func (s *Subsystem) worsen(to Status, issue string) {
	s.Issues = append(s.Issues, issue)
	if s.Status != Unhealthy {
		s.Status = to
	}
}

// security takes the points of the worst finding, once, however many there are. An
// audit that is overdue says so and goes on counting for what it found.
func (r *Dashboard) security(s Security) {
	s.Subsystem = judged(s.Subsystem)
	if s.Findings == nil {
		s.Findings = map[string]int{}
	}
	defer func() { r.Subsystems.Security = s }()
	if s.Failing != "" {
		return
	}
	if s.RunAt == nil {
		s.Status = Unknown
		s.Issues = []string{"no security audit has run yet"}
		return
	}
	for _, severity := range severities {
		if n := s.Findings[severity.name]; n > 0 {
			s.Issues = append(s.Issues, fmt.Sprintf("%s of severity %s", counted(n, "finding", "findings"), severity.name))
		}
	}
	if s.Overdue != "" {
		s.worsen(Unhealthy, s.Overdue)
	}
	for _, severity := range severities {
		if s.Worst != severity.name {
			continue
		}
		if s.Status == Healthy {
			s.Status = Degraded
		}
		if severity.points >= 30 {
			s.Status = Unhealthy
		}
		r.penalise("security_finding", severity.points, "The worst finding of the last security audit is "+severity.name+".")
	}
}

func (r *Dashboard) storage(s Storage) {
	s.Subsystem = judged(s.Subsystem)
	switch {
	case s.Failing != "":
		r.penalise("storage_unhealthy", storagePoints, "The store of objects can't be used: "+s.Failing+".")
	case s.Recovering:
		s.worsen(Degraded, "it answers again, and is about to be used again")
	}
	r.Subsystems.Storage = s
}

// cache takes points for the hit rate alone: without its shared level the process
// goes on with its own, and what that costs shows in the rate.
func (r *Dashboard) cache(c Cache) {
	c.Subsystem = judged(c.Subsystem)
	if c.HitRate != nil && c.Requests >= cacheRequests && *c.HitRate < cacheHitRate {
		why := fmt.Sprintf("%s %% of %d requests were hits, fewer than %d %%", decimal(*c.HitRate), c.Requests, cacheHitRate)
		c.worsen(Degraded, why)
		r.penalise("cache_hit_rate", cachePoints, "The cache seldom has what is looked for: "+why+".")
	}
	r.Subsystems.Cache = c
}

func (r *Dashboard) pool(p Pool) {
	p.Subsystem = judged(p.Subsystem)
	if p.Requests > 0 {
		p.ReuseRate = new(percent(p.Reused, p.Requests))
	}
	if p.Exhaustions > poolExhaustions {
		why := fmt.Sprintf("%d times in the last hour everything was in use, more than %d", p.Exhaustions, poolExhaustions)
		p.worsen(Unhealthy, why)
		r.penalise("pool_exhaustion", poolPoints, "The pools are too small for what is asked: "+why+".")
	}
	r.Subsystems.Pool = p
}

func (r *Dashboard) database(d Database) {
	d.Subsystem = judged(d.Subsystem)
	if d.Failing != "" {
		r.penalise("database_failure", databasePoints, "The database fails: "+d.Failing+".")
	}
	r.Subsystems.Database = d
}

// recallData takes points once for all the sources that are past their objective,
// and more when there is no catalogue at all.
func (r *Dashboard) recallData(d RecallData) {
	d.Subsystem = judged(d.Subsystem)
	d.Sources = slices.Clone(d.Sources)
	if d.Sources == nil {
		d.Sources = []SourceAge{}
	}
	var past []string
	for i := range d.Sources {
		s := &d.Sources[i]
		if s.Past = !d.Offline && s.past(); s.Past {
			past = append(past, s.Agency)
		}
	}
	switch {
	case d.Failing != "": // what can't be told is not taken for good
		r.penalise("no_catalogue", noCataloguePoints, "Whether a catalogue is loaded can't be told: "+d.Failing+".")
	case !d.Loaded:
		d.worsen(Unhealthy, "no catalogue is loaded")
		r.penalise("no_catalogue", noCataloguePoints, "No catalogue is loaded: nothing can be told of any product.")
	}
	if d.Outdated != "" {
		d.worsen(Degraded, "the catalogue is "+d.Outdated)
	}
	if len(past) > 0 {
		why := counted(len(past), "source is", "sources are") + " past the freshness objective: " + strings.Join(past, ", ")
		d.worsen(Degraded, why)
		r.penalise("stale_source", stalePoints, why+".")
	}
	r.Subsystems.RecallData = d
}

// past reports that a source is older than it may be. One that was never fetched
// is, unless it can't be for want of a key.
func (s *SourceAge) past() bool {
	if s.Age == nil {
		return !(s.State == "never" && s.Withheld)
	}
	return *s.Age > s.Objective
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
