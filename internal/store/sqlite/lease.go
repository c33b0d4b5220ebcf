package sqlite

import (
	"context"
	"time"
)

// Lease implements store.Leases, by the clock of the machine, which every process
// that has the file open shares.
func (s *Store) Lease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error) {
	const take = `INSERT INTO lease AS had (name, holder, until)
		VALUES (?1, ?2, CAST(unixepoch('subsec') * 1000000 AS INTEGER) + ?3)
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
		WHERE had.holder = excluded.holder OR had.until <= CAST(unixepoch('subsec') * 1000000 AS INTEGER)`
	result, err := s.writer.ExecContext(ctx, take, name, holder, ttl.Microseconds())
	if err != nil {
		return false, s.failf(ctx, err, "taking the lease %s", name)
	}
	taken, err := result.RowsAffected()
	if err != nil {
		return false, s.failf(ctx, err, "taking the lease %s", name)
	}
	return taken == 1, nil
}

// Release implements store.Leases.
func (s *Store) Release(ctx context.Context, name, holder string) error {
	if _, err := s.writer.ExecContext(ctx, `DELETE FROM lease WHERE name = ? AND holder = ?`, name, holder); err != nil {
		return s.failf(ctx, err, "releasing the lease %s", name)
	}
	return nil
}
