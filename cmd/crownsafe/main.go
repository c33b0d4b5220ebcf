// Command crownsafe collects product-recall notices and answers whether one
// unit is under a recall. The README is its manual; `crownsafe --help` lists
// the subcommands, one file each in this folder.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/crownsafe/api/internal/app"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/telemetry"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := realMain(ctx, os.Args[1:], environment{lookup: os.LookupEnv, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr})
	stop()
	os.Exit(code)
}

// environment is everything of the outside that a command may touch.
type environment struct {
	lookup         func(string) (string, bool)
	stdin          io.Reader
	stdout, stderr io.Writer
}

// Exit statuses. check has some of its own.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// exitStatus is an error that says which status to end with. Its text, where
// it has one, is printed.
type exitStatus struct {
	code int
	err  error
}

func (e *exitStatus) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitStatus) Unwrap() error { return e.err }

// usage makes an error of wrong usage.
func usage(format string, args ...any) error {
	return &exitStatus{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// cli is the command line. Flags may stand before, between or after arguments.
type cli struct {
	Data string `help:"Data directory." default:"./data" placeholder:"DIR"`
	JSON bool   `help:"Print JSON for programs." name:"json"`

	Serve       serveCommand       `cmd:"" help:"Answer over HTTP and keep the notices fresh."`
	Import      importCommand      `cmd:"" help:"Take in agencies' files."`
	Sync        syncCommand        `cmd:"" help:"Ask agencies' live feeds now."`
	Replay      replayCommand      `cmd:"" help:"Read an agency's archived payloads anew, after a parser was changed."`
	Migrate     migrateCommand     `cmd:"" help:"Bring the schema of the store up to date, or look at it."`
	MigrateData migrateDataCommand `cmd:"" name:"migrate-data" help:"Copy everything from the SQLite file into the PostgreSQL that DATABASE_URL names."`
	AuditLog    auditLogCommand    `cmd:"" name:"auditlog" help:"Read the audit log, or check that it is as it was written."`
	Check       checkCommand       `cmd:"" help:"Answer for one unit, or for every row of a CSV file, on the terminal."`
	Audit       auditCommand       `cmd:"" help:"Look at how the service is set up, probe its handler, and list what was found."`
	Loadtest    loadtestCommand    `cmd:"" help:"Measure how fast and how well a running service answers, or compare two such reports."`
	Backup      backupCommand      `cmd:"" help:"Make backups, list, verify, restore and prune them."`
	User        userCommand        `cmd:"" help:"Manage users: create, list, role, disable, enable, verify, password, delete."`
	Key         keyCommand         `cmd:"" help:"Manage users' API keys: create, list, revoke."`
	Docs        docsCommand        `cmd:"" help:"Write the API reference, as Markdown and HTML, with the OpenAPI document."`
	Version     versionCommand     `cmd:"" help:"Print the version."`
	Healthcheck healthcheckCommand `cmd:"" hidden:"" help:"Ask the server in the same container whether it is well: status 0 or 1."`
}

// session is what a command gets to work with.
type session struct {
	ctx  context.Context
	env  environment
	data string
	json bool
}

// realMain runs one command and returns the exit status.
func realMain(ctx context.Context, args []string, env environment) int {
	var c cli
	exited := -1
	parser, err := kong.New(&c, kong.Name("crownsafe"),
		kong.Description("Product-safety service: is this very unit recalled, and what do I do now?"),
		kong.Writers(env.stdout, env.stderr), kong.Exit(func(code int) { exited = code }),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		return report(env, fmt.Errorf("building the command line: %w", err))
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 {
		return exited // --help
	}
	if err != nil {
		return report(env, usage("%w; see crownsafe --help", err))
	}
	s := &session{ctx: ctx, env: env, data: c.Data, json: c.JSON}
	return report(env, parsed.Run(s))
}

// report prints an error as one line and returns the exit status.
func report(env environment, err error) int {
	if err == nil {
		return exitDone
	}
	status := &exitStatus{code: exitFailed, err: err}
	if own, ok := errors.AsType[*exitStatus](err); ok {
		status = own
	}
	if text := status.Error(); text != "" {
		fmt.Fprintln(env.stderr, "crownsafe: "+oneLine(text))
	}
	return status.code
}

// build builds the program from its settings, on the session's data directory.
func (s *session) build() (*app.App, error) {
	cfg, secrets, err := app.Settings(s.ctx, s.env.lookup)
	if err != nil {
		return nil, err
	}
	cfg.Data = s.data
	a, err := app.Open(s.ctx, cfg, s.logger(cfg), version())
	if err != nil {
		return nil, err
	}
	a.Secrets = secrets
	return a, nil
}

// oneLine joins the lines of an error: drivers and errors.Join write several.
func oneLine(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}

// open builds the program and prepares its store.
func (s *session) open() (*app.App, error) {
	a, err := s.build()
	if err != nil {
		return nil, err
	}
	if err := a.Prepare(s.ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// logger logs to the standard error: JSON for machines, text for people who watch.
// It writes every level; which are wanted is the program's to say.
func (s *session) logger(cfg config.Config) *slog.Logger {
	watched := cfg.LogFormat == "auto" && cfg.Environment != config.Production && isTerminal(s.env.stderr)
	if cfg.LogFormat == "text" || watched {
		return slog.New(telemetry.TextLines(s.env.stderr))
	}
	return slog.New(telemetry.JSONLines(s.env.stderr))
}
