package testenv

import (
	"context"
	"io"
	"testing"

	"github.com/crownsafe/api/internal/testenv/server"
)

// Own starts a server that a test can do with as it likes, and ends it with the
// test.
func Own[S io.Closer](t testing.TB, start func(context.Context, *server.Installer) (S, error)) S {
	t.Helper()
	s, err := start(t.Context(), &server.Installer{Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("ending a server: %v", err)
		}
	})
	return s
}

// OwnRedis is Own for a Redis with further settings of redis.conf.
func OwnRedis(t testing.TB, settings ...string) *server.Redis {
	t.Helper()
	return Own(t, func(ctx context.Context, i *server.Installer) (*server.Redis, error) {
		return server.StartRedis(ctx, i, settings...)
	})
}
