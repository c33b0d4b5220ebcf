package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// connections is how many connections ask at the same time.
const connections = 64

// question is one request with what its right answer looks like.
type question struct {
	request []byte
	want    expectation
}

// questions gives one question after the other; connections share it.
type questions func() question

// numbered makes questions of what gives the n-th one. No number comes twice.
func numbered(nth func(n uint64) question) questions {
	var asked atomic.Uint64
	return func() question { return nth(asked.Add(1) - 1) }
}

// inTurn asks the same questions over and over.
func inTurn(list []question) questions {
	return numbered(func(n uint64) question { return list[n%uint64(len(list))] })
}

// tally is what became of the requests of a load.
type tally struct {
	requests, failures int
	latencies          []time.Duration
	elapsed            time.Duration
	first              error // failure
}

func (t *tally) rate() float64 { return float64(t.requests) / t.elapsed.Seconds() }

func (t *tally) fail(err error) {
	t.failures++
	if t.first == nil {
		t.first = err
	}
}

// add adds what another connection saw in the same time.
func (t *tally) add(o *tally) {
	t.requests += o.requests
	t.failures += o.failures
	t.latencies = append(t.latencies, o.latencies...)
	t.elapsed = max(t.elapsed, o.elapsed)
	if t.first == nil {
		t.first = o.first
	}
}

const (
	// lookEvery is how many answers go by between two that are compared byte by
	// byte; of the others only status and length are.
	lookEvery = 256
	// mostFailures ends a connection's work: a broken server isn't worth a storm.
	mostFailures = 100
)

// ask keeps all connections busy until ctx is done.
func ask(ctx context.Context, address string, next questions) tally {
	tallies := make([]tally, connections)
	var wg sync.WaitGroup
	for i := range connections {
		wg.Go(func() { askOn(ctx, address, next, &tallies[i]) })
	}
	wg.Wait()
	var sum tally
	for i := range tallies {
		sum.add(&tallies[i])
	}
	return sum
}

// askFor is ask for a time.
func askFor(ctx context.Context, d time.Duration, address string, next questions) tally {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return ask(ctx, address, next)
}

// askOn is the work of one connection.
func askOn(ctx context.Context, address string, next questions, t *tally) {
	begin := time.Now()
	defer func() { t.elapsed = time.Since(begin) }()
	var c *client
	defer func() {
		if c != nil {
			c.close()
		}
	}()
	for ctx.Err() == nil && t.failures < mostFailures {
		if c == nil {
			var err error
			if c, err = dial(address); err != nil {
				t.fail(err)
				continue
			}
			if err := c.conn.SetDeadline(begin.Add(2 * patience)); err != nil {
				t.fail(fmt.Errorf("setting the deadline: %w", err))
				return
			}
		}
		q := next()
		asked := time.Now()
		h, err := c.ask(q.request, &q.want, t.requests%lookEvery == 0)
		t.requests++
		t.latencies = append(t.latencies, time.Since(asked))
		if err != nil {
			t.fail(err)
		}
		if err != nil || h.close {
			c.close()
			c = nil
		}
	}
}

// contender is a server in a comparison, with what it has done so far.
type contender struct {
	server  *server
	rates   []float64
	slowest []time.Duration // of each round, the 99th latency of a hundred
	cpu     time.Duration   // of all rounds together
	total   tally
}

// round loads the server once.
func (c *contender) round(ctx context.Context, d time.Duration, next questions) error {
	before, err := c.server.cpu()
	if err != nil {
		return err
	}
	t := askFor(ctx, d, c.server.address, next)
	after, err := c.server.cpu()
	if err != nil {
		return err
	}
	if t.failures > 0 {
		return fmt.Errorf("%d of %d requests to %s failed: %w", t.failures, t.requests, c.server.cmd.Path, t.first)
	}
	if t.requests == 0 {
		return errors.Join(fmt.Errorf("%s answered nothing in %s", c.server.cmd.Path, d), ctx.Err())
	}
	c.rates = append(c.rates, t.rate())
	c.slowest = append(c.slowest, percentile(t.latencies, 0.99))
	c.cpu += after - before
	c.total.add(&t)
	return c.server.clearLog()
}

// cpuPerRequest is the server's processor time for one request.
func (c *contender) cpuPerRequest() time.Duration {
	return c.cpu / time.Duration(c.total.requests)
}

// compare loads both servers with the same questions, turn by turn, each of them
// first every other time, so that whatever else the machine does meets both. The
// ratio is the median of the rounds' ratios, of the latter's rate to the former's.
// The first round of each only warms up.
func compare(ctx context.Context, s settings, measure, ours *server, next questions) (ratio float64, m, o *contender, err error) {
	for _, warm := range []*contender{{server: measure}, {server: ours}} {
		if err := warm.round(ctx, s.round/4, next); err != nil {
			return 0, nil, nil, err
		}
	}
	m, o = &contender{server: measure}, &contender{server: ours}
	var ratios []float64
	for i := range s.rounds {
		first, second := m, o
		if i%2 == 1 {
			first, second = o, m
		}
		if err := errors.Join(first.round(ctx, s.round, next), second.round(ctx, s.round, next)); err != nil {
			return 0, nil, nil, err
		}
		last := len(ratios)
		ratios = append(ratios, o.rates[last]/m.rates[last])
	}
	return median(ratios), m, o, nil
}
