package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/lookup"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/sqlite"
)

// cable is a store behind a connection that can be cut, and that can be told to
// refuse changes. It knows of its own what the start asks for.
type cable struct {
	Store
	mu      sync.Mutex
	cut     error // what every call fails with; nil: it works
	refused error // what every change fails with
}

func (c *cable) set(cut, refused error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut, c.refused = cut, refused
}

func (c *cable) fault(change bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.cut != nil:
		return fmt.Errorf("dial tcp db.internal:5432: %w", c.cut)
	case change && c.refused != nil:
		return fmt.Errorf("changing something: %w", c.refused)
	}
	return nil
}

func (c *cable) Ping(ctx context.Context) error {
	if err := c.fault(false); err != nil {
		return err
	}
	return c.Store.Ping(ctx)
}

func (c *cable) Condition(ctx context.Context) (store.Condition, error) {
	if err := c.fault(false); err != nil {
		return store.Condition{}, err
	}
	return c.Store.Condition(ctx)
}

func (c *cable) MigrateUp(ctx context.Context) ([]store.Migration, error) {
	if err := c.fault(true); err != nil {
		return nil, err
	}
	return c.Store.MigrateUp(ctx)
}

func (c *cable) Identity(ctx context.Context) (string, error) {
	if err := c.fault(false); err != nil {
		return "", err
	}
	return store.IdentityOf(ctx, c.Store)
}

func (c *cable) Serial(ctx context.Context) (int64, error) {
	if err := c.fault(false); err != nil {
		return 0, err
	}
	return c.Store.Serial(ctx)
}

func (c *cable) Changes(ctx context.Context, since int64, limit int, yield func(store.Stored) error) error {
	if err := c.fault(false); err != nil {
		return err
	}
	return c.Store.Changes(ctx, since, limit, yield)
}

func (c *cable) Apply(ctx context.Context, batch []store.Incoming, now time.Time) ([]store.Effect, error) {
	if err := c.fault(true); err != nil {
		return nil, err
	}
	return c.Store.Apply(ctx, batch, now)
}

func (c *cable) Sources(ctx context.Context) ([]store.SourceRecord, error) {
	if err := c.fault(false); err != nil {
		return nil, err
	}
	return c.Store.Sources(ctx)
}

func (c *cable) Served(ctx context.Context, serial int64, at time.Time) error {
	if err := c.fault(true); err != nil {
		return err
	}
	return c.Store.Served(ctx, serial, at)
}

func (c *cable) Notice(ctx context.Context, id string) (store.Stored, error) {
	if err := c.fault(false); err != nil {
		return store.Stored{}, err
	}
	return c.Store.Notice(ctx, id)
}

func (c *cable) Revisions(ctx context.Context, id string) ([]store.Revision, error) {
	if err := c.fault(false); err != nil {
		return nil, err
	}
	return c.Store.Revisions(ctx, id)
}

// running is a program that serves.
type running struct {
	*App
	cable *cable
	base  string
	log   *lines
	stop  func()
}

// lines is a log that may be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// program builds the program on a data directory and a store that outlives it.
func program(t *testing.T, data string, st Store) *running {
	t.Helper()
	return programIn(t, "production", data, st)
}

// programIn is program in an environment.
func programIn(t *testing.T, environment, data string, st Store) *running {
	t.Helper()
	p := &running{cable: &cable{Store: st}, log: &lines{}}
	cfg, err := config.Load(t.Context(), func(string) (string, bool) { return "", false }) // the defaults
	if err != nil {
		t.Fatal(err)
	}
	cfg.Data, cfg.Environment, cfg.Offline = data, environment, true
	cfg.Drain, cfg.Grace, cfg.SnapshotEvery = 0, 10*time.Second, time.Hour
	if p.App, err = build(cfg, logged(t, cfg, slog.New(slog.NewTextHandler(p.log, nil))), "test", "here", p.cable); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Cache.Close(); err != nil {
			t.Error(err)
		}
	})
	p.retryAfter = 10 * time.Millisecond
	return p
}

// start starts it and serves until the test ends or stop is called.
func (p *running) start(t *testing.T) {
	t.Helper()
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.base = "http://" + listener.Addr().String()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() { served <- p.Serve(ctx, listener) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(p.stop)
}

// get asks for a path and returns the answer's status, headers and body.
func (p *running) get(t *testing.T, path string) (int, http.Header, string) {
	t.Helper()
	r, err := http.Get(p.base + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, r.Header, string(body)
}

func (p *running) verdict(t *testing.T) recall.Verdict {
	t.Helper()
	status, _, body := p.get(t, "/api/v1/barcode/"+starterBarcode)
	var v recall.Verdict
	if err := json.Unmarshal([]byte(body), &v); err != nil || status != http.StatusOK {
		t.Fatalf("status %d, %v: %s", status, err, body)
	}
	return v
}

// starterBarcode stands in a notice of the starter catalogue.
const starterBarcode = "850044968008"

func (p *running) eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	look, late := time.NewTicker(5*time.Millisecond), time.After(30*time.Second)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("%s: never\n%s", what, p.log)
		}
	}
}

func (p *running) ready(t *testing.T) bool {
	status, _, _ := p.get(t, "/api/readyz")
	return status == http.StatusOK
}

func (p *running) healthy(t *testing.T) bool {
	status, _, _ := p.get(t, "/api/healthz")
	return status == http.StatusOK
}

func openStore(t *testing.T) Store {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return st
}

func TestStartWithoutTheStoreAndWithoutASnapshot(t *testing.T) {
	t.Parallel()
	p := program(t, t.TempDir(), openStore(t))
	p.cable.set(store.ErrUnavailable, nil)
	p.start(t)
	if p.ready(t) || p.healthy(t) {
		t.Error("it is ready for traffic without a catalogue")
	}
	if v := p.verdict(t); v.Verdict != recall.CannotTell {
		t.Errorf("verdict %s", v.Verdict)
	}
	if status, header, _ := p.get(t, "/api/v1/recalls"); status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
		t.Errorf("a list: %d", status)
	}
	p.cable.set(nil, nil)
	p.eventually(t, "ready when the store is back", func() bool { return p.ready(t) && p.healthy(t) })
	if v := p.verdict(t); v.Verdict != recall.Affected {
		t.Errorf("verdict %s", v.Verdict)
	}
}

func TestStartFromASnapshot(t *testing.T) {
	t.Parallel()
	data, st := t.TempDir(), openStore(t)
	before := program(t, data, st)
	before.start(t)
	want := before.verdict(t)
	before.stop() // which keeps a snapshot
	if list, err := filepath.Glob(filepath.Join(data, "snapshots", "*.snapshot")); err != nil || len(list) != 1 {
		t.Fatalf("the stopped process left %v, %v\n%s", list, err, before.log)
	}

	p := program(t, data, st)
	p.Lookup = lookup.New(p.Sources, func() time.Time { return time.Now().Add(time.Hour) })
	p.cable.set(store.ErrUnavailable, nil)
	p.start(t)
	fresh := p.Catalogue.FreshAt()
	if !p.ready(t) || p.healthy(t) {
		t.Errorf("ready %v, healthy %v", p.ready(t), p.healthy(t))
	}
	if _, _, body := p.get(t, "/api/healthz"); !strings.Contains(body, "from a snapshot") || strings.Contains(body, "db.internal") {
		t.Errorf("healthz: %s", body)
	}
	v := p.verdict(t)
	if !v.AsOf.Equal(fresh.Truncate(time.Second)) || v.Verdict != want.Verdict || v.Serial != want.Serial || len(v.Coverage) != len(want.Coverage) {
		t.Errorf("verdict %s at serial %d as of %s, want %s at %d as of %s", v.Verdict, v.Serial, v.AsOf, want.Verdict, want.Serial, fresh)
	}
	id := v.Matches[0].Recall.ID
	for path, want := range map[string]int{
		"/api/v1/recalls?q=crib": 200, "/api/v1/recalls/" + id: 200, "/api/v1/sources": 200, "/api/v1/changes": 200,
		"/api/v1/recalls/" + id + "/revisions": 503, "/api/v1/recalls/us-cpsc:99-001": 503,
	} {
		if status, header, body := p.get(t, path); status != want || (status == 503) != (header.Get("Retry-After") != "") {
			t.Errorf("%s: %d, %s", path, status, body)
		}
	}

	// Something happened while nobody could look.
	n := recall.Notice{ID: "us-cpsc:99-001", Agency: "us-cpsc", Title: "Quibblewick prams", PublishedAt: time.Now(), Products: []recall.Product{{Name: "Pram", Brand: "Quibblewick"}}}
	n.Normalise()
	if _, err := st.Apply(t.Context(), []store.Incoming{{Notice: n, SourceHash: "1", Completeness: 1}}, time.Now()); err != nil {
		t.Fatal(err)
	}
	p.cable.set(nil, nil)
	p.eventually(t, "it goes on from the store", func() bool { return p.verdict(t).Serial == want.Serial+1 && p.healthy(t) })
	if status, _, _ := p.get(t, "/api/v1/recalls/us-cpsc:99-001"); status != http.StatusOK || !p.Catalogue.FreshAt().After(fresh) {
		t.Errorf("the new notice: %d; fresh at %s", status, p.Catalogue.FreshAt())
	}

	// And the store may go and come as it likes.
	p.cable.set(store.ErrUnavailable, nil)
	p.eventually(t, "healthz notices", func() bool { return !p.healthy(t) })
	if v := p.verdict(t); !p.ready(t) || v.Verdict != want.Verdict {
		t.Errorf("verdict %s", v.Verdict)
	}
	p.cable.set(nil, nil)
	p.eventually(t, "and that it is back", func() bool { return p.healthy(t) })
}

func TestAStoreThatCanOnlyBeReadIsServed(t *testing.T) {
	t.Parallel()
	st := openStore(t)
	before := program(t, t.TempDir(), st)
	before.start(t)
	before.stop()
	for _, refused := range []error{store.ErrReadOnly, store.ErrFull} {
		t.Run(refused.Error(), func(t *testing.T) {
			p := program(t, t.TempDir(), st)
			p.cable.set(nil, refused)
			p.start(t)
			if v := p.verdict(t); v.Verdict != recall.Affected || !p.ready(t) || p.Catalogue.Current().Restored() {
				t.Errorf("verdict %s, ready %v", v.Verdict, p.ready(t))
			}
			p.cable.set(nil, nil)
			p.eventually(t, "it is prepared when it can be written to", func() bool { return strings.Contains(p.log.String(), "the database is in use") })
		})
	}
}

func TestWhatNoWaitingMendsStopsTheStart(t *testing.T) {
	t.Parallel()
	for _, fault := range []error{store.ErrNewerVersion, store.ErrCorrupt, errors.New("something that nobody knows")} {
		p := program(t, t.TempDir(), openStore(t))
		p.cable.set(fault, nil)
		if err := p.Start(t.Context()); !errors.Is(err, fault) {
			t.Errorf("%v: %v", fault, err)
		}
	}
	p := program(t, t.TempDir(), openStore(t))
	p.cable.set(store.ErrUnavailable, nil)
	for what, err := range map[string]error{"prepare": p.Prepare(t.Context()), "load": p.Load(t.Context())} {
		if !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// hanging is a store that takes a question and never answers.
type hanging struct{ Store }

func (hanging) Ping(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestASilentStoreIsOneThatIsNotThere(t *testing.T) {
	t.Parallel()
	p := program(t, t.TempDir(), hanging{openStore(t)})
	synctest.Test(t, func(t *testing.T) {
		stopped, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.Start(stopped); !errors.Is(err, context.Canceled) {
			t.Errorf("a start that was stopped: %v", err)
		}
		began := time.Now()
		if err := p.Start(t.Context()); err != nil || time.Since(began) != greeting || p.Catalogue.Current().Loaded() {
			t.Errorf("after %s: %v, loaded %v", time.Since(began), err, p.Catalogue.Current().Loaded())
		}
	})
}
