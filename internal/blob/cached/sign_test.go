package cached_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/blob/azure"
	"github.com/crownsafe/api/internal/blob/cached"
	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/cache/memory"
	"github.com/crownsafe/api/internal/cache/redis"
	"github.com/crownsafe/api/internal/testenv"
)

// signer makes URLs that tell when they were made.
type signer struct {
	blob.Store
	made int
	most time.Duration // the longest life that it gives; 0: any
}

func (s *signer) SignURL(_ context.Context, key string, allowed blob.Permission, lifetime time.Duration) (blob.SignedURL, error) {
	if err := blob.CheckSigning(key, allowed, lifetime); err != nil {
		return blob.SignedURL{}, err
	}
	s.made++
	if s.most > 0 {
		lifetime = min(lifetime, s.most)
	}
	return blob.SignedURL{URL: fmt.Sprintf("https://example.org/%s?%d", key, s.made), ExpiresAt: blob.Expiry(time.Now(), lifetime)}, nil
}

func (*signer) Delete(context.Context, string) error { return nil }

// A URL from the cache lives for as long as was asked for, whenever that is, and
// not for more than the slack longer.
func TestSignedURLs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		lifetime, slack, most time.Duration
		made                  int // at most, in an hour of asking every second
	}{
		{time.Hour, 0, time.Hour + cached.DefaultURLSlack, 6},
		{time.Hour, time.Hour, 2 * time.Hour, 3},
		{time.Hour, -1, time.Hour, 3600},
		{time.Minute, 0, 2 * time.Minute, 80},
		{6 * time.Second, 0, 12 * time.Second, 1200},
		{time.Second, 0, time.Second, 3600},
		{blob.MaxLifetime, 0, blob.MaxLifetime, 3600},
		{blob.MaxLifetime - time.Minute, 0, blob.MaxLifetime, 80},
	} {
		t.Run(fmt.Sprintf("%s with %s", test.lifetime, test.slack), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := cache.New(memory.Open(memory.Options{}), nil, cache.Options{})
				defer c.Close()
				inner := &signer{}
				s := cached.New(inner, c, cached.Options{URLSlack: test.slack})
				for range 3600 {
					signed, err := s.SignURL(t.Context(), "a", blob.Read, test.lifetime)
					if left := time.Until(signed.ExpiresAt); err != nil || left < test.lifetime || left > test.most+time.Second {
						t.Fatalf("a URL with %s left, %v", left, err)
					}
					time.Sleep(time.Second)
				}
				if inner.made > test.made || inner.made < 1 {
					t.Errorf("%d URLs were made, want at most %d", inner.made, test.made)
				}
			})
		})
	}
}

// Who signs may give less than was asked for, and know another time.
func TestShortURLs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := cache.New(memory.Open(memory.Options{}), nil, cache.Options{})
		defer c.Close()
		s := cached.New(&signer{most: time.Hour + 10*time.Second}, c, cached.Options{})
		for i := range 60 {
			signed, err := s.SignURL(t.Context(), "a", blob.Read, time.Hour)
			if left := time.Until(signed.ExpiresAt); err != nil || left < time.Hour {
				t.Fatalf("after %d s: a URL with %s left, %v", i, left, err)
			}
			time.Sleep(time.Second)
		}
	})
}

func TestSignedURLsAreApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := cache.New(memory.Open(memory.Options{}), nil, cache.Options{})
		defer c.Close()
		one, other := &signer{}, &signer{}
		s, elsewhere := cached.New(one, c, cached.Options{Namespace: "one"}), cached.New(other, c, cached.Options{Namespace: "other"})
		seen := map[string]bool{}
		sign := func(s *cached.Store, key string, allowed blob.Permission, lifetime time.Duration, again bool) {
			t.Helper()
			signed, err := s.SignURL(t.Context(), key, allowed, lifetime)
			if err != nil || seen[signed.URL] != again {
				t.Errorf("%s for %d and %s: %v, seen before: %t", signed.URL, allowed, lifetime, err, seen[signed.URL])
			}
			seen[signed.URL] = true
		}
		sign(s, "a", blob.Read, time.Hour, false)
		sign(s, "a", blob.Read, time.Hour, true)
		sign(s, "a", blob.Read, time.Minute, false)
		sign(s, "b", blob.Read, time.Hour, false)
		for range 2 {
			sign(s, "b", blob.Write, time.Hour, false)
			sign(s, "b", blob.Read|blob.Delete, time.Hour, false)
		}
		if err := s.Delete(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		sign(s, "a", blob.Read, time.Hour, false)
		if _, err := s.SignURL(t.Context(), "../a", blob.Read, time.Hour); !errors.Is(err, blob.ErrBadKey) {
			t.Errorf("of a bad key: %v", err)
		}
		if _, err := elsewhere.SignURL(t.Context(), "a", blob.Read, time.Hour); err != nil || other.made != 1 {
			t.Errorf("of another store %d were made, %v", other.made, err)
		}
	})
}

// BenchmarkHead asks Azurite for what is told of an object, past the cache and
// through it: with the first level's answer, and with Redis' only.
func BenchmarkHead(b *testing.B) {
	connection, container := testenv.Azure(b)
	inner, err := azure.Open(azure.Options{ConnectionString: connection, Container: container})
	if err != nil {
		b.Fatal(err)
	}
	defer inner.Close()
	if _, err := inner.Put(b.Context(), "a", strings.NewReader("content"), blob.PutOptions{}); err != nil {
		b.Fatal(err)
	}
	for name, bytes := range map[string]int64{"memory": memory.DefaultBytes, "Redis": 1} {
		b.Run(name, func(b *testing.B) {
			address, prefix := testenv.Redis(b)
			far, err := redis.Open(redis.Options{URL: address, Prefix: prefix})
			if err != nil {
				b.Fatal(err)
			}
			c := cache.New(memory.Open(memory.Options{Bytes: bytes}), far, cache.Options{Timeout: time.Second})
			defer c.Close()
			compareHeads(b, inner, cached.New(inner, c, cached.Options{}))
		})
	}
}

func compareHeads(b *testing.B, uncached, throughCache blob.Store) {
	b.Helper()
	head := func(s blob.Store) time.Duration {
		start := time.Now()
		if _, err := s.Head(b.Context(), "a"); err != nil {
			b.Fatal(err)
		}
		return time.Since(start)
	}
	head(throughCache)
	var slow, fast time.Duration
	for b.Loop() {
		slow += head(uncached)
		fast += head(throughCache)
	}
	b.ReportMetric(float64(slow.Nanoseconds())/float64(b.N), "uncached-ns/op")
	b.ReportMetric(float64(fast.Nanoseconds())/float64(b.N), "cached-ns/op")
	b.ReportMetric(float64(slow)/float64(fast), "times-faster")
}
