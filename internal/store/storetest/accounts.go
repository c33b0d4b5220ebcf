package storetest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store"
)

// ExerciseAccounts holds an adapter to the contract of account.Store, which a
// store implements beside its own. It leaves the schema alone, which may be one
// that a later release has added to. A test has one place at a time.
func ExerciseAccounts(t *testing.T, place Place) {
	for name, run := range map[string]func(t *testing.T, s account.Store){
		"users: come back as they went in":              usersComeBack,
		"users: one of each address":                    usersTaken,
		"users: nobody has an id that wasn't stored":    usersUnknown,
		"users: what is set stays set":                  usersChange,
		"users: failures and the lock":                  usersLocked,
		"users: nothing is left of one who was deleted": usersDeleted,

		"users: nobody misses those who are abandoned": usersAbandoned,

		"sessions: come back as they went in":                sessionsComeBack,
		"sessions: a secret is replaced":                     sessionsRotate,
		"sessions: what is used twice ends the session":      sessionsReuse,
		"sessions: are over when they ended or have expired": sessionsOver,
		"sessions: their use moves forwards":                 sessionsTouched,
		"sessions: end for their user only":                  sessionsEnd,

		"keys: come back as they went in":              keysComeBack,
		"keys: belong to their user":                   keysOfOthers,
		"keys: one replaces another":                   keysReplaced,
		"keys: no more than there may be":              keysBounded,
		"keys: their use moves forwards":               keysTouched,
		"tokens: are used once":                        tokens,
		"attempts: the first is done, the rest told":   attempts,
		"attempts: begun anew":                         attemptsAnew,
		"attempts: go with their owner":                attemptsOfOwners,
		"attempts: who comes too late changes nothing": attemptsTooLate,
		"sweep: forgets what ended and no more":        sweeping,
		"sweep: however much there is":                 sweepingMuch,

		"texts that aren't text":            textsThatAreNoText,
		"audit log: a chain from its first": entries,
		"audit log: read while it grows":    entriesGrow,
		"calls end with their context":      accountsCancelled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, accountsOf(t, place(t)()))
		})
	}
	for name, run := range map[string]func(t *testing.T, stores []account.Store){
		"processes: one has an address":               processesCreate,
		"processes: every wrong password counts":      processesFail,
		"processes: one rotates a secret":             processesRotate,
		"processes: one uses a token":                 processesUse,
		"processes: one begins an attempt":            processesBegin,
		"processes: touch the same keys":              processesTouch,
		"processes: append to one log without a gap":  processesAppend,
		"processes: one deletes whom others work for": processesDelete,
		"processes: no user gets too many keys":       processesKeys,
		"processes: one is proved or abandoned":       processesAbandon,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open := place(t)
			stores := make([]account.Store, 3)
			for i := range stores {
				stores[i] = accountsOf(t, open())
			}
			run(t, stores)
		})
	}
	t.Run("what was stored is there for the next", func(t *testing.T) {
		t.Parallel()
		open := place(t)
		s := open()
		furnishAccounts(t, accountsOf(t, s))
		before := digestOf(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		same(t, "opened again", digestOf(t, open()), before)
	})
}

// accountsOf returns what a store keeps of people.
func accountsOf(t testing.TB, s store.Store) account.Store {
	t.Helper()
	accounts, ok := s.(account.Store)
	if !ok {
		t.Fatalf("%T keeps no accounts", s)
	}
	return accounts
}

// person makes an invented user, different for each n, whose ids are in order of n.
func person(n int) account.User {
	return account.User{
		ID: idOf("user", n), Email: fmt.Sprintf("Parent.%d@Example.com", n), EmailKey: fmt.Sprintf("parent.%d@example.com", n),
		PasswordHash: fmt.Appendf(nil, "$2a$12$%050d", n), Role: account.Member, CreatedAt: minute(n), PasswordAt: minute(n),
	}
}

// idOf returns an id of version 7, as far as its bits say so; later for larger n.
func idOf(kind string, n int) string {
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte(kind))
	for i := range 6 {
		id[i] = byte(n >> (40 - 8*i))
	}
	id[6] = id[6]&0x0f | 0x70
	return id.String()
}

// minute returns the time n minutes into the story, to the microsecond.
func minute(n int) time.Time {
	return start.Add(time.Duration(n)*time.Minute + 123456*time.Microsecond)
}

// hashOf returns what is stored of an invented secret.
func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// with stores users.
func with(t testing.TB, s account.Store, users ...account.User) {
	t.Helper()
	for _, u := range users {
		if err := s.CreateUser(t.Context(), u); err != nil {
			t.Fatalf("CreateUser: %v", err)
		}
	}
}

// do fails the test unless something that must succeed did.
func do(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// must returns a value that must come without an error.
func must[T any](value T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// refused fails unless err is the one that is wanted.
func refused(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func usersComeBack(t *testing.T, s account.Store) {
	plain, full, bare := person(1), person(2), account.User{ID: idOf("user", 3), EmailKey: "bare"}
	full.Role, full.VerifiedAt, full.DisabledAt, full.LockedUntil, full.Failures = account.Admin, minute(3), minute(4), minute(5), 7
	full.Email, full.PasswordHash = "Größe'\"@exämple.com", []byte{0, 1, 255}
	with(t, s, full, plain, bare)
	for _, want := range []account.User{plain, full} {
		same(t, "by id", must(s.User(t.Context(), want.ID))(t), want)
		same(t, "by address", must(s.UserByEmail(t.Context(), want.EmailKey))(t), want)
	}
	bare.CreatedAt, bare.PasswordAt = bare.CreatedAt.UTC(), bare.PasswordAt.UTC()
	same(t, "a bare one", must(s.User(t.Context(), bare.ID))(t), bare)
	all := []account.User{plain, full, bare}
	same(t, "all", must(s.Users(t.Context(), "", 0))(t), all)
	same(t, "the first two", must(s.Users(t.Context(), "", 2))(t), all[:2])
	same(t, "the next two", must(s.Users(t.Context(), full.ID, 2))(t), all[2:])
	same(t, "after the last", must(s.Users(t.Context(), bare.ID, 2))(t), []account.User(nil))
}

func usersTaken(t *testing.T, s account.Store) {
	first, second := person(1), person(2)
	second.EmailKey = first.EmailKey
	with(t, s, first)
	refused(t, "a second user with an address", s.CreateUser(t.Context(), second), account.ErrTaken)
	second.EmailKey, second.ID = "other@example.com", first.ID
	if err := s.CreateUser(t.Context(), second); err == nil || errors.Is(err, account.ErrTaken) {
		t.Errorf("a second user with an id: %v", err)
	}
	same(t, "the users", must(s.Users(t.Context(), "", 0))(t), []account.User{first})
}

// usersUnknown asks for everything in the name of somebody whom there isn't.
func usersUnknown(t *testing.T, s account.Store) {
	ctx, nobody := t.Context(), idOf("user", 99)
	with(t, s, person(1))
	for what, err := range map[string]error{
		"User":            second(s.User(ctx, nobody)),
		"UserByEmail":     second(s.UserByEmail(ctx, "nobody@example.com")),
		"SetPassword":     s.SetPassword(ctx, nobody, []byte("x"), minute(1)),
		"UpgradePassword": s.UpgradePassword(ctx, nobody, []byte("x"), []byte("y")),
		"SetRole":         s.SetRole(ctx, nobody, account.Admin),
		"SetVerified":     s.SetVerified(ctx, nobody, minute(1)),
		"SetDisabled":     s.SetDisabled(ctx, nobody, minute(1)),
		"FailLogin":       second(s.FailLogin(ctx, nobody)),
		"Lock":            s.Lock(ctx, nobody, minute(1)),
		"ClearFailures":   s.ClearFailures(ctx, nobody),
		"DeleteUser":      s.DeleteUser(ctx, nobody),
		"DeleteAbandoned": s.DeleteAbandoned(ctx, nobody, minute(1), minute(1)),
		"StartSession":    s.StartSession(ctx, signIn(1, nobody), hashOf("s")),
		"Session":         second(s.Session(ctx, nobody)),
		"SessionBySecret": second(s.SessionBySecret(ctx, hashOf("s"))),
		"RotateSecret":    second(s.RotateSecret(ctx, hashOf("s"), hashOf("t"), minute(1), minute(2))),
		"TouchSession":    s.TouchSession(ctx, nobody, minute(1), time.Time{}),
		"EndSession":      s.EndSession(ctx, nobody, nobody, minute(1)),
		"CreateKey":       s.CreateKey(ctx, appKey(1, nobody)),
		"Key":             second(s.Key(ctx, nobody, nobody)),
		"KeyByHash":       third(s.KeyByHash(ctx, hashOf("k"))),
		"ReplaceKey":      s.ReplaceKey(ctx, appKey(1, nobody), nobody, minute(1)),
		"RevokeKey":       s.RevokeKey(ctx, nobody, nobody, minute(1)),
		"SaveToken":       s.SaveToken(ctx, account.Token{Hash: hashOf("t"), UserID: nobody, Purpose: account.PurposeReset, ExpiresAt: minute(9)}),
		"UseToken":        second(s.UseToken(ctx, hashOf("t"), account.PurposeReset, minute(1))),
		"KnownAttempt":    second(s.KnownAttempt(ctx, nobody, "key")),
		"LastEntry":       second(s.LastEntry(ctx)),
	} {
		refused(t, what, err, store.ErrNotFound)
	}
	same(t, "sessions", must(s.Sessions(ctx, nobody, minute(1)))(t), []account.Session(nil))
	same(t, "ended sessions", must(s.EndSessions(ctx, nobody, "", minute(1)))(t), []string(nil))
	same(t, "all sessions", must(s.SessionsOf(ctx, nobody))(t), []account.Session(nil))
	same(t, "keys", must(s.Keys(ctx, nobody))(t), []account.Key(nil))
	same(t, "tokens", must(s.TokensOf(ctx, nobody))(t), []account.Token(nil))
	same(t, "attempts", must(s.AttemptsOf(ctx, nobody))(t), []account.KeptAttempt(nil))
	do(t, s.TouchKeys(ctx, nil))
	do(t, s.TouchKeys(ctx, map[string]time.Time{nobody: minute(1)}))
	do(t, s.FinishAttempt(ctx, nobody, "key", 1, []byte("answer")))
	do(t, s.FinishAttempt(ctx, nobody, "key", 1, nil))
}

func second[T any](_ T, err error) error { return err }

func third[T, U any](_ T, _ U, err error) error { return err }

func usersChange(t *testing.T, s account.Store) {
	ctx, want, other := t.Context(), person(1), person(2)
	with(t, s, want, other)
	check := func(what string, err error) {
		t.Helper()
		do(t, err)
		same(t, what, must(s.User(ctx, want.ID))(t), want)
	}
	want.Role = account.Operator
	check("another role", s.SetRole(ctx, want.ID, account.Operator))
	want.VerifiedAt = minute(5)
	check("proved", s.SetVerified(ctx, want.ID, minute(5)))
	check("proved again", s.SetVerified(ctx, want.ID, minute(6)))
	want.DisabledAt = minute(7)
	check("shut", s.SetDisabled(ctx, want.ID, minute(7)))
	want.DisabledAt = time.Time{}
	check("open again", s.SetDisabled(ctx, want.ID, time.Time{}))
	check("an upgrade from another password", s.UpgradePassword(ctx, want.ID, []byte("other"), []byte("costlier")))
	old := want.PasswordHash
	want.PasswordHash = []byte("costlier")
	check("an upgrade", s.UpgradePassword(ctx, want.ID, old, []byte("costlier")))
	want.PasswordHash, want.PasswordAt = []byte("new"), minute(8)
	check("another password", s.SetPassword(ctx, want.ID, []byte("new"), minute(8)))
	same(t, "another user", must(s.User(ctx, other.ID))(t), other)
}

func usersLocked(t *testing.T, s account.Store) {
	ctx, want, other := t.Context(), person(1), person(2)
	with(t, s, want, other)
	for n := range 3 {
		if failures := must(s.FailLogin(ctx, want.ID))(t); failures != n+1 {
			t.Errorf("%d failures after %d", failures, n+1)
		}
	}
	do(t, s.Lock(ctx, want.ID, minute(20)))
	do(t, s.Lock(ctx, want.ID, minute(10))) // earlier than what is stored
	want.Failures, want.LockedUntil = 3, minute(20)
	same(t, "locked", must(s.User(ctx, want.ID))(t), want)
	do(t, s.Lock(ctx, want.ID, minute(30)))
	want.LockedUntil = minute(30)
	same(t, "locked for longer", must(s.User(ctx, want.ID))(t), want)
	do(t, s.ClearFailures(ctx, want.ID))
	want.Failures, want.LockedUntil = 0, time.Time{}
	same(t, "cleared", must(s.User(ctx, want.ID))(t), want)
	must(s.FailLogin(ctx, want.ID))(t)
	do(t, s.Lock(ctx, want.ID, minute(20)))
	do(t, s.SetPassword(ctx, want.ID, want.PasswordHash, want.PasswordAt))
	same(t, "a new password clears them", must(s.User(ctx, want.ID))(t), want)
	same(t, "another user", must(s.User(ctx, other.ID))(t), other)
}

func textsThatAreNoText(t *testing.T, s account.Store) {
	ctx, odd := t.Context(), "a\x00b\xffc"
	u := person(1)
	u.Email = odd
	with(t, s, u)
	if back := must(s.User(ctx, u.ID))(t); back.Email != account.Text(odd) {
		t.Errorf("an address came back as %q", back.Email)
	}
	refused(t, "an id that is no text", second(s.User(ctx, odd)), store.ErrNotFound)
	refused(t, "an address that is no text", second(s.UserByEmail(ctx, odd)), store.ErrNotFound)
	session := signIn(1, u.ID)
	session.Agent, session.Network = odd, odd
	do(t, s.StartSession(ctx, session, hashOf("s")))
	if back := must(s.Session(ctx, session.ID))(t); back.Agent != account.Text(odd) || back.Network != account.Text(odd) {
		t.Errorf("a session came back as %+v", back)
	}
	key := appKey(1, u.ID)
	key.Name, key.Scopes = odd, []string{`"a",`, "<é>", ""}
	do(t, s.CreateKey(ctx, key))
	key.Name = account.Text(odd)
	same(t, "a key", must(s.Key(ctx, u.ID, key.ID))(t), key)
	first := must(s.BeginAttempt(ctx, odd, odd, nil, minute(1), time.Minute, time.Hour))(t)
	again := must(s.BeginAttempt(ctx, odd, odd, nil, minute(1), time.Minute, time.Hour))(t)
	if !first.First || again.First {
		t.Errorf("attempts of an odd owner: %+v and %+v", first, again)
	}
	e := must(s.AppendEntry(ctx, account.Entry{Action: odd, Reason: odd, At: minute(1)}))(t)
	if e.Action != account.Text(odd) {
		t.Errorf("an entry came back as %+v", e)
	}
	same(t, "the last entry", must(s.LastEntry(ctx))(t), e)
}

func processesCreate(t *testing.T, stores []account.Store) {
	var taken, created atomic.Int64
	together(stores, func(s account.Store, worker int) {
		u := person(worker)
		u.EmailKey = "the same"
		switch err := s.CreateUser(t.Context(), u); {
		case err == nil:
			created.Add(1)
		case errors.Is(err, account.ErrTaken):
			taken.Add(1)
		default:
			t.Errorf("CreateUser: %v", err)
		}
	})
	if created.Load() != 1 || taken.Load() != int64(workers*len(stores)-1) {
		t.Errorf("%d have the address, %d were told that it is taken", created.Load(), taken.Load())
	}
}

func processesFail(t *testing.T, stores []account.Store) {
	with(t, stores[0], person(1))
	var lock sync.Mutex
	const each = 10
	counts := map[int]int{}
	together(stores, func(s account.Store, _ int) {
		for range each {
			n, err := s.FailLogin(t.Context(), person(1).ID)
			if err != nil {
				t.Errorf("FailLogin: %v", err)
			}
			lock.Lock()
			counts[n]++
			lock.Unlock()
		}
	})
	for n := 1; n <= each*workers*len(stores); n++ {
		if counts[n] != 1 {
			t.Errorf("%d were told that theirs was failure %d", counts[n], n)
		}
	}
}

// workers is how many do the same at once in each process.
const workers = 4

// together lets all workers of all processes begin something at once, and waits
// for them.
func together(stores []account.Store, work func(s account.Store, worker int)) {
	var group sync.WaitGroup
	begin := make(chan struct{})
	for p, s := range stores {
		for w := range workers {
			group.Go(func() {
				<-begin
				work(s, p*workers+w)
			})
		}
	}
	close(begin)
	group.Wait()
}
