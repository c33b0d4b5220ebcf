package api

import (
	"context"
	"time"

	"github.com/crownsafe/api/internal/account"
)

// Export is everything that is kept about a user.
type Export struct {
	ExportedAt  time.Time    `json:"exported_at"`
	User        KeptUser     `json:"user"`
	Sessions    []KeptSignIn `json:"sessions" doc:"those that are over too, while they are kept"`
	Keys        []Key        `json:"keys" doc:"without the keys themselves, of which only hashes are kept; those that are good no more too, while they are kept"`
	Letters     []KeptLetter `json:"letters" doc:"what was sent to the address and is kept; without the tokens, of which only hashes are"`
	KeptAnswers []KeptAnswer `json:"kept_answers" doc:"requests with an Idempotency-Key; what was answered is kept sealed"`
	AuditLog    []AuditEntry `json:"audit_log" doc:"entries that name the user, or a session or key that was ever theirs; sign-ins that were refused among them"`
}

// KeptUser is a user with what the service keeps to guard the account.
type KeptUser struct {
	Me
	VerifiedAt    *time.Time `json:"email_verified_at" nullable:"true" doc:"null: the address was not proved"`
	DisabledAt    *time.Time `json:"disabled_at" nullable:"true" doc:"when the account was shut; null: it is open"`
	FailedSignIns int        `json:"failed_sign_ins" doc:"wrong passwords since the last right one"`
	LockedUntil   *time.Time `json:"locked_until" nullable:"true" doc:"no password was tried before, but from networks in which the user is signed in; null: there is no pause"`
}

// KeptSignIn is one of a user's sessions, which may be over.
type KeptSignIn struct {
	SignIn
	EndedAt *time.Time `json:"ended_at" nullable:"true" doc:"null: nobody ended it"`
}

// KeptLetter is a letter whose token is kept.
type KeptLetter struct {
	Purpose   string    `json:"purpose" enum:"verify,reset"`
	SentAt    time.Time `json:"sent_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// KeptAnswer is a request that must not be done twice.
type KeptAnswer struct {
	Owner     string    `json:"owner" doc:"user:ID or key:ID"`
	Key       string    `json:"idempotency_key"`
	KeptUntil time.Time `json:"kept_until"`
}

// AuditEntry is one entry of the audit log.
type AuditEntry struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Action  string    `json:"action"`
	Actor   string    `json:"actor"`
	Subject string    `json:"subject"`
	Outcome string    `json:"outcome" enum:"done,refused"`
	Reason  string    `json:"reason"`
	Network string    `json:"network"`
	TraceID string    `json:"trace_id" doc:"of the request; empty when unknown"`
}

type exported struct {
	Caching     string `header:"Cache-Control"`
	Disposition string `header:"Content-Disposition"`
	Body        Export
}

func (s *service) exportMe(ctx context.Context, p person, _ *struct{}) (*exported, error) {
	h, err := s.Accounts.Export(ctx, p.caller, p.origin)
	if err != nil {
		return nil, err
	}
	document := Export{
		ExportedAt: s.Now().UTC(),
		User: KeptUser{
			Me: meOf(h.User), VerifiedAt: momentOf(h.User.VerifiedAt), DisabledAt: momentOf(h.User.DisabledAt),
			FailedSignIns: h.User.Failures, LockedUntil: momentOf(h.User.LockedUntil),
		},
		Sessions: each(h.Sessions, func(session account.Session) KeptSignIn {
			return KeptSignIn{SignIn: signInOf(session, p.caller.SessionID), EndedAt: momentOf(session.EndedAt)}
		}),
		Keys: keysOf(h.Keys),
		Letters: each(h.Tokens, func(t account.Token) KeptLetter {
			return KeptLetter{Purpose: string(t.Purpose), SentAt: t.CreatedAt.UTC(), ExpiresAt: t.ExpiresAt.UTC()}
		}),
		KeptAnswers: each(h.Attempts, func(a account.KeptAttempt) KeptAnswer {
			return KeptAnswer{Owner: a.Owner, Key: a.Key, KeptUntil: a.KeepUntil.UTC()}
		}),
		AuditLog: each(h.Entries, func(e account.Entry) AuditEntry {
			return AuditEntry{
				Seq: e.Seq, At: e.At.UTC(), Action: e.Action, Actor: e.Actor, Subject: e.Subject, Outcome: e.Outcome, Reason: e.Reason,
				Network: e.Network, TraceID: e.TraceID,
			}
		}),
	}
	return &exported{Caching: "no-store", Disposition: `attachment; filename="crownsafe-account.json"`, Body: document}, nil
}

// each turns what is kept into how it is shown; of nothing it makes an empty list.
func each[K, S any](list []K, show func(K) S) []S {
	shown := make([]S, len(list))
	for i, kept := range list {
		shown[i] = show(kept)
	}
	return shown
}
