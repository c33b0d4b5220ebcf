package app

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/auth"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/testenv"
)

// signedIn stores a user with two sessions: one that expired long ago, one just now.
func signedIn(t *testing.T, st Store) {
	t.Helper()
	now := time.Now()
	if err := st.CreateUser(t.Context(), account.User{ID: "parent", Email: "parent@example.com", EmailKey: "parent@example.com", CreatedAt: now, PasswordAt: now}); err != nil {
		t.Fatal(err)
	}
	for id, expired := range map[string]time.Duration{"long ago": sweepAfter + time.Minute, "just now": time.Minute} {
		session := account.Session{ID: id, UserID: "parent", Kind: account.SessionAPI, CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(-expired)}
		if err := st.StartSession(t.Context(), session, []byte(id)); err != nil {
			t.Fatal(err)
		}
	}
}

func swept(t *testing.T, st Store, id string) bool {
	t.Helper()
	_, err := st.Session(t.Context(), id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return err != nil
}

// A server forgets what ended long ago, beside its answers.
func TestServeSweeps(t *testing.T) {
	t.Parallel()
	st := openStore(t)
	signedIn(t, st)
	p := program(t, t.TempDir(), st)
	p.start(t)
	testenv.Eventually(t, testenv.Patience, "the end of an old session", func() bool { return swept(t, st, "long ago") })
	if swept(t, st, "just now") {
		t.Error("what has just ended is gone already")
	}
}

// What is kept of people stays in the store: the catalogue's snapshots, which are
// copied to where more people can read, hold nothing of it.
func TestSnapshotsHoldNobody(t *testing.T) {
	t.Parallel()
	data, st := t.TempDir(), openStore(t)
	signedIn(t, st)
	p := program(t, data, st)
	p.start(t)
	p.stop() // which keeps a snapshot
	files, err := filepath.Glob(filepath.Join(data, "snapshots", "*.snapshot"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the stopped process left %v, %v", files, err)
	}
	content, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	header, states, _ := bytes.Cut(content, []byte("\n"))
	decoder, err := zstd.NewReader(bytes.NewReader(states), zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	plain, _ := io.ReadAll(decoder) // the sum behind it is no part of it
	if !bytes.Contains(plain, []byte(starterBarcode)) {
		t.Fatal("no notice was found in the snapshot: the test says nothing of it")
	}
	for _, theirs := range []string{"parent@example.com", "long ago"} {
		if bytes.Contains(header, []byte(theirs)) || bytes.Contains(plain, []byte(theirs)) {
			t.Errorf("the snapshot holds %q", theirs)
		}
	}
}

// Of several processes one sweeps within the hour.
func TestOneSweeps(t *testing.T) {
	t.Parallel()
	st := openStore(t)
	first, second := program(t, t.TempDir(), st), program(t, t.TempDir(), st)
	first.Runner.Holder, second.Runner.Holder = "first", "second"
	if err := first.sweep(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	signedIn(t, st)
	if err := second.sweep(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if swept(t, st, "long ago") {
		t.Error("two processes sweep at once")
	}
	if err := first.sweep(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if !swept(t, st, "long ago") {
		t.Error("whoever has the lease doesn't sweep")
	}
}

// What nobody confirmed goes where addresses have to be, and nowhere else.
func TestSweepOfAbandonedAccounts(t *testing.T) {
	t.Parallel()
	st := openStore(t)
	p := program(t, t.TempDir(), st)
	long := time.Now().Add(-auth.AbandonedAfter - time.Hour)
	if err := st.CreateUser(t.Context(), account.User{ID: "never", Email: "never@example.com", EmailKey: "never@example.com", Role: account.Member, CreatedAt: long, PasswordAt: long}); err != nil {
		t.Fatal(err)
	}
	sweeps := func(want error) {
		t.Helper()
		if err := p.sweep(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		if _, err := st.User(t.Context(), "never"); !errors.Is(err, want) {
			t.Errorf("the account is there: %v, want %v", err, want)
		}
	}
	sweeps(nil) // no mail server: nobody could confirm
	p.Config.Accounts.SMTPURL, p.Config.Accounts.MailFrom = "smtps://mail.example.com:465", "Crown Safe <nobody@example.com>"
	if err := p.openAccounts(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.closeAccounts() })
	sweeps(store.ErrNotFound)
}
