package azure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"

	"github.com/crownsafe/api/internal/blob"
)

// signer makes shared access signatures.
type signer interface {
	sign(ctx context.Context, values sas.BlobSignatureValues) (query string, err error)
}

// SignURL makes a URL with a shared access signature; see blob.Store.
func (s *Store) SignURL(ctx context.Context, key string, allowed blob.Permission, lifetime time.Duration) (blob.SignedURL, error) {
	if err := cmp.Or(blob.CheckSigning(key, allowed, lifetime), ctx.Err()); err != nil {
		return blob.SignedURL{}, s.failed("signing a URL for", key, err)
	}
	expires := blob.Expiry(time.Now(), lifetime)
	url, err := s.signed(ctx, key, allowed, expires)
	if err != nil {
		return blob.SignedURL{}, s.failed("signing a URL for", key, err)
	}
	signed := blob.SignedURL{URL: url, ExpiresAt: expires}
	if allowed&blob.Write != 0 {
		signed.PutHeader = map[string]string{"x-ms-blob-type": "BlockBlob"}
	}
	return signed, nil
}

func (s *Store) signed(ctx context.Context, key string, allowed blob.Permission, expires time.Time) (string, error) {
	permissions := sas.BlobPermissions{
		Read: allowed&blob.Read != 0, Create: allowed&blob.Write != 0,
		Write: allowed&blob.Write != 0, Delete: allowed&blob.Delete != 0,
	}
	// No start: the account's clock may be a little behind ours.
	values := sas.BlobSignatureValues{
		Protocol: sas.ProtocolHTTPS, ExpiryTime: expires, Permissions: permissions.String(),
		ContainerName: s.options.Container, BlobName: key,
	}
	url := s.client(key).URL()
	if strings.HasPrefix(url, "http:") {
		values.Protocol = sas.ProtocolHTTPSandHTTP
	}
	bounded, cancel := s.patiently(ctx)
	defer cancel()
	query, err := s.signer.sign(bounded, values)
	if errors.Is(err, errors.ErrUnsupported) {
		return "", err
	}
	if err != nil {
		return "", s.translated(ctx, err, reading)
	}
	return url + "?" + query, nil
}

// keySigner signs with the account's key.
type keySigner struct {
	key *container.SharedKeyCredential
}

func (k keySigner) sign(_ context.Context, values sas.BlobSignatureValues) (string, error) {
	signed, err := values.SignWithSharedKey(k.key)
	return signed.Encode(), err
}

// noSigner is for who got in by a shared access signature: from one no narrower
// one can be made, and the whole isn't handed out.
type noSigner struct{}

func (noSigner) sign(context.Context, sas.BlobSignatureValues) (string, error) {
	return "", fmt.Errorf("a shared access signature signs no others: %w", errors.ErrUnsupported)
}

// identitySigner signs with a key that the account gives an identity for up to
// a week (user delegation).
type identitySigner struct {
	account *service.Client
	mu      sync.Mutex
	key     *service.UserDelegationCredential
	expires time.Time // of key
}

// delegation is how long the identity's key is asked for: a week, without what
// clocks may differ by.
const delegation = 7*24*time.Hour - 15*time.Minute

func newIdentitySigner(a access, options azcore.ClientOptions) (*identitySigner, error) {
	account, err := service.NewClient(a.endpoint, a.identity, &service.ClientOptions{ClientOptions: options})
	return &identitySigner{account: account}, err
}

func (i *identitySigner) sign(ctx context.Context, values sas.BlobSignatureValues) (string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.key == nil || i.expires.Before(values.ExpiryTime) {
		now := time.Now().UTC()
		expires := now.Add(delegation)
		key, err := i.account.GetUserDelegationCredential(ctx, service.KeyInfo{
			Start:  new(now.Add(-15 * time.Minute).Format(sas.TimeFormat)),
			Expiry: new(expires.Format(sas.TimeFormat)),
		}, nil)
		if err != nil {
			return "", err
		}
		i.key, i.expires = key, expires
	}
	signed, err := values.SignWithUserDelegation(i.key)
	return signed.Encode(), err
}
