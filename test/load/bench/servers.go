package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/crownsafe/api/internal/testenv"
	real "github.com/crownsafe/api/internal/testenv/server"
)

// place is a real server, or why there is none.
type place struct {
	name, address string
	failed        error
}

// servers are the real servers of a run. Those that the variables of package
// testenv name are somebody else's and used as they are; the others were started
// here and end with the run.
type servers struct {
	postgres, redis, azure place
	closers                []io.Closer
	databases              []string // made on postgres
}

// startServers starts what no variable names. A server that can't be had fails
// the rows that need it and no others.
func startServers(ctx context.Context, log io.Writer) *servers {
	s := &servers{}
	installer := &real.Installer{Log: log}
	var wg sync.WaitGroup
	var lock sync.Mutex
	run := func(p *place, name, variable string, start func() (io.Closer, string, error)) {
		p.name, p.address = name, os.Getenv(variable)
		if p.address != "" {
			return
		}
		closer, address, err := start()
		if err != nil {
			p.failed = err
			return
		}
		p.address = address
		lock.Lock()
		defer lock.Unlock()
		s.closers = append(s.closers, closer)
	}
	wg.Go(func() { // apt takes one caller at a time
		run(&s.postgres, "PostgreSQL", testenv.PostgresVariable, func() (io.Closer, string, error) {
			p, err := real.StartDurablePostgres(ctx, installer)
			if err != nil {
				return nil, "", err
			}
			return p, p.URL("postgres"), nil
		})
		run(&s.redis, "Redis", testenv.RedisVariable, func() (io.Closer, string, error) {
			r, err := real.StartRedis(ctx, installer)
			if err != nil {
				return nil, "", err
			}
			return r, r.URL(), nil
		})
	})
	wg.Go(func() {
		run(&s.azure, "Azurite", testenv.AzureVariable, func() (io.Closer, string, error) {
			a, err := real.StartAzurite(ctx, installer)
			if err != nil {
				return nil, "", err
			}
			return a, a.ConnectionString(), nil
		})
	})
	wg.Wait()
	return s
}

// close removes what was made on the servers and ends those that were started.
func (s *servers) close(ctx context.Context) error {
	var failed error
	for _, database := range s.databases {
		failed = errors.Join(failed, real.DropDatabase(ctx, s.postgres.address, database))
	}
	for _, c := range s.closers {
		failed = errors.Join(failed, c.Close())
	}
	return failed
}

// environment names servers as the program's settings do, with an empty
// database, a container and a prefix for keys that nobody else has.
func (s *servers) environment(ctx context.Context, places ...*place) ([]string, error) {
	var env []string
	if slices.Contains(places, &s.postgres) {
		database, err := real.NewDatabase(ctx, s.postgres.address)
		if err != nil {
			return nil, fmt.Errorf("making a database: %w", err)
		}
		s.databases = append(s.databases, database)
		env = append(env, "DATABASE_URL="+database)
	}
	if slices.Contains(places, &s.redis) {
		env = append(env, "REDIS_URL="+s.redis.address, "CROWNSAFE_REDIS_PREFIX=bench-"+rand.Text()+":")
	}
	if slices.Contains(places, &s.azure) {
		env = append(env, "AZURE_STORAGE_CONNECTION_STRING="+s.azure.address, "CROWNSAFE_AZURE_CONTAINER=bench-"+strings.ToLower(rand.Text()))
	}
	return env, nil
}
