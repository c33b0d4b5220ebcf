package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/app"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/test/load/inside"
	"github.com/crownsafe/api/test/load/multiply"
)

// fill makes the embedded store.
func fill(ctx context.Context, data string, s settings) (err error) {
	originals, err := inside.Originals(ctx, s.seed, "", inside.Invented)
	if err != nil {
		return err
	}
	if err := inside.Fill(ctx, data, multiply.New(s.seed, originals), s.notices); err != nil {
		return err
	}
	st, err := open(ctx, data, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	for i := range s.people {
		if err := join(ctx, st, i); err != nil {
			return fmt.Errorf("person %d of %d: %w", i, s.people, err)
		}
	}
	return nil
}

func open(ctx context.Context, data string, settings []string) (app.Store, error) {
	cfg, err := config.Load(ctx, func(name string) (string, bool) {
		for _, pair := range settings {
			if value, ok := strings.CutPrefix(pair, name+"="); ok {
				return value, true
			}
		}
		return "", false
	})
	if err != nil {
		return nil, err
	}
	cfg.Data = data
	return app.OpenStore(ctx, cfg)
}

// join stores a person with a session and a key, as signing up and in would.
func join(ctx context.Context, st app.Store, i int) error {
	now := time.Now()
	id := fmt.Sprintf("01890000-0000-7000-8000-%012d", i)
	secret := func(of byte) []byte {
		sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte{of}, uint64(i)))
		return sum[:]
	}
	person := account.User{
		ID: id, Email: fmt.Sprintf("person%d@example.org", i), EmailKey: fmt.Sprintf("person%d@example.org", i), Role: account.Member,
		PasswordHash: fmt.Appendf(nil, "$2a$12$%x", secret('p'))[:60], CreatedAt: now, VerifiedAt: now, PasswordAt: now,
	}
	if err := st.CreateUser(ctx, person); err != nil {
		return err
	}
	session := account.Session{ID: id, UserID: id, Kind: account.SessionAPI, CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(720 * time.Hour), Agent: "drill", Network: "192.0.2.0/24"}
	if err := st.StartSession(ctx, session, secret('s')); err != nil {
		return err
	}
	return st.CreateKey(ctx, account.Key{ID: id, UserID: id, Name: "drill", Prefix: "cs_drill", Hash: secret('k'), Scopes: []string{"lookup"}, CreatedAt: now})
}

// write goes on to store notices and people until ctx ends, as a service does while
// its backups are made.
func write(ctx context.Context, c command, s settings) (err error) {
	originals, err := inside.Originals(ctx, s.seed+1, "", 1000)
	if err != nil {
		return err
	}
	more := multiply.New(s.seed+1, originals)
	st, err := open(ctx, c.data, c.settings)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	for i := 0; ctx.Err() == nil; i++ {
		n := more.Notice(s.notices + i)
		if _, err := st.Apply(ctx, []store.Incoming{{Notice: n, SourceHash: n.ID, Completeness: 1}}, time.Now()); err != nil {
			return err
		}
		if err := join(ctx, st, s.people+i); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
	return ctx.Err()
}
