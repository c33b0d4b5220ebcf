package blob

import (
	"errors"
	"fmt"
	"time"
)

// Permission is what a signed URL lets its bearer do.
type Permission uint8

// Permissions can be combined by |.
const (
	Read   Permission = 1 << iota // GET and HEAD
	Write                         // PUT
	Delete                        // DELETE
)

// MaxLifetime is the longest that a signed URL may live: within the week that a
// key lives that Azure gives an identity for signing.
const MaxLifetime = 6 * 24 * time.Hour

// SignedURL lets whoever has it use one object without credentials.
type SignedURL struct {
	URL       string
	ExpiresAt time.Time
	// PutHeader has what a PUT to the URL must send beside the content.
	PutHeader map[string]string
}

// CheckSigning returns an error for what no adapter signs.
func CheckSigning(key string, allowed Permission, lifetime time.Duration) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	if allowed == 0 || allowed&^(Read|Write|Delete) != 0 {
		return errors.New("a signed URL allows reading, writing or deleting")
	}
	if lifetime <= 0 || lifetime > MaxLifetime {
		return fmt.Errorf("a signed URL lives for more than nothing and at most %s, not %s", MaxLifetime, lifetime)
	}
	return nil
}

// Expiry is the whole second at which a URL that is signed now ends: signatures
// know seconds, and nobody gets less than the lifetime that was asked for.
func Expiry(now time.Time, lifetime time.Duration) time.Time {
	end := now.Add(lifetime).UTC()
	if whole := end.Truncate(time.Second); !whole.Equal(end) {
		return whole.Add(time.Second)
	}
	return end
}
