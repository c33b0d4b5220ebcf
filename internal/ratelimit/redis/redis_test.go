package redis_test

import (
	"strings"
	"testing"
	"time"

	driver "github.com/redis/go-redis/v9"

	"github.com/crownsafe/api/internal/ratelimit"
	"github.com/crownsafe/api/internal/ratelimit/ratelimittest"
	"github.com/crownsafe/api/internal/ratelimit/redis"
	"github.com/crownsafe/api/internal/testenv"
)

func open(t *testing.T, opts redis.Options) *redis.Source {
	t.Helper()
	s, err := redis.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	address, prefix := testenv.Redis(t)
	ratelimittest.Exercise(t, func(t *testing.T) ratelimit.Source { return open(t, redis.Options{URL: address, Prefix: prefix}) })
}

// TestConformanceOverSeveralProcesses lets each question go to another connection,
// as from another process.
func TestConformanceOverSeveralProcesses(t *testing.T) {
	t.Parallel()
	address, prefix := testenv.Redis(t)
	ratelimittest.Exercise(t, func(t *testing.T) ratelimit.Source {
		o := redis.Options{URL: address, Prefix: prefix}
		return &inTurn{sources: []ratelimit.Source{open(t, o), open(t, o), open(t, o)}}
	})
}

// TestTheScriptIsLoadedAgain: a server that was restarted doesn't know it.
func TestTheScriptIsLoadedAgain(t *testing.T) {
	t.Parallel()
	r := testenv.OwnRedis(t)
	admin := driver.NewClient(&driver.Options{Addr: r.Addr()})
	defer admin.Close()
	s := open(t, redis.Options{URL: "redis://" + r.Addr()})
	limit := ratelimittest.Slow(10)
	for i := range int64(3) {
		if err := admin.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		got, err := s.Take(t.Context(), []ratelimit.Ask{{Key: "a", Limit: limit, Cost: 1}, {Key: "b", Limit: limit, Cost: 1}})
		if err != nil || got[0].Remaining != 9-i || got[1].Remaining != 9-i {
			t.Fatalf("%+v, %v", got, err)
		}
	}
}

func TestKeysEnd(t *testing.T) {
	t.Parallel()
	r := testenv.OwnRedis(t)
	admin := driver.NewClient(&driver.Options{Addr: r.Addr()})
	defer admin.Close()
	s := open(t, redis.Options{URL: "redis://" + r.Addr(), Prefix: "p:"})
	limit := ratelimit.Limit{Name: "minutes", Count: 1, Per: time.Minute, Burst: 10}
	if _, err := s.Take(t.Context(), []ratelimit.Ask{{Key: "who", Limit: limit, Cost: 3}, {Key: "looks", Limit: limit}}); err != nil {
		t.Fatal(err)
	}
	keys := admin.Keys(t.Context(), "*").Val()
	if len(keys) != 1 || !strings.HasPrefix(keys[0], "p:limit") {
		t.Fatalf("%q", keys)
	}
	if ttl := admin.TTL(t.Context(), keys[0]).Val(); ttl <= 2*time.Minute || ttl > 3*time.Minute {
		t.Errorf("the key ends in %s", ttl)
	}
}

// TestUserNeedsOnlyWhatTheManualSays is with the rights of docs/operations.md.
func TestUserNeedsOnlyWhatTheManualSays(t *testing.T) {
	t.Parallel()
	r := testenv.OwnRedis(t)
	admin := driver.NewClient(&driver.Options{Addr: r.Addr()})
	defer admin.Close()
	rules := []any{"acl", "setuser", "app", "on", ">pw", "~crownsafe:*"}
	for command := range strings.FieldsSeq("+get +set +time +eval +evalsha +ping") {
		rules = append(rules, command)
	}
	if err := admin.Do(t.Context(), rules...).Err(); err != nil {
		t.Fatal(err)
	}
	s := open(t, redis.Options{URL: "redis://app:pw@" + r.Addr(), Prefix: "crownsafe:"})
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if d, err := s.Take(t.Context(), []ratelimit.Ask{{Key: "a", Limit: ratelimittest.Slow(2), Cost: 1}}); err != nil || !d[0].Allowed {
		t.Errorf("%+v, %v", d, err)
	}
}
