package app

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/crownsafe/api/internal/api"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/ratelimit"
	"github.com/crownsafe/api/internal/ratelimit/memory"
	"github.com/crownsafe/api/internal/ratelimit/redis"
	"github.com/crownsafe/api/internal/secret"
)

// leastBurst is what everybody may ask for at once: a batch of 1,000 units.
const leastBurst = 100

// What a user may do within an hour that the audit log grows by.
const (
	accountExports = 5
	keyChanges     = 30
)

// openLimiter makes the limiter that the settings name: in the process, and before
// a Redis that is not asked yet and needn't be there. nil where there are no limits.
func openLimiter(cfg config.Config, seen *seen) (l *ratelimit.Limiter, end func() error, err error) {
	if cfg.Edge.RateLimit == "off" {
		return nil, func() error { return nil }, nil
	}
	opts := ratelimit.Options{
		Timeout: cfg.Cache.RedisTimeout, Logger: seen.of("ratelimit"),
		Decided: func(d ratelimit.Decision) { seen.metrics.RateLimited(decisionOf(d)) },
	}
	if cfg.RedisURL == "" {
		l = ratelimit.New(memory.Open(memory.Options{}), nil, opts)
		return l, func() error { l.Close(); return nil }, nil
	}
	far, err := redis.Open(redis.Options{URL: string(cfg.RedisURL), CAFile: cfg.Cache.RedisCAFile, Prefix: cfg.Cache.RedisPrefix})
	if err != nil {
		return nil, nil, fmt.Errorf("REDIS_URL cannot be used: %w", err)
	}
	l = ratelimit.New(memory.Open(memory.Options{}), far, opts)
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

// limits are who may ask how often, by what the limiter decides; nil: nobody does.
func (a *App) limits(limiter *ratelimit.Limiter) api.Limits {
	e := a.Config.Edge
	if limiter == nil {
		return api.Limits{}
	}
	perMinute := func(name string, rate, burst int) ratelimit.Limit {
		return ratelimit.Limit{Name: name, Count: int64(rate), Per: time.Minute, Burst: int64(burst)}
	}
	perHour := func(name string, most int64) ratelimit.Limit {
		return ratelimit.Limit{Name: name, Count: most, Per: time.Hour, Burst: most, Strict: true}
	}
	signIns := perMinute("sign-in", e.RateSignIn, e.RateSignIn)
	signIns.Strict = true
	refused := perMinute("refused", leastBurst, leastBurst)
	refused.Strict = true
	return api.Limits{
		Limiter:   limiter,
		Addresses: perMinute("address", e.RateAddress, max(e.RateAddress, leastBurst)),
		Keys:      perMinute("key", e.RateKey, max(e.RateKey, leastBurst)),
		Users:     perMinute("user", e.RateUser, max(e.RateUser, leastBurst)),
		SignIns:   signIns,
		Operating: perMinute("operator", e.RateOperator, max(e.RateOperator, leastBurst)),
		Refused:   refused,

		AccountExports: perHour("account-export", accountExports),
		KeyChanges:     perHour("key-change", keyChanges),
	}
}

// mostProbed is how many requests of one address the limits let through at once that
// the audit's probes meet, whatever the settings say: more would take too long.
const mostProbed = 1000

// openProbing makes the limiter for the audit's probes, which count against nobody's
// limits; nil where nobody else has any.
func openProbing(serving *ratelimit.Limiter) *ratelimit.Limiter {
	if serving == nil {
		return nil
	}
	return ratelimit.New(memory.Open(memory.Options{}), nil, ratelimit.Options{})
}

// limitsForProbes are the limits on the audit's probes.
func (a *App) limitsForProbes() api.Limits {
	limits := a.limits(a.probing)
	limits.Addresses.Burst = min(limits.Addresses.Burst, mostProbed)
	limits.Addresses.Count = min(limits.Addresses.Count, mostProbed)
	return limits
}

// checkOrigins refuses origins that no page can have, before anything is open.
func checkOrigins(cfg config.Config) error {
	if _, err := api.AllowOrigins(cfg.Edge.Origins()); err != nil {
		return fmt.Errorf("CROWNSAFE_CORS_ORIGINS cannot be used: %w", err)
	}
	return nil
}

const sealingAnswers secret.Purpose = "crownsafe answers that are kept for Idempotency-Key"

// once keeps the answers to requests that must not be done twice. They are sealed by
// AES-GCM with a key from the secret key, and opened with those before it too;
// without any, with a key that only this process has.
func (a *App) once() api.Once {
	own := make([]byte, secret.KeyBytes)
	_, _ = rand.Read(own) // never fails
	return api.Once{
		Attempts: a.Store,
		Seal: func(plain, about []byte) ([]byte, error) {
			key := a.Keys.Current(sealingAnswers)
			if key == nil {
				key = own
			}
			sealer, err := sealerOf(key)
			if err != nil {
				return nil, err
			}
			return sealer.Seal(nil, nil, plain, about), nil
		},
		Open: func(sealed, about []byte) ([]byte, error) {
			for _, key := range append(a.Keys.All(sealingAnswers), own) {
				sealer, err := sealerOf(key)
				if err != nil {
					return nil, err
				}
				if plain, err := sealer.Open(nil, nil, sealed, about); err == nil {
					return plain, nil
				}
			}
			return nil, errSealed
		},
	}
}

func sealerOf(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("preparing to seal answers: %w", err)
	}
	sealer, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("preparing to seal answers: %w", err)
	}
	return sealer, nil
}

var errSealed = errors.New("it was sealed with a key that isn't known, or changed")

// bound keeps connections that do nothing from taking all files that the process may
// have, and one address from taking all connections. Settings that were not loaded
// have no bound.
func (a *App) bound(l net.Listener) net.Listener {
	e := a.Config.Edge
	if e.MaxConnections == 0 {
		return l
	}
	return api.Connections{
		Total: e.MaxConnections, OfOne: e.MaxConnectionsPerAddress, Proxies: a.proxies(), Refused: a.Metrics.ConnectionRefused,
	}.Bound(l)
}

// proxies are those whose word about where a request comes from counts.
func (a *App) proxies() api.Proxies {
	return api.Proxies{Networks: a.Config.Edge.Proxies(), Forwarded: a.Config.Edge.Forwarded()}
}
