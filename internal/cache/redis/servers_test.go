package redis_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	driver "github.com/redis/go-redis/v9"

	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/cache/cachetest"
	"github.com/crownsafe/api/internal/cache/redis"
	"github.com/crownsafe/api/internal/testenv"
)

const password = `p@ss:w/o?r#d %2F[&]'+=€`

func TestPasswords(t *testing.T) {
	t.Parallel()
	r := testenv.OwnRedis(t, "--requirepass", password)
	address := url.URL{Scheme: "redis", Host: r.Addr(), Path: "/3", User: url.UserPassword("", password)}
	works(t, redis.Options{URL: address.String()})

	admin := driver.NewClient(&driver.Options{Addr: r.Addr(), Password: password})
	defer admin.Close()
	allow(t, admin, "@pp:1")
	address.User = url.UserPassword("@pp:1", password)
	works(t, redis.Options{URL: address.String()})

	address.User = url.UserPassword("@pp:1", "wr0ng")
	s := open(t, redis.Options{URL: address.String()})
	if err := s.Ping(t.Context()); !errors.Is(err, cache.ErrUnavailable) || strings.Contains(err.Error(), "wr0ng") {
		t.Errorf("with a wrong password: %v", err)
	}
}

// allow makes a user who is allowed what docs/operations.md says, and no more.
func allow(t *testing.T, admin *driver.Client, user string, more ...any) {
	t.Helper()
	rules := []any{"acl", "setuser", user, "on", ">" + password, "~crownsafe:*", "&crownsafe:*"}
	for command := range strings.FieldsSeq("+get +set +del +pttl +pexpire +ping +publish +subscribe +unsubscribe +select") {
		rules = append(rules, command)
	}
	if err := admin.Do(t.Context(), append(rules, more...)...).Err(); err != nil {
		t.Fatal(err)
	}
}

func TestUnixSocket(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	testenv.LetIn(t, dir)
	if err := os.Chmod(dir, 0o777); err != nil { //nolint:gosec // the server is another user
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "redis.sock")
	testenv.OwnRedis(t, "--unixsocket", socket, "--unixsocketperm", "777")
	works(t, redis.Options{URL: "unix://" + socket + "?db=2"})
}

func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	testenv.LetIn(t, dir)
	certFile, keyFile := certify(t, dir)
	port := freePort(t)
	testenv.OwnRedis(t, "--tls-port", port, "--tls-cert-file", certFile, "--tls-key-file", keyFile, "--tls-auth-clients", "no")
	for _, host := range []string{"localhost", "127.0.0.1"} {
		works(t, redis.Options{URL: "rediss://" + net.JoinHostPort(host, port), CAFile: certFile})
	}
	works(t, redis.Options{URL: "rediss://" + net.JoinHostPort("localhost", port) + "?skip_verify=true"})

	for what, opts := range map[string]redis.Options{
		"an unknown authority": {URL: "rediss://localhost:" + port},
		"no TLS":               {URL: "redis://localhost:" + port},
	} {
		if err := open(t, opts).Ping(t.Context()); !errors.Is(err, cache.ErrUnavailable) {
			t.Errorf("with %s: %v", what, err)
		}
	}
	for what, file := range map[string]string{"no such file": filepath.Join(dir, "none"), "a file without certificates": keyFile} {
		if s, err := redis.Open(redis.Options{URL: "rediss://localhost", CAFile: file}); err == nil {
			t.Errorf("%s was taken for certificates (%v)", what, s.Close())
		}
	}
}

// certify makes a certificate for localhost, its own authority, that a server of
// another user can read.
func certify(t *testing.T, dir string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o644); err != nil { //nolint:gosec // for this test only
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}

// cluster makes a cluster of nodes that share the slots, and returns its hosts.
func cluster(t *testing.T, nodes int) string {
	t.Helper()
	const slots = 16384
	var clients []*driver.Client
	var hosts, buses []string
	for i := range nodes {
		bus := freePort(t)
		r := testenv.OwnRedis(t, "--cluster-enabled", "yes", "--cluster-port", bus)
		client := driver.NewClient(&driver.Options{Addr: r.Addr()})
		t.Cleanup(func() { client.Close() })
		if err := client.ClusterAddSlotsRange(t.Context(), i*slots/nodes, (i+1)*slots/nodes-1).Err(); err != nil {
			t.Fatal(err)
		}
		clients, hosts, buses = append(clients, client), append(hosts, r.Addr()), append(buses, bus)
	}
	for i := 1; i < nodes; i++ {
		host, port, err := net.SplitHostPort(hosts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := clients[0].Do(t.Context(), "cluster", "meet", host, port, buses[i]).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, client := range clients {
		testenv.Eventually(t, patience, "the cluster is whole", func() bool {
			info, err := client.ClusterInfo(t.Context()).Result()
			return err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d", nodes)) &&
				strings.Contains(info, fmt.Sprint("cluster_slots_ok:", slots))
		})
	}
	return strings.Join(hosts, ",")
}

func TestCluster(t *testing.T) {
	t.Parallel()
	hosts := cluster(t, 2)
	first, _, _ := strings.Cut(hosts, ",")
	works(t, redis.Options{URL: "redis://" + hosts, Prefix: "a:"})
	works(t, redis.Options{URL: "redis://" + first + "?cluster=true", Prefix: "b:"})
	for host := range strings.SplitSeq(hosts, ",") {
		admin := driver.NewClient(&driver.Options{Addr: host})
		defer admin.Close()
		allow(t, admin, "app", "+cluster", "+command")
	}
	works(t, redis.Options{URL: "redis://" + url.UserPassword("app", password).String() + "@" + hosts})
	cachetest.Exercise(t, func(t *testing.T) cache.Store {
		return open(t, redis.Options{URL: "redis://" + hosts, Prefix: "c:" + rand.Text()})
	})
}
