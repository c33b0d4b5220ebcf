package telemetry_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// collector is what of a collector's configuration can be wrong by itself; see
// https://opentelemetry.io/docs/collector/configuration/.
type collector struct {
	Extensions map[string]any
	Receivers  map[string]any
	Processors map[string]any
	Exporters  map[string]struct {
		Auth struct{ Authenticator string }
	}
	Service struct {
		Extensions []string
		Pipelines  map[string]struct{ Receivers, Processors, Exporters []string }
	}
}

// faults lists what is referred to and isn't there, is there and isn't referred to,
// or stands in the wrong order.
func (c *collector) faults() (list []string) {
	used := map[string]bool{}
	refer := func(from, kind, name string, defined bool) {
		used[kind+" "+name] = true
		if !defined {
			list = append(list, from+" refers to the "+kind+" "+name+", which isn't defined")
		}
	}
	for _, name := range c.Service.Extensions {
		refer("the service", "extension", name, has(c.Extensions, name))
	}
	for name, p := range c.Service.Pipelines {
		for _, r := range p.Receivers {
			refer(name, "receiver", r, has(c.Receivers, r))
		}
		for _, r := range p.Processors {
			refer(name, "processor", r, has(c.Processors, r))
		}
		for _, e := range p.Exporters {
			refer(name, "exporter", e, has(c.Exporters, e))
		}
		if n := len(p.Processors); n < 2 || p.Processors[0] != "memory_limiter" || p.Processors[n-1] != "batch" {
			list = append(list, name+" doesn't begin with memory_limiter and end with batch")
		}
	}
	for name, e := range c.Exporters {
		if a := e.Auth.Authenticator; a != "" {
			refer(name, "extension", a, has(c.Extensions, a) && slices.Contains(c.Service.Extensions, a))
		}
	}
	defined := map[string][]string{"extension": keys(c.Extensions), "receiver": keys(c.Receivers), "processor": keys(c.Processors), "exporter": keys(c.Exporters)}
	for kind, names := range defined {
		for _, name := range names {
			if !used[kind+" "+name] {
				list = append(list, "nobody uses the "+kind+" "+name)
			}
		}
	}
	return list
}

func has[V any](m map[string]V, name string) bool { _, ok := m[name]; return ok }

func keys[V any](m map[string]V) (names []string) {
	for name := range m {
		names = append(names, name)
	}
	return names
}

func TestTheCollectorsConfigurationIsWhole(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../deploy/otel/collector.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var c collector
	if err := yaml.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	for _, fault := range c.faults() {
		t.Error(fault)
	}
	for _, signal := range []string{"traces", "logs"} {
		if p := c.Service.Pipelines[signal]; !slices.Contains(p.Receivers, "otlp") || !slices.Contains(p.Exporters, "otlphttp/azuremonitor") {
			t.Errorf("%s don't go from OTLP to Azure: %+v", signal, p)
		}
	}
	page, err := os.ReadFile("../../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, variable := range regexp.MustCompile(`\$\{env:(\w+)\}`).FindAllStringSubmatch(string(raw), -1) {
		if !strings.Contains(string(page), "`"+variable[1]+"`") {
			t.Errorf("docs/observability.md doesn't tell of %s", variable[1])
		}
	}
}

func TestFaultsOfACollectorAreFound(t *testing.T) {
	t.Parallel()
	const text = `
receivers: {otlp: {}, unused: {}}
processors: {batch: {}, memory_limiter: {}}
exporters: {otlphttp: {auth: {authenticator: azureauth}}}
service: {pipelines: {traces: {receivers: [otlp], processors: [batch, memory_limiter], exporters: [otlphttp, other]}}}`
	var c collector
	if err := yaml.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	found := strings.Join(c.faults(), "\n")
	for _, want := range []string{"the exporter other", "the receiver unused", "the extension azureauth", "doesn't begin with memory_limiter"} {
		if !strings.Contains(found, want) {
			t.Errorf("%q isn't found among:\n%s", want, found)
		}
	}
}
