package deploy

import (
	"regexp"
	"strings"
	"testing"
)

// TestEveryMetricIsDocumented, and none is documented that nobody tells.
func TestEveryMetricIsDocumented(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	page := read(t, "../../docs/observability.md")
	cell := regexp.MustCompile("`([a-z_]+)`")
	metrics, _, _ := strings.Cut(page, "\n## Traces and logs") // whose tables have other names
	for line := range strings.Lines(metrics) {
		if strings.HasPrefix(line, "| `") {
			for _, name := range cell.FindAllStringSubmatch(strings.Split(line, "|")[1], -1) {
				documented[name[1]] = true
			}
		}
	}
	told := map[string]bool{}
	for name := range scrape(t) {
		if strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_") {
			continue
		}
		for _, part := range []string{"_bucket", "_sum", "_count"} {
			name = strings.TrimSuffix(name, part)
		}
		told[name] = true
		if !documented[name] {
			t.Errorf("docs/observability.md does not tell of %s", name)
		}
	}
	for name := range documented {
		if !told[name] && unseen[name] == "" {
			t.Errorf("docs/observability.md tells of %s, which isn't there", name)
		}
	}
	if len(told) < 50 {
		t.Errorf("only %d metrics are told", len(told))
	}
}
