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
	if ports(in) != "8089 http" || ports(out) != "10000 4318 443 465 53 5432 587 6380 80" {
		t.Errorf("in by %s, out by %s", ports(in), ports(out))
	}
}

// TestCertificatesAreIssued: what clients ask for is of an issuer that they trust, the
// smoke test among them, and the pods by which cert-manager shows whose name it is can be
// asked for that, though everything else is closed.
func TestCertificatesAreIssued(t *testing.T) {
	t.Parallel()
	for _, overlay := range overlays {
		built := render(t, kubernetesFolder+"/overlays/"+overlay)
		if issuer := built.of(t, "Ingress crownsafe-api").Metadata.Annotations["cert-manager.io/cluster-issuer"]; issuer != "letsencrypt" {
			t.Errorf("%s: the certificate is of %q", overlay, issuer)
		}
		policy := as[struct {
			Spec struct {
				PodSelector struct {
					MatchLabels map[string]string `yaml:"matchLabels"`
				} `yaml:"podSelector"`
				Ingress []struct {
					From []struct {
						NamespaceSelector struct {
							MatchLabels map[string]string `yaml:"matchLabels"`
						} `yaml:"namespaceSelector"`
					}
					Ports []struct{ Port int }
				}
			}
		}](t, built.of(t, "NetworkPolicy certificates")).Spec
		if policy.PodSelector.MatchLabels["acme.cert-manager.io/http01-solver"] != "true" || len(policy.Ingress) != 1 || len(policy.Ingress[0].From) != 1 ||
			policy.Ingress[0].From[0].NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"] != "ingress-nginx" || len(policy.Ingress[0].Ports) != 1 || policy.Ingress[0].Ports[0].Port != 8089 {
			t.Errorf("%s: %+v", overlay, policy)
		}
	}
}

// TestTheVaultIsOpened: the operator asks for a token of the account by the client's id
// that stands on it, and refuses a store that doesn't name the tenant.
func TestTheVaultIsOpened(t *testing.T) {
	t.Parallel()
	for _, overlay := range overlays {
		built := render(t, kubernetesFolder+"/overlays/"+overlay)
		vault := as[struct {
			Spec struct {
				Provider struct {
					AzureKV struct {
						AuthType          string                `yaml:"authType"`
						TenantID          string                `yaml:"tenantId"`
						ServiceAccountRef struct{ Name string } `yaml:"serviceAccountRef"`
					} `yaml:"azurekv"`
				}
			}
		}](t, built.of(t, "SecretStore crownsafe-vault")).Spec.Provider.AzureKV
		account := built.of(t, "ServiceAccount "+vault.ServiceAccountRef.Name)
		if vault.AuthType != "WorkloadIdentity" || vault.TenantID == "" || account.Metadata.Annotations["azure.workload.identity/client-id"] == "" {
			t.Errorf("%s: %+v, %v", overlay, vault, account.Metadata.Annotations)
		}
	}
}
