package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/auth"
	"github.com/crownsafe/api/internal/store"
)

type keyCommand struct {
	Create keyCreate `cmd:"" help:"Make a key for a user; it is printed once."`
	List   keyList   `cmd:"" help:"List a user's keys."`
	Revoke keyRevoke `cmd:"" help:"End a key of a user's."`
}

type (
	keyCreate struct {
		addressed
		Name    string        `help:"By which its owner knows it." required:""`
		Scope   []string      `help:"lookup, account, monitor." default:"lookup"`
		Expires time.Duration `help:"After how long it ends, such as 2160h; 0: never." default:"0"`
	}
	keyList   struct{ addressed }
	keyRevoke struct {
		addressed
		ID string `arg:"" help:"The key's id, as list prints it."`
	}
)

// Run makes a key.
func (c *keyCreate) Run(s *session) error {
	k := auth.NewKey{Name: c.Name}
	for _, scope := range c.Scope {
		if !slices.Contains(auth.Scopes(), auth.Scope(scope)) {
			return usage("%q is no scope; give lookup, account or monitor", scope)
		}
		k.Scopes = append(k.Scopes, auth.Scope(scope))
	}
	switch {
	case c.Expires < 0:
		return usage("a key can't expire before it is made")
	case c.Expires > 0:
		k.Expires = time.Now().Add(c.Expires)
	}
	err := s.withAccounts(func(accounts *auth.Service) error {
		key, secret, err := accounts.CreateKeyFor(s.ctx, c.Email, k)
		if errors.Is(err, auth.ErrForbidden) {
			return errors.New("the scope monitor is for users with the role operator or admin")
		}
		if err != nil {
			return err
		}
		if s.json {
			return json.NewEncoder(s.env.stdout).Encode(map[string]any{"key": secret, "item": keyLineOf(key)})
		}
		fmt.Fprintln(s.env.stderr, "the key is shown now and never again:")
		_, err = fmt.Fprintln(s.env.stdout, secret)
		return err
	})
	return nobody(c.Email, err)
}

// Run lists keys.
func (c *keyList) Run(s *session) error {
	err := s.withAccounts(func(accounts *auth.Service) error {
		keys, err := accounts.KeysOf(s.ctx, c.Email)
		if err != nil {
			return err
		}
		return s.printKeys(keys)
	})
	return nobody(c.Email, err)
}

// Run ends a key.
func (c *keyRevoke) Run(s *session) error {
	err := s.withAccounts(func(accounts *auth.Service) error {
		if _, err := accounts.UserByEmail(s.ctx, c.Email); err != nil {
			return nobody(c.Email, err)
		}
		err := accounts.RevokeKeyOf(s.ctx, c.Email, c.ID)
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("%s has no key of the id %s that is good", c.Email, c.ID)
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.say("revoked " + c.ID)
}

// keyLine is a key as it is printed.
type keyLine struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Prefix     string     `json:"prefix"`
	Scopes     []string   `json:"scopes"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

func keyLineOf(k account.Key) keyLine {
	return keyLine{k.ID, k.Name, k.Prefix, append([]string{}, k.Scopes...), k.CreatedAt.UTC(), moment(k.ExpiresAt), moment(k.RevokedAt), moment(k.LastUsedAt)}
}

func (s *session) printKeys(keys []account.Key) error {
	lines := make([]keyLine, len(keys))
	for i, k := range keys {
		lines[i] = keyLineOf(k)
	}
	if s.json {
		return json.NewEncoder(s.env.stdout).Encode(map[string]any{"items": lines})
	}
	table := tabwriter.NewWriter(s.env.stdout, 0, 4, 2, ' ', 0)
	for i, l := range lines {
		state := "good"
		switch {
		case l.RevokedAt != nil:
			state = "revoked"
		case !keys[i].Good(time.Now()):
			state = "expired"
		}
		used := "never used"
		if l.LastUsedAt != nil {
			used = "used " + l.LastUsedAt.Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s…\t%s\t%s\t%s\t%s\n", l.ID, l.Prefix, l.Name, strings.Join(l.Scopes, ","), state, used)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("printing the keys: %w", err)
	}
	return nil
}
