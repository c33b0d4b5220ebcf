package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store"
)

// furnishAccounts gives a store something of everything that it may keep of people.
func furnishAccounts(t testing.TB, s account.Store) {
	t.Helper()
	ctx := t.Context()
	one, two := person(1), person(2)
	one.Email, one.VerifiedAt, one.DisabledAt, one.LockedUntil = "Größe'\"@exämple.com", minute(3), minute(4), minute(5)
	with(t, s, one, two)
	signedIn(t, s, one.ID, 1, 2)
	must(s.RotateSecret(ctx, secret(1), secret(10), minute(4), minute(70)))(t)
	do(t, s.EndSession(ctx, one.ID, signIn(2, one.ID).ID, minute(5)))
	odd := signIn(3, two.ID)
	odd.Agent = "é \x00\xff 𝟙"
	do(t, s.StartSession(ctx, odd, secret(3)))
	withKeys(t, s, appKey(1, one.ID), appKey(2, two.ID))
	do(t, s.RevokeKey(ctx, two.ID, appKey(2, two.ID).ID, minute(9)))
	do(t, s.ReplaceKey(ctx, appKey(3, one.ID), appKey(1, one.ID).ID, minute(90)))
	do(t, s.TouchKeys(ctx, map[string]time.Time{appKey(3, one.ID).ID: minute(6)}))
	for i, purpose := range []account.Purpose{account.PurposeReset, account.PurposeVerify} {
		do(t, s.SaveToken(ctx, account.Token{Hash: hashOf(fmt.Sprintf("token %d", i)), UserID: one.ID, Purpose: purpose, CreatedAt: minute(1), ExpiresAt: minute(9), Pending: []byte(fmt.Sprint("hash of ", purpose))}))
	}
	for _, owner := range []string{"user:" + one.ID, "key:" + appKey(1, one.ID).ID, "user:" + two.ID} {
		must(s.BeginAttempt(ctx, owner, "left", []byte(owner), minute(1), time.Minute, time.Hour))(t)
		nothing := must(s.BeginAttempt(ctx, owner, "nothing", nil, minute(1), time.Minute, time.Hour))(t)
		answered := must(s.BeginAttempt(ctx, owner, "answered", []byte{0, 255}, minute(1), time.Minute, time.Hour))(t)
		do(t, s.FinishAttempt(ctx, owner, "answered", answered.Lease, []byte("to "+owner)))
		do(t, s.FinishAttempt(ctx, owner, "nothing", nothing.Lease, []byte{}))
	}
	for n := range 4 {
		e := entry(n)
		e.Actor = "user:" + one.ID
		must(s.AppendEntry(ctx, e))(t)
	}
}

// furnishMoreAccounts goes on where furnishAccounts ended: with the secrets, tokens
// and answers that are there, and with the chain of the audit log.
func furnishMoreAccounts(t testing.TB, s account.Store) {
	t.Helper()
	ctx, one := t.Context(), person(1)
	must(s.RotateSecret(ctx, secret(10), secret(11), minute(6), minute(80)))(t)
	refused(t, "a secret that was replaced before", second(s.RotateSecret(ctx, secret(1), secret(12), minute(7), minute(80))), account.ErrReused)
	must(s.UseToken(ctx, hashOf("token 0"), account.PurposeReset, minute(2)))(t)
	answered := must(s.BeginAttempt(ctx, "user:"+one.ID, "answered", nil, minute(2), time.Minute, time.Hour))(t)
	same(t, "a kept answer", answered, account.Attempt{Fingerprint: []byte{0, 255}, Answer: []byte("to user:" + one.ID)})
	if err := s.StartSession(ctx, signIn(4, idOf("user", 99)), secret(13)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a session of nobody: %v", err)
	}
	do(t, s.DeleteUser(ctx, person(2).ID))
	must(s.AppendEntry(ctx, entry(5)))(t)
	if head := must(account.Verify(ctx, s, account.Head{}))(t); head.Seq != 5 {
		t.Errorf("the audit log ends at %d", head.Seq)
	}
}

// everywhere calls look with every value of every table that a store keeps.
func everywhere(t testing.TB, s account.Store, look func(table, column string, value any)) {
	t.Helper()
	from, ok := s.(store.Transfer)
	if !ok {
		t.Fatalf("%T shows nobody what it keeps", s)
	}
	do(t, from.Snapshot(t.Context(), func(snapshot store.Snapshot) error {
		for _, table := range store.Tables() {
			for row, err := range snapshot.Rows(t.Context(), table) {
				if err != nil {
					return fmt.Errorf("reading table %s: %w", table.Name, err)
				}
				for i, value := range row {
					look(table.Name, table.Columns[i].Name, value)
				}
			}
		}
		return nil
	}))
}

// usersDeleted looks for what was somebody's in every column of every table.
func usersDeleted(t *testing.T, s account.Store) {
	furnishAccounts(t, s)
	gone := must(s.User(t.Context(), person(1).ID))(t)
	theirs := []string{gone.ID, gone.Email, gone.EmailKey, string(gone.PasswordHash)}
	for n := range 4 {
		theirs = append(theirs, signIn(n, "").Agent, appKey(1, "").ID, appKey(3, "").ID, "Shop 1", "Shop 3",
			string(hashOf(fmt.Sprintf("token %d", n))), string(appKey(1, "").Hash), string(appKey(3, "").Hash))
	}
	for _, n := range []int{1, 2} {
		theirs = append(theirs, signIn(n, "").ID, string(secret(n)), string(secret(n*10)))
	}
	found := func() (tables map[string]bool) {
		tables = map[string]bool{}
		everywhere(t, s, func(table, _ string, value any) {
			for _, theirs := range theirs {
				switch v := value.(type) {
				case string:
					tables[table] = tables[table] || strings.Contains(v, theirs)
				case []byte:
					tables[table] = tables[table] || bytes.Contains(v, []byte(theirs))
				}
			}
		})
		return tables
	}
	before := found()
	for _, table := range []string{"account", "session", "session_secret", "api_key", "single_use_token", "attempt", "audit_entry"} {
		if !before[table] {
			t.Errorf("nothing of theirs was found in table %s: the test says nothing of it", table)
		}
	}
	other := must(s.Keys(t.Context(), person(2).ID))(t)
	do(t, s.DeleteUser(t.Context(), gone.ID))
	for table, left := range found() {
		if left != (table == "audit_entry") {
			t.Errorf("table %s: something of theirs is left: %v", table, left)
		}
	}
	everywhere(t, s, func(table, column string, value any) {
		if text, _ := value.(string); table == "audit_entry" && (strings.Contains(text, "@") || strings.Contains(text, "Phone")) {
			t.Errorf("the audit log says %q in %s", text, column)
		}
	})
	same(t, "another's keys", must(s.Keys(t.Context(), person(2).ID))(t), other)
	refused(t, "deleting again", s.DeleteUser(t.Context(), gone.ID), store.ErrNotFound)
	with(t, s, person(1)) // the address is free again
}

// processesDelete deletes a user while everything else is done in their name: it is
// done before, or there is nobody to do it for.
func processesDelete(t *testing.T, stores []account.Store) {
	const rounds = 3
	for round := range rounds {
		u := person(round)
		with(t, stores[0], u)
		session, key := signedIn(t, stores[0], u.ID, 1000*round+1)[0], appKey(1000*round+1, u.ID)
		withKeys(t, stores[0], key)
		together(stores, func(s account.Store, worker int) {
			ctx, n := t.Context(), 1000*round+10*worker+10
			if worker == workers {
				do(t, s.DeleteUser(ctx, u.ID))
				return
			}
			errs := map[string]error{
				"StartSession": s.StartSession(ctx, signIn(n, u.ID), secret(n)),
				"RotateSecret": second(s.RotateSecret(ctx, secret(n), secret(n+1), minute(n), minute(n+9))),
				"TouchSession": s.TouchSession(ctx, session.ID, minute(n), time.Time{}),
				"ReplaceKey":   s.ReplaceKey(ctx, appKey(n, u.ID), key.ID, minute(9000)),
				"CreateKey":    s.CreateKey(ctx, appKey(n+1, u.ID)),
				"TouchKeys":    s.TouchKeys(ctx, map[string]time.Time{key.ID: minute(n), appKey(n, u.ID).ID: minute(n)}),
				"SaveToken":    s.SaveToken(ctx, account.Token{Hash: secret(n), UserID: u.ID, Purpose: account.PurposeReset, ExpiresAt: minute(n)}),
				"FailLogin":    second(s.FailLogin(ctx, u.ID)),
				"EndSessions":  second(s.EndSessions(ctx, u.ID, session.ID, minute(n))),
				"Sweep":        s.Sweep(ctx, minute(0), minute(0)),
			}
			for what, err := range errs {
				if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, account.ErrEnded) {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
		everywhere(t, stores[0], func(table, column string, value any) {
			if text, _ := value.(string); strings.Contains(text, u.ID) {
				t.Errorf("table %s, column %s: something is left of who was deleted: %q", table, column, text)
			}
		})
	}
}

// sweeping: what ended before a time goes, and what ended at it stays.
func sweeping(t *testing.T, s account.Store) {
	ctx, u := t.Context(), person(1)
	with(t, s, u)
	expired, ended, kept, keptEnded, live := signIn(1, u.ID), signIn(2, u.ID), signIn(3, u.ID), signIn(4, u.ID), signIn(5, u.ID)
	expired.ExpiresAt, ended.EndedAt = minute(99), minute(99)
	kept.ExpiresAt, keptEnded.EndedAt, live.ExpiresAt = minute(100), minute(100), minute(200)
	keptEnded.ExpiresAt, ended.ExpiresAt = minute(200), minute(200)
	for n, session := range []account.Session{expired, ended, kept, keptEnded, live} {
		do(t, s.StartSession(ctx, session, secret(n+1)))
	}
	for n := range 3 {
		must(s.RotateSecret(ctx, secret(5*(n+1)), secret(5*(n+2)), minute(6+n), minute(200)))(t)
	}
	gone, revoked, lasting, keptKey := appKey(1, u.ID), appKey(2, u.ID), appKey(3, u.ID), appKey(4, u.ID)
	gone.ExpiresAt, revoked.RevokedAt, keptKey.ExpiresAt = minute(99), minute(99), minute(100)
	withKeys(t, s, gone, revoked, lasting, keptKey)
	do(t, s.SaveToken(ctx, account.Token{Hash: hashOf("gone"), UserID: u.ID, Purpose: account.PurposeReset, ExpiresAt: minute(99)}))
	do(t, s.SaveToken(ctx, account.Token{Hash: hashOf("kept"), UserID: u.ID, Purpose: account.PurposeVerify, ExpiresAt: minute(100)}))
	must(s.BeginAttempt(ctx, "anonymous", "gone", nil, minute(39), time.Minute, time.Hour))(t)
	must(s.BeginAttempt(ctx, "anonymous", "kept", nil, minute(40), time.Minute, time.Hour))(t)
	must(s.AppendEntry(ctx, entry(1)))(t)
	do(t, s.Sweep(ctx, minute(100), minute(7)))
	do(t, s.Sweep(ctx, minute(100), minute(7)))

	for n, session := range []account.Session{expired, ended} {
		refused(t, "a session that was over", second(s.Session(ctx, session.ID)), store.ErrNotFound)
		_, err := s.RotateSecret(ctx, secret(n+1), secret(60), minute(7), minute(200))
		refused(t, "its secret", err, store.ErrNotFound)
	}
	for _, session := range []account.Session{kept, keptEnded, live} {
		must(s.Session(ctx, session.ID))(t)
	}
	_, err := s.RotateSecret(ctx, secret(5), secret(60), minute(9), minute(200))
	refused(t, "a secret that was replaced long ago", err, store.ErrNotFound)
	same(t, "its session", must(s.SessionBySecret(ctx, secret(20)))(t).ID, live.ID)
	_, err = s.RotateSecret(ctx, secret(10), secret(60), minute(9), minute(200))
	refused(t, "a former secret of a session that stays", err, account.ErrReused)
	same(t, "keys", must(s.Keys(ctx, u.ID))(t), []account.Key{keptKey, lasting})
	must(s.UseToken(ctx, hashOf("kept"), account.PurposeVerify, minute(50)))(t)
	_, err = s.UseToken(ctx, hashOf("gone"), account.PurposeReset, minute(50))
	refused(t, "a token that had expired", err, store.ErrNotFound)
	if !must(s.BeginAttempt(ctx, "anonymous", "gone", nil, minute(39), time.Minute, time.Hour))(t).First {
		t.Error("an answer is kept for longer than was asked")
	}
	if must(s.BeginAttempt(ctx, "anonymous", "kept", nil, minute(40), time.Minute, time.Hour))(t).First {
		t.Error("an answer was forgotten too soon")
	}
	same(t, "the user", must(s.User(ctx, u.ID))(t), u)
	same(t, "the log", len(logOf(t, s, 0, 0)), 1)
}

// sweepingMuch: what ended while nobody swept is gone after one sweep, though it is
// more than is removed at once, and what goes on is left.
func sweepingMuch(t *testing.T, s account.Store) {
	const many = 250 // more than a batch of any store
	ctx, u := t.Context(), person(1)
	with(t, s, u)
	live, over, lasting := signIn(many, u.ID), signIn(many+1, u.ID), appKey(many, u.ID)
	live.ExpiresAt, over.ExpiresAt = minute(200), minute(200)
	do(t, s.StartSession(ctx, live, hashOf("live 0")))
	do(t, s.StartSession(ctx, over, hashOf("over 0")))
	withKeys(t, s, lasting)
	work := []func(n int) error{
		func(n int) error {
			session := signIn(n, u.ID)
			session.ExpiresAt = minute(1)
			return s.StartSession(ctx, session, secret(n))
		},
		func(n int) error {
			key := appKey(n, u.ID)
			key.RevokedAt = minute(1)
			return s.CreateKey(ctx, key)
		},
		func(n int) error {
			if err := s.CreateUser(ctx, person(n+2)); err != nil {
				return err
			}
			return s.SaveToken(ctx, account.Token{Hash: secret(n), UserID: person(n + 2).ID, Purpose: account.PurposeReset, ExpiresAt: minute(1)})
		},
		func(n int) error {
			return second(s.BeginAttempt(ctx, "anonymous", fmt.Sprint(n), nil, minute(0), time.Second, time.Minute))
		},
		func(n int) error { // what belongs to one key, and is kept for longer than the key
			return second(s.BeginAttempt(ctx, "key:"+appKey(0, u.ID).ID, fmt.Sprint(n), nil, minute(0), time.Second, 500*time.Hour))
		},
		func(n int) error {
			return second(s.RotateSecret(ctx, hashOf(fmt.Sprintf("live %d", n)), hashOf(fmt.Sprintf("live %d", n+1)), minute(1), minute(200)))
		},
		func(n int) error {
			return second(s.RotateSecret(ctx, hashOf(fmt.Sprintf("over %d", n)), hashOf(fmt.Sprintf("over %d", n+1)), minute(50), minute(200)))
		},
	}
	var group sync.WaitGroup
	for _, one := range work {
		group.Go(func() {
			for n := range many {
				if err := one(n); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	do(t, s.EndSession(ctx, u.ID, over.ID, minute(60)))
	do(t, s.Sweep(ctx, minute(100), minute(40)))
	left := map[string]int{}
	everywhere(t, s, func(table, column string, _ any) { left[table+"."+column]++ })
	got := []int{left["session.id"], left["session_secret.hash"], left["api_key.id"], left["single_use_token.hash"], left["attempt.key"], left["account.id"]}
	same(t, "sessions, secrets, keys, tokens, attempts and users that are left", got, []int{1, 1, 1, 0, 0, many + 1})
	same(t, "the session that goes on", must(s.SessionBySecret(ctx, hashOf(fmt.Sprintf("live %d", many))))(t).ID, live.ID)
	same(t, "the key that is good", must(s.Keys(ctx, u.ID))(t), []account.Key{lasting})
}
