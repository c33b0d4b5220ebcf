package account

import (
	"context"
	"errors"
	"time"
)

// Observation is told that an operation begins: of its name in lower case with
// underscores, as in Operations. The operation goes on with the context that it
// returns; the function that it returns is called once, with how the operation
// went. An error that the caller's own function returned isn't the store's, and
// counts as none.
type Observation func(ctx context.Context, operation string) (context.Context, func(err error))

// Operations names what a store is observed at, in the order of Store.
func Operations() []string {
	return []string{
		"create_user", "user", "user_by_email", "users", "set_password", "upgrade_password", "set_role", "set_verified",
		"set_disabled", "fail_login", "lock", "clear_failures", "delete_user", "abandoned_users", "delete_abandoned",
		"start_session", "session", "session_by_secret", "rotate_secret", "sessions", "sessions_of", "touch_session",
		"end_session", "end_sessions",
		"create_key", "key_by_hash", "key", "keys", "replace_key", "revoke_key", "touch_keys",
		"save_token", "use_token", "tokens_of",
		"begin_attempt", "known_attempt", "finish_attempt", "attempts_of",
		"append_entry", "entries", "last_entry",
		"sweep",
	}
}

// Observe returns the store with an observation around each of its operations.
func Observe(s Store, observe Observation) Store { return &observed{s, observe} }

// observed is a store under observation.
type observed struct {
	store   Store
	observe Observation
}

// errPanicked is how an operation went that didn't return.
var errPanicked = errors.New("the store panicked")

// asked observes an operation with an answer.
func asked[T any](ctx context.Context, o *observed, operation string, ask func(ctx context.Context) (T, error)) (answer T, err error) {
	ctx, done := o.observe(ctx, operation)
	err = errPanicked
	defer func() { done(err) }()
	answer, err = ask(ctx)
	return answer, err
}

// told observes an operation that only succeeds or fails.
func (o *observed) told(ctx context.Context, operation string, tell func(ctx context.Context) error) error {
	_, err := asked(ctx, o, operation, func(ctx context.Context) (struct{}, error) { return struct{}{}, tell(ctx) })
	return err
}

// CreateUser is Users'.
func (o *observed) CreateUser(ctx context.Context, u User) error {
	return o.told(ctx, "create_user", func(ctx context.Context) error { return o.store.CreateUser(ctx, u) })
}

// User is Users'.
func (o *observed) User(ctx context.Context, id string) (User, error) {
	return asked(ctx, o, "user", func(ctx context.Context) (User, error) { return o.store.User(ctx, id) })
}

// UserByEmail is Users'.
func (o *observed) UserByEmail(ctx context.Context, emailKey string) (User, error) {
	return asked(ctx, o, "user_by_email", func(ctx context.Context) (User, error) { return o.store.UserByEmail(ctx, emailKey) })
}

// Users is Users'.
func (o *observed) Users(ctx context.Context, after string, limit int) ([]User, error) {
	return asked(ctx, o, "users", func(ctx context.Context) ([]User, error) { return o.store.Users(ctx, after, limit) })
}

// SetPassword is Users'.
func (o *observed) SetPassword(ctx context.Context, id string, hash []byte, at time.Time) error {
	return o.told(ctx, "set_password", func(ctx context.Context) error { return o.store.SetPassword(ctx, id, hash, at) })
}

// UpgradePassword is Users'.
func (o *observed) UpgradePassword(ctx context.Context, id string, old, hash []byte) error {
	return o.told(ctx, "upgrade_password", func(ctx context.Context) error { return o.store.UpgradePassword(ctx, id, old, hash) })
}

// SetRole is Users'.
func (o *observed) SetRole(ctx context.Context, id string, role Role) error {
	return o.told(ctx, "set_role", func(ctx context.Context) error { return o.store.SetRole(ctx, id, role) })
}

// SetVerified is Users'.
func (o *observed) SetVerified(ctx context.Context, id string, at time.Time) error {
	return o.told(ctx, "set_verified", func(ctx context.Context) error { return o.store.SetVerified(ctx, id, at) })
}

// SetDisabled is Users'.
func (o *observed) SetDisabled(ctx context.Context, id string, at time.Time) error {
	return o.told(ctx, "set_disabled", func(ctx context.Context) error { return o.store.SetDisabled(ctx, id, at) })
}

// FailLogin is Users'.
func (o *observed) FailLogin(ctx context.Context, id string) (int, error) {
	return asked(ctx, o, "fail_login", func(ctx context.Context) (int, error) { return o.store.FailLogin(ctx, id) })
}

// Lock is Users'.
func (o *observed) Lock(ctx context.Context, id string, until time.Time) error {
	return o.told(ctx, "lock", func(ctx context.Context) error { return o.store.Lock(ctx, id, until) })
}

// ClearFailures is Users'.
func (o *observed) ClearFailures(ctx context.Context, id string) error {
	return o.told(ctx, "clear_failures", func(ctx context.Context) error { return o.store.ClearFailures(ctx, id) })
}

// DeleteUser is Users'.
func (o *observed) DeleteUser(ctx context.Context, id string) error {
	return o.told(ctx, "delete_user", func(ctx context.Context) error { return o.store.DeleteUser(ctx, id) })
}

// AbandonedUsers is Users'.
func (o *observed) AbandonedUsers(ctx context.Context, before, now time.Time, after string, limit int) ([]string, error) {
	return asked(ctx, o, "abandoned_users", func(ctx context.Context) ([]string, error) {
		return o.store.AbandonedUsers(ctx, before, now, after, limit)
	})
}

// DeleteAbandoned is Users'.
func (o *observed) DeleteAbandoned(ctx context.Context, id string, before, now time.Time) error {
	return o.told(ctx, "delete_abandoned", func(ctx context.Context) error { return o.store.DeleteAbandoned(ctx, id, before, now) })
}

// StartSession is Sessions'.
func (o *observed) StartSession(ctx context.Context, s Session, secret []byte) error {
	return o.told(ctx, "start_session", func(ctx context.Context) error { return o.store.StartSession(ctx, s, secret) })
}

// Session is Sessions'.
func (o *observed) Session(ctx context.Context, id string) (Session, error) {
	return asked(ctx, o, "session", func(ctx context.Context) (Session, error) { return o.store.Session(ctx, id) })
}

// SessionBySecret is Sessions'.
func (o *observed) SessionBySecret(ctx context.Context, secret []byte) (Session, error) {
	return asked(ctx, o, "session_by_secret", func(ctx context.Context) (Session, error) { return o.store.SessionBySecret(ctx, secret) })
}

// RotateSecret is Sessions'.
func (o *observed) RotateSecret(ctx context.Context, old, secret []byte, now, expires time.Time) (Session, error) {
	return asked(ctx, o, "rotate_secret", func(ctx context.Context) (Session, error) {
		return o.store.RotateSecret(ctx, old, secret, now, expires)
	})
}

// Sessions is Sessions'.
func (o *observed) Sessions(ctx context.Context, userID string, now time.Time) ([]Session, error) {
	return asked(ctx, o, "sessions", func(ctx context.Context) ([]Session, error) { return o.store.Sessions(ctx, userID, now) })
}

// SessionsOf is Sessions'.
func (o *observed) SessionsOf(ctx context.Context, userID string) ([]Session, error) {
	return asked(ctx, o, "sessions_of", func(ctx context.Context) ([]Session, error) { return o.store.SessionsOf(ctx, userID) })
}

// TouchSession is Sessions'.
func (o *observed) TouchSession(ctx context.Context, id string, at, expires time.Time) error {
	return o.told(ctx, "touch_session", func(ctx context.Context) error { return o.store.TouchSession(ctx, id, at, expires) })
}

// EndSession is Sessions'.
func (o *observed) EndSession(ctx context.Context, userID, id string, at time.Time) error {
	return o.told(ctx, "end_session", func(ctx context.Context) error { return o.store.EndSession(ctx, userID, id, at) })
}

// EndSessions is Sessions'.
func (o *observed) EndSessions(ctx context.Context, userID, but string, at time.Time) ([]string, error) {
	return asked(ctx, o, "end_sessions", func(ctx context.Context) ([]string, error) { return o.store.EndSessions(ctx, userID, but, at) })
}

// CreateKey is Keys'.
func (o *observed) CreateKey(ctx context.Context, k Key) error {
	return o.told(ctx, "create_key", func(ctx context.Context) error { return o.store.CreateKey(ctx, k) })
}

// KeyByHash is Keys'.
func (o *observed) KeyByHash(ctx context.Context, hash []byte) (key Key, owner User, err error) {
	ctx, done := o.observe(ctx, "key_by_hash")
	err = errPanicked
	defer func() { done(err) }()
	key, owner, err = o.store.KeyByHash(ctx, hash)
	return key, owner, err
}

// Key is Keys'.
func (o *observed) Key(ctx context.Context, userID, id string) (Key, error) {
	return asked(ctx, o, "key", func(ctx context.Context) (Key, error) { return o.store.Key(ctx, userID, id) })
}

// Keys is Keys'.
func (o *observed) Keys(ctx context.Context, userID string) ([]Key, error) {
	return asked(ctx, o, "keys", func(ctx context.Context) ([]Key, error) { return o.store.Keys(ctx, userID) })
}

// ReplaceKey is Keys'.
func (o *observed) ReplaceKey(ctx context.Context, k Key, replaces string, oldExpires time.Time) error {
	return o.told(ctx, "replace_key", func(ctx context.Context) error { return o.store.ReplaceKey(ctx, k, replaces, oldExpires) })
}

// RevokeKey is Keys'.
func (o *observed) RevokeKey(ctx context.Context, userID, id string, at time.Time) error {
	return o.told(ctx, "revoke_key", func(ctx context.Context) error { return o.store.RevokeKey(ctx, userID, id, at) })
}

// TouchKeys is Keys'.
func (o *observed) TouchKeys(ctx context.Context, used map[string]time.Time) error {
	return o.told(ctx, "touch_keys", func(ctx context.Context) error { return o.store.TouchKeys(ctx, used) })
}

// SaveToken is Tokens'.
func (o *observed) SaveToken(ctx context.Context, t Token) error {
	return o.told(ctx, "save_token", func(ctx context.Context) error { return o.store.SaveToken(ctx, t) })
}

// UseToken is Tokens'.
func (o *observed) UseToken(ctx context.Context, hash []byte, purpose Purpose, now time.Time) (Token, error) {
	return asked(ctx, o, "use_token", func(ctx context.Context) (Token, error) { return o.store.UseToken(ctx, hash, purpose, now) })
}

// TokensOf is Tokens'.
func (o *observed) TokensOf(ctx context.Context, userID string) ([]Token, error) {
	return asked(ctx, o, "tokens_of", func(ctx context.Context) ([]Token, error) { return o.store.TokensOf(ctx, userID) })
}

// BeginAttempt is Attempts'.
func (o *observed) BeginAttempt(ctx context.Context, owner, key string, fingerprint []byte, now time.Time, lease, keep time.Duration) (Attempt, error) {
	return asked(ctx, o, "begin_attempt", func(ctx context.Context) (Attempt, error) {
		return o.store.BeginAttempt(ctx, owner, key, fingerprint, now, lease, keep)
	})
}

// KnownAttempt is Attempts'.
func (o *observed) KnownAttempt(ctx context.Context, owner, key string) (Attempt, error) {
	return asked(ctx, o, "known_attempt", func(ctx context.Context) (Attempt, error) { return o.store.KnownAttempt(ctx, owner, key) })
}

// FinishAttempt is Attempts'.
func (o *observed) FinishAttempt(ctx context.Context, owner, key string, lease Lease, answer []byte) error {
	return o.told(ctx, "finish_attempt", func(ctx context.Context) error { return o.store.FinishAttempt(ctx, owner, key, lease, answer) })
}

// AttemptsOf is Attempts'.
func (o *observed) AttemptsOf(ctx context.Context, userID string) ([]KeptAttempt, error) {
	return asked(ctx, o, "attempts_of", func(ctx context.Context) ([]KeptAttempt, error) { return o.store.AttemptsOf(ctx, userID) })
}

// AppendEntry is Audit's.
func (o *observed) AppendEntry(ctx context.Context, e Entry) (Entry, error) {
	return asked(ctx, o, "append_entry", func(ctx context.Context) (Entry, error) { return o.store.AppendEntry(ctx, e) })
}

// Entries is Audit's.
func (o *observed) Entries(ctx context.Context, after int64, limit int, yield func(Entry) error) error {
	ctx, done := o.observe(ctx, "entries")
	err := errPanicked
	var own error
	defer func() {
		if own != nil {
			err = nil
		}
		done(err)
	}()
	err = o.store.Entries(ctx, after, limit, func(e Entry) error {
		own = yield(e)
		return own
	})
	return err
}

// LastEntry is Audit's.
func (o *observed) LastEntry(ctx context.Context) (Entry, error) {
	return asked(ctx, o, "last_entry", func(ctx context.Context) (Entry, error) { return o.store.LastEntry(ctx) })
}

// Sweep is Store's.
func (o *observed) Sweep(ctx context.Context, before, replacedBefore time.Time) error {
	return o.told(ctx, "sweep", func(ctx context.Context) error { return o.store.Sweep(ctx, before, replacedBefore) })
}
