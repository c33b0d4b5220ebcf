package azure

import (
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/crownsafe/api/internal/testenv/server"
)

func TestDescribe(t *testing.T) {
	t.Parallel()
	const key, signature = "bm90IGEgcmVhbCBrZXk=", "sv=2022-11-02&sp=rwl&sig=hunter2%2B&se="
	end := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		options Options
		want    Security
	}{
		"a key":             {Options{ConnectionString: "DefaultEndpointsProtocol=https;AccountName=crown;AccountKey=" + key}, Security{TLS: true, Way: "key", Secret: key}},
		"a key without TLS": {Options{ConnectionString: "DefaultEndpointsProtocol=http;AccountName=crown;AccountKey=" + key}, Security{Way: "key", Secret: key}},
		"the emulator": {
			Options{ConnectionString: server.AzuriteConnectionString("127.0.0.1:10000")}, Security{Local: true, Way: "key", Secret: server.AzuriteKey, Published: true},
		},
		"a signature": {
			Options{ConnectionString: "BlobEndpoint=https://crown.blob.core.windows.net;SharedAccessSignature=" + signature + "2027-03-01T00:00:00Z"},
			Security{TLS: true, Way: "signature", Secret: "hunter2+", Expires: end},
		},
		"a signature for days": {Options{AccountURL: "https://crown.blob.core.windows.net", SAS: "?" + signature + "2027-03-01"}, Security{TLS: true, Way: "signature", Secret: "hunter2+", Expires: end}},
		"a policy's signature": {Options{AccountURL: "https://crown.blob.core.windows.net", SAS: "si=policy&sig=x"}, Security{TLS: true, Way: "signature", Secret: "x"}},
		"an identity":          {Options{AccountURL: "https://crown.blob.core.windows.net"}, Security{TLS: true, Way: "identity"}},
		"an identity at home":  {Options{AccountURL: "http://devstoreaccount1.blob.localhost:10000"}, Security{Local: true, Way: "identity"}},
	} {
		if got, err := Describe(c.options); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for _, text := range []string{"hunter2", "AccountName=a;AccountKey", "BlobEndpoint=https://a;SharedAccessSignature=%hunter2"} {
		if _, err := Describe(Options{ConnectionString: text}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestPublicAccess: the account's word on what anybody may read.
func TestPublicAccess(t *testing.T) {
	t.Parallel()
	s := openTest(t, Options{})
	put(t, s, "a", "content") // makes the container
	if access, err := s.PublicAccess(t.Context()); err != nil || access != "" {
		t.Errorf("a new container: %q, %v", access, err)
	}
	level := container.PublicAccessTypeBlob
	if _, err := s.container.SetAccessPolicy(t.Context(), &container.SetAccessPolicyOptions{Access: &level}); err != nil {
		t.Fatal(err)
	}
	if access, err := s.PublicAccess(t.Context()); err != nil || access != "blob" {
		t.Errorf("a public container: %q, %v", access, err)
	}
}
