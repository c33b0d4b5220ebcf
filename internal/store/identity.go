package store

import (
	"context"
	"fmt"
)

// Identified is a store that can be told from every other one, so that what was
// kept of one is never taken for a part of another.
type Identified interface {
	// Identity returns what the schema was given when it was made, a random UUID.
	// It stays while the store lives, and every process sees the same.
	Identity(ctx context.Context) (string, error)
}

// IdentityOf returns the identity of whatever has one; empty: it has none.
func IdentityOf(ctx context.Context, s any) (string, error) {
	identified, ok := s.(Identified)
	if !ok {
		return "", nil
	}
	identity, err := identified.Identity(ctx)
	if err != nil {
		return "", fmt.Errorf("asking the store which one it is: %w", err)
	}
	return identity, nil
}
