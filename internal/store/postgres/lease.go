package postgres

import (
	"context"
	"fmt"
	"time"
)

// Lease implements store.Leases, by the clock of the server.
func (s *Store) Lease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error) {
	// The row decides among those who come together: who waits for another's
	// change looks at what it has become.
	const take = `INSERT INTO lease AS had (name, holder, until)
		VALUES ($1, $2, clock_timestamp() + $3::bigint * interval '1 microsecond')
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
		WHERE had.holder = excluded.holder OR had.until <= clock_timestamp()`
	tag, err := s.pool.Exec(ctx, take, name, holder, ttl.Microseconds())
	if err != nil {
		return false, fmt.Errorf("taking the lease %s: %w", name, translate(ctx, err))
	}
	return tag.RowsAffected() == 1, nil
}

// Release implements store.Leases.
func (s *Store) Release(ctx context.Context, name, holder string) error {
	if _, err := s.pool.Exec(ctx, `DELETE FROM lease WHERE name = $1 AND holder = $2`, name, holder); err != nil {
		return fmt.Errorf("releasing the lease %s: %w", name, translate(ctx, err))
	}
	return nil
}
