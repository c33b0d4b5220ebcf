package keyvault

import (
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/crownsafe/api/internal/secret"
	"github.com/crownsafe/api/internal/testenv/vault"
)

const canary = "canary-hunter2"

// vaultsOf are the vaults of a workload whose identity the vault's authority knows.
func vaultsOf(t *testing.T, v *vault.Vault) *Vaults {
	t.Helper()
	transport := v.HTTPClient(t)
	tenant, client, assertion := v.Identity()
	identity, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: azcore.ClientOptions{Transport: transport}, TenantID: tenant, ClientID: client, TokenFilePath: assertion,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &Vaults{credential: identity, transport: transport}
}

func reference(t *testing.T, text string) secret.Reference {
	t.Helper()
	ref, is, err := secret.ParseReference(text)
	if err != nil || !is {
		t.Fatalf("%s: %v", text, err)
	}
	return ref
}

// TestRead: a secret's newest version, or the one that is named, with when it was
// made; the token is asked for where the vault's challenge says, once.
func TestRead(t *testing.T) {
	t.Parallel()
	v := vault.Start(t)
	vaults := vaultsOf(t, v)
	first, second := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	version := v.Set("key", "one", first)
	v.Set("key", canary, second)
	for text, want := range map[string]secret.Value{
		"keyvault://crown/key":            {Text: canary, ChangedAt: second},
		"keyvault://crown/key/" + version: {Text: "one", ChangedAt: first},
	} {
		got, err := vaults.Read(t.Context(), reference(t, text))
		if err != nil || got.Text != want.Text || !got.ChangedAt.Equal(want.ChangedAt) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	if authorised, challenged := v.Asked(); authorised != 2 || challenged != 1 {
		t.Errorf("the vault was asked %d times with its token and %d times without", authorised, challenged)
	}
	v.Set("key", "three", second)
	if got, err := vaults.Read(t.Context(), reference(t, "keyvault://crown/key")); err != nil || got.Text != "three" {
		t.Errorf("after a rotation: %+v, %v", got, err)
	}
}

// TestFailuresTellNoSecrets, and say what is wrong.
func TestFailuresTellNoSecrets(t *testing.T) {
	t.Parallel()
	v := vault.Start(t)
	v.Set("gone", canary, time.Now())
	v.Disable("gone")
	nobody := vaultsOf(t, v)
	tenant, _, assertion := v.Identity()
	stranger, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: azcore.ClientOptions{Transport: nobody.transport}, TenantID: tenant, ClientID: "somebody-else", TokenFilePath: assertion,
	})
	if err != nil {
		t.Fatal(err)
	}
	nobody.credential = stranger
	for name, c := range map[string]struct {
		vaults *Vaults
		text   string
		want   string
	}{
		"a secret that isn't there": {vaultsOf(t, v), "keyvault://crown/none", "no such secret"},
		"a disabled one":            {vaultsOf(t, v), "keyvault://crown/gone", "may not read"},
		"an unknown identity":       {nobody, "keyvault://crown/gone", "gets no token"},
		"a vault that isn't there":  {vaultsOf(t, v), "keyvault://other/gone", "asking the vault"},
	} {
		_, err := c.vaults.Read(t.Context(), reference(t, c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestARotationReachesTheKeyring without a restart, and a vault that is down leaves
// what there is.
func TestARotationReachesTheKeyring(t *testing.T) {
	t.Parallel()
	v := vault.Start(t)
	v.Set("key", "one", time.Now())
	settings := map[string]string{"SECRET_KEY": "keyvault://crown/key"}
	lookup := func(name string) (string, bool) { value, ok := settings[name]; return value, ok }
	r := secret.NewResolver([]string{"SECRET_KEY"}, lookup, vaultsOf(t, v))
	if err := r.Resolve(t.Context()); err != nil {
		t.Fatal(err)
	}
	v.Set("key", "two", time.Now())
	var changed []string
	if err := r.Refresh(t.Context(), func(names []string) { changed = names }); err != nil || len(changed) != 1 {
		t.Errorf("changed %v, %v", changed, err)
	}
	v.Disable("key")
	if err := r.Refresh(t.Context(), func([]string) {}); err == nil || !strings.Contains(err.Error(), "SECRET_KEY") {
		t.Errorf("while it can't be read: %v", err)
	}
	if got, _ := r.Lookup("SECRET_KEY"); got != "two" || !r.Origins()[0].Failing {
		t.Errorf("the key is %q, %+v", got, r.Origins())
	}
}
