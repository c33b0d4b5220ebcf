package auth

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// DefaultCost is the cost of bcrypt; a quarter of a second on a core of 2026.
const DefaultCost = 12

// hashWait is how long a sign-in waits for its turn.
const hashWait = 5 * time.Second

// ErrBusy says that too many passwords are being checked already. Ask again in a
// few seconds.
var ErrBusy = errors.New("too many passwords are being checked")

// hasher makes and checks hashes of passwords, only so many at once that half of
// the processors stay free for lookups. The threads keep their priority: one that
// the system holds back would hold up the collector, and everybody with it.
type hasher struct {
	cost  int
	turns chan struct{}
	wait  time.Duration
	// nobody is the hash of no password: checking against it takes as long as
	// against somebody's.
	nobody []byte
}

func newHasher(cost int) *hasher {
	return &hasher{
		cost: cost, turns: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), wait: hashWait,
		nobody: fmt.Appendf(nil, "$2a$%02d$%s", cost, strings.Repeat(".", 53)),
	}
}

// turn waits until a password may be worked on. ErrBusy when that takes too long.
func (h *hasher) turn(ctx context.Context) (done func(), err error) {
	timer := time.NewTimer(h.wait)
	defer timer.Stop()
	select {
	case h.turns <- struct{}{}:
		return func() { <-h.turns }, nil
	case <-timer.C:
		return nil, ErrBusy
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to check a password: %w", context.Cause(ctx))
	}
}

// hash makes the hash of a password that the rules let through.
func (h *hasher) hash(ctx context.Context, password string) ([]byte, error) {
	done, err := h.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return h.hashNow(password)
}

// hashNow is hash for whoever has a turn.
func (h *hasher) hashNow(password string) ([]byte, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), h.cost)
	if err != nil {
		return nil, fmt.Errorf("hashing a password: %w", err)
	}
	return hash, nil
}

// matches compares a password with a hash; whoever calls it has a turn. Longer
// passwords than bcrypt reads match nothing.
func (h *hasher) matches(hash []byte, password string) bool {
	if len(hash) == 0 {
		hash = h.nobody
	}
	return bcrypt.CompareHashAndPassword(hash, []byte(password)) == nil && len(password) <= maxPasswordBytes
}

// outdated reports that a hash was made with a lower cost than new ones are.
func (h *hasher) outdated(hash []byte) bool {
	cost, err := bcrypt.Cost(hash)
	return err == nil && cost < h.cost
}
