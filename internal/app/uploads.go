package app

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/crownsafe/api/internal/blob"
)

// openUploads starts what stores objects beside requests, with what the process
// before has left. The folder is one server's at a time: a second one on the same
// data directory goes without, and what it can't store at once is refused, until
// the first one has ended.
func (a *App) openUploads() error {
	uploads, err := blob.NewUploads(a.Objects, blob.UploadOptions{
		Spool: filepath.Join(a.Config.Data, "uploads"), Workers: a.Config.Storage.UploadWorkers, MaxQueued: a.Config.Storage.UploadQueue,
		Logger: a.seen.of("blob"), Tracer: a.seen.tracer(),
	})
	if err != nil {
		return err
	}
	a.uploads.Store(uploads)
	return nil
}

// keepOpeningUploads tries until it succeeds or ctx ends: the server before may
// not have stopped yet.
func (a *App) keepOpeningUploads(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(a.retryAfter):
		}
		if a.openUploads() == nil {
			a.Logger.Info("uploads beside requests have begun")
			return
		}
	}
}

// settleEvery is how often it is looked whether a payload that waited is in the
// archive by now.
const settleEvery = 30 * time.Second

// settleDeferred stores the records of payloads that had to wait for the archive,
// until ctx ends.
func (a *App) settleDeferred(ctx context.Context) {
	ticker := time.NewTicker(settleEvery)
	defer ticker.Stop()
	failing := false
	for {
		err := a.Runner.Deferred.Settle(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			a.Logger.Warn("the records of payloads that had to wait for the archive can't be stored yet", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// closeUploads waits for what can be stored now. What can't is kept for the next
// start.
func (a *App) closeUploads(ctx context.Context) error {
	uploads := a.uploads.Swap(nil)
	if uploads == nil {
		return nil
	}
	if err := uploads.Drain(ctx); err != nil {
		return fmt.Errorf("waiting for the last uploads: %w", err)
	}
	return nil
}
