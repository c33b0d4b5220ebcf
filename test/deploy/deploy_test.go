// Package deploy tests what stands in the folder deploy: the alerts fire when they
// should and have their pages, and alerts and dashboard ask for nothing that the
// program doesn't tell.
package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

const (
	prometheusFolder = "../../deploy/prometheus"
	alertsFile       = prometheusFolder + "/alerts.yaml"
	dashboardFile    = "../../deploy/grafana/crownsafe.json"
	playbooks        = "../../docs/playbooks"
)

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// rule is a rule of the alerts' file, as it is written there.
type rule struct{ alert, record, text string }

var ruleStart = regexp.MustCompile(`(?m)^      - (alert|record): (\S+)$`)

func rules(t *testing.T) []rule {
	t.Helper()
	file := read(t, alertsFile)
	var list []rule
	starts := ruleStart.FindAllStringSubmatchIndex(file, -1)
	for i, at := range starts {
		end := len(file)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		r := rule{text: file[at[0]:end]}
		if file[at[2]:at[3]] == "alert" {
			r.alert = file[at[4]:at[5]]
		} else {
			r.record = file[at[4]:at[5]]
		}
		list = append(list, r)
	}
	if len(list) < 40 {
		t.Fatalf("only %d rules were read", len(list))
	}
	return list
}

func alerts(t *testing.T) []rule {
	return slices.DeleteFunc(rules(t), func(r rule) bool { return r.alert == "" })
}

// TestAlertsFire runs the alerts' own tests, as Prometheus reads them.
func TestAlertsFire(t *testing.T) {
	t.Parallel()
	testenv.Promtool(t, prometheusFolder, "", "check", "rules", "alerts.yaml")
	testenv.Promtool(t, prometheusFolder, "", "check", "config", "--syntax-only", "prometheus.yaml")
	for _, file := range testFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			testenv.Promtool(t, prometheusFolder, "", "test", "rules", filepath.Base(file))
		})
	}
}

func testFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(prometheusFolder + "/*_test.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no tests of the alerts: %v", err)
	}
	return files
}

// TestEveryAlertIsTested finds for each alert a test by its name, in which nothing
// fires, then the alert, and then nothing again.
func TestEveryAlertIsTested(t *testing.T) {
	t.Parallel()
	cases := map[string]string{}
	for _, file := range testFiles(t) {
		for _, c := range strings.Split(read(t, file), "\n  - name: ")[1:] {
			name, text, _ := strings.Cut(c, "\n")
			cases[name] = text
		}
	}
	for _, a := range alerts(t) {
		text := cases[a.alert]
		fires := strings.Index(text, `alertname="`+a.alert+`"`)
		if fires < 0 {
			t.Errorf("no test named %s lets it fire", a.alert)
			continue
		}
		if !strings.Contains(text[fires:], "exp_samples: []") {
			t.Errorf("the test of %s doesn't see it end", a.alert)
		}
		if !strings.Contains(text[:fires], "exp_samples: []") && a.alert != "CertificateExpiresNow" { // which the milder one comes before
			t.Errorf("the test of %s doesn't begin in silence", a.alert)
		}
	}
}

// TestEveryAlertHasItsPlaybook and no page is left of one that is gone.
func TestEveryAlertHasItsPlaybook(t *testing.T) {
	t.Parallel()
	var want, got []string
	for _, a := range alerts(t) {
		want = append(want, a.alert+".md")
		for _, part := range []string{"severity: ", "summary: ", "description: ", "runbook_url: https://github.com/crownsafe/api/blob/main/docs/playbooks/" + a.alert + ".md\n"} {
			if !strings.Contains(a.text, part) {
				t.Errorf("%s has no %s", a.alert, strings.TrimSpace(part))
			}
		}
		if !regexp.MustCompile(`severity: (page|ticket)\n`).MatchString(a.text) {
			t.Errorf("%s is neither for a page nor for a ticket", a.alert)
		}
	}
	entries, err := os.ReadDir(playbooks)
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)
	for _, e := range entries {
		got = append(got, e.Name())
		page := read(t, filepath.Join(playbooks, e.Name()))
		for _, part := range []string{"# " + strings.TrimSuffix(e.Name(), ".md") + "\n", "\n## What it means\n", "\n## How to see it\n", "\n## What to do\n", "\n## When it is over\n"} {
			if !strings.Contains(page, part) {
				t.Errorf("%s lacks %q", e.Name(), part)
			}
		}
		for _, to := range link.FindAllStringSubmatch(page, -1) {
			if _, err := os.Stat(filepath.Join(playbooks, to[1])); err != nil {
				t.Errorf("%s leads to %s, which isn't there", e.Name(), to[1])
			}
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("alerts and playbooks: %s", diff)
	}
}
