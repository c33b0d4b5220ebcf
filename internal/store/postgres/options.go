package postgres

import (
	"cmp"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Options say which database, and how to use it. URL is required.
type Options struct {
	URL            string // postgres://…; see DATABASE_URL in docs/operations.md
	MaxConns       int
	AcquireTimeout time.Duration
}

func (o Options) withDefaults() Options {
	o.MaxConns = cmp.Or(o.MaxConns, 8)
	o.AcquireTimeout = cmp.Or(o.AcquireTimeout, 1500*time.Millisecond)
	return o
}

func poolConfig(opts Options) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(opts.URL)
	if err != nil {
		return nil, errors.New("DATABASE_URL can't be read") // the driver's error has parts of it
	}
	config.MaxConns = int32(opts.MaxConns)
	return config, nil
}
