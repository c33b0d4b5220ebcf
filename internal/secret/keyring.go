package secret

import (
	"cmp"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Purpose is what a derived key is for, so that none is used for two things.
type Purpose string

// The purposes of keys that more than one package knows of.
const (
	SignedObjects Purpose = "crownsafe signed addresses of objects"
	AccessTokens  Purpose = "crownsafe access tokens"
)

// KeyBytes is the length of a derived key.
const KeyBytes = 32

// Retention is how long a key that was replaced while the program ran goes on
// being accepted: longer than anything lives that is signed with one.
const Retention = 7 * 24 * time.Hour

// missPause is how long to wait at least between two refreshes that a key nobody
// knows asked for: anybody can show such a key.
const missPause = 10 * time.Second

// missPatience bounds what each of them waits for it.
const missPatience = 3 * time.Second

// Keyring derives keys from the secret key: the current one to sign with, and
// those before it, so that what was signed before a rotation is good until its
// end. It is safe for concurrent use.
type Keyring struct {
	now func() time.Time

	mu      sync.RWMutex
	current string
	given   []string  // previous ones, by the settings; good for as long as they are set
	retired []retired // replaced while the program ran, the newest first
	changed chan struct{}

	refresh func() error
	asked   time.Time          // when a key that nobody knows was last asked for
	missing singleflight.Group // of those who were shown one
}

type retired struct {
	secret string
	until  time.Time
}

// NewKeyring makes a keyring of the secret key and those before it. An empty one
// signs nothing.
func NewKeyring(current string, previous ...string) *Keyring {
	return &Keyring{now: time.Now, current: current, given: slices.Clone(previous), changed: make(chan struct{})}
}

// Replace rotates: what was current is good for Retention from now on, and what
// previous lists for as long as it is listed. The same keys again change nothing.
// No current key leaves the one that there is: it was made, and no setting has it.
func (k *Keyring) Replace(current string, previous ...string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	current = cmp.Or(current, k.current)
	if current == k.current && slices.Equal(previous, k.given) {
		return
	}
	if current != k.current && k.current != "" {
		k.retired = slices.Insert(k.retired, 0, retired{k.current, k.now().Add(Retention)})
	}
	k.current, k.given = current, slices.Clone(previous)
	close(k.changed)
	k.changed = make(chan struct{})
}

// Changed is closed when the keys change; then ask for the next.
func (k *Keyring) Changed() <-chan struct{} {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.changed
}

// Current returns the key to sign with, KeyBytes long; nil: there is none.
func (k *Keyring) Current(use Purpose) []byte {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.current == "" {
		return nil
	}
	return derive(k.current, use)
}

// All returns the keys to check with, the current one first.
func (k *Keyring) All(use Purpose) [][]byte {
	k.mu.RLock()
	defer k.mu.RUnlock()
	secrets := make([]string, 0, 1+len(k.given)+len(k.retired))
	for _, secret := range append([]string{k.current}, k.given...) {
		if secret != "" {
			secrets = append(secrets, secret)
		}
	}
	now := k.now()
	for _, r := range k.retired {
		if now.Before(r.until) && !slices.Contains(secrets, r.secret) {
			secrets = append(secrets, r.secret)
		}
	}
	keys := make([][]byte, len(secrets))
	for i, secret := range secrets {
		keys[i] = derive(secret, use)
	}
	return keys
}

// derive is HKDF with SHA-256 (RFC 5869).
func derive(secret string, use Purpose) []byte {
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, string(use), KeyBytes)
	if err != nil { // only a key that is too long for SHA-256 is one
		panic(fmt.Errorf("deriving a key: %w", err))
	}
	return key
}

// RefreshWith sets what Refresh does: ask the sources of the secret key anew. It
// bounds itself, for nobody's request ends it.
func (k *Keyring) RefreshWith(refresh func() error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refresh = refresh
}

// Refresh is for who was shown a key that isn't on the ring: another process may
// have rotated first. It asks the sources, once for all who wait and at most once in
// ten seconds whoever asks, and returns without an error when it wasn't time yet or
// there is nothing to ask. It waits for three seconds at most; what it asked for goes
// on after that, and when ctx ends.
func (k *Keyring) Refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, missPatience)
	defer cancel()
	asking := k.missing.DoChan("", func() (any, error) { return nil, k.due()() })
	select {
	case asked := <-asking:
		return asked.Err
	case <-ctx.Done():
		return fmt.Errorf("waiting for the source of the secret key: %w", ctx.Err())
	}
}

// due returns what asks the sources, or nobody when there is nothing to ask or it
// isn't time.
func (k *Keyring) due() func() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if k.refresh == nil || !k.asked.IsZero() && now.Sub(k.asked) < missPause {
		return func() error { return nil }
	}
	k.asked = now
	return k.refresh
}
