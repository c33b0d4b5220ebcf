// Package azure keeps objects as block blobs in one container of an Azure
// Storage account. It knows the blob port and Azure's client library, and is the
// only package that knows the latter.
//
// A blob appears by one request, Put Blob or Put Block List, and so is there
// whole or not at all. What a failed upload staged is no blob, is never listed,
// and is discarded by Azure after a week.
package azure

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/crownsafe/api/internal/blob"
)

// Options say which container, how to get in, and how patient to be. Of the
// ways to get in, ConnectionString comes first, then AccountKey, then SAS; with
// neither, the identity that the machine gives the process is shown.
type Options struct {
	// ConnectionString is as the portal shows it, with an AccountKey or a
	// SharedAccessSignature in it.
	ConnectionString string
	// AccountURL is the account's blob endpoint (https://NAME.blob.core.windows.net),
	// for who gives no connection string.
	AccountURL  string
	AccountName string // with AccountKey
	AccountKey  string
	SAS         string // a shared access signature: "sv=...&sig=..."
	// ClientID names one of several managed identities, or the application of a
	// workload identity. Empty: what the environment says.
	ClientID string

	// Container is made by the first Put when it is missing.
	Container string

	// Patience bounds one request with its retries. 0: 60 s.
	Patience time.Duration
	// TryTimeout bounds each attempt of a request, and how long a download may
	// stand still until the rest is asked for anew. 0: 15 s.
	TryTimeout time.Duration
	// Retries of a request, beside the first attempt. 0: 3; negative: none.
	Retries int
	// RetryDelay is about the first pause; each later one is about twice as long.
	// 0: 200 ms.
	RetryDelay time.Duration
	// MaxConnections bounds the connections to the account. 0: 16.
	MaxConnections int
	// BlockSize is how much of an upload is sent at once, in bytes; what is longer
	// goes up block by block. Of content that comes but once, unlike a file, a block
	// is held in memory. 0: 2 MiB. At most 50,000 blocks make a blob.
	BlockSize int
	// PageSize is how many objects a listing asks for at once. 0: 5,000.
	PageSize int
	// RootCAs are who the account's certificate may be from. nil: the system's.
	RootCAs *x509.CertPool
	// Handshake, unless nil, is told of each TLS connection that was made.
	Handshake func(tls.ConnectionState)

	// copyAtOnce stands in for the constant in tests.
	copyAtOnce int64
	// credential and dial stand in for the machine's in tests.
	credential azcore.TokenCredential
	dial       dialer
}

func (o Options) withDefaults() Options {
	o.Patience = cmp.Or(o.Patience, time.Minute)
	o.TryTimeout = cmp.Or(o.TryTimeout, 15*time.Second)
	o.Retries = cmp.Or(o.Retries, 3)
	o.RetryDelay = cmp.Or(o.RetryDelay, 200*time.Millisecond)
	o.MaxConnections = cmp.Or(o.MaxConnections, 16)
	o.BlockSize = cmp.Or(o.BlockSize, 2<<20)
	o.PageSize = cmp.Or(o.PageSize, 5000)
	o.copyAtOnce = cmp.Or(o.copyAtOnce, copyAtOnce)
	return o
}

// containerName is Azure's rule for names of containers:
// https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
var containerName = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9]){2,62}$`)

// Store is a container of objects. It implements blob.Store.
type Store struct {
	options   Options
	address   string // of the container, without a secret
	container *container.Client
	transport *transport
	signer    signer
	secrets   *strings.Replacer // takes what must not be told out of texts
	buffers   sync.Pool         // of *[]byte, BlockSize long
}

var _ blob.Store = (*Store)(nil)

// Open gets ready to use a container. It asks nothing of the account, so that
// a process can start while the account is down.
func Open(o Options) (*Store, error) {
	o = o.withDefaults()
	if !containerName.MatchString(o.Container) || len(o.Container) > 63 {
		return nil, fmt.Errorf("opening Azure container %q: a container's name has 3 to 63 lower-case letters, digits and single hyphens", o.Container)
	}
	s := &Store{options: o, transport: newTransport(o)}
	s.buffers.New = func() any { buffer := make([]byte, o.BlockSize); return &buffer }
	if err := s.connect(); err != nil {
		return nil, fmt.Errorf("opening Azure container %s: %w", o.Container, err)
	}
	return s, nil
}

// Origin is the scheme and host of signed URLs ("https://NAME.blob.core.windows.net"),
// as browsers name it; see RFC 6454, section 6.2.
func (s *Store) Origin() string {
	u, err := url.Parse(s.container.URL())
	if err != nil { // Open has read it
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Close lets go of idle connections.
func (s *Store) Close() error {
	s.transport.base.CloseIdleConnections()
	return nil
}

// Address tells the container from every other one, of this account and of others.
// It is its URL, with no secret in it.
func (s *Store) Address() string { return s.address }

// Connections returns how many requests were sent so far, and how many of them
// on a connection that had served one before.
func (s *Store) Connections() (requests, reused int64) {
	return s.transport.requests.Load(), s.transport.reused.Load()
}

// Ping asks the account for as little as there is, once, without retries. A
// container that isn't there yet is no error. ErrUnavailable, ErrDenied.
func (s *Store) Ping(ctx context.Context) error {
	once := policy.WithRetryOptions(ctx, policy.RetryOptions{MaxRetries: -1, TryTimeout: s.options.TryTimeout})
	_, err := s.container.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{MaxResults: new(int32(1))}).NextPage(once)
	if err = s.translated(ctx, err, reading); err != nil && !errors.Is(err, blob.ErrNotFound) {
		return fmt.Errorf("asking Azure container %s: %w", s.options.Container, err)
	}
	return nil
}

// clientOptions are those of every client of Azure's library.
func (s *Store) clientOptions() azcore.ClientOptions {
	return azcore.ClientOptions{
		Transport: s.transport,
		Retry: policy.RetryOptions{
			MaxRetries:    int32(s.options.Retries), //nolint:gosec // a handful
			TryTimeout:    s.options.TryTimeout,
			RetryDelay:    s.options.RetryDelay,
			MaxRetryDelay: maxRetryDelay,
			ShouldRetry:   retriable,
		},
		Telemetry: policy.TelemetryOptions{ApplicationID: "crownsafe"},
	}
}

func (s *Store) client(key string) *blockblob.Client { return s.container.NewBlockBlobClient(key) }

// patiently bounds one request with its retries.
func (s *Store) patiently(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.options.Patience)
}

// inContainer sends a request that writes, and makes the container if that is
// what it lacks.
func (s *Store) inContainer(ctx context.Context, request func(ctx context.Context) error) error {
	ctx, cancel := s.patiently(ctx)
	defer cancel()
	err := request(ctx)
	if !bloberror.HasCode(err, bloberror.ContainerNotFound) {
		return err
	}
	if _, err := s.container.Create(ctx, nil); err != nil && !bloberror.HasCode(err, bloberror.ContainerAlreadyExists) {
		return err
	}
	return request(ctx)
}

// Head tells of an object; see blob.Store.
func (s *Store) Head(ctx context.Context, key string) (blob.Info, error) {
	err := cmp.Or(blob.CheckKey(key), ctx.Err())
	var info blob.Info
	if err == nil {
		info, _, err = s.head(ctx, key)
	}
	if err != nil {
		return blob.Info{}, s.failed("looking for", key, err)
	}
	return info, nil
}

// head also returns the mark of the upload that stored the object.
func (s *Store) head(ctx context.Context, key string) (info blob.Info, mark string, err error) {
	bounded, cancel := s.patiently(ctx)
	defer cancel()
	found, err := s.client(key).GetProperties(bounded, nil)
	if err != nil {
		return blob.Info{}, "", s.translated(ctx, err, reading)
	}
	for name, value := range found.Metadata {
		if strings.EqualFold(name, markName) && value != nil {
			mark = *value
		}
	}
	return infoOf(key, found.ContentLength, properties{found.LastModified, found.ContentType, found.ETag, found.ContentMD5}), mark, nil
}

// Delete removes an object; see blob.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := s.delete(ctx, key); err != nil && !errors.Is(err, blob.ErrNotFound) {
		return s.failed("removing", key, err)
	}
	return nil
}

func (s *Store) delete(ctx context.Context, key string) error {
	if err := cmp.Or(blob.CheckKey(key), ctx.Err()); err != nil {
		return err
	}
	bounded, cancel := s.patiently(ctx)
	defer cancel()
	_, err := s.client(key).Delete(bounded, nil)
	return s.translated(ctx, err, writing)
}

func (s *Store) failed(doing, key string, err error) error {
	return fmt.Errorf("%s object %q in Azure container %s: %w", doing, key, s.options.Container, err)
}

// connect makes the clients.
func (s *Store) connect() error {
	access, err := accessOf(s.options)
	if err != nil {
		return err
	}
	s.secrets = access.secrets()
	url := runtime.JoinPaths(access.endpoint, s.options.Container)
	s.address = url
	options := &container.ClientOptions{ClientOptions: s.clientOptions()}
	switch {
	case access.key != nil:
		s.signer = keySigner{access.key}
		s.container, err = container.NewClientWithSharedKeyCredential(url, access.key, options)
	case access.sas != "":
		s.signer = noSigner{}
		s.container, err = container.NewClientWithNoCredential(url+"?"+access.sas, options)
	default:
		if s.signer, err = newIdentitySigner(access, s.clientOptions()); err == nil {
			s.container, err = container.NewClient(url, access.identity, options)
		}
	}
	if err != nil {
		return errors.New(s.secrets.Replace(err.Error()))
	}
	return nil
}

// retriable says which attempts deserve another: everything that is sent here
// can be repeated without harm, so it depends on the failure alone.
func retriable(resp *http.Response, err error) bool {
	if err != nil {
		return !hopeless(err)
	}
	switch resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return resp.StatusCode == http.StatusBadRequest && damagedOnTheWay(resp.Header.Get("x-ms-error-code"))
}
