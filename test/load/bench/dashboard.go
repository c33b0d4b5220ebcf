package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// The goals of the operators' dashboard.
const (
	goalDashboard        = 20 * time.Millisecond
	goalDashboardHanging = 1100 * time.Millisecond
)

const (
	// watchers ask for the dashboard at the same moment.
	watchers = 10
	// looks is how often they do, each time further apart than an answer is kept.
	looks     = 20
	lookApart = 1050 * time.Millisecond
)

// watching measures the dashboard with all servers up, and with all of them silent.
func (r *run) watching(ctx context.Context, s *servers) error {
	env, err := s.environment(ctx, &s.postgres, &s.redis, &s.azure)
	if err != nil {
		return err
	}
	up, err := r.looking(ctx, "dashboard-up", env, "")
	if err != nil {
		return err
	}
	r.row(fmt.Sprintf("the dashboard, asked for by %d at the same moment, with PostgreSQL, Redis and Blob", watchers),
		fmt.Sprintf("median %s, 99 of 100 within %s", milli(median(up)), milli(percentile(up, 0.99))),
		"99 of 100 ≤ "+milli(goalDashboard), atMost(float64(percentile(up, 0.99)), float64(goalDashboard)))

	silence, err := keepSilent()
	if err != nil {
		return err
	}
	defer silence.close()
	hanging, err := r.looking(ctx, "dashboard-hanging", silence.environment(), "azure_storage cache database")
	if err != nil {
		return err
	}
	r.row("the same, while all three let connections in and say nothing",
		fmt.Sprintf("median %s, 99 of 100 within %s", milli(median(hanging)), milli(percentile(hanging, 0.99))),
		"99 of 100 ≤ "+milli(goalDashboardHanging), atMost(float64(percentile(hanging, 0.99)), float64(goalDashboardHanging)))
	return nil
}

// looking asks a server of its own for the dashboard, again and again, and returns
// how long each answer took. Those of the subsystems that are named must be
// unhealthy, and of the three servers no others.
func (r *run) looking(ctx context.Context, name string, env []string, sick string) (took []time.Duration, err error) {
	server, err := r.program.with(name, env...).serve(ctx, filepath.Join(r.folder, name))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	pause(ctx, settlingIn)
	var lock sync.Mutex
	for range looks {
		var all sync.WaitGroup
		for range watchers {
			all.Go(func() {
				begin := time.Now()
				failed := lookedAt(server.address, sick)
				lock.Lock()
				defer lock.Unlock()
				took, err = append(took, time.Since(begin)), errors.Join(err, failed)
			})
		}
		all.Wait()
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		pause(ctx, lookApart)
	}
	return took, nil
}

// lookedAt asks for the dashboard once and checks what it says of the servers.
func lookedAt(address, sick string) error {
	a, err := fetch(address, "/api/v1/monitoring/system-health-dashboard")
	if err != nil {
		return err
	}
	var dashboard struct {
		Subsystems map[string]struct{ Status string }
	}
	if err := json.Unmarshal(a.Body, &dashboard); err != nil {
		return fmt.Errorf("reading the dashboard: %w in %.200s", err, a.Body)
	}
	var found []string
	for _, name := range []string{"azure_storage", "cache", "database"} {
		if dashboard.Subsystems[name].Status == "unhealthy" {
			found = append(found, name)
		}
	}
	if got := strings.Join(found, " "); got != sick {
		return fmt.Errorf("the dashboard says that %q are unhealthy, and it is %q", got, sick)
	}
	return nil
}

// silence lets everybody in and says nothing, as servers that hang.
type silence struct {
	listener net.Listener
	lock     sync.Mutex
	held     []net.Conn
}

func keepSilent() (*silence, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening in silence: %w", err)
	}
	s := &silence{listener: listener}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil { // the end
				return
			}
			s.lock.Lock()
			s.held = append(s.held, conn)
			s.lock.Unlock()
		}
	}()
	return s, nil
}

// environment names it as all three servers.
func (s *silence) environment() []string {
	address := s.listener.Addr().String()
	return []string{
		"DATABASE_URL=postgres://nobody:nothing@" + address + "/none?sslmode=disable", "REDIS_URL=redis://" + address + "/0",
		"AZURE_STORAGE_CONNECTION_STRING=DefaultEndpointsProtocol=http;AccountName=none;AccountKey=bm9uZQ==;BlobEndpoint=http://" + address + "/none;",
	}
}

func (s *silence) close() {
	_ = s.listener.Close() // it ends with the run anyway
	s.lock.Lock()
	defer s.lock.Unlock()
	for _, conn := range s.held {
		_ = conn.Close()
	}
}
