package redis_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	driver "github.com/redis/go-redis/v9"

	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/cache/cachetest"
	"github.com/crownsafe/api/internal/cache/redis"
	"github.com/crownsafe/api/internal/testenv"
)

const patience = 30 * time.Second

func TestConformance(t *testing.T) {
	t.Parallel()
	cachetest.Exercise(t, func(t *testing.T) cache.Store {
		address, prefix := testenv.Redis(t)
		return open(t, redis.Options{URL: address, Prefix: prefix})
	})
}

func open(t *testing.T, opts redis.Options) *redis.Store {
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

// watching watches a store until the test ends and returns what it tells.
func watching(t *testing.T, s *redis.Store) (listening <-chan bool, invalidated <-chan []cache.Mark) {
	t.Helper()
	states, marks := make(chan bool, 100), make(chan []cache.Mark, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Watch(ctx, cache.Events{
			Listening:   func(now bool) { states <- now },
			Invalidated: func(m []cache.Mark) { marks <- m },
		})
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return states, marks
}

func next[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s", what)
		panic("not reached")
	}
}

// works fails unless everything works over a URL.
func works(t *testing.T, opts redis.Options) {
	t.Helper()
	a, b := open(t, opts), open(t, opts)
	listening, heard := watching(t, b)
	if !next(t, listening, "subscription") {
		t.Fatal("it can't subscribe")
	}
	k := cache.Key{Use: "test", Shape: "1", Name: "a", Tags: []string{"x", "y"}}
	answer, err := a.Get(t.Context(), k)
	if err != nil || answer.Found {
		t.Fatalf("Get of nothing: %+v, %v", answer, err)
	}
	if err := a.Set(t.Context(), k, []byte("value"), time.Hour, answer.Claim); err != nil {
		t.Fatalf("Set: %v", err)
	}
	if answer, err := b.Get(t.Context(), k); err != nil || string(answer.Value) != "value" {
		t.Errorf("Get: %+v, %v", answer, err)
	}
	marks := []cache.Mark{cache.TagMark("x"), k.Mark(), cache.TagMark("z")}
	if err := a.Invalidate(t.Context(), marks...); err != nil {
		t.Errorf("Invalidate: %v", err)
	}
	if answer, err := b.Get(t.Context(), k); err != nil || answer.Found {
		t.Errorf("Get of what was invalidated: %+v, %v", answer, err)
	}
	if got := next(t, heard, "message"); !slices.Equal(got, marks) {
		t.Errorf("the other heard of %q, want %q", got, marks)
	}
}

// Caches of several prefixes and databases don't see each other's.
func TestPrefixes(t *testing.T) {
	t.Parallel()
	address, prefix := testenv.Redis(t)
	k := cache.Key{Use: "test", Shape: "1", Name: "a"}
	stores := []*redis.Store{
		open(t, redis.Options{URL: address, Prefix: prefix + "a"}), open(t, redis.Options{URL: address, Prefix: prefix + "b"}),
		open(t, redis.Options{URL: address + "?db=7", Prefix: prefix + "a"}),
	}
	for i, s := range stores {
		answer, err := s.Get(t.Context(), k)
		if err != nil || answer.Found {
			t.Fatalf("store %d finds %q, %v", i, answer.Value, err)
		}
		if err := s.Set(t.Context(), k, []byte{byte(i)}, time.Hour, answer.Claim); err != nil {
			t.Fatal(err)
		}
	}
	if err := stores[0].Invalidate(t.Context(), cache.All); err != nil {
		t.Fatal(err)
	}
	for i, s := range stores {
		if answer, err := s.Get(t.Context(), k); err != nil || answer.Found == (i == 0) {
			t.Errorf("then store %d finds %q (%t), %v", i, answer.Value, answer.Found, err)
		}
	}
}

// Every key ends by itself.
func TestEverythingEnds(t *testing.T) {
	t.Parallel()
	r := testenv.OwnRedis(t)
	s := open(t, redis.Options{URL: r.URL()})
	k := cache.Key{Use: "test", Shape: "1", Name: "a", Tags: []string{"x"}}
	answer, err := s.Get(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Set(t.Context(), k, []byte("value"), 1000*time.Hour, answer.Claim); err != nil {
		t.Fatal(err)
	}
	client := driver.NewClient(&driver.Options{Addr: r.Addr()})
	defer client.Close()
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) != 4 {
		t.Errorf("keys: %q, %v, want a value and three generations", keys, err)
	}
	for _, key := range keys {
		ttl, err := client.TTL(t.Context(), key).Result()
		if err != nil || ttl <= 0 || ttl > 48*time.Hour || !strings.HasPrefix(key, redis.DefaultPrefix) {
			t.Errorf("%q ends in %s, %v", key, ttl, err)
		}
	}
}

// What a server refuses is told apart from one that can't be used.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		make [][]any
		want error
	}{
		{"full", [][]any{{"config", "set", "maxmemory-policy", "noeviction"}, {"config", "set", "maxmemory", "1mb"}}, cache.ErrRefused},
		{"read only", [][]any{{"replicaof", "127.0.0.1", "1"}}, cache.ErrRefused},
		{"too few replicas", [][]any{{"config", "set", "min-replicas-to-write", "1"}}, cache.ErrRefused},
		{"not allowed", [][]any{{"acl", "setuser", "default", "-set", "-del"}}, cache.ErrRefused},
		{"without a password", [][]any{{"config", "set", "requirepass", "another"}}, cache.ErrUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := testenv.OwnRedis(t)
			s := open(t, redis.Options{URL: r.URL()})
			here, there := cache.Key{Use: "test", Shape: "1", Name: "here"}, cache.Key{Use: "test", Shape: "1", Name: "there"}
			answer, err := s.Get(t.Context(), here)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Set(t.Context(), here, []byte("value"), time.Hour, answer.Claim); err != nil {
				t.Fatal(err)
			}
			client := driver.NewClient(&driver.Options{Addr: r.Addr()})
			defer client.Close()
			for _, command := range test.make {
				if err := client.Do(t.Context(), command...).Err(); err != nil {
					t.Fatalf("%v: %v", command, err)
				}
			}
			if test.want == cache.ErrUnavailable {
				// Connections that are there stay what they are; one with a name fails before
				// its commands do.
				s = open(t, redis.Options{URL: r.URL() + "?client_name=test"})
			}
			if err := s.Set(t.Context(), here, []byte("other"), time.Hour, answer.Claim); !errors.Is(err, test.want) {
				t.Errorf("Set: %v, want %v", err, test.want)
			}
			if answer, err := s.Get(t.Context(), there); !errors.Is(err, test.want) || answer.Found || len(answer.Claim) > 0 {
				t.Errorf("Get of nothing: %+v, %v, want %v", answer, err, test.want)
			}
			if test.want == cache.ErrUnavailable {
				return
			}
			if answer, err := s.Get(t.Context(), here); err != nil || string(answer.Value) != "value" {
				t.Errorf("Get of what is there: %+v, %v", answer, err)
			}
		})
	}
}

func TestUnavailable(t *testing.T) {
	t.Parallel()
	s := open(t, redis.Options{URL: "redis://user:s3cret@127.0.0.1:" + freePort(t)})
	k := cache.Key{Use: "test", Shape: "1", Name: "a"}
	_, getErr := s.Get(t.Context(), k)
	for name, err := range map[string]error{
		"Get": getErr, "Set": s.Set(t.Context(), k, nil, time.Hour, make(cache.Claim, 2)), "Invalidate": s.Invalidate(t.Context(), k.Mark()), "Ping": s.Ping(t.Context()),
	} {
		if !errors.Is(err, cache.ErrUnavailable) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want ErrUnavailable without secrets", name, err)
		}
	}
	if s, err := redis.Open(redis.Options{URL: "redis://:s3#cret@host"}); err == nil || strings.Contains(err.Error(), "cret") {
		t.Errorf("Open of what is no URL: %v, %v", s, err)
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	r := testenv.OwnRedis(t)
	own, other := open(t, redis.Options{URL: r.URL()}), open(t, redis.Options{URL: r.URL()})
	listening, heard := watching(t, own)
	if !next(t, listening, "subscription") {
		t.Fatal("it can't subscribe")
	}
	client := driver.NewClient(&driver.Options{Addr: r.Addr()})
	defer client.Close()
	invalidate := func(s *redis.Store, marks ...cache.Mark) {
		t.Helper()
		if err := s.Invalidate(t.Context(), marks...); err != nil {
			t.Errorf("Invalidate: %v", err)
		}
	}
	invalidate(own, "t:own") // isn't told
	invalidate(other, "t:a", "k:b:c")
	if got := next(t, heard, "message"); !slices.Equal(got, []cache.Mark{"t:a", "k:b:c"}) {
		t.Errorf("heard of %q", got)
	}
	many := make([]cache.Mark, 1001)
	for i := range many {
		many[i] = cache.TagMark(fmt.Sprint(i))
	}
	invalidate(other, many...)
	var got []cache.Mark
	for len(got) < len(many) {
		got = append(got, next(t, heard, "message")...)
	}
	if !slices.Equal(got, many) {
		t.Errorf("of many %d were heard of", len(got))
	}
	// What can't be read was an invalidation all the same.
	if err := client.Publish(t.Context(), redis.DefaultPrefix+"1:invalidated", "\xff").Err(); err != nil {
		t.Fatal(err)
	}
	if got := next(t, heard, "message"); !slices.Equal(got, []cache.Mark{cache.All}) {
		t.Errorf("heard of %q, want all", got)
	}
	// It is told when the subscription is lost, and when there is another.
	for range 3 {
		if err := client.Do(t.Context(), "client", "kill", "type", "pubsub").Err(); err != nil {
			t.Fatal(err)
		}
		if next(t, listening, "loss") {
			t.Error("told that it listens when it was cut off")
		}
		if !next(t, listening, "subscription") {
			t.Error("told that it doesn't listen twice")
		}
		invalidate(other, "t:again")
		if got := next(t, heard, "message"); !slices.Equal(got, []cache.Mark{"t:again"}) {
			t.Errorf("heard of %q", got)
		}
	}
}
