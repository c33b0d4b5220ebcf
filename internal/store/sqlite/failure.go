package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"syscall"

	driver "modernc.org/sqlite"
	result "modernc.org/sqlite/lib"

	"github.com/crownsafe/api/internal/store"
)

// translate puts the port's error before the driver's. The end of ctx wins:
// whatever the driver says then is a consequence.
func translate(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if sentinel := sentinelOf(err); sentinel != nil && !errors.Is(err, sentinel) {
		return fmt.Errorf("%w: %w", sentinel, err)
	}
	return err
}

// sentinelOf returns the port's error for a driver's or the system's, nil when
// it has none. Result codes: https://www.sqlite.org/rescode.html
func sentinelOf(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return store.ErrNotFound
	}
	if failure, ok := errors.AsType[*driver.Error](err); ok {
		// With no room for the index of its log, SQLite reports the failed write only.
		if failure.Code() == result.SQLITE_IOERR_SHMSIZE {
			return store.ErrFull
		}
		switch failure.Code() & 0xff { // the primary code
		case result.SQLITE_READONLY, result.SQLITE_CANTOPEN, result.SQLITE_PERM:
			return store.ErrReadOnly
		case result.SQLITE_FULL:
			return store.ErrFull
		case result.SQLITE_CORRUPT, result.SQLITE_NOTADB:
			return store.ErrCorrupt
		case result.SQLITE_BUSY, result.SQLITE_LOCKED:
			return store.ErrBusy
		}
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		switch errno {
		case syscall.EACCES, syscall.EPERM, syscall.EROFS, syscall.ENOTDIR:
			return store.ErrReadOnly
		case syscall.ENOSPC, syscall.EDQUOT:
			return store.ErrFull
		}
	}
	return nil
}
