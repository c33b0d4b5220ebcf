// Package redis keeps rate limits in Redis (version 6 or later), so that all
// processes hold a caller to the same one. Each decision is one script on one key,
// by the server's clock, and each question to several callers one round trip.
//
// It gives up when its caller's context ends; what to do about a server that
// doesn't answer is package ratelimit's business.
package redis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"time"

	driver "github.com/redis/go-redis/v9"

	"github.com/crownsafe/api/internal/ratelimit"
	"github.com/crownsafe/api/internal/redisclient"
)

// format is the number of the layout of keys and values.
const format = "1"

// perTrip is how many questions go in one round trip.
const perTrip = 500

//go:embed take.lua
var script string

// Options say which Redis, and how to use it.
type Options struct {
	URL, CAFile string // see package redisclient
	// Prefix stands before every key, for servers that others use too.
	Prefix string
}

// Source is a ratelimit.Far in Redis. A key holds when its bucket is full, in
// microseconds since 1970, and ends then.
type Source struct {
	client driver.UniversalClient
	take   *driver.Script
	prefix string
}

// Open prepares to use Redis; it doesn't ask it anything. An error is one of the options'.
func Open(opts Options) (*Source, error) {
	client, err := redisclient.Open(redisclient.Options{URL: opts.URL, CAFile: opts.CAFile})
	if err != nil {
		return nil, err
	}
	return &Source{client: client, take: driver.NewScript(script), prefix: opts.Prefix + "limit" + format + ":"}, nil
}

// Take is ratelimit.Source's.
func (s *Source) Take(ctx context.Context, asks []ratelimit.Ask) ([]ratelimit.Decision, error) {
	decisions := make([]ratelimit.Decision, 0, len(asks))
	for some := range slices.Chunk(asks, perTrip) {
		owed, err := s.run(ctx, some)
		if err != nil {
			return nil, fmt.Errorf("redis: asking for %d limits: %w: %w", len(asks), ratelimit.ErrUnavailable, err)
		}
		for i, a := range some {
			decisions = append(decisions, decision(a, owed[i]))
		}
	}
	return decisions, nil
}

// outcome is what the script answers: whether the cost was taken, and how long the
// bucket takes to be full now.
type outcome struct {
	taken bool
	debt  time.Duration
}

// decision words an outcome. The script decided; the rest is arithmetic.
func decision(a ratelimit.Ask, o outcome) ratelimit.Decision {
	look := ratelimit.Ask{Key: a.Key, Limit: a.Limit}
	if o.taken {
		d, _ := ratelimit.Decide(o.debt, look)
		d.Allowed, d.RetryAfter = true, 0
		return d
	}
	look.Cost = a.Cost
	d, _ := ratelimit.Decide(o.debt, look)
	if d.Allowed { // by the rounding to microseconds
		d.Allowed, d.RetryAfter = false, time.Microsecond
		d.Reset, d.Remaining = o.debt, 0
	}
	return d
}

// run runs the script for each question in one round trip, and a second one after
// the server has lost the script.
func (s *Source) run(ctx context.Context, asks []ratelimit.Ask) ([]outcome, error) {
	results := make([]*driver.Cmd, len(asks))
	for _, with := range []func(context.Context, driver.Scripter, []string, ...any) *driver.Cmd{s.take.EvalSha, s.take.Eval} {
		_, err := s.client.Pipelined(ctx, func(p driver.Pipeliner) error {
			for i, a := range asks {
				if results[i] == nil {
					results[i] = with(ctx, p, []string{s.prefix + a.Key}, arguments(a)...)
				}
			}
			return nil
		})
		lost := 0
		for i, r := range results {
			switch fault := r.Err(); {
			case fault != nil && driver.HasErrorPrefix(fault, "NOSCRIPT"):
				results[i] = nil
				lost++
			case fault != nil:
				return nil, fault
			}
		}
		if lost == 0 {
			// Where there was no connection, the commands may not know of it.
			if err != nil && !driver.HasErrorPrefix(err, "NOSCRIPT") {
				return nil, err
			}
			break
		}
	}
	return read(results)
}

// arguments are the script's: the tolerance, what was spent and what is asked for,
// in microseconds of debt.
func arguments(a ratelimit.Ask) []any {
	spacing := a.Limit.Spacing().Microseconds()
	return []any{a.Limit.Burst * spacing, a.Spent * spacing, a.Cost * spacing}
}

var errAnswer = errors.New("the script's answer can't be read")

func read(results []*driver.Cmd) ([]outcome, error) {
	outcomes := make([]outcome, len(results))
	for i, r := range results {
		if r == nil {
			return nil, errAnswer
		}
		numbers, err := r.Int64Slice()
		if err != nil {
			return nil, err
		}
		if len(numbers) != 2 {
			return nil, errAnswer
		}
		outcomes[i] = outcome{taken: numbers[0] == 1, debt: time.Duration(numbers[1]) * time.Microsecond}
	}
	return outcomes, nil
}

// Ping is ratelimit.Far's.
func (s *Source) Ping(ctx context.Context) error {
	if err := s.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("redis: asking for a sign of life: %w: %w", ratelimit.ErrUnavailable, err)
	}
	return nil
}

// Close closes the connections.
func (s *Source) Close() error {
	if err := s.client.Close(); err != nil {
		return fmt.Errorf("closing the connections to Redis: %w", err)
	}
	return nil
}
