// Package app is the composition root: it builds the whole program from its
// settings. Commands and end-to-end tests use it; nothing imports it but them.
package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/agency/accc"
	"github.com/crownsafe/api/internal/agency/cpsc"
	"github.com/crownsafe/api/internal/agency/fsa"
	"github.com/crownsafe/api/internal/agency/fsis"
	"github.com/crownsafe/api/internal/agency/healthcanada"
	"github.com/crownsafe/api/internal/agency/kats"
	"github.com/crownsafe/api/internal/agency/lmw"
	"github.com/crownsafe/api/internal/agency/mbie"
	"github.com/crownsafe/api/internal/agency/nhtsa"
	"github.com/crownsafe/api/internal/agency/openfda"
	"github.com/crownsafe/api/internal/agency/opss"
	"github.com/crownsafe/api/internal/agency/rappelconso"
	"github.com/crownsafe/api/internal/agency/safetygate"
	"github.com/crownsafe/api/internal/auth"
	"github.com/crownsafe/api/internal/backup"
	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/health"
	"github.com/crownsafe/api/internal/ingest"
	"github.com/crownsafe/api/internal/lookup"
	"github.com/crownsafe/api/internal/mail"
	"github.com/crownsafe/api/internal/photo"
	"github.com/crownsafe/api/internal/ratelimit"
	"github.com/crownsafe/api/internal/secret"
	"github.com/crownsafe/api/internal/snapshot"
	"github.com/crownsafe/api/internal/source"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/telemetry"
	"github.com/crownsafe/api/internal/traffic"
)

// App is the program, ready to work on one data directory.
type App struct {
	Config    config.Config
	Logger    *slog.Logger
	Store     Store
	Objects   objects
	Cache     *cache.Cache
	Runner    *ingest.Runner
	Catalogue *catalogue.Catalogue
	Sources   *source.Board
	Lookup    *lookup.Service
	Snapshots *snapshot.Keeper
	Photos    *photo.Mirror
	Accounts  *auth.Service
	Metrics   *telemetry.Metrics
	Health    *health.Board
	Traffic   *traffic.Recorder
	Limiter   *ratelimit.Limiter // nil: everybody may ask as often as they like
	Version   string
	// Backups keeps the store's backups.
	Backups *backup.Keeper
	// Keys are what the service signs with.
	Keys *secret.Keyring
	// Secrets are where the settings' secrets come from; nil: from the settings
	// alone, and none is ever read anew.
	Secrets *secret.Resolver

	opened  closers            // what build opened
	probing *ratelimit.Limiter // for the audit's probes; nil where there are no limits

	seen       *seen
	audits     audits
	asked      asked         // what servers are asked for the audit
	prepared   bool          // Prepare was done
	loaded     bool          // the catalogue came from the store
	retryAfter time.Duration // how long to wait at least before the store or the uploads are tried again
	draining   atomic.Bool
	stored     atomic.Int64                 // bytes of all objects, when they were last counted
	ending     chan struct{}                // closed when draining begins
	end        func()                       // closes it, once
	uploads    atomic.Pointer[blob.Uploads] // while serving
	letters    *mail.Queue                  // nil: no mail can be sent
	breached   *auth.BreachedFile           // nil: there is no list
}

// Agencies lists every agency, in order of code.
func Agencies(cfg config.Config) []agency.Agency {
	return []agency.Agency{
		accc.New(accc.Options{BaseURL: cfg.Feeds.AustraliaACCC}),
		healthcanada.New(healthcanada.Options{BaseURL: cfg.Feeds.HealthCanada}),
		lmw.New(lmw.Options{BaseURL: cfg.Feeds.GermanyLMW}),
		safetygate.New(safetygate.Options{BaseURL: cfg.Feeds.SafetyGate}),
		rappelconso.New(rappelconso.Options{BaseURL: cfg.Feeds.RappelConso}),
		kats.New(kats.Options{BaseURL: cfg.Feeds.KoreaKATS, Key: string(cfg.KeyKATS)}),
		mbie.New(mbie.Options{BaseURL: cfg.Feeds.NewZealand}),
		fsa.New(fsa.Options{BaseURL: cfg.Feeds.UKFSA}),
		opss.New(opss.Options{BaseURL: cfg.Feeds.UKOPSS}),
		cpsc.New(cpsc.Options{BaseURL: cfg.Feeds.CPSC}),
		openfda.New(openfda.Options{BaseURL: cfg.Feeds.FDA}),
		fsis.New(fsis.Options{BaseURL: cfg.Feeds.FSIS}),
		nhtsa.New(nhtsa.Options{BaseURL: cfg.Feeds.NHTSA}),
	}
}

// Open builds the program from its settings, on its data directory, which is made
// when it is missing. It is ready after Prepare and Load, or after Start.
func Open(ctx context.Context, cfg config.Config, logger *slog.Logger, version string) (*App, error) {
	if err := prepareFolder(cfg.Data); err != nil {
		return nil, err
	}
	self := holder()
	seen, err := see(cfg, logger, version, self)
	if err != nil {
		return nil, err
	}
	st, err := connectStore(ctx, cfg, seen)
	if err != nil {
		seen.close()
		return nil, err
	}
	a, err := build(cfg, seen, version, self, st)
	if err != nil {
		seen.close()
		return nil, errors.Join(err, st.Close())
	}
	return a, nil
}

// prepareFolder makes the data directory and finds out whether it can be
// written to, so that the fault is named before anything is half done.
func prepareFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("making the data directory: %w", err)
	}
	probe, err := os.CreateTemp(dir, ".probe-*")
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("the data directory %s cannot be written to: %w; choose another with --data", dir, store.ErrReadOnly)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("the data directory %s: %w", dir, store.ErrFull)
	case err != nil:
		return fmt.Errorf("writing to the data directory: %w", err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// prepareSpool makes the folder in which payloads are written before their key
// is known, and clears out what a process that was killed left there. A process
// that is at work needs its open file and not the name (see blob.Archive), so
// every name may go, however young; where an open file's cannot, it stays.
func prepareSpool(dir string) (string, error) {
	spool := filepath.Join(dir, "spool")
	if err := os.MkdirAll(spool, 0o750); err != nil {
		return "", fmt.Errorf("making the spool folder: %w", err)
	}
	entries, err := os.ReadDir(spool)
	if err != nil {
		return "", fmt.Errorf("reading the spool folder: %w", err)
	}
	for _, entry := range entries {
		if payload, err := filepath.Match("payload-*.gz", entry.Name()); payload && err == nil {
			_ = os.Remove(filepath.Join(spool, entry.Name())) // what stays does no harm
		}
	}
	return spool, nil
}

// build makes the program around its store. What it had opened before a step failed
// is closed again.
func build(cfg config.Config, seen *seen, version, self string, st Store) (built *App, err error) {
	var opened closers
	defer func() {
		if err != nil {
			err = errors.Join(err, opened.close())
		}
	}()
	if err := checkOrigins(cfg); err != nil {
		return nil, err
	}
	spool, err := prepareSpool(cfg.Data)
	if err != nil {
		return nil, err
	}
	remembered, err := openCache(cfg, seen)
	if err != nil {
		return nil, err
	}
	opened = append(opened, remembered.Close)
	keys, err := openKeyring(cfg)
	if err != nil {
		return nil, err
	}
	role := roleIn(st)
	unseen := st
	st = seen.store(st, databaseSystem(cfg))
	stored, err := openObjects(cfg, keys, remembered, seen)
	if err != nil {
		return nil, err
	}
	opened = append(opened, stored.close)
	limiter, closeLimiter, err := openLimiter(cfg, seen)
	if err != nil {
		return nil, err
	}
	opened = append(opened, closeLimiter)
	a := &App{
		Config: cfg, seen: seen, Logger: seen.of("app"), Store: st, Objects: stored, Cache: remembered, Keys: keys, Catalogue: catalogue.New(),
		Metrics: seen.metrics, Traffic: seen.traffic, Version: version, retryAfter: retryAfter,
	}
	a.asked = asked{role: role, publicAccess: stored.publicAccess}
	a.Limiter, a.probing = limiter, openProbing(limiter)
	a.audits.first = make(chan struct{})
	a.ending = make(chan struct{})
	a.end = sync.OnceFunc(func() { close(a.ending) })
	if tracer := seen.tracer(); tracer != nil {
		a.Catalogue.Trace(tracer)
	}
	userAgent := fmt.Sprintf("CrownSafe/%s (%s)", version, cfg.Contact)
	client := agency.NewClient(agency.ClientOptions{UserAgent: userAgent, Logger: seen.of("agency"), Tracer: seen.tracer()})
	a.Photos = photo.New(photo.Options{
		Store: stored, Uploads: a.uploads.Load, Cache: remembered, Remote: remoteBlobs(cfg), Offline: cfg.Offline,
		UserAgent: userAgent, Logger: seen.of("photo"),
	})
	// Whether a payload is in the archive is asked of the store and not of the cache,
	// which may not know yet that somebody has removed it.
	a.Runner = &ingest.Runner{
		Agencies: Agencies(cfg), Store: st, Archive: blob.NewArchive(stored.guard, spool), Client: client,
		Now: time.Now, Logger: seen.of("ingest"), Tracer: seen.tracer(), Storing: a.Catalogue.Cause, Stored: a.Catalogue.Wake, Leases: st, Holder: self,
	}
	a.Runner.Archive.Defer(a.uploads.Load)
	a.Runner.Deferred = &ingest.Deferred{Folder: filepath.Join(cfg.Data, "deferred"), Blobs: stored.guard, Store: st, Logger: seen.of("ingest"), Tracer: seen.tracer()}
	var descriptions []agency.Description
	for _, ag := range a.Runner.Agencies {
		descriptions = append(descriptions, ag.Describe())
	}
	a.Sources = source.NewBoard(descriptions, st, cfg.Offline, time.Now)
	a.Lookup = lookup.New(a.Sources, time.Now)
	a.Snapshots = &snapshot.Keeper{
		Folder: filepath.Join(cfg.Data, "snapshots"), Catalogue: a.Catalogue, Sources: a.Sources, Now: time.Now, Logger: seen.of("snapshot"), Tracer: seen.tracer(),
	}
	opened = append(opened, a.closeAccounts) // what was opened of it
	if err := a.openAccounts(); err != nil {
		return nil, err
	}
	if err := a.openBackups(unseen); err != nil {
		return nil, err
	}
	opened = append(opened, a.closeBackups)
	a.openHealth(time.Now, a.audits.forHealth)
	if remoteBlobs(cfg) { // objects on the same disk would be the same files once more
		a.Snapshots.Blobs = stored
	}
	a.measure()
	a.opened = opened
	return a, nil
}

// closers close what was opened, in the order in which it was.
type closers []func() error

// close closes all of it, what was opened last first.
func (c closers) close() (err error) {
	for _, end := range slices.Backward(c) {
		err = errors.Join(err, end())
	}
	return err
}

// holder names this process among all that share a store.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown" // the rest tells it apart
	}
	return host + "/" + rand.Text()
}

// Draining reports that the program is stopping and takes no new work.
func (a *App) Draining() bool { return a.draining.Load() }

// Close lets go of agencies, letters, the limits, the objects, the cache and the store.
func (a *App) Close() error {
	a.Photos.Close()
	if a.probing != nil {
		a.probing.Close()
	}
	defer a.seen.close()
	return errors.Join(a.opened.close(), a.Store.Close())
}
