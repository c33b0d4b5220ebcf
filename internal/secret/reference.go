package secret

import (
	"errors"
	"regexp"
	"strings"
)

// Reference names a secret of an Azure Key Vault.
type Reference struct {
	Host    string // VAULT.vault.azure.net
	Name    string
	Version string // empty: the newest
}

// scheme begins a reference.
const scheme = "keyvault://"

// suffixes end the hosts of vaults, in each of Azure's clouds:
// https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates.
// A host elsewhere is refused, so that no token is ever shown to it.
var suffixes = []string{".vault.azure.net", ".vault.azure.cn", ".vault.usgovcloudapi.net"}

var (
	// vaultName is the rule for names of vaults, secretName that for names of
	// secrets: the same page, under "Object types and URI".
	vaultName     = regexp.MustCompile(`^[a-z][a-z0-9-]{1,22}[a-z0-9]$`)
	secretName    = regexp.MustCompile(`^[A-Za-z0-9-]{1,127}$`)
	secretVersion = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

var errReference = errors.New("is no reference to a secret of a Key Vault: give keyvault://VAULT/NAME or keyvault://VAULT/NAME/VERSION, " +
	"VAULT being its name, or its host in another of Azure's clouds")

// ParseReference reads keyvault://VAULT/NAME and keyvault://VAULT/NAME/VERSION. Of
// any other text it says that it is no reference. The error doesn't repeat it.
func ParseReference(text string) (ref Reference, is bool, err error) {
	rest, is := cutScheme(text)
	if !is {
		return Reference{}, false, nil
	}
	parts := strings.Split(rest, "/")
	if len(parts) < 2 || len(parts) > 3 || !secretName.MatchString(parts[1]) || len(parts) == 3 && !secretVersion.MatchString(parts[2]) {
		return Reference{}, true, errReference
	}
	host, ok := vaultHost(strings.ToLower(parts[0]))
	if !ok {
		return Reference{}, true, errReference
	}
	ref = Reference{Host: host, Name: parts[1]}
	if len(parts) == 3 {
		ref.Version = parts[2]
	}
	return ref, true, nil
}

func cutScheme(text string) (rest string, is bool) {
	if len(text) < len(scheme) || !strings.EqualFold(text[:len(scheme)], scheme) {
		return "", false
	}
	return text[len(scheme):], true
}

func vaultHost(vault string) (host string, ok bool) {
	if vaultName.MatchString(vault) {
		return vault + suffixes[0], true
	}
	for _, suffix := range suffixes {
		if name, found := strings.CutSuffix(vault, suffix); found {
			return vault, vaultName.MatchString(name)
		}
	}
	return "", false
}
