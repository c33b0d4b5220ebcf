package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/crownsafe/api/internal/store"
)

// tools are PostgreSQL's own programs, pg_dump and psql, in one folder.
type tools struct {
	folder string
	major  int
}

// toolFolders are where Debian and its kin have the programs of each major.
const toolFolders = "/usr/lib/postgresql/*/bin"

// findTools returns the programs for a server of a major: of the same one if they are
// there, else of the next later one, for pg_dump refuses servers that are newer than
// itself. A folder that is given is the only one that is looked into.
func findTools(ctx context.Context, folder string, server int) (tools, error) {
	var found []tools
	for _, candidate := range toolCandidates(folder) {
		if major, err := majorOf(ctx, filepath.Join(candidate, "pg_dump")); err == nil {
			found = append(found, tools{candidate, major})
		}
	}
	if len(found) == 0 {
		return tools{}, fmt.Errorf("%w: no pg_dump was found in PATH or %s; install PostgreSQL's client programs of version %d or later, or name their folder with CROWNSAFE_BACKUP_PG_PROGRAMS",
			store.ErrNoTool, toolFolders, server)
	}
	slices.SortStableFunc(found, func(a, b tools) int { return a.major - b.major })
	for _, t := range found {
		if t.major >= server {
			return t, nil
		}
	}
	return tools{}, fmt.Errorf("%w: the server is PostgreSQL %d, and pg_dump is %d, which can't write what a newer server holds; install the client programs of version %[2]d or later, or name their folder with CROWNSAFE_BACKUP_PG_PROGRAMS",
		store.ErrNoTool, server, found[len(found)-1].major)
}

func toolCandidates(folder string) []string {
	if folder != "" {
		return []string{folder}
	}
	var folders []string
	if path, err := exec.LookPath("pg_dump"); err == nil {
		folders = append(folders, filepath.Dir(path))
	}
	others, err := filepath.Glob(toolFolders)
	if err != nil { // the pattern is a good one
		return folders
	}
	return append(folders, others...)
}

var versionLine = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

func majorOf(ctx context.Context, program string) (int, error) {
	said, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return 0, err
	}
	version := versionLine.FindSubmatch(said)
	if version == nil {
		return 0, errors.New("it doesn't say which version it is")
	}
	return strconv.Atoi(string(version[1]))
}

// command prepares one of the programs. It gets of the environment what it needs and
// none of the service's secrets but the password of the server, which other users
// can't see there as they could among its arguments.
func (t tools) command(ctx context.Context, program string, server []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(t.folder, program), args...)
	cmd.Env = []string{"LC_ALL=C", "PGAPPNAME=crownsafe " + program}
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "SYSTEMROOT"} {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	for _, pair := range os.Environ() { // libpq's own, such as PGSSLROOTCERT, as the driver reads them too
		if strings.HasPrefix(pair, "PG") {
			cmd.Env = append(cmd.Env, pair)
		}
	}
	cmd.Env = append(cmd.Env, server...)
	cmd.WaitDelay = processEnd
	return cmd
}

// anywhere passes a text of pg_dump's on without what in its beginning keeps it from
// being restored: the schema, which may be there, and for servers before version 17 a
// setting that pg_dump writes from then on, whatever the server's version is.
type anywhere struct {
	to     io.Writer
	server int // the major
	head   []byte
	passed bool // the beginning was
}

// preambleBytes is more than comes before the first object in the schema.
const preambleBytes = 4096

var (
	schemaMade    = regexp.MustCompile(`(?m)^CREATE SCHEMA .*;\n`)
	newerSettings = regexp.MustCompile(`(?m)^SET transaction_timeout = .*;\n`)
)

// Write implements io.Writer.
func (a *anywhere) Write(p []byte) (int, error) {
	if a.passed {
		return a.to.Write(p)
	}
	a.head = append(a.head, p...)
	if len(a.head) < preambleBytes {
		return len(p), nil
	}
	return len(p), a.flush()
}

// flush passes on what was held back.
func (a *anywhere) flush() error {
	if a.passed {
		return nil
	}
	head := without(schemaMade, a.head)
	if a.server < 17 {
		head = without(newerSettings, head)
	}
	a.head, a.passed = nil, true
	_, err := a.to.Write(head)
	return err
}

// without returns a text without the first of what an expression finds.
func without(found *regexp.Regexp, text []byte) []byte {
	if at := found.FindIndex(text); at != nil {
		return slices.Delete(text, at[0], at[1])
	}
	return text
}

// runTool runs a program and gives of what it complains about the line that says what
// is wrong, not those that quote rows, with the port's error where it has one.
func runTool(ctx context.Context, cmd *exec.Cmd) error {
	complaint := &lastComplaint{}
	cmd.Stderr = complaint
	err := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		return nil
	}
	exit, failed := errors.AsType[*exec.ExitError](err)
	if failed && complaint.line != "" {
		err = errors.New(complaint.line)
	}
	err = fmt.Errorf("%s: %w", filepath.Base(cmd.Path), err)
	if failed {
		if sentinel := sentinelOfTool(exit.ExitCode(), complaint.line); sentinel != nil {
			return fmt.Errorf("%w: %w", sentinel, err)
		}
	}
	return err
}

// connectionLost is psql's exit status when it has lost the server; one that was killed
// has none. Source: PostgreSQL manual, psql, exit status.
const (
	connectionLost = 2
	killed         = -1
)

// complainedState finds the SQLSTATE that psql gives with VERBOSITY=verbose.
var complainedState = regexp.MustCompile(`(?:ERROR|FATAL|PANIC):  ([0-9A-Z]{5}): `)

// sentinelOfTool returns the port's error for the end of a program; nil: it has none.
func sentinelOfTool(exit int, complaint string) error {
	if state := complainedState.FindStringSubmatch(complaint); state != nil {
		return sentinelOfState(state[1])
	}
	if exit == connectionLost || exit == killed {
		return store.ErrUnavailable
	}
	return nil
}

// lastComplaint keeps the first line that tells of an error.
type lastComplaint struct {
	line string
	rest []byte
}

// Write implements io.Writer.
func (c *lastComplaint) Write(p []byte) (int, error) {
	c.rest = append(c.rest, p...)
	for {
		line, rest, found := bytes.Cut(c.rest, []byte("\n"))
		if !found {
			c.rest = c.rest[max(0, len(c.rest)-4096):]
			return len(p), nil
		}
		text := strings.TrimSpace(string(line))
		if c.line == "" && (strings.Contains(text, "ERROR:") || strings.Contains(text, "error:") || strings.Contains(text, "FATAL:") || strings.Contains(text, "PANIC:")) {
			c.line = text[:min(len(text), 300)]
		}
		c.rest = rest
	}
}

// server tells libpq which server a connection leads to, by its environment: the very
// one, where a URL names several, and where a name has several addresses.
func (s *Store) server(conn *pgx.Conn) []string { return serverOf(s.opts, conn) }

// libpqVariables are libpq's variables for what may stand in a URL, of which nothing
// is left in the driver's settings. Source: PostgreSQL manual, section 34.15.
var libpqVariables = map[string]string{
	"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY", "sslnegotiation": "PGSSLNEGOTIATION",
	"channel_binding": "PGCHANNELBINDING", "gssencmode": "PGGSSENCMODE", "krbsrvname": "PGKRBSRVNAME", "options": "PGOPTIONS", "passfile": "PGPASSFILE",
}

func serverOf(opts Options, conn *pgx.Conn) []string {
	config := conn.Config()
	env := []string{"PGUSER=" + config.User, "PGDATABASE=" + config.Database}
	if config.Password != "" {
		env = append(env, "PGPASSWORD="+config.Password)
	}
	host, port := config.Host, config.Port
	if remote, ok := conn.PgConn().Conn().RemoteAddr().(*net.TCPAddr); ok {
		port = uint16(remote.Port) //nolint:gosec // a port
		env = append(env, "PGHOSTADDR="+remote.IP.String())
		for _, other := range config.Fallbacks {
			if other.Port == port && config.Port != port {
				host = other.Host
			}
		}
	}
	env = append(env, "PGHOST="+host, "PGPORT="+strconv.Itoa(int(port)))
	for key, value := range parametersOf(opts.URL) {
		if variable, ok := libpqVariables[key]; ok {
			env = append(env, variable+"="+value)
		}
	}
	return env
}
