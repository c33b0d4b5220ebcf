package postgres

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/internal/testenv/server"
)

// withServers runs a test on a server of its own of each major.
func withServers(t *testing.T, run func(t *testing.T, s *server.Postgres)) {
	t.Helper()
	for name, start := range map[string]func(context.Context, *server.Installer) (*server.Postgres, error){
		"15": server.StartDebianPostgres, "current": server.StartCurrentPostgres,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, testenv.Own(t, start))
		})
	}
}

// connected reports how a store is connected: by TLS, and from where.
func connected(t *testing.T, url string) (encrypted bool, from string, err error) {
	t.Helper()
	s := open(t, relaxed(url))
	const how = `SELECT ssl, coalesce(host(inet_client_addr()), 'socket') FROM pg_stat_ssl WHERE pid = pg_backend_pid()`
	err = s.pool.QueryRow(t.Context(), how).Scan(&encrypted, &from)
	return encrypted, from, translate(t.Context(), err)
}

func TestConnect(t *testing.T) {
	t.Parallel()
	withServers(t, func(t *testing.T, s *server.Postgres) {
		user := url.UserPassword(server.PostgresUser, server.PostgresPassword).String()
		port := strconv.Itoa(s.Port())
		certificate := url.QueryEscape(s.CertFile())
		stranger := filepath.Join(t.TempDir(), "stranger.pem")
		writeCertificate(t, stranger)
		// An address that the certificate isn't for; all of 127.0.0.0/8 is this machine.
		alias := testenv.NewWayAt(t, "127.0.0.2:0", s.Addr()).Addr()
		pairs := func(place string) string {
			quoted := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(server.PostgresPassword)
			return place + " port=" + port + " user=" + server.PostgresUser + " password='" + quoted + "' dbname=postgres"
		}
		for _, test := range []struct {
			name, url string
			encrypted bool
			from      string
			fails     string // what the error says; empty: it works
		}{
			{name: "disable", url: "postgres://" + user + "@127.0.0.1:" + port + "/postgres?sslmode=disable", from: "127.0.0.1"},
			{name: "allow", url: "postgres://" + user + "@127.0.0.1:" + port + "/postgres?sslmode=allow", from: "127.0.0.1"},
			{name: "prefer", url: "postgres://" + user + "@127.0.0.1:" + port + "/postgres?sslmode=prefer", encrypted: true, from: "127.0.0.1"},
			{name: "require", url: "postgres://" + user + "@127.0.0.1:" + port + "/postgres?sslmode=require", encrypted: true, from: "127.0.0.1"},
			{name: "verify-ca", url: "postgres://" + user + "@" + alias + "/postgres?sslmode=verify-ca&sslrootcert=" + certificate, encrypted: true, from: "127.0.0.1"},
			{name: "verify-ca of another authority", url: "postgres://" + user + "@127.0.0.1:" + port + "/postgres?sslmode=verify-ca&sslrootcert=" + stranger, fails: "certificate"},
			{name: "verify-full by address", url: "postgres://" + user + "@127.0.0.1:" + port + "/postgres?sslmode=verify-full&sslrootcert=" + certificate, encrypted: true, from: "127.0.0.1"},
			{name: "verify-full by name", url: "postgres://" + user + "@localhost:" + port + "/postgres?sslmode=verify-full&sslrootcert=" + certificate, encrypted: true},
			{name: "verify-full of a wrong name", url: "postgres://" + user + "@" + alias + "/postgres?sslmode=verify-full&sslrootcert=" + certificate, fails: "certificate"},
			{name: "verify-full without the authority", url: "postgres://" + user + "@127.0.0.1:" + port + "/postgres?sslmode=verify-full", fails: "certificate"},
			{name: "IPv6", url: "postgres://" + user + "@[::1]:" + port + "/postgres?sslmode=verify-full&sslrootcert=" + certificate, encrypted: true, from: "::1"},
			{name: "Unix socket as a parameter", url: "postgres://" + user + "@/postgres?port=" + port + "&host=" + url.QueryEscape(s.SocketFolder()), from: "socket"},
			{name: "Unix socket as the host", url: "postgres://" + user + "@" + url.QueryEscape(s.SocketFolder()) + ":" + port + "/postgres?sslmode=require", from: "socket"},
			{name: "pairs", url: pairs("host=127.0.0.1 sslmode=require"), encrypted: true, from: "127.0.0.1"},
			{name: "pairs with a socket", url: pairs("host=" + s.SocketFolder()), from: "socket"},
			{name: "the second of two hosts", url: "postgres://" + user + "@127.0.0.1:1,127.0.0.1:" + port + "/postgres?sslmode=require&target_session_attrs=read-write", encrypted: true, from: "127.0.0.1"},
			{name: "no primary", url: "postgres://" + user + "@127.0.0.1:" + port + "/postgres?target_session_attrs=standby", fails: "standby"},
			{name: "a wrong password", url: "postgres://" + server.PostgresUser + ":wrong@127.0.0.1:" + port + "/postgres", fails: "password authentication failed"},
			{name: "no such database", url: "postgres://" + user + "@127.0.0.1:" + port + "/nothing", fails: "does not exist"},
		} {
			t.Run(test.name, func(t *testing.T) {
				encrypted, from, err := connected(t, test.url)
				if test.fails != "" {
					fails(t, "connecting", err, store.ErrUnavailable)
					if err != nil && !strings.Contains(err.Error(), test.fails) {
						t.Errorf("the error %q doesn't say %q", err, test.fails)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if encrypted != test.encrypted || test.from != "" && from != test.from {
					t.Errorf("encrypted: %v, from %s", encrypted, from)
				}
			})
		}
	})
}

// A store outlives its server, and may be there before it.
func TestServerRestarts(t *testing.T) {
	t.Parallel()
	withServers(t, func(t *testing.T, server *server.Postgres) {
		url := server.URL("postgres")
		if err := server.Stop(); err != nil {
			t.Fatal(err)
		}
		opts := hasty(url)
		s := open(t, opts)
		fails(t, "before the server", lease(t, s), store.ErrUnavailable)
		for name, end := range map[string]func() error{"stopped": server.Stop, "killed": server.Kill} {
			if err := server.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			testenv.Eventually(t, testenv.Patience, "migrations", func() bool { _, err := s.MigrateUp(t.Context()); return err == nil })
			testenv.Eventually(t, testenv.Patience, "a lease", func() bool { return lease(t, s) == nil })
			held, err := s.pool.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := end(); err != nil {
				t.Fatal(err)
			}
			_, err = held.Exec(t.Context(), `SELECT 1`)
			fails(t, "on a connection to a server that was "+name, translate(t.Context(), err), store.ErrUnavailable)
			held.Release()
			fails(t, "when the server is "+name, lease(t, s), store.ErrUnavailable)
		}
	})
}

// A damaged page is told apart from everything else.
func TestDamagedTable(t *testing.T) {
	t.Parallel()
	withServers(t, func(t *testing.T, server *server.Postgres) {
		s := migrated(t, relaxed(server.URL("postgres")))
		if err := lease(t, s); err != nil {
			t.Fatal(err)
		}
		var path string
		if err := s.pool.QueryRow(t.Context(), `SELECT pg_relation_filepath('lease')`).Scan(&path); err != nil {
			t.Fatal(err)
		}
		if err := server.Stop(); err != nil {
			t.Fatal(err)
		}
		file, err := os.OpenFile(filepath.Join(server.SocketFolder(), "data", path), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = file.WriteAt(bytes.Repeat([]byte("damage! "), 1024), 0)
		if err := errors.Join(err, file.Close(), server.Start(t.Context())); err != nil {
			t.Fatal(err)
		}
		testenv.Eventually(t, testenv.Patience, "a server that answers", func() bool {
			_, err := s.pool.Exec(t.Context(), `SELECT 1`)
			return err == nil
		})
		fails(t, "reading a damaged page", lease(t, s), store.ErrCorrupt)
	})
}
