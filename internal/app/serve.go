package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/crownsafe/api/internal/api"
)

const (
	// followEvery is how often the store is asked for other processes' changes;
	// a new serial is to be seen within a second.
	followEvery = 250 * time.Millisecond
	// refreshEvery is how often the sources' states are read anew, and the store is
	// told what the catalogue serves.
	refreshEvery = 2 * time.Second
)

// Serve answers on the listener until ctx is done, then drains: readyz says no,
// connections are asked to close, requests under way are finished. It returns
// nil after an orderly stop. Background work ends with it; where Start or Load left
// something to be done, that is its first part.
func (a *App) Serve(ctx context.Context, listener net.Listener) error {
	handler, err := a.Handler()
	if err != nil {
		return err
	}
	stopDebug, err := a.startDebug(ctx)
	if err != nil {
		return err
	}
	defer stopDebug()
	server := api.Server(a.closeWhileDraining(handler))
	server.ErrorLog = slog.NewLogLogger(a.Logger.Handler(), slog.LevelWarn)

	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg, opening sync.WaitGroup
	defer wg.Wait()
	stop := func() {
		cancel()
		opening.Wait() // what is opened now is closed with the rest
	}
	defer stop()
	if err := a.openUploads(); err != nil {
		a.Logger.Error("nothing can be uploaded beside requests yet; trying again", "error", err)
		opening.Go(func() { a.keepOpeningUploads(background) })
	}
	wg.Go(func() { a.work(background) })
	wg.Go(func() { a.Health.Run(background) })
	wg.Go(func() { a.settleDeferred(background) })
	wg.Go(func() { a.keepCounting(background) })
	wg.Go(func() { a.greetOthers(background) })
	wg.Go(func() { a.keepSecretsFresh(background) })
	wg.Go(func() { a.keepAuditing(background) })
	wg.Go(func() { a.keepAccounts(background) })
	wg.Go(func() { a.keepBackups(background) })

	served := make(chan error, 1)
	go func() { served <- server.Serve(a.bound(listener)) }()
	a.Logger.Info("listening", "addr", listener.Addr().String(), "version", a.Version, "environment", a.Config.Environment,
		"notices", a.Catalogue.Current().Len(), "serial", a.Catalogue.Current().Serial(), "offline", a.Config.Offline)
	select {
	case err := <-served:
		stop()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.Config.Grace)
		defer cancel()
		a.endUploads(grace)
		return fmt.Errorf("serving on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	return a.drain(server, stop)
}

// drain stops the server without losing a request that it accepted. Meanwhile the
// catalogue is kept as it is, if it isn't yet.
func (a *App) drain(server *http.Server, stopBackground func()) error {
	a.Logger.Info("draining", "for", a.Config.Drain.String())
	a.draining.Store(true)
	a.end()
	stopBackground()
	ctx, cancel := context.WithTimeout(context.Background(), a.Config.Drain+a.Config.Grace)
	defer cancel()
	var saving sync.WaitGroup
	defer saving.Wait() // before ctx ends
	saving.Go(func() {
		if err := a.Snapshots.Save(ctx); err != nil {
			a.Logger.Error("the catalogue's last snapshot could not be kept", "error", err)
		}
	})
	time.Sleep(a.Config.Drain)
	err := server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("waiting for the last requests: %w", err), server.Close())
	}
	a.endUploads(ctx) // after the last request, which may bring one
	a.sendLetters(ctx)
	a.Logger.Info("stopped")
	return err
}

func (a *App) endUploads(ctx context.Context) {
	if err := a.closeUploads(ctx); err != nil {
		a.Logger.Warn("some uploads are left for the next start", "error", err)
	}
}

// closeWhileDraining asks clients to close their connections with the answer
// that they get, so that none is cut when the listener goes.
func (a *App) closeWhileDraining(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.Draining() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

func (a *App) refreshSources(ctx context.Context) {
	ticker := time.NewTicker(refreshEvery)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := errors.Join(a.Store.Served(ctx, a.Catalogue.Current().Serial(), time.Now()), a.Sources.Refresh(ctx))
		if err != nil && !failing && ctx.Err() == nil {
			a.Logger.Warn("the sources' states cannot be kept; the last known ones stand", "error", err)
		}
		failing = err != nil
	}
}
