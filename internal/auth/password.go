package auth

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds of passwords.
const (
	minPasswordRunes = 12
	maxPasswordBytes = 72 // bcrypt reads no more
)

// WeakPassword says why a password may not be set. It never holds the password.
type WeakPassword struct{ Reason string }

func (w *WeakPassword) Error() string { return "the password " + w.Reason }

// Breached knows passwords that were found in somebody's loot.
type Breached interface {
	// Holds reports whether a password is among them.
	Holds(ctx context.Context, password string) (bool, error)
}

// serviceWords may not be what a password is made of.
var serviceWords = []string{"crownsafe", "crown safe", "crown-safe"}

// checkPassword returns a *WeakPassword for a password that may not be set for an
// address: too short, too long, easy to guess, made of the address or of the
// service's name, or known from elsewhere.
func (s *Service) checkPassword(ctx context.Context, password string, a Address) error {
	switch {
	case !utf8.ValidString(password) || strings.ContainsRune(password, 0):
		return &WeakPassword{"holds characters that can't be used"}
	case utf8.RuneCountInString(password) < minPasswordRunes:
		return &WeakPassword{fmt.Sprintf("is too short: give %d characters or more", minPasswordRunes)}
	case len(password) > maxPasswordBytes:
		return &WeakPassword{fmt.Sprintf("is too long: give %d bytes or fewer", maxPasswordBytes)}
	}
	if madeOf(password, append([]string{a.Key, a.local()}, serviceWords...)) {
		return &WeakPassword{"is made of your address or of the service's name"}
	}
	if guessBits(password) < minGuessBits {
		return &WeakPassword{"is easy to guess: it is made of common words, rows of keys, repetitions or dates"}
	}
	if s.breached == nil {
		return nil
	}
	known, err := s.breached.Holds(ctx, password)
	if err != nil {
		return fmt.Errorf("looking for a password among breached ones: %w", err)
	}
	if known {
		return &WeakPassword{"is in a list of passwords that were stolen elsewhere"}
	}
	return nil
}

// madeOf reports that a password is one of the words and little besides.
func madeOf(password string, words []string) bool {
	lower := strings.ToLower(password)
	for _, word := range words {
		if len(word) < 3 || !strings.Contains(lower, word) {
			continue
		}
		rest := strings.ReplaceAll(lower, word, "")
		if guessBits(rest) < minGuessBits {
			return true
		}
	}
	return false
}
