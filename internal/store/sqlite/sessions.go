package sqlite

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store/ledger"
	"github.com/crownsafe/api/internal/store/sqlite/queries"
)

// StartSession implements account.Sessions.
func (s *Store) StartSession(ctx context.Context, session account.Session, secret []byte) error {
	err := s.write(ctx, func(ctx context.Context, q *queries.Queries) error {
		id := account.Text(session.ID)
		err := q.StartSession(ctx, queries.StartSessionParams{
			ID: id, AccountID: account.Text(session.UserID), Kind: account.Text(string(session.Kind)),
			CreatedAt: session.CreatedAt.UnixMicro(), LastUsedAt: session.LastUsedAt.UnixMicro(),
			ExpiresAt: session.ExpiresAt.UnixMicro(), EndedAt: nullMicros(session.EndedAt),
			Agent: account.Text(session.Agent), Network: account.Text(session.Network),
		})
		if err != nil {
			return ofNobody(err)
		}
		return q.AddSecret(ctx, queries.AddSecretParams{Hash: present(secret), SessionID: id})
	})
	if err != nil {
		return s.failf(ctx, err, "starting session %s of user %s", session.ID, session.UserID)
	}
	return nil
}

// Session implements account.Sessions.
func (s *Store) Session(ctx context.Context, id string) (account.Session, error) {
	row, err := s.reading.Session(ctx, account.Text(id))
	if err != nil {
		return account.Session{}, s.failf(ctx, err, "reading session %s", id)
	}
	return sessionFrom(row), nil
}

// SessionBySecret implements account.Sessions.
func (s *Store) SessionBySecret(ctx context.Context, secret []byte) (account.Session, error) {
	row, err := s.reading.SessionBySecret(ctx, present(secret))
	if err != nil {
		return account.Session{}, s.failf(ctx, err, "reading a session by its secret")
	}
	return sessionFrom(row), nil
}

func sessionFrom(r queries.Session) account.Session {
	return account.Session{
		ID: r.ID, UserID: r.AccountID, Kind: account.SessionKind(r.Kind),
		CreatedAt: ledger.Time(r.CreatedAt), LastUsedAt: ledger.Time(r.LastUsedAt), ExpiresAt: ledger.Time(r.ExpiresAt),
		EndedAt: fromNullMicros(r.EndedAt), Agent: r.Agent, Network: r.Network,
	}
}

// RotateSecret implements account.Sessions.
func (s *Store) RotateSecret(ctx context.Context, old, secret []byte, now, expires time.Time) (account.Session, error) {
	var session account.Session
	var over error // of the session, which is the outcome of a change that was made
	err := s.write(ctx, func(ctx context.Context, q *queries.Queries) error {
		known, err := q.Secret(ctx, present(old))
		if err != nil {
			return err
		}
		row, err := q.Session(ctx, known.SessionID)
		if err != nil {
			return err
		}
		session = sessionFrom(row)
		switch {
		case !session.Live(now):
			over = account.ErrEnded
			return nil
		case known.ReplacedAt.Valid:
			over = account.ErrReused
			session.EndedAt = ledger.Time(now.UnixMicro())
			return q.CloseSession(ctx, queries.CloseSessionParams{ID: session.ID, EndedAt: nullMicros(now)})
		}
		session.LastUsedAt, session.ExpiresAt = ledger.Time(now.UnixMicro()), ledger.Time(expires.UnixMicro())
		return rotate(ctx, q, session, old, secret)
	})
	if err != nil {
		return account.Session{}, s.failf(ctx, err, "rotating a session's secret")
	}
	if over != nil {
		return session, fmt.Errorf("rotating the secret of session %s: %w", session.ID, over)
	}
	return session, nil
}

// rotate replaces a session's secret by another, as the session says when.
func rotate(ctx context.Context, q *queries.Queries, session account.Session, old, secret []byte) error {
	err := q.ReplaceSecret(ctx, queries.ReplaceSecretParams{Hash: present(old), ReplacedAt: nullMicros(session.LastUsedAt)})
	if err != nil {
		return err
	}
	if err := q.AddSecret(ctx, queries.AddSecretParams{Hash: present(secret), SessionID: session.ID}); err != nil {
		return err
	}
	return q.RenewSession(ctx, queries.RenewSessionParams{
		ID: session.ID, LastUsedAt: session.LastUsedAt.UnixMicro(), ExpiresAt: session.ExpiresAt.UnixMicro(),
	})
}

// Sessions implements account.Sessions.
func (s *Store) Sessions(ctx context.Context, userID string, now time.Time) ([]account.Session, error) {
	rows, err := s.reading.LiveSessions(ctx, queries.LiveSessionsParams{AccountID: account.Text(userID), Now: now.UnixMicro()})
	if err != nil {
		return nil, s.failf(ctx, err, "reading the sessions of user %s", userID)
	}
	return column(rows, sessionFrom), nil
}

// SessionsOf implements account.Sessions.
func (s *Store) SessionsOf(ctx context.Context, userID string) ([]account.Session, error) {
	rows, err := s.reading.SessionsOf(ctx, account.Text(userID))
	if err != nil {
		return nil, s.failf(ctx, err, "reading all sessions of user %s", userID)
	}
	return column(rows, sessionFrom), nil
}

// TouchSession implements account.Sessions.
func (s *Store) TouchSession(ctx context.Context, id string, at, expires time.Time) error {
	err := s.writeOne(ctx, func(ctx context.Context, q *queries.Queries) (int64, error) {
		return q.TouchSession(ctx, queries.TouchSessionParams{ID: account.Text(id), At: at.UnixMicro(), Expires: nullMicros(expires)})
	})
	if err != nil {
		return s.failf(ctx, err, "recording the use of session %s", id)
	}
	return nil
}

// EndSession implements account.Sessions.
func (s *Store) EndSession(ctx context.Context, userID, id string, at time.Time) error {
	err := s.writeOne(ctx, func(ctx context.Context, q *queries.Queries) (int64, error) {
		return q.EndSession(ctx, queries.EndSessionParams{ID: account.Text(id), AccountID: account.Text(userID), At: nullMicros(at)})
	})
	if err != nil {
		return s.failf(ctx, err, "ending session %s of user %s", id, userID)
	}
	return nil
}

// EndSessions implements account.Sessions.
func (s *Store) EndSessions(ctx context.Context, userID, but string, at time.Time) ([]string, error) {
	var ended []string
	err := s.write(ctx, func(ctx context.Context, q *queries.Queries) (err error) {
		ended, err = q.EndSessions(ctx, queries.EndSessionsParams{AccountID: account.Text(userID), But: account.Text(but), At: nullMicros(at)})
		return err
	})
	if err != nil {
		return nil, s.failf(ctx, err, "ending the sessions of user %s", userID)
	}
	slices.Sort(ended)
	return ended, nil
}
