// Package keyvault reads secrets out of Azure Key Vault with the identity of the
// workload or the machine. It implements secret.Reader, and knows nothing of what
// secrets are for. Its errors hold no secret and no token.
package keyvault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/crownsafe/api/internal/secret"
)

// patience bounds one read, with its retries and the identity's token.
const patience = 20 * time.Second

// Vaults reads secrets of any vault. The zero value uses the identity that the
// environment has: a workload identity, a managed one, or a developer's.
type Vaults struct {
	// credential and transport stand in for Azure's in tests.
	credential azcore.TokenCredential
	transport  policy.Transporter

	mu      sync.Mutex
	clients map[string]*azsecrets.Client // by host
}

var _ secret.Reader = (*Vaults)(nil)

// Read implements secret.Reader. A secret that is disabled can't be read.
func (v *Vaults) Read(ctx context.Context, ref secret.Reference) (secret.Value, error) {
	client, err := v.client(ref.Host)
	if err != nil {
		return secret.Value{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := client.GetSecret(ctx, ref.Name, ref.Version, nil)
	if err != nil {
		return secret.Value{}, said(err)
	}
	if answer.Value == nil {
		return secret.Value{}, errors.New("the vault's answer has no value")
	}
	value := secret.Value{Text: *answer.Value}
	// A version of a secret never changes: its creation is the rotation, and what
	// is updated later is only what is told about it.
	if a := answer.Attributes; a != nil && a.Created != nil {
		value.ChangedAt = *a.Created
	} else if a != nil && a.Updated != nil {
		value.ChangedAt = *a.Updated
	}
	return value, nil
}

// said words a client's error: its own text holds the whole answer.
func said(err error) error {
	if answer, ok := errors.AsType[*azcore.ResponseError](err); ok {
		switch answer.StatusCode {
		case http.StatusNotFound:
			return errors.New("there is no such secret")
		case http.StatusUnauthorized, http.StatusForbidden:
			return fmt.Errorf("this identity may not read the secret (%d %s); give it the role Key Vault Secrets User", answer.StatusCode, answer.ErrorCode)
		}
		return fmt.Errorf("the vault answers %d %s", answer.StatusCode, answer.ErrorCode)
	}
	if _, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); ok {
		return errors.New("the identity of this machine or workload gets no token")
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s", patience)
	}
	return fmt.Errorf("asking the vault: %w", err)
}

func (v *Vaults) client(host string) (*azsecrets.Client, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if client := v.clients[host]; client != nil {
		return client, nil
	}
	if v.credential == nil {
		identity, err := azidentity.NewDefaultAzureCredential(nil)
		if err != nil {
			return nil, errors.New("there is no identity to show to the vault")
		}
		v.credential = identity
	}
	client, err := azsecrets.NewClient("https://"+host, v.credential, &azsecrets.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: v.transport, Telemetry: policy.TelemetryOptions{ApplicationID: "crownsafe"},
		Retry: policy.RetryOptions{TryTimeout: 5 * time.Second, RetryDelay: 200 * time.Millisecond, MaxRetries: 2},
	}})
	if err != nil {
		return nil, fmt.Errorf("making a client for the vault: %w", err)
	}
	if v.clients == nil {
		v.clients = map[string]*azsecrets.Client{}
	}
	v.clients[host] = client
	return client, nil
}
