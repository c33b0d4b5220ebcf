package azure

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/internal/testenv/server"
)

// shared makes a shared access signature for a container of the test's account,
// and a connection string with it.
func shared(t *testing.T, container string, permissions sas.ContainerPermissions) (connection, signature string) {
	t.Helper()
	text, _ := testenv.Azure(t)
	account, err := accessOf(Options{ConnectionString: text})
	if err != nil {
		t.Fatal(err)
	}
	query, err := keySigner{account.key}.sign(t.Context(), sas.BlobSignatureValues{
		Protocol: sas.ProtocolHTTPSandHTTP, ExpiryTime: time.Now().Add(time.Hour), Permissions: permissions.String(), ContainerName: container,
	})
	if err != nil {
		t.Fatal(err)
	}
	return "BlobEndpoint=" + account.endpoint + "/;SharedAccessSignature=" + query, query
}

func TestSharedAccessSignature(t *testing.T) {
	t.Parallel()
	owner := openTest(t, Options{})
	put(t, owner, "mine", "content")
	container := owner.options.Container
	everythingAllowed := sas.ContainerPermissions{Read: true, Add: true, Create: true, Write: true, Delete: true, List: true}

	connection, _ := shared(t, container, sas.ContainerPermissions{Read: true, List: true})
	reader := openTest(t, Options{ConnectionString: connection, Container: container})
	holds(t, reader, "mine", "content")
	if err := reader.Ping(t.Context()); err != nil {
		t.Errorf("Ping: %v", err)
	}
	_, putErr := reader.Put(t.Context(), "mine", strings.NewReader("other"), blob.PutOptions{})
	_, copyErr := reader.Copy(t.Context(), "mine", "copy")
	for name, err := range map[string]error{"Put": putErr, "Copy": copyErr, "Delete": reader.Delete(t.Context(), "mine")} {
		if !errors.Is(err, blob.ErrReadOnly) {
			t.Errorf("%s by who may only read: %v, want ErrReadOnly", name, err)
		}
	}
	if _, err := reader.SignURL(t.Context(), "mine", blob.Read, time.Hour); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("SignURL: %v, want errors.ErrUnsupported", err)
	}
	connection, _ = shared(t, container, sas.ContainerPermissions{Write: true})
	writer := openTest(t, Options{ConnectionString: connection, Container: container})
	if _, _, err := writer.Get(t.Context(), "mine"); !errors.Is(err, blob.ErrDenied) {
		t.Errorf("Get by who may only write: %v, want ErrDenied", err)
	}
	if err := owner.Delete(t.Context(), "mine"); err != nil {
		t.Fatal(err)
	}
	_, query := shared(t, container, everythingAllowed)
	endpoint, _, _ := strings.Cut(owner.container.URL(), "/"+container)
	everything(t, openTest(t, small(Options{AccountURL: endpoint, SAS: "?" + query, Container: container})))
}

func TestWrongKey(t *testing.T) {
	t.Parallel()
	owner := openTest(t, Options{})
	put(t, owner, "a", "content")
	endpoint, _, _ := strings.Cut(owner.container.URL(), "/"+owner.options.Container)
	s := openTest(t, Options{
		AccountURL: endpoint, AccountName: server.AzuriteAccount, AccountKey: base64.StdEncoding.EncodeToString([]byte("wrong")),
		Container: owner.options.Container,
	})
	_, _, getErr := s.Get(t.Context(), "a")
	for name, err := range map[string]error{"Get": getErr, "Ping": s.Ping(t.Context())} {
		if !errors.Is(err, blob.ErrDenied) {
			t.Errorf("%s with a wrong key: %v, want ErrDenied", name, err)
		}
	}
	// An emulator calls a wrong key a missing right.
	if _, err := s.Put(t.Context(), "a", strings.NewReader("x"), blob.PutOptions{}); !errors.Is(err, blob.ErrDenied) && !errors.Is(err, blob.ErrReadOnly) {
		t.Errorf("Put with a wrong key: %v, want ErrDenied or ErrReadOnly", err)
	}
}

// No error tells a secret, whatever goes wrong.
func TestErrorsTellNoSecrets(t *testing.T) {
	t.Parallel()
	p, o := newProxy(t)
	o.Retries, o.TryTimeout = -1, 2*time.Second
	connection, query := shared(t, o.Container, sas.ContainerPermissions{Read: true})
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	dead := deadAddress(t)
	behind := func(addr string) Options {
		o := o
		o.AccountURL = "http://" + addr + "/" + server.AzuriteAccount
		return o
	}
	signed := func(o Options) Options {
		o.AccountName, o.AccountKey, o.SAS = "", "", query
		return o
	}
	quoting := func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("x-ms-error-code", "AuthenticationFailed")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<Error><Detail>%s %s %s</Detail></Error>", r.URL, r.Header.Get("Authorization"), o.AccountKey)
		return true
	}
	faults := map[string]func(w http.ResponseWriter, r *http.Request) bool{"quotes": quoting, "cuts": cut, "refuses": answers(503, "")}
	secrets := []string{o.AccountKey, query, values.Get("sig"), "sig=", "SharedKey"}
	check := func(name string, err error) {
		if err == nil {
			t.Errorf("%s: there is no error", name)
			return
		}
		for _, secret := range secrets {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error tells a secret: %v", name, err)
			}
		}
	}
	use := func(name string, s *Store) {
		_, putErr := s.Put(t.Context(), "a", strings.NewReader(large), blob.PutOptions{})
		_, _, getErr := s.Get(t.Context(), "a")
		_, listErr := s.List(t.Context(), "", "", 0)
		_, copyErr := s.Copy(t.Context(), "a", "b")
		for operation, err := range map[string]error{"Put": putErr, "Get": getErr, "List": listErr, "Copy": copyErr, "Ping": s.Ping(t.Context())} {
			check(name+": "+operation, err)
		}
	}
	for name, o := range map[string]Options{"key": behind(dead), "signature": signed(behind(dead)), "no such host": signed(behind("nobody.invalid"))} {
		use("dead, "+name, openTest(t, o))
	}
	for fault, does := range faults {
		p.do(does)
		use(fault+", key", openTest(t, o))
		use(fault+", signature", openTest(t, signed(o)))
	}
	for name, bad := range map[string]Options{
		"the key isn't base64": {AccountURL: o.AccountURL, AccountName: "x", AccountKey: o.AccountKey + "!"},
		"no name":              {AccountURL: o.AccountURL, AccountKey: o.AccountKey},
		"no endpoint":          {ConnectionString: "AccountKey=" + o.AccountKey},
		"no pairs":             {ConnectionString: o.AccountKey[:40]},
		"no URL":               {ConnectionString: strings.Replace(connection, "BlobEndpoint=http", "BlobEndpoint=:", 1)},
		"signature in the URL": {AccountURL: o.AccountURL + "?" + query},
	} {
		bad.Container = o.Container
		_, err := Open(bad)
		check(name, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	text, _ := testenv.Azure(t)
	for _, name := range []string{"", "ab", "A-b", "a--b", "-abc", "abc-", "a_b", strings.Repeat("a", 64)} {
		if _, err := Open(Options{ConnectionString: text, Container: name}); err == nil {
			t.Errorf("Open took the container %q", name)
		}
	}
	if _, err := Open(Options{AccountURL: "ftp://x", AccountName: "x", AccountKey: "eA==", Container: "abc"}); err == nil {
		t.Error("Open took an account's URL that isn't HTTP")
	}
}

func TestConnectionStrings(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"DefaultEndpointsProtocol=https;AccountName=abc;AccountKey=eA==;EndpointSuffix=core.windows.net": "https://abc.blob.core.windows.net",
		"AccountName=abc;AccountKey=eA==;": "https://abc.blob.core.windows.net",
		"DefaultEndpointsProtocol=http;AccountName=abc;AccountKey=eA==;EndpointSuffix=core.chinacloudapi.cn": "http://abc.blob.core.chinacloudapi.cn",
		"BlobEndpoint=https://cdn.example.org/;SharedAccessSignature=sv=1&sig=x":                             "https://cdn.example.org",
		" AccountName=abc; AccountKey=eA==\n":                                                                "https://abc.blob.core.windows.net",
	} {
		a, err := accessOf(Options{ConnectionString: text})
		if err != nil || a.endpoint != want {
			t.Errorf("%q leads to %q, %v, want %q", text, a.endpoint, err, want)
		}
	}
}

// bearer is an identity whose tokens an emulator takes, which checks everything
// but the signature.
type bearer struct{ asked int }

func (b *bearer) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	b.asked++
	now := time.Now()
	expires := now.Add(time.Hour)
	claims, err := json.Marshal(map[string]any{
		"aud": "https://storage.azure.com", "iss": "https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/",
		"iat": now.Unix(), "nbf": now.Add(-time.Minute).Unix(), "exp": expires.Unix(),
		"oid": "23657296-5cd5-45b0-a809-d972a7f4dfe1", "tid": "dd0d0df1-06c3-436c-8034-4b9a153097ce",
	})
	if err != nil {
		return azcore.AccessToken{}, err
	}
	encode := base64.RawURLEncoding.EncodeToString
	token := encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + encode(claims) + "." + encode([]byte("unsigned"))
	return azcore.AccessToken{Token: token, ExpiresOn: expires}, nil
}

// An identity opens the account without any secret, and signs URLs by a key that
// the account lends it.
func TestIdentity(t *testing.T) {
	t.Parallel()
	azurite := testenv.Own(t, server.StartSecureAzurite)
	certificate, err := os.ReadFile(azurite.CertFile())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	identity := &bearer{}
	s := openTest(t, small(Options{
		AccountURL: "https://" + server.AzuriteHost, Container: "test", RootCAs: roots, credential: identity,
		dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, azurite.Addr())
		},
	}))
	everything(t, s)
	if identity.asked == 0 {
		t.Error("the identity wasn't asked")
	}
	signed, err := s.SignURL(t.Context(), "small", blob.Read, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for method, want := range map[string]int{http.MethodGet: http.StatusOK, http.MethodDelete: http.StatusForbidden} {
		req, err := http.NewRequestWithContext(t.Context(), method, signed.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := s.transport.base.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != want || want == http.StatusOK && string(body) != "content!" {
			t.Errorf("%s by a signed URL answers %s, %q, %v", method, resp.Status, body, err)
		}
	}
	if !strings.Contains(signed.URL, "spr=https&") || !strings.Contains(signed.URL, "skoid=") {
		t.Error("the URL isn't for HTTPS only, or not signed by the identity's key")
	}
	// Without its certificate's authority the account isn't trusted, and asked once.
	stranger := s.options
	stranger.RootCAs = nil
	if _, err := openTest(t, stranger).Head(t.Context(), "small"); !errors.Is(err, blob.ErrUnavailable) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("Head of an account that can't be trusted: %v, want ErrUnavailable that tells why", err)
	}
}

// The address tells containers apart, and is shown to others: it holds no secret.
func TestAddress(t *testing.T) {
	t.Parallel()
	const signature = "sv=2024-05-04&sp=rl&sig=c2VjcmV0"
	for _, o := range []Options{
		{ConnectionString: "BlobEndpoint=https://acme.blob.core.windows.net/;SharedAccessSignature=" + signature},
		{AccountURL: "https://acme.blob.core.windows.net", SAS: "?" + signature},
		{AccountURL: "https://acme.blob.core.windows.net", AccountName: "acme", AccountKey: "a2V5"},
	} {
		o.Container = "crownsafe"
		s, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Address(); got != "https://acme.blob.core.windows.net/crownsafe" {
			t.Errorf("the address is %q", got)
		}
	}
}
