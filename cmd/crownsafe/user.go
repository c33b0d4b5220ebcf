package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/auth"
	"github.com/crownsafe/api/internal/store"
)

type userCommand struct {
	Create   userCreate   `cmd:"" help:"Make a user; the password is asked for, or read from the standard input."`
	List     userList     `cmd:"" help:"List the users."`
	Role     userRole     `cmd:"" help:"Give a user a role."`
	Disable  userDisable  `cmd:"" help:"Shut a user's account and end their sessions."`
	Enable   userEnable   `cmd:"" help:"Open a user's account again, and forget wrong passwords."`
	Verify   userVerify   `cmd:"" help:"Count a user's address as confirmed."`
	Password userPassword `cmd:"" help:"Set a user's password and end their sessions; it is asked for, or read from the standard input."`
	Delete   userDelete   `cmd:"" help:"Remove a user with everything of theirs."`
}

type (
	userCreate struct {
		Email string `arg:"" help:"The user's address."`
		Role  string `help:"member, operator or admin." default:"member"`
	}
	userList struct{}
	userRole struct {
		Email string `arg:"" help:"The user's address."`
		Role  string `arg:"" help:"member, operator or admin."`
	}
	userDisable  struct{ addressed }
	userEnable   struct{ addressed }
	userVerify   struct{ addressed }
	userPassword struct{ addressed }
	userDelete   struct {
		addressed
		Yes bool `help:"Don't ask: the user's sessions and keys go too, for good."`
	}
)

// addressed names a user.
type addressed struct {
	Email string `arg:"" help:"The user's address."`
}

// Run makes a user.
func (c *userCreate) Run(s *session) error {
	role, err := auth.ParseRole(c.Role)
	if err != nil {
		return usage("%q %w", c.Role, err)
	}
	if _, err := auth.ParseAddress(c.Email); err != nil {
		return usage("%q %w", c.Email, err)
	}
	return s.withAccounts(func(accounts *auth.Service) error {
		password, err := s.askPassword()
		if err != nil {
			return err
		}
		user, err := accounts.CreateUser(s.ctx, c.Email, password, role)
		if errors.Is(err, account.ErrTaken) {
			return fmt.Errorf("there is a user with the address %s already", c.Email)
		}
		if err != nil {
			return err
		}
		return s.printUsers([]account.User{user})
	})
}

// Run lists the users.
func (*userList) Run(s *session) error {
	return s.withAccounts(func(accounts *auth.Service) error {
		var users []account.User
		err := accounts.Users(s.ctx, func(u account.User) error {
			users = append(users, u)
			return nil
		})
		if err != nil {
			return err
		}
		return s.printUsers(users)
	})
}

// Run gives a role.
func (c *userRole) Run(s *session) error {
	role, err := auth.ParseRole(c.Role)
	if err != nil {
		return usage("%q %w", c.Role, err)
	}
	return s.administer(c.Email, func(accounts *auth.Service) error { return accounts.SetRole(s.ctx, c.Email, role) })
}

// Run shuts an account.
func (c *userDisable) Run(s *session) error {
	return s.administer(c.Email, func(accounts *auth.Service) error { return accounts.Disable(s.ctx, c.Email) })
}

// Run opens an account.
func (c *userEnable) Run(s *session) error {
	return s.administer(c.Email, func(accounts *auth.Service) error { return accounts.Enable(s.ctx, c.Email) })
}

// Run counts an address as confirmed.
func (c *userVerify) Run(s *session) error {
	return s.administer(c.Email, func(accounts *auth.Service) error { return accounts.MarkVerified(s.ctx, c.Email) })
}

// Run sets a password.
func (c *userPassword) Run(s *session) error {
	return s.administer(c.Email, func(accounts *auth.Service) error {
		if _, err := accounts.UserByEmail(s.ctx, c.Email); err != nil {
			return err
		}
		password, err := s.askPassword()
		if err != nil {
			return err
		}
		return accounts.SetPassword(s.ctx, c.Email, password)
	})
}

// Run removes a user.
func (c *userDelete) Run(s *session) error {
	if !c.Yes {
		return usage("user delete removes the user with all sessions and keys for good; say so with --yes")
	}
	err := s.withAccounts(func(accounts *auth.Service) error { return accounts.DeleteUser(s.ctx, c.Email) })
	if err != nil {
		return nobody(c.Email, err)
	}
	return s.say("removed " + c.Email)
}

// administer does something to a user and prints the user as it is then.
func (s *session) administer(email string, do func(*auth.Service) error) error {
	err := s.withAccounts(func(accounts *auth.Service) error {
		if err := do(accounts); err != nil {
			return err
		}
		user, err := accounts.UserByEmail(s.ctx, email)
		if err != nil {
			return err
		}
		return s.printUsers([]account.User{user})
	})
	return nobody(email, err)
}

// nobody words that an address is nobody's.
func nobody(email string, err error) error {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("there is no user with the address %s", email)
	case errors.Is(err, auth.ErrAddress):
		return usage("%q %w", email, auth.ErrAddress)
	}
	return err
}

// withAccounts does something with the accounts of the store.
func (s *session) withAccounts(do func(*auth.Service) error) (err error) {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	return do(a.Accounts)
}

// askPassword asks for a password on the terminal without showing it, twice; where
// there is no terminal it is the first line of the standard input.
func (s *session) askPassword() (string, error) {
	file, ok := s.env.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(s.env.stdin, 1024)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("reading the password: %w", err)
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			return "", usage("there is no password on the standard input, and no terminal to ask for it")
		}
		return line, nil
	}
	first, err := s.prompt(file, "Password: ")
	if err != nil {
		return "", err
	}
	second, err := s.prompt(file, "Once more: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two passwords differ")
	}
	return first, nil
}

func (s *session) prompt(terminal *os.File, text string) (string, error) {
	fmt.Fprint(s.env.stderr, text)
	password, err := term.ReadPassword(int(terminal.Fd()))
	fmt.Fprintln(s.env.stderr)
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	return string(password), nil
}

// userLine is a user as it is printed.
type userLine struct {
	ID         string     `json:"id"`
	Email      string     `json:"email"`
	Role       string     `json:"role"`
	CreatedAt  time.Time  `json:"created_at"`
	VerifiedAt *time.Time `json:"verified_at"`
	DisabledAt *time.Time `json:"disabled_at"`
}

func (s *session) printUsers(users []account.User) error {
	lines := make([]userLine, len(users))
	for i, u := range users {
		lines[i] = userLine{u.ID, u.Email, string(u.Role), u.CreatedAt.UTC(), moment(u.VerifiedAt), moment(u.DisabledAt)}
	}
	if s.json {
		return json.NewEncoder(s.env.stdout).Encode(map[string]any{"items": lines})
	}
	table := tabwriter.NewWriter(s.env.stdout, 0, 4, 2, ' ', 0)
	for _, l := range lines {
		state := "confirmed"
		switch {
		case l.DisabledAt != nil:
			state = "disabled"
		case l.VerifiedAt == nil:
			state = "not confirmed"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\tsince %s\t%s\n", l.Email, l.Role, state, l.CreatedAt.Format(time.DateOnly), l.ID)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("printing the users: %w", err)
	}
	return nil
}

// moment is a time that may be missing.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// say prints what was done: a sentence, or JSON.
func (s *session) say(text string) error {
	if s.json {
		return json.NewEncoder(s.env.stdout).Encode(map[string]string{"done": text})
	}
	_, err := fmt.Fprintln(s.env.stdout, text)
	return err
}
