package app

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"golang.org/x/net/netutil"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/api"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/ratelimit"
	"github.com/crownsafe/api/internal/ratelimit/memory"
	"github.com/crownsafe/api/internal/ratelimit/redis"
	"github.com/crownsafe/api/internal/telemetry"
)

// leastBurst is what everybody may ask for at once: a batch of 1,000 units.
const leastBurst = 100

// openLimiter makes the limiter that the settings name: in the process, and before
// a Redis that is not asked yet and needn't be there. nil where there are no limits.
func openLimiter(cfg config.Config, measured *telemetry.Metrics, logger *slog.Logger) (*ratelimit.Limiter, func() error, error) {
	nothing := func() error { return nil }
	if cfg.Edge.RateLimit == "off" {
		return nil, nothing, nil
	}
	opts := ratelimit.Options{Timeout: cfg.Cache.RedisTimeout, Logger: logger, Decided: func(d ratelimit.Decision) { measured.RateLimited(decisionOf(d)) }}
	near := memory.Open(memory.Options{})
	if cfg.RedisURL == "" {
		l := ratelimit.New(near, nil, opts)
		return l, func() error { l.Close(); return nil }, nil
	}
	far, err := redis.Open(redis.Options{URL: string(cfg.RedisURL), CAFile: cfg.Cache.RedisCAFile, Prefix: cfg.Cache.RedisPrefix})
	if err != nil {
		return nil, nil, fmt.Errorf("REDIS_URL cannot be used: %w", err)
	}
	l := ratelimit.New(near, far, opts)
	return l, func() error { l.Close(); return far.Close() }, nil
}

// decisionOf words a decision for the metrics.
func decisionOf(d ratelimit.Decision) string {
	switch {
	case d.Bypassed:
		return "unknown"
	case d.Allowed:
		return "allowed"
	}
	return "limited"
}

// limits are who may ask how often.
func (a *App) limits() api.Limits {
	e := a.Config.Edge
	if a.Limiter == nil {
		return api.Limits{}
	}
	perMinute := func(name string, rate, burst int) ratelimit.Limit {
		return ratelimit.Limit{Name: name, Count: int64(rate), Per: time.Minute, Burst: int64(burst)}
	}
	signIns := perMinute("sign-in", e.RateSignIn, e.RateSignIn)
	signIns.Strict = true
	refused := perMinute("refused", leastBurst, leastBurst)
	refused.Strict = true
	return api.Limits{
		Limiter:   a.Limiter,
		Addresses: perMinute("address", e.RateAddress, max(e.RateAddress, leastBurst)),
		Keys:      perMinute("key", e.RateKey, max(e.RateKey, leastBurst)),
		Users:     perMinute("user", e.RateUser, max(e.RateUser, leastBurst)),
		SignIns:   signIns,
		Operating: perMinute("operator", e.RateOperator, max(e.RateOperator, leastBurst)),
		Refused:   refused,
	}
}

// checkOrigins refuses origins that no page can have, before anything is open.
func checkOrigins(cfg config.Config) error {
	if _, err := api.AllowOrigins(cfg.Edge.Origins()); err != nil {
		return fmt.Errorf("CROWNSAFE_CORS_ORIGINS cannot be used: %w", err)
	}
	return nil
}

const sealingAnswers purpose = "crownsafe answers that are kept for Idempotency-Key"

// once keeps the answers to requests that must not be done twice where the store
// does. They are sealed by AES-GCM with a key from the secret key; without one, by
// a key that only this process has.
func (a *App) once() (api.Once, error) {
	attempts, ok := a.Store.(account.Attempts)
	if !ok {
		return api.Once{}, nil
	}
	key, err := derivedKey(a.Config, sealingAnswers)
	if err != nil {
		return api.Once{}, err
	}
	if key == nil {
		key = make([]byte, 32)
		_, _ = rand.Read(key) // never fails
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return api.Once{}, fmt.Errorf("preparing to seal answers: %w", err)
	}
	sealer, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return api.Once{}, fmt.Errorf("preparing to seal answers: %w", err)
	}
	return api.Once{
		Attempts: attempts,
		Seal:     func(plain, about []byte) ([]byte, error) { return sealer.Seal(nil, nil, plain, about), nil },
		Open: func(sealed, about []byte) ([]byte, error) {
			plain, err := sealer.Open(nil, nil, sealed, about)
			if err != nil {
				return nil, errSealed
			}
			return plain, nil
		},
	}, nil
}

var errSealed = errors.New("it was sealed with another key, or changed")

// bound lets so many connections be open and the others wait to be accepted, so
// that connections that do nothing can't take all files that the process may have.
func (a *App) bound(l net.Listener) net.Listener {
	return netutil.LimitListener(l, a.Config.Edge.MaxConnections)
}
