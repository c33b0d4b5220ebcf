package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// goalSignIns is by how much sign-ins may slow down lookups.
const goalSignIns = 2.0

const (
	// signIns is how many people sign in at the same moment, again and again.
	signIns  = 100
	theEmail = "bench@example.org"
	thePass  = "a mill with three red sails"
)

// signingIn measures how much slower lookups are while many people sign in: the
// 99th latency of a hundred of rounds with sign-ins, by that of rounds without.
func (r *run) signingIn(ctx context.Context, list []question) (err error) {
	create := r.program.command(ctx, "user", "create", "--data", r.data, theEmail)
	create.Stdin = strings.NewReader(thePass + "\n")
	if out, err := create.CombinedOutput(); err != nil {
		return fmt.Errorf("making a user: %w: %s", err, out)
	}
	server, _, err := r.program.with("sign-in", "CROWNSAFE_RATE_SIGN_IN=60000000").serveHit(ctx, r.data, r.hits[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	calm, busy := &contender{server: server}, &contender{server: server}
	if err := (&contender{server: server}).round(ctx, r.round/4, inTurn(list)); err != nil {
		return err
	}
	var done crowd
	for range r.rounds {
		if err := calm.round(ctx, r.round, inTurn(list)); err != nil {
			return err
		}
		end := done.signIn(ctx, server.address)
		err := busy.round(ctx, r.round, inTurn(list))
		if err := errors.Join(err, end()); err != nil {
			return err
		}
	}
	if done.in.Load() == 0 {
		return errors.New("nobody could sign in")
	}
	without, with := median(calm.slowest), median(busy.slowest)
	ratio := float64(with) / float64(without)
	r.row(fmt.Sprintf("99 of 100 lookups, %d connections, while %d sign in at the same time, by those while nobody does", connections, signIns),
		fmt.Sprintf("×%.1f (%s by %s; %d signed in, %d were told to come again)", ratio, milli(with), milli(without), done.in.Load(), done.later.Load()),
		fmt.Sprintf("≤ ×%.0f", goalSignIns), atMost(ratio, goalSignIns))
	return nil
}

// crowd signs in and counts what it was answered.
type crowd struct{ in, later atomic.Int64 }

// signIn has everybody sign in until end is called, which waits for the last.
func (c *crowd) signIn(ctx context.Context, address string) (end func() error) {
	ctx, cancel := context.WithCancel(ctx)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: signIns}, Timeout: patience}
	failures := make(chan error, signIns)
	var all sync.WaitGroup
	for range signIns {
		all.Go(func() {
			for ctx.Err() == nil {
				if err := c.once(ctx, client, address); err != nil && ctx.Err() == nil {
					failures <- err
					return
				}
			}
		})
	}
	return func() error {
		cancel()
		all.Wait()
		client.CloseIdleConnections()
		close(failures)
		return <-failures // nil: there was none
	}
}

func (c *crowd) once(ctx context.Context, client *http.Client, address string) error {
	body, err := json.Marshal(map[string]string{"email": theEmail, "password": thePass})
	if err != nil {
		return fmt.Errorf("writing a sign-in: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/api/v1/auth/login", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("preparing a sign-in: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("signing in: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("reading the answer to a sign-in: %w", err)
	}
	switch response.StatusCode {
	case http.StatusOK:
		c.in.Add(1)
	case http.StatusServiceUnavailable: // too many passwords are being checked
		c.later.Add(1)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	default:
		return fmt.Errorf("a sign-in is answered with status %d: %s", response.StatusCode, answer)
	}
	return nil
}
