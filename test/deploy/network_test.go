package deploy

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestNetworkIsClosed: all pods are denied everything first, and each port that is
// opened is one that somebody asks.
func TestNetworkIsClosed(t *testing.T) {
	t.Parallel()
	type policy struct {
		Spec struct {
			PodSelector     map[string]any `yaml:"podSelector"`
			PolicyTypes     []string       `yaml:"policyTypes"`
			Ingress, Egress []struct {
				From, To []map[string]any
				Ports    []struct{ Port string }
			}
		}
	}
	built := render(t, kubernetesFolder+"/overlays/production")
	deny := as[policy](t, built.of(t, "NetworkPolicy default-deny")).Spec
	if len(deny.PodSelector) != 0 || !slices.Equal(deny.PolicyTypes, []string{"Ingress", "Egress"}) || len(deny.Ingress)+len(deny.Egress) != 0 {
		t.Errorf("default-deny: %+v", deny)
	}
	in, out := map[string]bool{}, map[string]bool{}
	for name, o := range built {
		if o.Kind != "NetworkPolicy" {
			continue
		}
		spec := as[policy](t, o).Spec
		for _, rule := range spec.Ingress {
			for _, p := range rule.Ports {
				in[p.Port] = true
			}
			if len(rule.From) == 0 || len(rule.Ports) == 0 {
				t.Errorf("%s lets everybody in", name)
			}
		}
		for _, rule := range spec.Egress {
			for _, p := range rule.Ports {
				out[p.Port] = true
			}
			if len(rule.To) == 0 || len(rule.Ports) == 0 {
				t.Errorf("%s lets everything out", name)
			}
		}
	}
	ports := func(m map[string]bool) string { return strings.Join(slices.Sorted(maps.Keys(m)), " ") }
	if ports(in) != "http" || ports(out) != "10000 4318 443 465 53 5432 587 6380 80" {
		t.Errorf("in by %s, out by %s", ports(in), ports(out))
	}
}
