package app

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/crownsafe/api/internal/auth"
)

const (
	// sweepEvery is how often what ended is forgotten, by one process of all.
	sweepEvery = time.Hour
	// sweepAfter is for how long it is kept: a revoked key stands in its owner's list,
	// and who comes with the secret of a session that has ended is told so.
	sweepAfter = 7 * 24 * time.Hour
	// replacedAfter is for how long a session's replaced secrets are known: whoever had
	// one to himself could not have gone on with it for longer without a refresh.
	replacedAfter = auth.RefreshLasts
	// sweepLease is the name of the lease.
	sweepLease = "sweep accounts"
)

// keepSweeping forgets what ended of people's sessions, tokens, keys and kept
// answers, and accounts that nobody ever confirmed, until ctx ends. What fails is tried again an hour later.
func (a *App) keepSweeping(ctx context.Context) {
	for failing := false; ; {
		err := a.sweep(ctx, time.Now())
		if err != nil && !failing && ctx.Err() == nil {
			a.Logger.Warn("what ended of people's sessions and keys can't be forgotten yet; trying again", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-time.After(sweepEvery + rand.N(sweepEvery/10)): // so that many processes don't come together
		}
	}
}

// sweep does it once, unless another process did within the hour: the lease isn't
// given back but ends by itself.
func (a *App) sweep(ctx context.Context, now time.Time) error {
	mine, err := a.Store.Lease(ctx, sweepLease, a.Runner.Holder, sweepEvery*9/10)
	if err != nil || !mine {
		return err
	}
	err = a.Store.Sweep(ctx, now.Add(-sweepAfter), now.Add(-replacedAfter))
	return errors.Join(err, a.Accounts.DeleteAbandoned(ctx))
}
