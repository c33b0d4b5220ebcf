package health

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const day = int64(86400)

// sound are facts with nothing wrong in them.
func sound() Subsystems {
	return Subsystems{
		Security:   Security{RunAt: new(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))},
		Cache:      Cache{HitRate: new(80.0), Requests: 1000},
		RecallData: RecallData{Loaded: true, Notices: 281, Serial: 281, Sources: []SourceAge{{Agency: "us-alpha", State: "ok", Age: new(day), Objective: day}}},
	}
}

func TestBandsBeginWhereTheContractSays(t *testing.T) {
	t.Parallel()
	for score, want := range map[int]Status{
		0: Critical, 49: Critical, 50: Warning, 69: Warning, 70: Degraded, 89: Degraded, 90: Healthy, 100: Healthy,
	} {
		if got := Band(score); got != want {
			t.Errorf("%d is %s, want %s", score, got, want)
		}
	}
}

func TestScore(t *testing.T) {
	t.Parallel()
	found := func(worst string, counts map[string]int) func(*Subsystems) {
		return func(f *Subsystems) { f.Security.Worst, f.Security.Findings = worst, counts }
	}
	cached := func(rate float64, requests int64) func(*Subsystems) {
		return func(f *Subsystems) { f.Cache.HitRate, f.Cache.Requests = &rate, requests }
	}
	sources := func(list ...SourceAge) func(*Subsystems) {
		return func(f *Subsystems) { f.RecallData.Sources = list }
	}
	fresh := SourceAge{Agency: "us-alpha", State: "ok", Age: new(day), Objective: day}
	stale := SourceAge{Agency: "us-beta", State: "stale", Age: new(day + 1), Objective: day}
	failing := SourceAge{Agency: "us-gamma", State: "failing", Objective: day}
	withheld := SourceAge{Agency: "kr-delta", State: "never", Objective: day, Withheld: true}
	for name, c := range map[string]struct {
		fault  func(*Subsystems)
		score  int
		status Status
		want   map[string]int    // penalties
		sick   map[string]Status // subsystems that aren't healthy
	}{
		"nothing wrong": {func(*Subsystems) {}, 100, Healthy, nil, nil},

		"no audit yet":             {func(f *Subsystems) { f.Security.RunAt = nil }, 100, Healthy, nil, map[string]Status{"security": Unknown}},
		"an audit that is overdue": {func(f *Subsystems) { found("LOW", map[string]int{"LOW": 1})(f); f.Security.Overdue = "of yesterday" }, 95, Healthy, map[string]int{"security_finding": 5}, map[string]Status{"security": Unhealthy}},
		"a LOW finding":            {found("LOW", map[string]int{"LOW": 1}), 95, Healthy, map[string]int{"security_finding": 5}, map[string]Status{"security": Degraded}},
		"a MEDIUM finding":         {found("MEDIUM", map[string]int{"MEDIUM": 1, "LOW": 9}), 85, Degraded, map[string]int{"security_finding": 15}, map[string]Status{"security": Degraded}},
		"a HIGH finding":           {found("HIGH", map[string]int{"HIGH": 1}), 70, Degraded, map[string]int{"security_finding": 30}, map[string]Status{"security": Unhealthy}},
		"CRITICAL findings, once":  {found("CRITICAL", map[string]int{"CRITICAL": 3, "HIGH": 2, "LOW": 1}), 50, Warning, map[string]int{"security_finding": 50}, map[string]Status{"security": Unhealthy}},
		"an audit without answer":  {func(f *Subsystems) { f.Security = Security{Subsystem: Subsystem{Failing: "no answer"}} }, 100, Healthy, nil, map[string]Status{"security": Unhealthy}},
		"storage fails":            {func(f *Subsystems) { f.Storage.Failing = "no answer" }, 80, Degraded, map[string]int{"storage_unhealthy": 20}, map[string]Status{"azure_storage": Unhealthy}},
		"storage is coming back":   {func(f *Subsystems) { f.Storage.Recovering = true }, 100, Healthy, nil, map[string]Status{"azure_storage": Degraded}},
		"the shared cache is gone": {func(f *Subsystems) { f.Cache.Failing = "no answer" }, 100, Healthy, nil, map[string]Status{"cache": Unhealthy}},

		"hit rate 49.9 of 99":  {cached(49.9, 99), 100, Healthy, nil, nil},
		"hit rate 49.9 of 100": {cached(49.9, 100), 90, Healthy, map[string]int{"cache_hit_rate": 10}, map[string]Status{"cache": Degraded}},
		"hit rate 50 of 100":   {cached(50, 100), 100, Healthy, nil, nil},
		"hit rate 0 of 99":     {cached(0, 99), 100, Healthy, nil, nil},
		"no hit rate":          {func(f *Subsystems) { f.Cache.HitRate, f.Cache.Requests = nil, 0 }, 100, Healthy, nil, nil},

		"100 exhaustions": {func(f *Subsystems) { f.Pool.Exhaustions = 100 }, 100, Healthy, nil, nil},
		"101 exhaustions": {func(f *Subsystems) { f.Pool.Exhaustions = 101 }, 85, Degraded, map[string]int{"pool_exhaustion": 15}, map[string]Status{"connection_pool": Unhealthy}},
		"database fails":  {func(f *Subsystems) { f.Database.Failing = "no answer" }, 75, Degraded, map[string]int{"database_failure": 25}, map[string]Status{"database": Unhealthy}},

		"a source at its objective":         {sources(fresh), 100, Healthy, nil, nil},
		"a source past its objective":       {sources(fresh, stale), 90, Healthy, map[string]int{"stale_source": 10}, map[string]Status{"recall_data": Degraded}},
		"several past it, once":             {sources(stale, failing, fresh), 90, Healthy, map[string]int{"stale_source": 10}, map[string]Status{"recall_data": Degraded}},
		"never fetched, although it can be": {sources(SourceAge{Agency: "us-e", State: "never", Objective: day}), 90, Healthy, map[string]int{"stale_source": 10}, map[string]Status{"recall_data": Degraded}},
		"partly read of files only":         {sources(SourceAge{Agency: "us-e", State: "partial", Objective: day}), 90, Healthy, map[string]int{"stale_source": 10}, map[string]Status{"recall_data": Degraded}},
		"partly read in time":               {sources(SourceAge{Agency: "us-e", State: "partial", Age: new(day), Objective: day}), 100, Healthy, nil, nil},
		"failing in time":                   {sources(SourceAge{Agency: "us-e", State: "failing", Age: new(day), Objective: day}), 100, Healthy, nil, nil},
		"never for want of a key":           {sources(fresh, withheld), 100, Healthy, nil, nil},
		"offline, all past": {func(f *Subsystems) {
			f.RecallData.Offline = true
			f.RecallData.Sources = []SourceAge{stale, failing, {Agency: "us-e", State: "never"}}
		}, 100, Healthy, nil, nil},
		"a catalogue that nobody follows": {func(f *Subsystems) { f.RecallData.Outdated = "as of yesterday" }, 100, Healthy, nil, map[string]Status{"recall_data": Degraded}},
		"no catalogue":                    {func(f *Subsystems) { f.RecallData = RecallData{} }, 50, Warning, map[string]int{"no_catalogue": 50}, map[string]Status{"recall_data": Unhealthy}},
		"no word of a catalogue":          {func(f *Subsystems) { f.RecallData = RecallData{Subsystem: Subsystem{Failing: "no answer"}} }, 50, Warning, map[string]int{"no_catalogue": 50}, map[string]Status{"recall_data": Unhealthy}},

		"storage and database": {func(f *Subsystems) {
			f.Storage.Failing, f.Database.Failing = "no answer", "no answer"
		}, 55, Warning, map[string]int{"storage_unhealthy": 20, "database_failure": 25}, map[string]Status{"azure_storage": Unhealthy, "database": Unhealthy}},
		"everything at once never goes below 0": {func(f *Subsystems) {
			f.Security.Worst, f.Security.Findings = "CRITICAL", map[string]int{"CRITICAL": 1}
			f.Storage.Failing, f.Cache.Failing, f.Database.Failing = "no answer", "no answer", "no answer"
			f.Cache.HitRate, f.Pool.Exhaustions = new(1.0), 1000
			f.RecallData = RecallData{Sources: []SourceAge{stale}}
		}, 0, Critical, map[string]int{
			"security_finding": 50, "storage_unhealthy": 20, "cache_hit_rate": 10, "pool_exhaustion": 15, "database_failure": 25, "no_catalogue": 50, "stale_source": 10,
		}, map[string]Status{
			"security": Unhealthy, "azure_storage": Unhealthy, "cache": Unhealthy, "connection_pool": Unhealthy, "database": Unhealthy, "recall_data": Unhealthy,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			facts := sound()
			c.fault(&facts)
			got := Score(facts)
			if got.Score != c.score || got.Status != c.status {
				t.Errorf("%d %s, want %d %s: %+v", got.Score, got.Status, c.score, c.status, got.Penalties)
			}
			penalties := map[string]int{}
			for _, p := range got.Penalties {
				penalties[p.Reason] += p.Points
				if len(p.Why) < 20 || p.Why[len(p.Why)-1] != '.' {
					t.Errorf("%s: %q is no sentence", p.Reason, p.Why)
				}
			}
			if c.want == nil {
				c.want = map[string]int{}
			}
			if diff := cmp.Diff(c.want, penalties); diff != "" {
				t.Errorf("penalties (-want +got):\n%s", diff)
			}
			for name, s := range subsystems(&got) {
				want := Healthy
				if sick, is := c.sick[name]; is {
					want = sick
				}
				if s.Status != want || (len(s.Issues) == 0) != (want == Healthy) || s.Issues == nil {
					t.Errorf("%s is %s with %q, want %s", name, s.Status, s.Issues, want)
				}
			}
		})
	}
}

func subsystems(d *Dashboard) map[string]*Subsystem {
	s := &d.Subsystems
	return map[string]*Subsystem{
		"security": &s.Security.Subsystem, "azure_storage": &s.Storage.Subsystem, "cache": &s.Cache.Subsystem,
		"connection_pool": &s.Pool.Subsystem, "database": &s.Database.Subsystem, "recall_data": &s.RecallData.Subsystem,
	}
}

func TestPastTheObjectiveIsShownForEachSource(t *testing.T) {
	t.Parallel()
	facts := sound()
	facts.RecallData.Sources = []SourceAge{
		{Agency: "a", State: "ok", Age: new(day), Objective: day}, {Agency: "b", State: "stale", Age: new(day + 1), Objective: day},
		{Agency: "c", State: "never", Withheld: true}, {Agency: "d", State: "never"}, {Agency: "e", State: "stale", Withheld: true},
	}
	past := func(d Dashboard) (list []string) {
		for _, s := range d.Subsystems.RecallData.Sources {
			if s.Past {
				list = append(list, s.Agency)
			}
		}
		return list
	}
	if got := past(Score(facts)); !slices.Equal(got, []string{"b", "d", "e"}) {
		t.Errorf("past: %v", got)
	}
	facts.RecallData.Offline = true
	if got := past(Score(facts)); got != nil {
		t.Errorf("past while offline: %v", got)
	}
}

func TestTheScoreIsAHundredLessThePenalties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fault := rapid.SampledFrom([]string{"", "no answer"})
		worst := rapid.SampledFrom([]string{"", "LOW", "MEDIUM", "HIGH", "CRITICAL"}).Draw(t, "worst")
		facts := sound()
		facts.Security.Worst, facts.Security.Findings = worst, map[string]int{worst: 1}
		facts.Storage.Failing, facts.Database.Failing = fault.Draw(t, "storage"), fault.Draw(t, "database")
		facts.Cache.HitRate, facts.Cache.Requests = new(rapid.Float64Range(0, 100).Draw(t, "rate")), rapid.Int64Range(0, 200).Draw(t, "requests")
		facts.Pool.Exhaustions = rapid.Int64Range(0, 200).Draw(t, "exhaustions")
		facts.RecallData.Loaded = rapid.Bool().Draw(t, "loaded")
		facts.RecallData.Sources[0].Age = new(rapid.Int64Range(0, 2*day).Draw(t, "age"))
		got := Score(facts)
		points, reasons := 0, map[string]bool{}
		for _, p := range got.Penalties {
			if reasons[p.Reason] {
				t.Errorf("%s counts twice", p.Reason)
			}
			points, reasons[p.Reason] = points+p.Points, true
		}
		if got.Score != max(0, 100-points) || got.Status != Band(got.Score) {
			t.Errorf("%d %s with %d points of penalties", got.Score, got.Status, points)
		}
	})
}

func TestReuseRateIsHonest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		reused, requests int64
		want             *float64
	}{{0, 0, nil}, {0, 3, new(0.0)}, {1, 3, new(33.33)}, {3, 3, new(100.0)}, {999_999, 1_000_000, new(99.99)}, {1, 1_000_000, new(0.01)}} {
		facts := sound()
		facts.Pool.Requests, facts.Pool.Reused = c.requests, c.reused
		if diff := cmp.Diff(c.want, Score(facts).Subsystems.Pool.ReuseRate); diff != "" {
			t.Errorf("%d of %d: %s", c.reused, c.requests, diff)
		}
	}
}
