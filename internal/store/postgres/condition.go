package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crownsafe/api/internal/store"
)

// Condition implements store.Conditions. It uses a connection of the pool, as
// every call does: a pool that gives none away is no better than a dead server.
func (s *Store) Condition(ctx context.Context) (store.Condition, error) {
	return s.condition.Get(ctx)
}

// Ping implements store.Store, by the answer that Condition has.
func (s *Store) Ping(ctx context.Context) error {
	c, err := s.condition.Get(ctx)
	if err == nil && c.Schema == 0 {
		return store.ErrNotMigrated
	}
	return err
}

// simplest is how long the simplest question may take.
const simplest = time.Second

func (s *Store) ask(ctx context.Context) (store.Condition, error) {
	c, err := s.askServer(ctx)
	if err != nil {
		return store.Condition{}, fmt.Errorf("asking the database how it does: %w", translate(ctx, err))
	}
	c.Backend, c.Known = "postgres", s.known
	c.Pool = s.PoolStats()
	return c, nil
}

func (s *Store) askServer(ctx context.Context) (c store.Condition, err error) {
	first, cancel := context.WithTimeout(ctx, simplest)
	defer cancel()
	conn, err := s.pool.Acquire(first)
	if err != nil {
		return c, err
	}
	defer conn.Release()
	start := time.Now()
	if _, err := conn.Exec(first, `SELECT 1`); err != nil {
		return c, err
	}
	c.Latency = time.Since(start)

	const state = `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean,
		to_regclass('goose_db_version') IS NOT NULL`
	var migrated bool
	if err := conn.QueryRow(ctx, state).Scan(&c.ReadOnly, &migrated); err != nil {
		return c, err
	}
	if migrated {
		const newest = `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`
		if err := conn.QueryRow(ctx, newest).Scan(&c.Schema); err != nil {
			return c, err
		}
	}
	c.Replicas, err = replicas(ctx, conn)
	return c, err
}

// replicas lists the servers that follow. Whoever may not see them (the role
// pg_monitor may) gets rows without a state.
func replicas(ctx context.Context, conn *pgxpool.Conn) ([]store.Replica, error) {
	const followers = `SELECT coalesce(nullif(application_name, ''), host(client_addr), pid::text), state,
		coalesce(pg_wal_lsn_diff(
			CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END, replay_lsn), 0)::bigint
		FROM pg_stat_replication WHERE state IS NOT NULL ORDER BY 1, pid`
	rows, err := conn.Query(ctx, followers)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r store.Replica, err error) {
		return r, row.Scan(&r.Name, &r.State, &r.LagBytes)
	})
}
