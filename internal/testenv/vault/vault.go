// Package vault stands in for Azure Key Vault and the authority that gives tokens
// for it, for tests: over TLS, in the form in which Azure's own client library asks,
// and with the challenge by which a vault says whom to ask for a token. Only tests
// import it.
package vault

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The names by which clients know the service; no resolver is asked for them, for
// clients go through its proxy.
const (
	Name      = "crown" // of the vault
	host      = Name + ".vault.azure.net"
	authority = "login.microsoftonline.com"
	tenant    = "8f14e45f-ceea-467f-a6c1-0b9d8e7c6a55"
	client    = "1b645389-2e4f-4c1e-9d2c-6f0a1b2c3d4e"
	assertion = "the.workloads.assertion"
)

// secret is one version of a secret.
type secret struct {
	value, version string
	created        time.Time
	disabled       bool
}

// Vault is a running vault with its authority.
type Vault struct {
	// CertFile holds the authority of its certificates, as PEM.
	CertFile string
	// Proxy is the address of a proxy that leads to it, whatever host is asked for.
	Proxy string

	folder string
	roots  *x509.CertPool

	mu      sync.Mutex
	secrets map[string][]secret // the newest last
	token   string
	down    bool
	refused int
	asked   int
}

// Start runs a vault until the end of the test.
func Start(t testing.TB) *Vault {
	t.Helper()
	v := &Vault{folder: t.TempDir(), secrets: map[string][]secret{}, token: rand.Text(), roots: x509.NewCertPool()}
	service := httptest.NewUnstartedServer(http.HandlerFunc(v.serve))
	service.TLS = &tls.Config{Certificates: []tls.Certificate{v.certify(t)}, MinVersion: tls.VersionTLS12}
	service.StartTLS()
	t.Cleanup(service.Close)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { tunnel(w, r, service.Listener.Addr().String()) }))
	t.Cleanup(proxy.Close)
	v.Proxy = proxy.URL
	if err := os.WriteFile(v.assertionFile(), []byte(assertion), 0o600); err != nil {
		t.Fatal(err)
	}
	return v
}

func (v *Vault) assertionFile() string { return filepath.Join(v.folder, "assertion") }

// Environment makes a process that runs with it a workload whose identity the
// authority knows, and leads it here.
func (v *Vault) Environment() []string {
	return []string{
		"HTTPS_PROXY=" + v.Proxy, "SSL_CERT_FILE=" + v.CertFile, "AZURE_TENANT_ID=" + tenant, "AZURE_CLIENT_ID=" + client,
		"AZURE_FEDERATED_TOKEN_FILE=" + v.assertionFile(), "AZURE_AUTHORITY_HOST=https://" + authority + "/",
	}
}

// Identity is what Environment says of the workload, for clients in the
// test's own process.
func (v *Vault) Identity() (tenantID, clientID, assertionFile string) {
	return tenant, client, v.assertionFile()
}

// HTTPClient is led here.
func (v *Vault) HTTPClient(t testing.TB) *http.Client {
	t.Helper()
	proxy, err := url.Parse(v.Proxy)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: v.roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// Set makes a new version of a secret and returns the version's name.
func (v *Vault) Set(name, value string, created time.Time) (version string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	version = fmt.Sprintf("%032x", len(v.secrets[name])+1)
	v.secrets[name] = append(v.secrets[name], secret{value: value, version: version, created: created})
	return version
}

// Disable makes the newest version of a secret one that nobody may read.
func (v *Vault) Disable(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	list := v.secrets[name]
	list[len(list)-1].disabled = true
}

// Down makes every answer one of a service that is down, or well again.
func (v *Vault) Down(is bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.down = is
}

// Asked returns how many requests the vault got with its token, and how many
// without, which it challenged.
func (v *Vault) Asked() (authorised, challenged int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.asked, v.refused
}

func (v *Vault) serve(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case r.Host == authority:
		v.authorise(w, r)
	case v.down:
		answer(w, http.StatusServiceUnavailable, fault("ServiceUnavailable", "The service is down."))
	case r.Host == host:
		v.read(w, r)
	default:
		http.Error(w, "there is no such host", http.StatusMisdirectedRequest)
	}
}

// authorise is the authority: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
func (v *Vault) authorise(w http.ResponseWriter, r *http.Request) {
	base := "https://" + authority + "/" + tenant
	switch r.URL.Path {
	case "/" + tenant + "/v2.0/.well-known/openid-configuration":
		answer(w, http.StatusOK, map[string]string{
			"issuer": base + "/v2.0", "authorization_endpoint": base + "/oauth2/v2.0/authorize", "token_endpoint": base + "/oauth2/v2.0/token",
		})
	case "/" + tenant + "/oauth2/v2.0/token":
		if r.PostFormValue("client_assertion") != assertion || r.PostFormValue("client_id") != client ||
			!strings.Contains(r.PostFormValue("scope"), "https://vault.azure.net/.default") {
			answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client", "error_description": "this is nobody"})
			return
		}
		answer(w, http.StatusOK, map[string]any{"access_token": v.token, "token_type": "Bearer", "expires_in": 3600})
	default: // of the discovery of clouds, which is not needed for a known one
		answer(w, http.StatusOK, map[string]any{
			"tenant_discovery_endpoint": base + "/v2.0/.well-known/openid-configuration",
			"metadata":                  []any{map[string]any{"preferred_network": authority, "preferred_cache": authority, "aliases": []string{authority}}},
		})
	}
}

// read is GET /secrets/NAME/VERSION:
// https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret
func (v *Vault) read(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+v.token {
		v.refused++
		w.Header().Set("WWW-Authenticate", `Bearer authorization="https://`+authority+"/"+tenant+`", resource="https://vault.azure.net"`)
		answer(w, http.StatusUnauthorized, fault("Unauthorized", "AKV10000: Request is missing a Bearer or PoP token."))
		return
	}
	v.asked++
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if parts[0] != "secrets" || len(parts) < 2 || r.URL.Query().Get("api-version") == "" {
		answer(w, http.StatusBadRequest, fault("BadParameter", "The request is malformed."))
		return
	}
	version := ""
	if len(parts) > 2 {
		version = parts[2]
	}
	list := v.secrets[parts[1]]
	for i := len(list) - 1; i >= 0; i-- {
		if version != "" && list[i].version != version {
			continue
		}
		if list[i].disabled {
			answer(w, http.StatusForbidden, fault("Forbidden", "Operation get is not allowed on a disabled secret."))
			return
		}
		at := list[i].created.Unix()
		answer(w, http.StatusOK, map[string]any{
			"value": list[i].value, "id": "https://" + host + "/secrets/" + parts[1] + "/" + list[i].version,
			"attributes": map[string]any{"enabled": true, "created": at, "updated": at, "recoveryLevel": "Recoverable+Purgeable"},
		})
		return
	}
	answer(w, http.StatusNotFound, fault("SecretNotFound", "A secret with (name/id) "+parts[1]+" was not found in this key vault."))
}

func fault(code, message string) map[string]any {
	return map[string]any{"error": map[string]string{"code": code, "message": message}}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who doesn't listen misses nothing
}

// tunnel is a proxy's CONNECT (RFC 9110, section 9.3.6) that leads to one place.
func tunnel(w http.ResponseWriter, r *http.Request, to string) {
	if r.Method != http.MethodConnect {
		http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
		return
	}
	service, err := net.Dial("tcp", to)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	caller, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = service.Close() // there is nobody to tell
		return
	}
	if _, err := io.WriteString(caller, "HTTP/1.1 200 Connection Established\r\n\r\n"); err != nil {
		_, _ = caller.Close(), service.Close()
		return
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{service, caller}, {caller, service}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1]) // it ends when one side does
			_ = way[0].Close()
		})
	}
	both.Wait()
}

// certify makes the certificate of both hosts, and the file of its authority.
func (v *Vault) certify(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a vault for tests"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{host, authority}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	v.roots.AppendCertsFromPEM(text)
	v.CertFile = filepath.Join(v.folder, "ca.pem")
	if err := os.WriteFile(v.CertFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
