package app

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/crownsafe/api/internal/blob"
)

// openUploads starts what stores objects beside requests, with what the process
// before has left. The folder is one server's at a time: a second one on the same
// data directory goes without, and what it can't store at once is refused.
func (a *App) openUploads() {
	uploads, err := blob.NewUploads(a.Objects, blob.UploadOptions{
		Spool: filepath.Join(a.Config.Data, "uploads"), Workers: a.Config.Storage.UploadWorkers, MaxQueued: a.Config.Storage.UploadQueue,
		Logger: a.Logger,
	})
	if err != nil {
		a.Logger.Error("nothing can be uploaded beside requests", "error", err)
		return
	}
	a.uploads.Store(uploads)
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
