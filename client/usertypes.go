package client

import (
	"time"
)

// SignedIn are the tokens of a session.
type SignedIn struct {
	// A JWT for Authorization: Bearer.
	AccessToken string `json:"access_token"`
	// One of Bearer.
	TokenType string `json:"token_type"`
	// Seconds until the access token expires.
	ExpiresIn int64 `json:"expires_in"`
	// Good for one refresh, which gives another.
	RefreshToken     string    `json:"refresh_token"`
	RefreshExpiresAt time.Time `json:"refresh_expires_at"`
	SessionID        string    `json:"session_id"`
	User             User      `json:"user"`
}

// User is an account.
type User struct {
	ID            string `json:"id"`
	Email         string `json:"email"`
	EmailVerified bool   `json:"email_verified"`
	// One of member, operator, admin.
	Role              string    `json:"role"`
	CreatedAt         time.Time `json:"created_at"`
	PasswordChangedAt time.Time `json:"password_changed_at"`
}

// Session is one place in which a user is signed in.
type Session struct {
	ID string `json:"id"`
	// One of api, browser.
	Kind string `json:"kind"`
	// The session that asks.
	Current   bool      `json:"current"`
	CreatedAt time.Time `json:"created_at"`
	// When its tokens were refreshed last.
	LastUsedAt time.Time `json:"last_used_at"`
	ExpiresAt  time.Time `json:"expires_at"`
	// What the client called itself.
	Agent string `json:"agent"`
	// From where, without the last part of the address; empty when unknown.
	Network string `json:"network"`
}

// Key is an API key as its owner sees it afterwards.
type Key struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// The beginning of the key.
	Prefix    string    `json:"prefix"`
	Scopes    []string  `json:"scopes"`
	CreatedAt time.Time `json:"created_at"`
	// Nil: never.
	ExpiresAt *time.Time `json:"expires_at"`
	// Nil: it wasn't.
	RevokedAt *time.Time `json:"revoked_at"`
	// To the minute; nil: never.
	LastUsedAt *time.Time `json:"last_used_at"`
}

// NewKey is an API key that was just made, with the key itself.
type NewKey struct {
	Key
	// The key itself, shown now and never again.
	Secret string `json:"key"`
}

// KeyRequest asks for a key.
type KeyRequest struct {
	// By which its owner knows it.
	Name string `json:"name"`
	// What it may be used for: lookup, account, monitor (for operators); none: lookup.
	Scopes []string `json:"scopes,omitempty"`
	// Zero: never.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// Id of the key that this one takes the place of.
	Replaces string `json:"replaces,omitempty"`
	// How many hours the replaced key stays good; nil: 24.
	OverlapHours *int64 `json:"overlap_hours,omitempty"`
}

// AccountExport is everything that is kept about a user.
type AccountExport struct {
	ExportedAt time.Time `json:"exported_at"`
	User       KeptUser  `json:"user"`
	// Those that are over too, while they are kept.
	Sessions []KeptSession `json:"sessions"`
	// Without the keys themselves, of which only hashes are kept; those that are good no
	// more too, while they are kept.
	Keys []Key `json:"keys"`
	// What was sent to the address and is kept, without the tokens.
	Letters []KeptLetter `json:"letters"`
	// Requests with an Idempotency-Key; what was answered is kept sealed.
	KeptAnswers []KeptAnswer `json:"kept_answers"`
	// Entries that name the user, or a session or key that was ever theirs; sign-ins that
	// were refused among them.
	AuditLog []AuditEntry `json:"audit_log"`
}

// KeptUser is all that is kept of a user.
type KeptUser struct {
	User
	// Nil: the address was not proved.
	EmailVerifiedAt *time.Time `json:"email_verified_at"`
	// When the account was shut; nil: it is open.
	DisabledAt *time.Time `json:"disabled_at"`
	// Wrong passwords since the last right one.
	FailedSignIns int64 `json:"failed_sign_ins"`
	// No password is tried before; nil: there is no pause.
	LockedUntil *time.Time `json:"locked_until"`
}

// KeptSession is a session that goes on, or one that is over and still kept.
type KeptSession struct {
	Session
	// Nil: nobody ended it.
	EndedAt *time.Time `json:"ended_at"`
}

// KeptLetter is a letter with a token that was sent.
type KeptLetter struct {
	// One of verify, reset.
	Purpose   string    `json:"purpose"`
	SentAt    time.Time `json:"sent_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// KeptAnswer is an answer that is kept for a request that may come again.
type KeptAnswer struct {
	// User:ID or key:ID.
	Owner          string    `json:"owner"`
	IdempotencyKey string    `json:"idempotency_key"`
	KeptUntil      time.Time `json:"kept_until"`
}

// AuditEntry is one entry of the audit log.
type AuditEntry struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Action  string    `json:"action"`
	Actor   string    `json:"actor"`
	Subject string    `json:"subject"`
	// One of done, refused.
	Outcome string `json:"outcome"`
	Reason  string `json:"reason"`
	Network string `json:"network"`
	// Of the request; empty when unknown.
	TraceID string `json:"trace_id"`
}
