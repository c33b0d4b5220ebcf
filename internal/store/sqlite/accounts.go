package sqlite

import (
	"context"
	"errors"
	"time"

	driver "modernc.org/sqlite"
	result "modernc.org/sqlite/lib"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/ledger"
	"github.com/crownsafe/api/internal/store/sqlite/queries"
)

var _ account.Store = (*Store)(nil)

// CreateUser implements account.Users.
func (s *Store) CreateUser(ctx context.Context, u account.User) error {
	err := s.write(ctx, func(ctx context.Context, q *queries.Queries) error {
		return q.CreateAccount(ctx, queries.CreateAccountParams{
			ID: account.Text(u.ID), Email: account.Text(u.Email), EmailKey: account.Text(u.EmailKey),
			PasswordHash: present(u.PasswordHash), Role: account.Text(string(u.Role)),
			CreatedAt: u.CreatedAt.UnixMicro(), VerifiedAt: nullMicros(u.VerifiedAt), DisabledAt: nullMicros(u.DisabledAt),
			PasswordAt: u.PasswordAt.UnixMicro(), Failures: int64(u.Failures), LockedUntil: nullMicros(u.LockedUntil),
		})
	})
	if violates(err, result.SQLITE_CONSTRAINT_UNIQUE) {
		err = account.ErrTaken
	}
	if err != nil {
		return s.failf(ctx, err, "creating user %s", u.ID)
	}
	return nil
}

// violates reports whether err is that of a constraint of the schema.
func violates(err error, constraint int) bool {
	failure, ok := errors.AsType[*driver.Error](err)
	return ok && failure.Code() == constraint
}

// ofNobody is store.ErrNotFound for what was to be stored for a user whom there
// isn't, else err.
func ofNobody(err error) error {
	if violates(err, result.SQLITE_CONSTRAINT_FOREIGNKEY) {
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

// User implements account.Users.
func (s *Store) User(ctx context.Context, id string) (account.User, error) {
	row, err := s.reading.Account(ctx, account.Text(id))
	if err != nil {
		return account.User{}, s.failf(ctx, err, "reading user %s", id)
	}
	return userFrom(row), nil
}

// UserByEmail implements account.Users. Its errors don't show the address.
func (s *Store) UserByEmail(ctx context.Context, emailKey string) (account.User, error) {
	row, err := s.reading.AccountByEmail(ctx, account.Text(emailKey))
	if err != nil {
		return account.User{}, s.failf(ctx, err, "reading a user by address")
	}
	return userFrom(row), nil
}

// Users implements account.Users.
func (s *Store) Users(ctx context.Context, after string, limit int) ([]account.User, error) {
	rows, err := s.reading.Accounts(ctx, queries.AccountsParams{After: account.Text(after), Most: atMost(limit)})
	if err != nil {
		return nil, s.failf(ctx, err, "reading the users after %q", after)
	}
	return column(rows, userFrom), nil
}

func userFrom(r queries.Account) account.User {
	return account.User{
		ID: r.ID, Email: r.Email, EmailKey: r.EmailKey, PasswordHash: r.PasswordHash, Role: account.Role(r.Role),
		CreatedAt: ledger.Time(r.CreatedAt), VerifiedAt: fromNullMicros(r.VerifiedAt), DisabledAt: fromNullMicros(r.DisabledAt),
		PasswordAt: ledger.Time(r.PasswordAt), Failures: int(r.Failures), LockedUntil: fromNullMicros(r.LockedUntil),
	}
}

// writeOne makes a change that touches the one row that it is about.
// store.ErrNotFound when there is no such row.
func (s *Store) writeOne(ctx context.Context, change func(ctx context.Context, q *queries.Queries) (rows int64, err error)) error {
	return s.write(ctx, func(ctx context.Context, q *queries.Queries) error {
		rows, err := change(ctx, q)
		if err == nil && rows == 0 {
			return store.ErrNotFound
		}
		return err
	})
}

// SetPassword implements account.Users.
func (s *Store) SetPassword(ctx context.Context, id string, hash []byte, at time.Time) error {
	err := s.writeOne(ctx, func(ctx context.Context, q *queries.Queries) (int64, error) {
		return q.SetPassword(ctx, queries.SetPasswordParams{ID: account.Text(id), PasswordHash: present(hash), PasswordAt: at.UnixMicro()})
	})
	if err != nil {
		return s.failf(ctx, err, "setting the password of user %s", id)
	}
	return nil
}

// UpgradePassword implements account.Users.
func (s *Store) UpgradePassword(ctx context.Context, id string, old, hash []byte) error {
	err := s.writeOne(ctx, func(ctx context.Context, q *queries.Queries) (int64, error) {
		return q.UpgradePassword(ctx, queries.UpgradePasswordParams{ID: account.Text(id), Old: present(old), Hash: present(hash)})
	})
	if err != nil {
		return s.failf(ctx, err, "upgrading the password hash of user %s", id)
	}
	return nil
}

// SetRole implements account.Users.
func (s *Store) SetRole(ctx context.Context, id string, role account.Role) error {
	err := s.writeOne(ctx, func(ctx context.Context, q *queries.Queries) (int64, error) {
		return q.SetRole(ctx, queries.SetRoleParams{ID: account.Text(id), Role: account.Text(string(role))})
	})
	if err != nil {
		return s.failf(ctx, err, "setting the role of user %s", id)
	}
	return nil
}

// SetVerified implements account.Users.
func (s *Store) SetVerified(ctx context.Context, id string, at time.Time) error {
	err := s.writeOne(ctx, func(ctx context.Context, q *queries.Queries) (int64, error) {
		return q.SetVerified(ctx, queries.SetVerifiedParams{ID: account.Text(id), At: nullMicros(at)})
	})
	if err != nil {
		return s.failf(ctx, err, "verifying the address of user %s", id)
	}
	return nil
}

// SetDisabled implements account.Users.
func (s *Store) SetDisabled(ctx context.Context, id string, at time.Time) error {
	err := s.writeOne(ctx, func(ctx context.Context, q *queries.Queries) (int64, error) {
		return q.SetDisabled(ctx, queries.SetDisabledParams{ID: account.Text(id), DisabledAt: nullMicros(at)})
	})
	if err != nil {
		return s.failf(ctx, err, "shutting or opening the account of user %s", id)
	}
	return nil
}

// FailLogin implements account.Users.
func (s *Store) FailLogin(ctx context.Context, id string) (int, error) {
	var failures int64
	err := s.write(ctx, func(ctx context.Context, q *queries.Queries) (err error) {
		failures, err = q.FailLogin(ctx, account.Text(id))
		return err
	})
	if err != nil {
		return 0, s.failf(ctx, err, "counting a wrong password of user %s", id)
	}
	return int(failures), nil
}

// Lock implements account.Users.
func (s *Store) Lock(ctx context.Context, id string, until time.Time) error {
	err := s.writeOne(ctx, func(ctx context.Context, q *queries.Queries) (int64, error) {
		return q.Lock(ctx, queries.LockParams{ID: account.Text(id), Until: until.UnixMicro()})
	})
	if err != nil {
		return s.failf(ctx, err, "locking user %s", id)
	}
	return nil
}

// ClearFailures implements account.Users.
func (s *Store) ClearFailures(ctx context.Context, id string) error {
	err := s.writeOne(ctx, func(ctx context.Context, q *queries.Queries) (int64, error) {
		return q.ClearFailures(ctx, account.Text(id))
	})
	if err != nil {
		return s.failf(ctx, err, "clearing the failures of user %s", id)
	}
	return nil
}

// DeleteUser implements account.Users.
func (s *Store) DeleteUser(ctx context.Context, id string) error {
	err := s.deleteUser(ctx, id, func(ctx context.Context, q *queries.Queries) (int64, error) {
		return q.DeleteAccount(ctx, account.Text(id))
	})
	if err != nil {
		return s.failf(ctx, err, "deleting user %s", id)
	}
	return nil
}

// AbandonedUsers implements account.Users.
func (s *Store) AbandonedUsers(ctx context.Context, before, now time.Time, after string, limit int) ([]string, error) {
	ids, err := s.reading.AbandonedAccounts(ctx, queries.AbandonedAccountsParams{
		Before: before.UnixMicro(), Now: now.UnixMicro(), After: account.Text(after), Most: atMost(limit),
	})
	if err != nil {
		return nil, s.failf(ctx, err, "looking for abandoned users after %q", after)
	}
	return ids, nil
}

// DeleteAbandoned implements account.Users.
func (s *Store) DeleteAbandoned(ctx context.Context, id string, before, now time.Time) error {
	err := s.deleteUser(ctx, id, func(ctx context.Context, q *queries.Queries) (int64, error) {
		return q.DeleteAbandonedAccount(ctx, queries.DeleteAbandonedAccountParams{ID: account.Text(id), Before: before.UnixMicro(), Now: now.UnixMicro()})
	})
	if err != nil {
		return s.failf(ctx, err, "deleting user %s as abandoned", id)
	}
	return nil
}

// deleteUser removes everything of a user's, and the user by remove; where that
// meets no row nothing is removed.
func (s *Store) deleteUser(ctx context.Context, id string, remove func(ctx context.Context, q *queries.Queries) (rows int64, err error)) error {
	return s.writeOne(ctx, func(ctx context.Context, q *queries.Queries) (int64, error) {
		if err := q.ForgetAttemptsOfAccount(ctx, account.Text(id)); err != nil {
			return 0, err
		}
		return remove(ctx, q)
	})
}
