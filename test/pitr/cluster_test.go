//go:build pitr

package pitr

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/jackc/pgx/v5"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/internal/testenv/server"
	"github.com/crownsafe/api/test/program"
)

// cluster is a PostgreSQL whose write-ahead log pgBackRest archives.
type cluster struct {
	t      *testing.T
	recipe recipe
	server *server.Postgres
	blobs  *container.Client // where pgBackRest keeps what it has
	config string            // pgBackRest's
}

// The names that the recipe has, too.
const (
	stanza    = "crownsafe"
	keptIn    = "postgres"
	longest   = 2 * program.Patience // of what pgBackRest does at once
	encrypted = "Salted__"           // how what OpenSSL has encrypted begins
)

// startCluster runs a durable PostgreSQL with an archive in an Azurite, both its own.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	if err := (&server.Installer{Log: t.Output()}).Debian(t.Context(), "pgbackrest", "pgbackrest"); err != nil {
		t.Fatal(err)
	}
	// PostgreSQL first: Debian's package brings the user that both run as.
	c := &cluster{t: t, recipe: readRecipe(t), server: testenv.Own(t, server.StartDurablePostgres)}
	azurite := testenv.Own(t, server.StartSecureAzurite)
	authority, err := os.ReadFile(azurite.CertFile())
	if err != nil {
		t.Fatal(err)
	}
	// pgBackRest 2.45 knows no certificates of addresses: the host has to be a name.
	_, port, _ := strings.Cut(azurite.Addr(), ":")
	signature := c.makeContainer("https://localhost:"+port+"/"+server.AzuriteAccount, authority)
	c.configure(port, signature, string(authority))
	c.archive()
	c.must("stanza-create")
	c.must("check")
	return c
}

// makeContainer makes the container, which pgBackRest doesn't, and returns a signature
// that opens it alone.
func (c *cluster) makeContainer(account string, authority []byte) (signature string) {
	c.t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	c.t.Cleanup(transport.CloseIdleConnections)
	key, err := azblob.NewSharedKeyCredential(server.AzuriteAccount, server.AzuriteKey)
	if err != nil {
		c.t.Fatal(err)
	}
	options := &container.ClientOptions{ClientOptions: policy.ClientOptions{Transport: &http.Client{Transport: transport}}}
	if c.blobs, err = container.NewClientWithSharedKeyCredential(account+"/"+keptIn, key, options); err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.blobs.Create(c.t.Context(), nil); err != nil {
		c.t.Fatal(err)
	}
	values := sas.BlobSignatureValues{
		Protocol: sas.ProtocolHTTPS, ContainerName: keptIn, ExpiryTime: time.Now().Add(time.Hour).UTC(),
		Permissions: new(sas.ContainerPermissions{Read: true, Create: true, Write: true, Delete: true, List: true}).String(),
	}
	signed, err := values.SignWithSharedKey(key)
	if err != nil {
		c.t.Fatal(err)
	}
	return signed.Encode()
}

// configure writes pgBackRest's configuration: the recipe's, and where things are here.
func (c *cluster) configure(port, signature, authority string) {
	c.t.Helper()
	write := func(name, content string) string {
		path, err := c.server.Write(name, content)
		if err != nil {
			c.t.Fatal(err)
		}
		return path
	}
	password := strings.NewReplacer(`\`, `\\`, `:`, `\:`).Replace(server.PostgresPassword)
	write(".pgpass", "*:*:*:*:"+password+"\n") // who backs up signs in as everybody does here
	live := map[string]string{
		"ACCOUNT": server.AzuriteAccount, "SIGNATURE": signature, "PASSPHRASE": rand.Text(), "/var/lib/postgresql/15/main": c.server.Data(),
	}
	global := fmt.Sprintf("repo1-storage-host=localhost\nrepo1-storage-port=%s\nrepo1-storage-ca-file=%s\nrepo1-azure-uri-style=path\n"+
		"lock-path=%s\nlog-level-file=off\nlog-level-console=info\n", port, write("azurite.crt", authority), c.server.Folder())
	local := fmt.Sprintf("pg1-port=%d\npg1-socket-path=%s\npg1-user=%s\n", c.server.Port(), c.server.Folder(), server.PostgresUser)
	c.config = write("pgbackrest.conf", c.recipe.config(c.t, live, global, local))
}

// archive has the server hand its log over, which it begins with a new start.
func (c *cluster) archive() {
	c.t.Helper()
	c.execute(c.server.URL("postgres"), c.recipe.settings(c.t, c.config)...)
	if err := c.server.Stop(); err != nil {
		c.t.Fatal(err)
	}
	if err := c.server.Start(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
}

// pgbackrest runs a command of the recipe's as the server's user.
func (c *cluster) pgbackrest(args ...string) (said string, err error) {
	c.t.Helper()
	if !c.recipe.has(args) {
		c.t.Errorf("pgbackrest %s doesn't stand in the recipe", strings.Join(args, " "))
	}
	ctx, cancel := context.WithTimeout(c.t.Context(), longest)
	defer cancel()
	cmd := c.server.Command(ctx, "pgbackrest", append([]string{"--config=" + c.config, "--stanza=" + stanza}, args...)...)
	cmd.Env = append(cmd.Env, "PGPASSFILE="+filepath.Join(c.server.Folder(), ".pgpass"))
	out, err := cmd.CombinedOutput()
	c.t.Logf("pgbackrest %s\n%s", strings.Join(args, " "), out)
	return string(out), err
}

func (c *cluster) must(args ...string) (said string) {
	c.t.Helper()
	said, err := c.pgbackrest(args...)
	if err != nil {
		c.t.Fatalf("pgbackrest %s: %v", strings.Join(args, " "), err)
	}
	return said
}

// restore puts the cluster's files back as the recipe does, whatever is left of them.
func (c *cluster) restore(target string) (said string, err error) {
	c.t.Helper()
	return c.pgbackrest("--delta", "--type=time", "--target="+target, "--target-action=promote", "restore")
}

// execute runs statements, each on its own.
func (c *cluster) execute(database string, statements ...string) {
	c.t.Helper()
	conn := c.connect(database)
	defer conn.Close(c.t.Context())
	for _, statement := range statements {
		if _, err := conn.Exec(c.t.Context(), statement); err != nil {
			c.t.Fatalf("%s: %v", statement, err)
		}
	}
}

// ask reads one value.
func (c *cluster) ask(query string, into any) {
	c.t.Helper()
	conn := c.connect(c.server.URL("postgres"))
	defer conn.Close(c.t.Context())
	if err := conn.QueryRow(c.t.Context(), query).Scan(into); err != nil {
		c.t.Fatalf("%s: %v", query, err)
	}
}

func (c *cluster) connect(database string) *pgx.Conn {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), database)
	if err != nil {
		c.t.Fatal(err)
	}
	return conn
}

// now is the server's time, as a target of a restoration. Backups and their times are
// told apart by whole seconds: it waits for one that begins after the call.
func (c *cluster) now() (at string) {
	c.t.Helper()
	second := func() (n int64) {
		c.ask(`SELECT floor(extract(epoch FROM clock_timestamp()))::bigint`, &n)
		return n
	}
	called := second()
	testenv.Eventually(c.t, program.Patience, "the next second", func() bool { return second() > called })
	c.ask(`SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00'`, &at)
	return at
}

// archived waits until all that was written until now is in the archive.
func (c *cluster) archived() {
	c.t.Helper()
	var segment string
	c.ask(`SELECT pg_walfile_name(pg_switch_wal())`, &segment)
	testenv.Eventually(c.t, program.Patience, "the archive of "+segment, func() bool {
		var there bool
		c.ask(`SELECT coalesce(last_archived_wal >= '`+segment+`', false) FROM pg_stat_archiver`, &there)
		return there
	})
}

// recover starts the server on what was restored, and waits until it takes changes.
func (c *cluster) recover() {
	c.t.Helper()
	if err := c.server.Start(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	testenv.Eventually(c.t, program.Patience, "the end of the recovery", func() (done bool) {
		c.ask(`SELECT NOT pg_is_in_recovery()`, &done)
		return done
	})
}

// kept returns the names of what pgBackRest keeps, and fails where something of it
// isn't encrypted.
func (c *cluster) kept() (names []string) {
	c.t.Helper()
	for pages := c.blobs.NewListBlobsFlatPager(nil); pages.More(); {
		page, err := pages.NextPage(c.t.Context())
		if err != nil {
			c.t.Fatal(err)
		}
		for _, item := range page.Segment.BlobItems {
			names = append(names, *item.Name)
			if *item.Properties.ContentLength == 0 {
				continue
			}
			answer, err := c.blobs.NewBlobClient(*item.Name).DownloadStream(c.t.Context(), nil)
			if err != nil {
				c.t.Fatal(err)
			}
			content, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if err != nil || !bytes.HasPrefix(content, []byte(encrypted)) {
				c.t.Errorf("%s isn't encrypted: it begins %.12q, %v", *item.Name, content, err)
			}
		}
	}
	return names
}
