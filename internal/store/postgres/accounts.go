package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/ledger"
	"github.com/crownsafe/api/internal/store/postgres/queries"
)

var _ account.Store = (*Store)(nil)

// CreateUser implements account.Users.
func (s *Store) CreateUser(ctx context.Context, u account.User) error {
	err := queries.New(s.pool).CreateAccount(ctx, queries.CreateAccountParams{
		ID: account.Text(u.ID), Email: account.Text(u.Email), EmailKey: account.Text(u.EmailKey),
		PasswordHash: present(u.PasswordHash), Role: account.Text(string(u.Role)),
		CreatedAt: u.CreatedAt.UnixMicro(), VerifiedAt: micros(u.VerifiedAt), DisabledAt: micros(u.DisabledAt),
		PasswordAt: u.PasswordAt.UnixMicro(), Failures: int64(u.Failures), LockedUntil: micros(u.LockedUntil),
	})
	if violates(err, uniqueViolation, "account_email_key_key") {
		err = account.ErrTaken
	}
	if err != nil {
		return failf(ctx, err, "creating user %s", u.ID)
	}
	return nil
}

// violates reports whether err is that of a constraint of the schema, by its
// SQLSTATE and, where one is given, by its name.
func violates(err error, state, constraint string) bool {
	failure, ok := errors.AsType[*pgconn.PgError](err)
	return ok && failure.Code == state && (constraint == "" || failure.ConstraintName == constraint)
}

// SQLSTATEs of violated constraints. Source: PostgreSQL manual, appendix A.
const (
	uniqueViolation     = "23505"
	foreignKeyViolation = "23503"
)

// ofNobody is store.ErrNotFound for what was to be stored for a user whom there
// isn't, else err.
func ofNobody(err error) error {
	if violates(err, foreignKeyViolation, "") {
		return store.ErrNotFound
	}
	return err
}

// present returns bytes that are there, for the driver takes nil for NULL.
func present(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// found is store.ErrNotFound where a change met no row.
func found(rows int64, err error) error {
	if err == nil && rows == 0 {
		return store.ErrNotFound
	}
	return err
}

// User implements account.Users.
func (s *Store) User(ctx context.Context, id string) (account.User, error) {
	row, err := queries.New(s.pool).Account(ctx, account.Text(id))
	if err != nil {
		return account.User{}, failf(ctx, err, "reading user %s", id)
	}
	return userFrom(row), nil
}

// UserByEmail implements account.Users. Its errors don't show the address.
func (s *Store) UserByEmail(ctx context.Context, emailKey string) (account.User, error) {
	row, err := queries.New(s.pool).AccountByEmail(ctx, account.Text(emailKey))
	if err != nil {
		return account.User{}, failf(ctx, err, "reading a user by address")
	}
	return userFrom(row), nil
}

// Users implements account.Users.
func (s *Store) Users(ctx context.Context, after string, limit int) ([]account.User, error) {
	rows, err := queries.New(s.pool).Accounts(ctx, queries.AccountsParams{After: account.Text(after), Most: atMost(limit)})
	if err != nil {
		return nil, failf(ctx, err, "reading the users after %q", after)
	}
	return column(rows, userFrom), nil
}

func userFrom(r queries.Account) account.User {
	return account.User{
		ID: r.ID, Email: r.Email, EmailKey: r.EmailKey, PasswordHash: r.PasswordHash, Role: account.Role(r.Role),
		CreatedAt: ledger.Time(r.CreatedAt), VerifiedAt: timeOf(r.VerifiedAt), DisabledAt: timeOf(r.DisabledAt),
		PasswordAt: ledger.Time(r.PasswordAt), Failures: int(r.Failures), LockedUntil: timeOf(r.LockedUntil),
	}
}

// SetPassword implements account.Users.
func (s *Store) SetPassword(ctx context.Context, id string, hash []byte, at time.Time) error {
	err := found(queries.New(s.pool).SetPassword(ctx, queries.SetPasswordParams{ID: account.Text(id), PasswordHash: present(hash), PasswordAt: at.UnixMicro()}))
	if err != nil {
		return failf(ctx, err, "setting the password of user %s", id)
	}
	return nil
}

// UpgradePassword implements account.Users.
func (s *Store) UpgradePassword(ctx context.Context, id string, old, hash []byte) error {
	err := found(queries.New(s.pool).UpgradePassword(ctx, queries.UpgradePasswordParams{ID: account.Text(id), Old: present(old), Hash: present(hash)}))
	if err != nil {
		return failf(ctx, err, "upgrading the password hash of user %s", id)
	}
	return nil
}

// SetRole implements account.Users.
func (s *Store) SetRole(ctx context.Context, id string, role account.Role) error {
	err := found(queries.New(s.pool).SetRole(ctx, queries.SetRoleParams{ID: account.Text(id), Role: account.Text(string(role))}))
	if err != nil {
		return failf(ctx, err, "setting the role of user %s", id)
	}
	return nil
}

// SetVerified implements account.Users.
func (s *Store) SetVerified(ctx context.Context, id string, at time.Time) error {
	err := found(queries.New(s.pool).SetVerified(ctx, queries.SetVerifiedParams{ID: account.Text(id), At: at.UnixMicro()}))
	if err != nil {
		return failf(ctx, err, "verifying the address of user %s", id)
	}
	return nil
}

// SetDisabled implements account.Users.
func (s *Store) SetDisabled(ctx context.Context, id string, at time.Time) error {
	err := found(queries.New(s.pool).SetDisabled(ctx, queries.SetDisabledParams{ID: account.Text(id), DisabledAt: micros(at)}))
	if err != nil {
		return failf(ctx, err, "shutting or opening the account of user %s", id)
	}
	return nil
}

// FailLogin implements account.Users.
func (s *Store) FailLogin(ctx context.Context, id string) (int, error) {
	failures, err := queries.New(s.pool).FailLogin(ctx, account.Text(id))
	if err != nil {
		return 0, failf(ctx, err, "counting a wrong password of user %s", id)
	}
	return int(failures), nil
}

// Lock implements account.Users.
func (s *Store) Lock(ctx context.Context, id string, until time.Time) error {
	err := found(queries.New(s.pool).Lock(ctx, queries.LockParams{ID: account.Text(id), Until: until.UnixMicro()}))
	if err != nil {
		return failf(ctx, err, "locking user %s", id)
	}
	return nil
}

// ClearFailures implements account.Users.
func (s *Store) ClearFailures(ctx context.Context, id string) error {
	err := found(queries.New(s.pool).ClearFailures(ctx, account.Text(id)))
	if err != nil {
		return failf(ctx, err, "clearing the failures of user %s", id)
	}
	return nil
}

// DeleteUser implements account.Users.
func (s *Store) DeleteUser(ctx context.Context, id string) error {
	err := s.deleteUser(ctx, id, func(ctx context.Context, q *queries.Queries) (int64, error) {
		return q.DeleteAccount(ctx, account.Text(id))
	})
	if err != nil {
		return failf(ctx, err, "deleting user %s", id)
	}
	return nil
}

// AbandonedUsers implements account.Users.
func (s *Store) AbandonedUsers(ctx context.Context, before, now time.Time, after string, limit int) ([]string, error) {
	ids, err := queries.New(s.pool).AbandonedAccounts(ctx, queries.AbandonedAccountsParams{
		Before: before.UnixMicro(), Now: now.UnixMicro(), After: account.Text(after), Most: atMost(limit),
	})
	if err != nil {
		return nil, failf(ctx, err, "looking for abandoned users after %q", after)
	}
	return ids, nil
}

// DeleteAbandoned implements account.Users.
func (s *Store) DeleteAbandoned(ctx context.Context, id string, before, now time.Time) error {
	err := s.deleteUser(ctx, id, func(ctx context.Context, q *queries.Queries) (int64, error) {
		return q.DeleteAbandonedAccount(ctx, queries.DeleteAbandonedAccountParams{ID: account.Text(id), Before: before.UnixMicro(), Now: now.UnixMicro()})
	})
	if err != nil {
		return failf(ctx, err, "deleting user %s as abandoned", id)
	}
	return nil
}

// deleteUser removes everything of a user's, and the user at last by remove, which
// sees what nobody can change any more; where it meets no row nothing is removed.
func (s *Store) deleteUser(ctx context.Context, id string, remove func(ctx context.Context, q *queries.Queries) (rows int64, err error)) error {
	return s.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		statements := &pipeline{Tx: tx}
		q := queries.New(statements)
		for _, prepare := range []func(context.Context, string) error{
			q.LockAccount, q.LockSessionsOfAccount, q.LockKeysOfAccount, q.ForgetAttemptsOfAccount,
		} {
			if err := prepare(ctx, account.Text(id)); err != nil {
				return err
			}
		}
		if err := statements.send(ctx); err != nil {
			return err
		}
		return found(remove(ctx, queries.New(tx)))
	})
}
