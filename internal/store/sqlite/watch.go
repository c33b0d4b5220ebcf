package sqlite

import (
	"context"
	"time"
)

// lookEvery is how often Watch looks whether somebody has written to the file.
// It costs a look at memory that the processes share, and no reading.
const lookEvery = 100 * time.Millisecond

// Watch implements store.Watcher: a connection's data_version changes when
// another one, of any process, has committed
// (https://www.sqlite.org/pragma.html#pragma_data_version). It keeps one of the
// reading connections.
func (s *Store) Watch(ctx context.Context, changed func()) error {
	watching, done, err := s.lifetime.Use(ctx)
	if err != nil {
		return s.failf(ctx, err, "watching for changes")
	}
	defer done()
	conn, err := s.readers.Conn(ctx)
	if err != nil {
		return s.failf(ctx, err, "watching for changes")
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool
	var seen, seenSerial int64 = -1, -1
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		var version, serial int64
		if err := conn.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&version); err != nil {
			return s.failf(ctx, err, "watching for changes")
		}
		if version != seen {
			if err := conn.QueryRowContext(ctx, `SELECT value FROM last_serial`).Scan(&serial); err != nil {
				return s.failf(ctx, err, "watching for changes")
			}
			if serial != seenSerial {
				changed()
			}
			seen, seenSerial = version, serial
		}
		select {
		case <-tick.C:
		case <-watching.Done():
			return s.lifetime.Because(ctx)
		}
	}
}
