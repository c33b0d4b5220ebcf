package remote

import (
	"context"
	"crypto/md5" //nolint:gosec // it tells damage
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"sync"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/blob/azure"
	"github.com/crownsafe/api/internal/config"
)

// account opens the container that the settings name, as the program does.
func account(cfg config.Config) (*blob.Guarded, error) {
	container, err := azure.Open(azure.Options{ConnectionString: string(cfg.AzureStorage), Container: cfg.Storage.Container})
	if err != nil {
		return nil, fmt.Errorf("opening the object store: %w", err)
	}
	return blob.Guard(container, blob.GuardOptions{Backend: "azure", InFlight: cfg.Storage.Operations, AcquireTimeout: cfg.Storage.AcquireTimeout}), nil
}

// Uploader uploads many objects at once, through the queue that the program uses.
type Uploader struct {
	objects blob.Store
	uploads *blob.Uploads
}

// OpenUploader starts the queue, in a folder of its own, and lets each worker do
// something once: the connections and what else stays are there.
func OpenUploader(ctx context.Context, cfg config.Config, spool string) (*Uploader, error) {
	objects, err := account(cfg)
	if err != nil {
		return nil, err
	}
	uploads, err := blob.NewUploads(objects, blob.UploadOptions{Spool: spool, Workers: cfg.Storage.UploadWorkers, MaxQueued: cfg.Storage.UploadQueue})
	if err != nil {
		return nil, fmt.Errorf("starting the uploads: %w", err)
	}
	u := &Uploader{objects, uploads}
	if err := u.All(ctx, "warm/", cfg.Storage.UploadWorkers, 1); err != nil {
		return nil, errors.Join(err, u.Close(ctx))
	}
	return u, nil
}

// All enqueues so many objects at the same time, each from a goroutine of its own
// that makes the bytes as they are read, and waits until all were stored.
func (u *Uploader) All(ctx context.Context, prefix string, count int, size int64) error {
	errs := make([]error, count)
	var wg sync.WaitGroup
	for i := range count {
		wg.Go(func() {
			upload, err := u.uploads.Enqueue(ctx, key(prefix, i), io.LimitReader(content(i), size), blob.PutOptions{ContentType: "application/octet-stream"})
			if err == nil {
				_, err = upload.Wait(ctx)
			}
			errs[i] = err
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Verify asks the store for each object: its size and its MD5 must be those of
// what was uploaded. It returns how many there are in the store.
func (u *Uploader) Verify(ctx context.Context, prefix string, count int, size int64) (stored int, err error) {
	list, err := u.objects.List(ctx, prefix, "", 0)
	if err != nil {
		return 0, fmt.Errorf("listing what was uploaded: %w", err)
	}
	for i := range count {
		info, err := u.objects.Head(ctx, key(prefix, i))
		if err != nil {
			return 0, fmt.Errorf("looking at what was uploaded: %w", err)
		}
		sum, err := digest(io.LimitReader(content(i), size))
		if err != nil {
			return 0, err
		}
		if info.Size != size || info.MD5 != sum {
			return 0, fmt.Errorf("%s has %d bytes with the MD5 %s; %d with %s were uploaded", info.Key, info.Size, info.MD5, size, sum)
		}
	}
	return len(list), nil
}

// Close stops the queue and removes everything that was uploaded.
func (u *Uploader) Close(ctx context.Context) error {
	err := u.uploads.Drain(ctx)
	list, listErr := u.objects.List(ctx, "", "", 0)
	err = errors.Join(err, listErr)
	for _, info := range list {
		err = errors.Join(err, u.objects.Delete(ctx, info.Key))
	}
	return err
}

func key(prefix string, i int) string { return fmt.Sprintf("%s%05d", prefix, i) }

// content never ends and never compresses; it depends on i alone.
func content(i int) io.Reader {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], uint64(i))
	return rand.NewChaCha8(seed)
}

func digest(r io.Reader) (string, error) {
	var hasher hash.Hash = md5.New() //nolint:gosec // as above
	if _, err := io.Copy(hasher, r); err != nil {
		return "", fmt.Errorf("hashing: %w", err)
	}
	return hex.EncodeToString(hasher.Sum(nil)), nil
}
