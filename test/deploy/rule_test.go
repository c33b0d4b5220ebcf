package deploy

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the files anew that are made from others")

const ruleFile = kubernetesFolder + "/components/monitoring/prometheusrule.yaml"

// TestPrometheusRule holds the rule of the cluster to the alerts, of which it is a copy.
func TestPrometheusRule(t *testing.T) {
	t.Parallel()
	var want strings.Builder
	want.WriteString("# Made from deploy/prometheus/alerts.yaml by `make docs`. Change that, not this.\n" +
		"apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: crownsafe\n" +
		"  labels:\n    app.kubernetes.io/name: crownsafe\n    app.kubernetes.io/part-of: crownsafe\nspec:\n")
	_, groups, found := strings.Cut(read(t, alertsFile), "\ngroups:\n")
	if !found {
		t.Fatal("the alerts have no groups")
	}
	for line := range strings.Lines("groups:\n" + groups) {
		if line != "\n" {
			line = "  " + line
		}
		want.WriteString(line)
	}
	if *update {
		if err := os.WriteFile(ruleFile, []byte(want.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want.String(), read(t, ruleFile)); diff != "" {
		t.Errorf("%s is not as the alerts are; run make docs: %s", ruleFile, diff)
	}
}
