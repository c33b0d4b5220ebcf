package sqlite

import (
	"context"
	"time"
)

// How often Watch looks whether somebody has written to the file, which costs a
// look at memory that the processes share and no reading, and when it looks again
// after it couldn't.
const (
	lookEvery = 100 * time.Millisecond
	lookAgain = time.Second
)

// Watch implements store.Watcher. It keeps one of the reading connections.
func (s *Store) Watch(ctx context.Context, changed func()) error {
	watching, done, err := s.lifetime.Use(ctx)
	if err != nil {
		return s.failf(ctx, err, "watching for changes")
	}
	defer done()
	for {
		s.look(watching, changed)
		select {
		case <-time.After(lookAgain):
		case <-watching.Done():
			return s.lifetime.Because(ctx)
		}
	}
}

// look calls changed for each new serial until ctx ends or the file can't be read:
// a connection's data_version changes when another one, of any process, has
// committed (https://www.sqlite.org/pragma.html#pragma_data_version).
func (s *Store) look(ctx context.Context, changed func()) {
	conn, err := s.readers.Conn(ctx)
	if err != nil {
		return
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for seen, seenSerial := int64(-1), int64(-1); ; {
		var version, serial int64
		if err := conn.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&version); err != nil {
			return
		}
		if version != seen {
			if err := conn.QueryRowContext(ctx, `SELECT value FROM last_serial`).Scan(&serial); err != nil {
				return
			}
			if serial != seenSerial {
				changed()
			}
			seen, seenSerial = version, serial
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
