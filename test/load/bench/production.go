package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
)

// The goals with real servers.
const (
	goalProduction     = 0.95            // of the embedded default's rate, and of its latency the other way round
	goalProductionLoad = 5000            // notices a second into PostgreSQL
	goalOverIdle       = 64 << 20        // bytes
	goalCached         = 10              // times as fast
	goalArrival        = time.Second     // from the commit to another process's answer
	settlingIn         = 2 * time.Second // after a start, until what it left to do is done
)

// part is some rows that need the same servers.
type part struct {
	what    string // stands in the table when a server is missing
	needs   []*place
	measure func(context.Context, *servers) error
}

// production measures what the program does with PostgreSQL, Redis and Azure Blob
// Storage, each a real server. Where one can't be had the rows that need it count
// as missed.
func (r *run) production(ctx context.Context) (err error) {
	r.sayf("starting PostgreSQL, Redis and Azurite")
	s := startServers(ctx, r.progress)
	defer func() { err = errors.Join(err, s.close(context.WithoutCancel(ctx))) }()
	return r.measureParts(ctx, s, []part{
		{"import into PostgreSQL", []*place{&s.postgres}, r.importingRemotely},
		{"PostgreSQL, Redis and Blob against the embedded default", []*place{&s.postgres, &s.redis, &s.azure}, r.servingRemotely},
		{"the load test", []*place{&s.postgres, &s.redis, &s.azure}, r.loading},
		{"the dashboard", []*place{&s.postgres, &s.redis, &s.azure}, r.watching},
		{"uploads", []*place{&s.azure}, r.uploading},
		{"metadata of objects, cached", []*place{&s.azure, &s.redis}, r.remembering},
	})
}

// measureParts measures those whose servers are there.
func (r *run) measureParts(ctx context.Context, s *servers, parts []part) error {
	for _, p := range parts {
		if missing := slices.IndexFunc(p.needs, func(n *place) bool { return n.failed != nil }); missing >= 0 {
			lacking := p.needs[missing]
			r.row(p.what, "not measured: there is no "+lacking.name, "it is measured", missedGoal)
			r.sayf("NOT MEASURED: %s: there is no %s: %v", p.what, lacking.name, lacking.failed)
			continue
		}
		if err := p.measure(ctx, s); err != nil {
			return fmt.Errorf("measuring %s: %w", p.what, err)
		}
	}
	return nil
}

// importingRemotely measures imports into empty databases.
func (r *run) importingRemotely(ctx context.Context, s *servers) error {
	var rates []float64
	var cpu []time.Duration
	for i := range r.imports {
		env, err := s.environment(ctx, &s.postgres)
		if err != nil {
			return err
		}
		got, err := r.program.with("postgres", env...).importNew(ctx, filepath.Join(r.folder, fmt.Sprintf("data-postgres-%d", i)), r.corpus, r.stored)
		if err != nil {
			return err
		}
		rates = append(rates, float64(got.Read)/got.took.Seconds())
		cpu = append(cpu, got.cpu)
	}
	r.row(fmt.Sprintf("import of %s notices into PostgreSQL, the whole command", humanize.Comma(int64(r.stored))),
		fmt.Sprintf("%s notices/s (processor time %.1f s without the server's)", count(median(rates)), median(cpu).Seconds()),
		fmt.Sprintf("≥ %s/s", humanize.Comma(goalProductionLoad)), atLeast(median(rates), goalProductionLoad))
	for _, way := range []struct{ what, part string }{
		{"the same notices, read already, into PostgreSQL in batches of 500", partApply},
		{"everything copied from SQLite into PostgreSQL, verified", partCopy},
	} {
		env, err := s.environment(ctx, &s.postgres)
		if err != nil {
			return err
		}
		var got filled
		if err := r.apart(ctx, way.part, r.data, env, &got); err != nil {
			return err
		}
		r.row(way.what, fmt.Sprintf("%s notices/s", count(float64(got.Notices)/got.Took.Seconds())), "", information)
	}
	return nil
}

// servingRemotely puts a server with all three beside one that is embedded, with
// the same notices, and compares them.
func (r *run) servingRemotely(ctx context.Context, s *servers) (err error) {
	env, err := s.environment(ctx, &s.postgres, &s.redis, &s.azure)
	if err != nil {
		return err
	}
	remote := r.program.with("production", env...)
	data := filepath.Join(r.folder, "data-production")
	for _, file := range r.taken {
		if _, err := remote.importNew(ctx, data, file.path, file.notices); err != nil {
			return err
		}
	}
	embedded, production, err := r.startingBeside(ctx, remote, data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, embedded.stop(), production.stop()) }()
	if _, err := record(production, r.hits, `{"verdict":"`, noMatch); err != nil {
		return err
	}
	pause(ctx, settlingIn)
	if err := r.against(ctx, embedded, production); err != nil {
		return err
	}
	return r.arriving(ctx, env, production)
}

// startingBeside starts each server in turn, and leaves the last ones running.
func (r *run) startingBeside(ctx context.Context, remote *program, data string) (embedded, production *server, err error) {
	var took, cpu [2][]time.Duration
	var running [2]*server
	stop := func(j int) error {
		if running[j] == nil {
			return nil
		}
		return running[j].stop()
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, stop(0), stop(1))
		}
	}()
	for i := range r.starts {
		for j, one := range []struct {
			program *program
			data    string
		}{{r.program, r.data}, {remote, data}} {
			if err := stop(j); err != nil {
				return nil, nil, err
			}
			started, t, err := one.program.serveHit(ctx, one.data, r.hits[i%len(r.hits)])
			if err != nil {
				return nil, nil, err
			}
			running[j] = started
			c, err := started.cpu()
			if err != nil {
				return nil, nil, err
			}
			took[j], cpu[j] = append(took[j], t), append(cpu[j], c)
		}
	}
	r.row("start with PostgreSQL, Redis and Blob, to the first answer on a barcode", fmt.Sprintf("%.2f s (processor time %.1f s; embedded %.2f s, %.1f s)",
		median(took[1]).Seconds(), median(cpu[1]).Seconds(), median(took[0]).Seconds(), median(cpu[0]).Seconds()), "", information)
	return running[0], running[1], nil
}

// against asks both servers for verdicts that none of them remembers, turn by
// turn.
func (r *run) against(ctx context.Context, embedded, production *server) error {
	next := numbered(func(n uint64) question {
		uri := fmt.Sprintf("%s?lot=P%d", r.hits[n%uint64(len(r.hits))], n)
		return question{get(uri), expectation{begins: []byte(`{"verdict":"`)}}
	})
	s := r.settings
	s.rounds *= 2 // a difference of 5 % is to be seen
	ratio, e, p, err := compare(ctx, s, embedded, production, next)
	if err != nil {
		return err
	}
	goal := fmt.Sprintf("≥ %.2f", goalProduction)
	r.row("GET /api/v1/barcode/{code}, no answer asked for twice, with PostgreSQL, Redis and Blob, by the embedded default's rate",
		fmt.Sprintf("%.2f (%s/s by %s/s; processor time %s by %s)", ratio, count(median(p.rates)), count(median(e.rates)), micro(p.cpuPerRequest()), micro(e.cpuPerRequest())),
		goal, atLeast(ratio, goalProduction))
	var faster []float64
	for i := range e.slowest {
		faster = append(faster, float64(e.slowest[i])/float64(p.slowest[i]))
	}
	r.row("the same: within what 99 of 100 are answered by the embedded default, by the other's",
		fmt.Sprintf("%.2f (%s by %s)", median(faster), milli(median(e.slowest)), milli(median(p.slowest))), goal, atLeast(median(faster), goalProduction))
	return nil
}
