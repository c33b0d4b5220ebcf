package azure

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

// access is where the account is and what opens it: a key, a shared access
// signature or an identity.
type access struct {
	endpoint string
	name     string // of the account, with a key
	rawKey   string
	key      *container.SharedKeyCredential
	sas      string
	identity azcore.TokenCredential
}

// accessOf finds the one way in that options name.
func accessOf(o Options) (access, error) {
	a := access{endpoint: o.AccountURL, name: o.AccountName, rawKey: o.AccountKey, sas: o.SAS}
	if o.ConnectionString != "" {
		var err error
		if a, err = parseConnectionString(o.ConnectionString); err != nil {
			return access{}, err
		}
	}
	a.sas = strings.TrimPrefix(a.sas, "?")
	if u, err := url.Parse(a.endpoint); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.User != nil {
		return access{}, errors.New("the account's URL is not one like https://NAME.blob.core.windows.net")
	}
	a.endpoint = strings.TrimSuffix(a.endpoint, "/")
	var err error
	switch {
	case a.rawKey != "" && a.name == "":
		return access{}, errors.New("an account key needs the account's name")
	case a.rawKey != "":
		if a.key, err = container.NewSharedKeyCredential(a.name, a.rawKey); err != nil {
			return access{}, errors.New("the account key is not base64")
		}
	case a.sas != "":
	case o.credential != nil:
		a.identity = o.credential
	default:
		if a.identity, err = machineIdentity(o.ClientID); err != nil {
			return access{}, fmt.Errorf("looking for the machine's identity: %w", err)
		}
	}
	return a, nil
}

// parseConnectionString reads what the portal shows; see
// https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string.
// Its errors hold nothing of it.
func parseConnectionString(text string) (access, error) {
	fields := map[string]string{}
	for part := range strings.SplitSeq(strings.Trim(text, "; \n"), ";") {
		name, value, found := strings.Cut(part, "=")
		if !found {
			return access{}, errors.New("the connection string is not made of NAME=VALUE pairs with semicolons between them")
		}
		fields[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	a := access{
		endpoint: fields["BlobEndpoint"], name: fields["AccountName"],
		rawKey: fields["AccountKey"], sas: fields["SharedAccessSignature"],
	}
	if a.endpoint == "" && a.name == "" {
		return access{}, errors.New("the connection string has neither AccountName nor BlobEndpoint")
	}
	if a.rawKey == "" && a.sas == "" {
		return access{}, errors.New("the connection string has neither AccountKey nor SharedAccessSignature")
	}
	if a.endpoint == "" {
		scheme, suffix := fields["DefaultEndpointsProtocol"], fields["EndpointSuffix"]
		if scheme == "" {
			scheme = "https"
		}
		if suffix == "" {
			suffix = "core.windows.net"
		}
		a.endpoint = scheme + "://" + a.name + ".blob." + suffix
	}
	return a, nil
}

// machineIdentity is a workload identity where Kubernetes has mounted one, the
// managed identity that is named, or whatever the environment has.
func machineIdentity(clientID string) (azcore.TokenCredential, error) {
	switch {
	case os.Getenv("AZURE_FEDERATED_TOKEN_FILE") != "":
		return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientID: clientID})
	case clientID != "":
		return azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{ID: azidentity.ClientID(clientID)})
	}
	return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
		ClientOptions: policy.ClientOptions{Telemetry: policy.TelemetryOptions{ApplicationID: "crownsafe"}},
	})
}

// secrets returns what replaces the account's secrets in a text.
func (a access) secrets() *strings.Replacer {
	const hidden = "[secret]"
	var pairs []string
	for _, secret := range []string{a.rawKey, a.sas} {
		if secret != "" {
			pairs = append(pairs, secret, hidden, url.QueryEscape(secret), hidden)
		}
	}
	if query, err := url.ParseQuery(a.sas); err == nil && query.Get("sig") != "" {
		pairs = append(pairs, query.Get("sig"), hidden, url.QueryEscape(query.Get("sig")), hidden)
	}
	return strings.NewReplacer(pairs...)
}
