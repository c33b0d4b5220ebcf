package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/crownsafe/api/internal/store"
)

// Condition implements store.Conditions.
func (s *Store) Condition(ctx context.Context) (store.Condition, error) {
	return s.condition.Get(ctx)
}

func (s *Store) ask(ctx context.Context) (store.Condition, error) {
	c := store.Condition{Backend: "sqlite", Known: s.known}
	start := time.Now()
	// The file itself has to be read: SQLite needs none for a question that names
	// no table.
	if err := s.readers.QueryRowContext(ctx, `SELECT count(*) FROM last_serial`).Scan(new(int)); err != nil {
		return store.Condition{}, s.failf(ctx, err, "asking how it does")
	}
	c.Latency = time.Since(start)
	const newest = `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`
	if err := s.readers.QueryRowContext(ctx, newest).Scan(&c.Schema); err != nil {
		return store.Condition{}, s.failf(ctx, err, "reading the version of its schema")
	}
	c.Pool = s.PoolStats()
	return c, nil
}

// PoolStats implements store.Conditions for the readers and the one writer
// together. Connections that were made and times that one was given are not
// counted by the driver, and nobody is sent away for want of one.
func (s *Store) PoolStats() store.Pool {
	var p store.Pool
	for _, db := range []*sql.DB{s.readers, s.writer} {
		stats := db.Stats()
		p.Max += stats.MaxOpenConnections
		p.Active += stats.InUse
		p.Idle += stats.Idle
		p.Waits += stats.WaitCount
		p.WaitTime += stats.WaitDuration
	}
	return p
}
