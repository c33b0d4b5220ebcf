// Package account is the port to who people are: users with their sessions,
// API keys and single-use tokens, the audit log, and the answers that are kept
// so that a repeated request creates nothing twice. The stores implement it
// beside the notices, and pass one conformance suite (store/storetest).
//
// It knows nothing of passwords, of how tokens are made and checked, or of HTTP:
// secrets come here as hashes only. Times are kept to the microsecond, in UTC.
// Texts are kept as Text has them. Errors are those below and package store's; an
// id that nobody stored is store.ErrNotFound, a user's who gets something too.
package account

import (
	"context"
	"errors"
	"time"
)

// Errors beside those of package store; tested with errors.Is.
var (
	// ErrTaken says that another user has the address.
	ErrTaken = errors.New("the address is taken")
	// ErrReused says that a refresh token came a second time: somebody has a copy.
	ErrReused = errors.New("the refresh token was used before")
	// ErrTooMany says that the user has as many good keys as there may be.
	ErrTooMany = errors.New("there are too many keys")
	// ErrEnded says that a session is over: it was ended, or its time is past.
	ErrEnded = errors.New("the session has ended")
)

// Role is what a user may do. Each includes those before it.
type Role string

// The roles. Lookups need none.
const (
	Reader   Role = "reader"   // looks up; needs no account
	Member   Role = "member"   // has an account, with keys and sessions of its own
	Operator Role = "operator" // sees how the service does
	Admin    Role = "admin"    // changes who may do what
)

// User is somebody with an account.
type User struct {
	ID           string // UUID version 7
	Email        string // as given, for letters
	EmailKey     string // what two spellings of one address have in common; unique
	PasswordHash []byte // of bcrypt
	Role         Role
	CreatedAt    time.Time
	VerifiedAt   time.Time // when the address was proved; zero: not yet
	DisabledAt   time.Time // when an administrator shut the account; zero: it is open
	// PasswordAt is when the password was set last.
	PasswordAt time.Time
	// Failures counts wrong passwords since the last right one.
	Failures    int
	LockedUntil time.Time // no password is tried before; zero: at once
}

// Users keeps users.
type Users interface {
	// CreateUser stores a new user. ErrTaken when another has the EmailKey.
	CreateUser(ctx context.Context, u User) error
	User(ctx context.Context, id string) (User, error)
	UserByEmail(ctx context.Context, emailKey string) (User, error)
	// Users returns users in order of ID, those after the given one ("": from the
	// first), at most limit (0: all).
	Users(ctx context.Context, after string, limit int) ([]User, error)
	// SetPassword replaces the password's hash; it ends no session. A set password
	// clears Failures and LockedUntil.
	SetPassword(ctx context.Context, id string, hash []byte, at time.Time) error
	// UpgradePassword replaces the hash of the same password by a costlier one,
	// only where the present one is still old; it changes nothing else. Where the
	// password is another one by now, nothing is done, and that is no error.
	UpgradePassword(ctx context.Context, id string, old, hash []byte) error
	SetRole(ctx context.Context, id string, role Role) error
	// SetVerified records that the address was proved; one that was proved before
	// keeps its time.
	SetVerified(ctx context.Context, id string, at time.Time) error
	// SetDisabled shuts the account; a zero time opens it again.
	SetDisabled(ctx context.Context, id string, at time.Time) error
	// FailLogin counts a wrong password and returns how many there are since the
	// last right one. Concurrent calls count each.
	FailLogin(ctx context.Context, id string) (failures int, err error)
	// Lock lets no password be tried before a time; an earlier one than what is
	// stored changes nothing.
	Lock(ctx context.Context, id string, until time.Time) error
	// ClearFailures forgets wrong passwords and the lock.
	ClearFailures(ctx context.Context, id string) error
	// DeleteUser removes the user and everything of theirs: sessions, refresh
	// tokens, keys, single-use tokens and kept answers. The audit log stays; it
	// names nobody.
	DeleteUser(ctx context.Context, id string) error
	// AbandonedUsers returns the ids of users who are abandoned, in order, those
	// after the given one ("": from the first), at most limit (0: all). Abandoned is
	// whoever was stored before a time and whose address was never proved, while
	// nobody did anything about it: an open account of a member, without sessions
	// and keys, those that are over included, and without a single-use token that is
	// good at now.
	AbandonedUsers(ctx context.Context, before, now time.Time, after string, limit int) ([]string, error)
	// DeleteAbandoned does what DeleteUser does, if the user is still abandoned, in
	// one step; else it is store.ErrNotFound, and nothing is done.
	DeleteAbandoned(ctx context.Context, id string, before, now time.Time) error
}

// SessionKind says what a session is for.
type SessionKind string

// The kinds of sessions.
const (
	SessionAPI     SessionKind = "api"     // access and refresh tokens
	SessionBrowser SessionKind = "browser" // a cookie
)

// Session is one sign-in.
type Session struct {
	ID         string // UUID version 7
	UserID     string
	Kind       SessionKind
	CreatedAt  time.Time
	LastUsedAt time.Time
	ExpiresAt  time.Time
	EndedAt    time.Time // zero: it goes on
	Agent      string    // what the client calls itself, cut to 200 characters
	Network    string    // from where, without the last part of the address
}

// Live reports whether the session goes on at a time.
func (s Session) Live(now time.Time) bool { return s.EndedAt.IsZero() && now.Before(s.ExpiresAt) }

// Sessions keeps sessions and their secrets. A secret is the refresh token of an
// API session, or the cookie of a browser's; only its SHA-256 comes here.
type Sessions interface {
	// StartSession stores a new session with its first secret's hash.
	StartSession(ctx context.Context, s Session, secret []byte) error
	// Session returns a session, ended or not.
	Session(ctx context.Context, id string) (Session, error)
	// SessionBySecret returns the session whose present secret has the hash.
	// store.ErrNotFound for any other secret.
	SessionBySecret(ctx context.Context, secret []byte) (Session, error)
	// RotateSecret replaces a session's secret by another, and its LastUsedAt and
	// ExpiresAt, in one step: of several at once with the same old secret one
	// succeeds. store.ErrNotFound when the old one was never given out, ErrEnded
	// when its session is over, ErrReused when it was replaced before: then the
	// session has been ended by this call. The session is returned with ErrEnded and
	// ErrReused too. A session that is over gives ErrEnded for each secret that it
	// ever had, so that of several who come at once with one, the first succeeds, the
	// second ends the session with ErrReused, and all others find it ended.
	RotateSecret(ctx context.Context, old, secret []byte, now, expires time.Time) (Session, error)
	// Sessions returns a user's sessions that are live, newest first.
	Sessions(ctx context.Context, userID string, now time.Time) ([]Session, error)
	// SessionsOf returns all of a user's sessions that are kept, ended or not, newest
	// first.
	SessionsOf(ctx context.Context, userID string) ([]Session, error)
	// TouchSession records that a session was used; an earlier time than what is
	// stored changes nothing, ExpiresAt included. A zero expires leaves ExpiresAt.
	TouchSession(ctx context.Context, id string, at, expires time.Time) error
	// EndSession ends a user's session. store.ErrNotFound when the user has no live
	// session of that id, whoever else has.
	EndSession(ctx context.Context, userID, id string, at time.Time) error
	// EndSessions ends all of a user's live sessions but one ("": all) and returns
	// the ids of those that it ended.
	EndSessions(ctx context.Context, userID, but string, at time.Time) ([]string, error)
}

// Key is an API key of an app or a shop.
type Key struct {
	ID         string // UUID version 7
	UserID     string
	Name       string
	Prefix     string // the beginning of the key, by which its owner knows it
	Hash       []byte // SHA-256 of the whole key
	Scopes     []string
	CreatedAt  time.Time
	ExpiresAt  time.Time // zero: never
	RevokedAt  time.Time // zero: it is good
	LastUsedAt time.Time // zero: never
}

// Good reports whether the key may be used at a time.
func (k Key) Good(now time.Time) bool {
	return k.RevokedAt.IsZero() && (k.ExpiresAt.IsZero() || now.Before(k.ExpiresAt))
}

// MaxKeys is how many good keys a user may have. One that was replaced counts while
// it is good.
const MaxKeys = 50

// Keys keeps API keys.
type Keys interface {
	// CreateKey stores a new key. ErrTooMany when its user has MaxKeys others that are
	// good at its CreatedAt, however many are stored at once.
	CreateKey(ctx context.Context, k Key) error
	// KeyByHash returns the key with its owner, revoked or not.
	KeyByHash(ctx context.Context, hash []byte) (Key, User, error)
	// Key returns one of a user's keys; another's is store.ErrNotFound.
	Key(ctx context.Context, userID, id string) (Key, error)
	// Keys returns a user's keys, newest first, revoked ones included.
	Keys(ctx context.Context, userID string) ([]Key, error)
	// ReplaceKey stores a new key and lets the one that it replaces expire at a
	// time, unless that expires sooner, in one step. store.ErrNotFound when the
	// new key's user has no such key that is good at the new one's CreatedAt. One that
	// was replaced before may be again while it is good: whoever lost the new one's
	// text needs another. ErrTooMany as for CreateKey; the replaced one counts unless
	// it expires at once.
	ReplaceKey(ctx context.Context, k Key, replaces string, oldExpires time.Time) error
	// RevokeKey ends a user's key; another's, or one revoked before, is
	// store.ErrNotFound.
	RevokeKey(ctx context.Context, userID, id string, at time.Time) error
	// TouchKeys records when keys were used last; earlier times than what is stored
	// change nothing, and ids that are gone are passed over.
	TouchKeys(ctx context.Context, used map[string]time.Time) error
}

// Purpose is what a single-use token is for.
type Purpose string

// The purposes.
const (
	PurposeVerify Purpose = "verify" // proves an address
	PurposeReset  Purpose = "reset"  // sets a new password
)

// Token is a single-use token that was sent to somebody's address.
type Token struct {
	Hash      []byte // SHA-256 of the token
	UserID    string
	Purpose   Purpose
	CreatedAt time.Time
	ExpiresAt time.Time
	// Pending is the hash of the password that was chosen when the token was asked
	// for, and becomes the user's with it; nil: none.
	Pending []byte
}

// Tokens keeps single-use tokens.
type Tokens interface {
	// SaveToken stores a token. One to reset ends the user's earlier one; those to
	// verify stand side by side, each with the password that it was asked for with.
	SaveToken(ctx context.Context, t Token) error
	// UseToken takes a token away and returns it: of several at once one gets it.
	// store.ErrNotFound when there is none of that hash and purpose, or it has expired.
	UseToken(ctx context.Context, hash []byte, purpose Purpose, now time.Time) (Token, error)
	// TokensOf returns a user's tokens that are kept, expired or not, newest first.
	TokensOf(ctx context.Context, userID string) ([]Token, error)
}

// Lease says which beginning of an attempt it is. What it is made of is the store's
// affair.
type Lease int64

// Attempt is what became of an attempt to begin a request that must not be done twice.
type Attempt struct {
	// First: nobody began it before; the caller does it and calls FinishAttempt with
	// the Lease, which others don't get.
	First bool
	Lease Lease
	// Fingerprint is that of the request that came first.
	Fingerprint []byte
	// Answer is what was answered; nil while the first is under way.
	Answer []byte
}

// KeptAttempt says that there is something about an attempt, and until when.
type KeptAttempt struct {
	Owner, Key string
	KeepUntil  time.Time
}

// Attempts keeps what was answered to requests that must not be done twice. An
// owner's keys are their own. Owners are named as an Entry's Actor is; those that
// are "user:ID" or "key:ID" go with the user or the key.
type Attempts interface {
	// BeginAttempt records that a request begins, or tells what is known of the one
	// that came first with the key: of several at once one is First. An attempt is
	// known for keep; one that isn't finished may be begun anew after lease, which is
	// more than nothing. What ended is forgotten by and by.
	BeginAttempt(ctx context.Context, owner, key string, fingerprint []byte, now time.Time, lease, keep time.Duration) (Attempt, error)
	// KnownAttempt tells what is stored of an attempt, and begins none; its First is
	// false. store.ErrNotFound for one that nobody began, or that was forgotten.
	KnownAttempt(ctx context.Context, owner, key string) (Attempt, error)
	// FinishAttempt keeps the answer, which may be empty; a nil answer forgets the
	// attempt, so that the request may be sent again. One that is known no longer, or
	// was begun anew since the lease was given, is passed over: who comes too late
	// changes nothing of another's.
	FinishAttempt(ctx context.Context, owner, key string, lease Lease, answer []byte) error
	// AttemptsOf lists what is kept for a user and their keys, what is kept longest
	// first.
	AttemptsOf(ctx context.Context, userID string) ([]KeptAttempt, error)
}

// Entry is one line of the audit log. It names ids and never addresses, names or
// secrets, so that it can stay when its people go.
type Entry struct {
	Seq     int64 // from 1, without gaps; given by the store
	At      time.Time
	Action  string // such as "session.start" or "key.revoke"
	Actor   string // "user:ID", "key:ID", "operator-token", "command-line", "anonymous" or "system"
	Subject string // what it was done to, such as "user:ID"; may be empty
	Outcome string // "done" or "refused"
	Reason  string // why it was refused, in a word; may be empty
	Network string // from where, without the last part of the address; may be empty
	TraceID string // may be empty
	// Previous is the Hash of the entry before, and Hash the SHA-256 of this one with
	// it; see Seal. The store sets them.
	Previous, Hash []byte
}

// Audit keeps the audit log. There is no way to change or remove an entry, and the
// database refuses to; Verify tells when somebody has got around it.
type Audit interface {
	// AppendEntry seals an entry onto the last one and stores it, one at a time among
	// all processes. It returns what it stored.
	AppendEntry(ctx context.Context, e Entry) (Entry, error)
	// Entries calls yield with entries in order of Seq, those after the given one,
	// at most limit (0: all), those that are stored meanwhile included. An error from
	// yield stops it and is returned. yield may call the store.
	Entries(ctx context.Context, after int64, limit int, yield func(Entry) error) error
	// LastEntry returns the newest entry; store.ErrNotFound when there is none.
	LastEntry(ctx context.Context) (Entry, error)
}

// Store is everything together.
type Store interface {
	Users
	Sessions
	Keys
	Tokens
	Attempts
	Audit
	// Sweep forgets what ended before a time: sessions with their secrets, tokens,
	// kept answers, and keys that were revoked or had expired by then. Users and the
	// audit log stay. Of sessions that go on it forgets the secrets that were replaced
	// before another time: they are store.ErrNotFound from then on, and end nothing.
	// That time is to be so long ago that whoever had the secret to himself could not
	// have kept the session going with it any more.
	//
	// It goes in steps that others can work between, and what it has done stays done
	// when it fails or ctx ends.
	Sweep(ctx context.Context, before, replacedBefore time.Time) error
}
