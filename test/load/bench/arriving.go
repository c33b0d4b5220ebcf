package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/test/load/remote"
)

// arriving has this process import notice after notice into the server's
// database, and asks the server for each until it knows it.
func (r *run) arriving(ctx context.Context, env []string, production *server) (err error) {
	cfg, err := config.Load(ctx, lookup(env))
	if err != nil {
		return err
	}
	cfg.Data, cfg.Offline = filepath.Join(r.folder, "data-arriving"), true
	importer, err := remote.OpenImporter(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, importer.Close()) }()
	c, err := dial(production.address)
	if err != nil {
		return err
	}
	defer c.close()
	var times []time.Duration
	for index := r.stored + r.fresh; len(times) < r.arrivals; index++ {
		codes := barcodes(r.seed, index, index+1, 1)
		if len(codes) == 0 {
			continue // it prints no barcode
		}
		path, err := r.write("arriving.json", index, index+1)
		if err != nil {
			return err
		}
		committed, err := importer.Import(ctx, path)
		if err != nil {
			return err
		}
		served, err := await(ctx, c, codes[0])
		if err != nil {
			return err
		}
		times = append(times, max(0, served.Sub(committed)))
	}
	p99 := percentile(times, 0.99)
	r.row(fmt.Sprintf("from the commit of a notice in PostgreSQL to another process serving it, %d notices", len(times)),
		fmt.Sprintf("median %s, 99 of 100 within %s", milli(median(times)), milli(p99)), "99 of 100 ≤ "+milli(goalArrival), atMost(float64(p99), float64(goalArrival)))
	return nil
}

// await asks for a barcode until a notice is known for it, and returns when the
// answer was there.
func await(ctx context.Context, c *client, uri string) (time.Time, error) {
	const every = 2 * time.Millisecond
	for begin := time.Now(); ; {
		if _, err := c.ask(get(uri), &expectation{}, true); err != nil {
			return time.Time{}, fmt.Errorf("waiting for %s: %w", uri, err)
		}
		now := time.Now()
		if !bytes.HasPrefix(c.body, []byte(noMatch)) {
			return now, nil
		}
		if now.Sub(begin) > patience || ctx.Err() != nil {
			return time.Time{}, errors.Join(fmt.Errorf("%s was committed, but it is not served after %s", uri, now.Sub(begin)), ctx.Err())
		}
		pause(ctx, every)
	}
}

// lookup finds settings among NAME=value pairs.
func lookup(env []string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, setting := range env {
			if value, ok := strings.CutPrefix(setting, name+"="); ok {
				return value, true
			}
		}
		return "", false
	}
}
