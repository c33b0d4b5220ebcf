// Package config reads the settings: one struct with good defaults, checked as
// a whole before anything starts. A value that cannot be used stops the start
// with one line that names the variable and never prints a secret.
//
// It knows nothing of what the settings are used for.
package config

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/sethvargo/go-envconfig"
)

// Development is the environment that admits operators from the same machine
// without a token.
const Development = "development"

// Production is the environment whose start the security audit may forbid, and in
// which machines read the log.
const Production = "production"

// DefaultContact stands in the User-Agent where nobody gave a contact.
const DefaultContact = "+https://github.com/crownsafe/api"

// Secret is a setting that is never printed: whatever prints it prints that it
// is set, or nothing.
type Secret string

// String implements fmt.Stringer.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "[set]"
}

// check refuses what no request could carry: a header's value loses the blanks
// at its ends, so that such a secret would shut everybody out.
func (s Secret) check() error {
	switch trimmed := strings.TrimSpace(string(s)); {
	case s == "":
		return nil
	case trimmed == "":
		return errors.New("is set to blanks only; give a value, or unset it")
	case trimmed != string(s):
		return errors.New("begins or ends with a blank or a line end; give it without")
	}
	return nil
}

// GoString implements fmt.GoStringer.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// MarshalText implements encoding.TextMarshaler, for JSON and for logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Config is every setting. docs/configuration.md is written from these structs, their
// comments and tags, and a test holds it to them.
type Config struct {
	// Environment says how strict to be: development, staging or production. In
	// production critical findings of the security audit stop the start.
	Environment string `env:"ENVIRONMENT,default=development"`
	// Port is what serve listens on, on every interface, unless --addr says otherwise.
	Port int `env:"PORT,default=8001"`
	// Offline switches the polls of the agencies off, and asks them for no pictures.
	Offline bool `env:"CROWNSAFE_OFFLINE,default=false"`
	// Contact stands in the User-Agent that agencies see: a mail address or a URL
	// at which the operator can be reached.
	Contact string `env:"CROWNSAFE_CONTACT,default=+https://github.com/crownsafe/api"`
	// LogLevel is debug, info, warn or error.
	LogLevel slog.Level `env:"CROWNSAFE_LOG_LEVEL,default=info"`
	// LogFormat is json, text, or auto: text on a terminal outside production,
	// else json. Logs go to the standard error.
	LogFormat string `env:"CROWNSAFE_LOG_FORMAT,default=auto"`
	Traces    Traces `env:",prefix=CROWNSAFE_"`
	// Drain is how long a stopping server goes on answering, with readyz saying
	// no, before it stops listening: time for load balancers to notice.
	Drain time.Duration `env:"CROWNSAFE_DRAIN,default=500ms"`
	// Grace is how long requests that are under way at the stop, and uploads, may take.
	Grace time.Duration `env:"CROWNSAFE_GRACE,default=20s"`

	// Feeds are the base addresses of the agencies' feeds.
	Feeds Feeds `env:",prefix=CROWNSAFE_FEED_"`
	// KeyKATS is the service key that SafetyKorea gives to each client; without
	// it the source is listed and never polled.
	KeyKATS Secret `env:"CROWNSAFE_KEY_KR_KATS"`

	// OpsToken is what operators show (`Authorization: Bearer`) to read quarantines and
	// what is monitored. Empty: in development, callers on the same machine may that ask for
	// localhost or a loopback address and show nothing; elsewhere only users and keys with
	// the role. Blanks alone, or at its ends, stop the start.
	OpsToken Secret `env:"CROWNSAFE_OPS_TOKEN"`

	// DatabaseURL names a PostgreSQL, as libpq takes it, see docs/operations.md; empty: a
	// SQLite file in the data directory.
	DatabaseURL Secret   `env:"DATABASE_URL"`
	Database    Database `env:",prefix=CROWNSAFE_DATABASE_"`
	// Migrate brings the schema of the database up to date at the start; off: only
	// `crownsafe migrate up` does.
	Migrate bool `env:"CROWNSAFE_MIGRATE,default=true"`
	// RedisURL names a Redis that all processes share, see docs/operations.md; empty: the
	// process's own memory only.
	RedisURL Secret `env:"REDIS_URL"`
	Cache    Cache  `env:",prefix=CROWNSAFE_"`
	// AzureStorage is the connection string of an account of Azure Blob Storage;
	// empty, with no account's address: a folder in the data directory.
	AzureStorage Secret  `env:"AZURE_STORAGE_CONNECTION_STRING"`
	Storage      Storage `env:",prefix=CROWNSAFE_"`
	// SecretKey signs the addresses of objects in the folder, and access tokens; processes
	// that share a folder or a database must share it. Empty: in development one is made and
	// kept in the data directory; elsewhere nobody can sign in with tokens.
	SecretKey Secret `env:"SECRET_KEY"`
	// PublicURL is where clients reach the service, for the addresses that it
	// gives out; empty: `http://localhost:PORT`.
	PublicURL string   `env:"CROWNSAFE_PUBLIC_URL"`
	Edge      Edge     `env:",prefix=CROWNSAFE_"`
	Accounts  Accounts `env:",prefix=CROWNSAFE_"`
	Backups   Backups  `env:",prefix=CROWNSAFE_BACKUP_"`
	// SnapshotEvery is how often the catalogue is written to the data directory
	// and to the store of objects, for starts without the database.
	SnapshotEvery time.Duration `env:"CROWNSAFE_SNAPSHOT_EVERY,default=10m"`

	// Secrets says how secrets are rotated and audited.
	Secrets Secrets `env:",prefix=CROWNSAFE_"`

	// Data is the data directory, from --data.
	Data string
	// Addr is where serve listens, from --addr; empty: every interface at Port.
	Addr string
}

// Feeds holds the base address of each agency's feed, for those who ask through
// a mirror; empty: the agency's own.
type Feeds struct {
	AustraliaACCC string `env:"AU_ACCC"`
	HealthCanada  string `env:"CA_HC"`
	GermanyLMW    string `env:"DE_LMW"`
	SafetyGate    string `env:"EU_SAFETY_GATE"`
	RappelConso   string `env:"FR_RAPPELCONSO"`
	KoreaKATS     string `env:"KR_KATS"`
	NewZealand    string `env:"NZ_MBIE"`
	UKFSA         string `env:"UK_FSA"`
	UKOPSS        string `env:"UK_OPSS"`
	CPSC          string `env:"US_CPSC"`
	FDA           string `env:"US_FDA"`
	FSIS          string `env:"US_FSIS"`
	NHTSA         string `env:"US_NHTSA"`
}

// ByAgency goes through the addresses that are set, by the agency's code.
func (f Feeds) ByAgency() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		fields := reflect.ValueOf(f)
		for i := range fields.NumField() {
			code := strings.ReplaceAll(strings.ToLower(fields.Type().Field(i).Tag.Get("env")), "_", "-")
			if feed := fields.Field(i).String(); feed != "" && !yield(code, feed) {
				return
			}
		}
	}
}

// check names the first variable that holds no web address.
func (f Feeds) check() error {
	fields := reflect.ValueOf(f)
	for i := range fields.NumField() {
		feed := fields.Field(i).String()
		if u, err := url.Parse(feed); feed != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			return fmt.Errorf("CROWNSAFE_FEED_%s is no http or https address", fields.Type().Field(i).Tag.Get("env"))
		}
	}
	return nil
}

// Load reads the settings through lookup (os.LookupEnv in the program).
func Load(ctx context.Context, lookup func(string) (string, bool)) (Config, error) {
	var c Config
	err := envconfig.ProcessWith(ctx, &envconfig.Config{Target: &c, Lookuper: nonEmpty(lookup)})
	if err != nil {
		return Config{}, named(err)
	}
	return c, c.check()
}

// nonEmpty treats a variable that is set to nothing as not set.
type nonEmpty func(string) (string, bool)

// Lookup implements envconfig.Lookuper.
func (f nonEmpty) Lookup(key string) (string, bool) {
	value, ok := f(key)
	return value, ok && value != ""
}

// named turns an error that names a field of Config into one that names its
// variable. What the variable holds is not repeated: it could be a secret that
// was set by mistake.
func named(err error) error {
	typ, variable := reflect.TypeFor[Config](), ""
	for path := err.Error(); ; {
		field, rest, _ := strings.Cut(path, ": ")
		f, ok := typ.FieldByName(field)
		if !ok {
			return fmt.Errorf("reading the settings: %w", err)
		}
		name, option, _ := strings.Cut(f.Tag.Get("env"), ",")
		if under, is := strings.CutPrefix(option, "prefix="); is {
			typ, variable, path = f.Type, under, rest
			continue
		}
		return fmt.Errorf("%s cannot be used: it is no valid %s", variable+name, kindOf(f.Type))
	}
}

func kindOf(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "duration (such as 500ms or 20s)"
	case reflect.TypeFor[slog.Level]():
		return "level (debug, info, warn or error)"
	case reflect.TypeFor[bool]():
		return "switch (1 or 0)"
	case reflect.TypeFor[int](), reflect.TypeFor[int64]():
		return "whole number"
	case reflect.TypeFor[float64]():
		return "number"
	case reflect.TypeFor[PackageLevels]():
		return "list of package=level (such as ingest=debug,api=warn)"
	}
	return "value"
}

func (c *Config) check() error {
	switch c.Environment {
	case Development, "staging", Production:
	default:
		return fmt.Errorf("ENVIRONMENT is %q; give development, staging or production", c.Environment)
	}
	if c.Port < 1 || c.Port > 65535 {
		return fmt.Errorf("PORT is %d; give a number from 1 to 65535", c.Port)
	}
	if c.LogFormat != "auto" && c.LogFormat != "json" && c.LogFormat != "text" {
		return fmt.Errorf("CROWNSAFE_LOG_FORMAT is %q; give auto, json or text", c.LogFormat)
	}
	if c.Drain < 0 || c.Drain > 5*time.Minute {
		return fmt.Errorf("CROWNSAFE_DRAIN is %s; give 0s to 5m", c.Drain)
	}
	if c.Grace <= 0 || c.Grace > 10*time.Minute {
		return fmt.Errorf("CROWNSAFE_GRACE is %s; give 1s to 10m", c.Grace)
	}
	if err := c.Feeds.check(); err != nil {
		return err
	}
	for name, secret := range c.AllSecrets() {
		if err := secret.check(); err != nil {
			return fmt.Errorf("%s %w", name, err)
		}
	}
	if err := c.Accounts.check(); err != nil {
		return err
	}
	if err := c.Backups.check(); err != nil {
		return err
	}
	if err := c.Edge.check(); err != nil {
		return err
	}
	if err := c.checkSpans(); err != nil {
		return err
	}
	if err := c.Traces.check(); err != nil {
		return err
	}
	return c.checkAddresses()
}

// ListenAddr is the address that serve listens on.
func (c *Config) ListenAddr() string {
	if c.Addr != "" {
		return c.Addr
	}
	return net.JoinHostPort("", strconv.Itoa(c.Port))
}
