package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crownsafe/api/internal/store"
)

// AbandonedAfter is how long an address may stay unproved: whoever registered it has
// had no use of the account, and it may be somebody else's.
const AbandonedAfter = 7 * 24 * time.Hour

// abandonedPage is how many abandoned users are looked up at once.
const abandonedPage = 500

// system is how the audit log names what the service does by itself.
const system = "system"

// DeleteAbandoned removes the users who were abandoned for AbandonedAfter; see
// account.Users. Where nobody has to prove an address there are none. It goes on
// until all are gone, ctx ends or the store fails, and what it has done stays done.
func (s *Service) DeleteAbandoned(ctx context.Context) error {
	if !s.verified {
		return nil
	}
	now := s.now()
	before := now.Add(-AbandonedAfter)
	for after := ""; ; {
		ids, err := s.store.AbandonedUsers(ctx, before, now, after, abandonedPage)
		if err != nil {
			return fmt.Errorf("looking for abandoned users: %w", err)
		}
		for _, id := range ids {
			err := s.recorded(ctx, actAbandon, system, userName(id), Origin{}, func() error { return s.store.DeleteAbandoned(ctx, id, before, now) })
			if err != nil && !errors.Is(err, store.ErrNotFound) { // not found: the address was proved this very moment
				return fmt.Errorf("removing an abandoned user: %w", err)
			}
			after = id
		}
		if len(ids) < abandonedPage {
			return nil
		}
	}
}

// gone is ErrInvalid where there is no user any more for whom a letter's token was.
func gone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return err
}
