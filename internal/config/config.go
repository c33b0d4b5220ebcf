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
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/sethvargo/go-envconfig"
)

// Config is every setting. docs/configuration.md lists them; a test holds it to
// this struct.
type Config struct {
	// Environment says how strict to be: development, staging or production.
	Environment string `env:"ENVIRONMENT,default=development"`
	// Port is what serve listens on, on every interface, unless --addr says otherwise.
	Port int `env:"PORT,default=8001"`
	// Offline switches the polls of the agencies off.
	Offline bool `env:"CROWNSAFE_OFFLINE,default=false"`
	// Contact stands in the User-Agent that agencies see: a mail address or a URL
	// at which the operator can be reached.
	Contact string `env:"CROWNSAFE_CONTACT,default=+https://github.com/crownsafe/api"`
	// LogLevel is debug, info, warn or error.
	LogLevel slog.Level `env:"CROWNSAFE_LOG_LEVEL,default=info"`
	// LogFormat is json or text.
	LogFormat string `env:"CROWNSAFE_LOG_FORMAT,default=json"`
	// Drain is how long a stopping server goes on answering, with readyz saying
	// no, before it stops listening: time for load balancers to notice.
	Drain time.Duration `env:"CROWNSAFE_DRAIN,default=500ms"`
	// Grace is how long requests that are under way at the stop may take.
	Grace time.Duration `env:"CROWNSAFE_GRACE,default=20s"`

	// DatabaseURL, RedisURL and AzureStorage name servers. This version keeps
	// everything in the data directory and refuses to start when one is set,
	// rather than store where nobody looks.
	DatabaseURL  string `env:"DATABASE_URL"`
	RedisURL     string `env:"REDIS_URL"`
	AzureStorage string `env:"AZURE_STORAGE_CONNECTION_STRING"`

	// Data is the data directory, from --data.
	Data string `env:"-"`
	// Addr is where serve listens, from --addr; empty: every interface at Port.
	Addr string `env:"-"`
}

// Load reads the settings through lookup (os.LookupEnv in the program).
func Load(ctx context.Context, lookup func(string) (string, bool)) (Config, error) {
	var c Config
	err := envconfig.ProcessWith(ctx, &envconfig.Config{Target: &c, Lookuper: nonEmpty(lookup)})
	if err != nil {
		return Config{}, fmt.Errorf("reading the settings: %w", plain(err))
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

// plain unwraps to the innermost error, which names the value's fault; the
// outer ones name Go types.
func plain(err error) error {
	var num *strconv.NumError
	if errors.As(err, &num) {
		return fmt.Errorf("%w (%s)", num.Err, err)
	}
	return err
}

func (c *Config) check() error {
	switch c.Environment {
	case "development", "staging", "production":
	default:
		return fmt.Errorf("ENVIRONMENT is %q; give development, staging or production", c.Environment)
	}
	if c.Port < 1 || c.Port > 65535 {
		return fmt.Errorf("PORT is %d; give a number from 1 to 65535", c.Port)
	}
	if c.LogFormat != "json" && c.LogFormat != "text" {
		return fmt.Errorf("CROWNSAFE_LOG_FORMAT is %q; give json or text", c.LogFormat)
	}
	if c.Drain < 0 || c.Drain > 5*time.Minute {
		return fmt.Errorf("CROWNSAFE_DRAIN is %s; give 0s to 5m", c.Drain)
	}
	if c.Grace <= 0 || c.Grace > 10*time.Minute {
		return fmt.Errorf("CROWNSAFE_GRACE is %s; give 1s to 10m", c.Grace)
	}
	for _, server := range []struct{ name, value, instead string }{
		{"DATABASE_URL", c.DatabaseURL, "a SQLite file"},
		{"REDIS_URL", c.RedisURL, "a cache in the process"},
		{"AZURE_STORAGE_CONNECTION_STRING", c.AzureStorage, "a folder of blobs"},
	} {
		if server.value != "" {
			return fmt.Errorf("%s is set, but this version uses %s in the data directory and nothing else; unset it", server.name, server.instead)
		}
	}
	return nil
}

// ListenAddr is the address that serve listens on.
func (c *Config) ListenAddr() string {
	if c.Addr != "" {
		return c.Addr
	}
	return net.JoinHostPort("", strconv.Itoa(c.Port))
}
