package deploy

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/program"
)

// unseen are metrics that alerts and the dashboard ask for and that no server in
// this test tells, with the reason.
var unseen = map[string]string{
	"up":     "Prometheus' own",
	"ALERTS": "Prometheus' own",
}

// series are the names that a scrape tells, each with the names of its labels.
type series map[string]map[string]bool

// scrape asks a whole installation: every server is there, and the database speaks
// TLS, so that the series which depend on them are there too, and the first backup was
// made and verified.
func scrape(t *testing.T) series {
	t.Helper()
	redis, prefix := testenv.Redis(t)
	account, container := testenv.Azure(t)
	s := program.Serve(t, t.TempDir(), "DATABASE_URL="+testenv.Postgres(t), "REDIS_URL="+redis, "CROWNSAFE_REDIS_PREFIX="+prefix,
		"AZURE_STORAGE_CONNECTION_STRING="+account, "CROWNSAFE_AZURE_CONTAINER="+container,
		"CROWNSAFE_BACKUP_CONTAINER="+container+"-backups", "CROWNSAFE_BACKUP_SCHEDULE=02:00")
	testenv.Eventually(t, testenv.Patience, "a verified backup", func() bool {
		_, there := s.Metrics()["crownsafe_backup_age_seconds"]
		return there
	})
	found := series{}
	label := regexp.MustCompile(`([a-z_]+)="(?:[^"\\]|\\.)*"`)
	for one := range s.Metrics() {
		name, list, _ := strings.Cut(one, "{")
		names := map[string]bool{"job": true, "instance": true} // of the scrape
		for _, l := range label.FindAllStringSubmatch(list, -1) {
			names[l[1]] = true
		}
		found[name] = names
	}
	return found
}

// TestNothingIsAskedThatNobodyTells holds every selector of the alerts and of the
// dashboard against what the program tells: the name, and the labels.
func TestNothingIsAskedThatNobodyTells(t *testing.T) {
	t.Parallel()
	told := scrape(t)
	told.keepTheirLabels(t)
	expressions := map[string][]string{"alerts.yaml": nil, "crownsafe.json": dashboardExpressions(t)}
	for _, r := range rules(t) {
		expressions["alerts.yaml"] = append(expressions["alerts.yaml"], expressionOf(t, r))
		if r.record != "" {
			told[r.record] = map[string]bool{"job": true}
		}
	}
	asked := map[string]bool{}
	for file, list := range expressions {
		for _, e := range list {
			expr, err := parser.ParseExpr(e)
			if err != nil {
				t.Errorf("%s: %s: %v", file, e, err)
				continue
			}
			for _, selector := range parser.ExtractSelectors(expr) {
				name, others := split(selector)
				asked[name] = true
				if unseen[name] == "" {
					told.holds(t, file, name, others)
				}
			}
		}
	}
	for name := range unseen {
		if !asked[name] {
			t.Errorf("nobody asks for %s any more", name)
		}
		if told[name] != nil {
			t.Errorf("%s is told by now", name)
		}
	}
	if len(asked) < 50 {
		t.Errorf("only %d names are asked for: %q", len(asked), slices.Sorted(maps.Keys(asked)))
	}
}

// given are the labels that Prometheus Operator gives to all that a ServiceMonitor names. A
// metric's own label of such a name would be another in the cluster, as exported_endpoint.
var given = []string{"namespace", "pod", "service", "container", "endpoint", "node"}

// keepTheirLabels finds each label that the program's own would have to give way to among
// those that the ServiceMonitor takes off.
func (told series) keepTheirLabels(t *testing.T) {
	t.Helper()
	var dropped []string
	for _, e := range as[struct {
		Spec struct {
			Endpoints []struct {
				Relabelings []struct{ Action, Regex string }
			}
		}
	}](t, render(t, kubernetesFolder+"/overlays/production").of(t, "ServiceMonitor crownsafe-api")).Spec.Endpoints {
		for _, r := range e.Relabelings {
			if r.Action == "labeldrop" {
				dropped = append(dropped, r.Regex)
			}
		}
	}
	clash := map[string]bool{}
	for _, own := range told {
		for label := range own {
			if slices.Contains(given, label) {
				clash[label] = true
			}
		}
	}
	if own := slices.Sorted(maps.Keys(clash)); !slices.Equal(own, dropped) {
		t.Errorf("the program's labels %q are the operator's too, and %q are left to the program", own, dropped)
	}
}

func (told series) holds(t *testing.T, file, name string, others []string) {
	t.Helper()
	if told[name] == nil {
		t.Errorf("%s asks for %s, which nobody tells", file, name)
		return
	}
	for _, label := range others {
		if !told[name][label] {
			t.Errorf("%s asks for %s by its label %s, which it hasn't", file, name, label)
		}
	}
}

// split takes a selector's name apart from the labels that it asks for.
func split(selector []*labels.Matcher) (name string, others []string) {
	for _, m := range selector {
		if m.Name == model.MetricNameLabel {
			name = m.Value
		} else {
			others = append(others, m.Name)
		}
	}
	return name, others
}

// expressionOf is a rule's, on its line or below it.
func expressionOf(t *testing.T, r rule) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^        expr: (?:\|\n((?:          .*\n)+)|(.+)$)`).FindStringSubmatch(r.text)
	if m == nil {
		t.Fatalf("the rule %s%s has no expression", r.alert, r.record)
	}
	return m[1] + m[2]
}

// dashboardExpressions are those of every panel, with Grafana's variables filled in.
func dashboardExpressions(t *testing.T) []string {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Title, Type string
			Targets     []struct{ Expr string }
		}
		Annotations struct{ List []struct{ Expr string } }
	}
	if err := json.Unmarshal([]byte(read(t, dashboardFile)), &dashboard); err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("$__rate_interval", "5m", "$job", "crownsafe", "$instance", ".*")
	var list []string
	for _, p := range dashboard.Panels {
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("the panel %s asks for nothing", p.Title)
		}
		for _, target := range p.Targets {
			list = append(list, fill.Replace(target.Expr))
		}
	}
	for _, a := range dashboard.Annotations.List {
		list = append(list, fill.Replace(a.Expr))
	}
	if len(list) < 40 {
		t.Errorf("the dashboard has only %d expressions", len(list))
	}
	return list
}
