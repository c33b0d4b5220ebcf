package disk

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/blob"
)

// The parameters of a signed URL.
const (
	permissionsParameter = "p" // letters of r, w and d, in this order
	expiryParameter      = "e" // seconds since 1970
	signatureParameter   = "s" // base64url, without padding
)

// SignURL makes a URL that Handler serves; see blob.Store.
func (s *Store) SignURL(ctx context.Context, key string, allowed blob.Permission, lifetime time.Duration) (blob.SignedURL, error) {
	signed, err := s.signURL(ctx, key, allowed, lifetime)
	if err != nil {
		return blob.SignedURL{}, s.failed("signing a URL for", key, err)
	}
	return signed, nil
}

func (s *Store) signURL(ctx context.Context, key string, allowed blob.Permission, lifetime time.Duration) (blob.SignedURL, error) {
	if err := blob.CheckSigning(key, allowed, lifetime); err != nil {
		return blob.SignedURL{}, err
	}
	if err := ctx.Err(); err != nil {
		return blob.SignedURL{}, err
	}
	keys := s.options.Keys()
	if len(keys) == 0 {
		return blob.SignedURL{}, fmt.Errorf("there is no key to sign with: %w", errors.ErrUnsupported)
	}
	permissions, expires := letters(allowed), blob.Expiry(s.options.Now(), lifetime)
	expiry := strconv.FormatInt(expires.Unix(), 10)
	segments := strings.Split(key, "/")
	for i, segment := range segments {
		segments[i] = url.PathEscape(segment)
	}
	query := url.Values{
		permissionsParameter: {permissions},
		expiryParameter:      {expiry},
		signatureParameter:   {base64.RawURLEncoding.EncodeToString(signature(keys[0], key, permissions, expiry))},
	}
	return blob.SignedURL{
		URL:       s.options.BaseURL + "/" + strings.Join(segments, "/") + "?" + query.Encode(),
		ExpiresAt: expires,
	}, nil
}

// letters are a set of permissions as Azure's signed URLs write them.
func letters(allowed blob.Permission) string {
	var text strings.Builder
	for _, p := range []struct {
		permission blob.Permission
		letter     byte
	}{{blob.Read, 'r'}, {blob.Write, 'w'}, {blob.Delete, 'd'}} {
		if allowed&p.permission != 0 {
			text.WriteByte(p.letter)
		}
	}
	return text.String()
}

// signature signs what a URL allows. A key has no line breaks, so that no two
// different things make the same text.
func signature(signing []byte, key, permissions, expiry string) []byte {
	mac := hmac.New(sha256.New, signing)
	mac.Write([]byte("crownsafe object url 1\n" + permissions + "\n" + expiry + "\n" + key))
	return mac.Sum(nil)
}

// valid reports that a URL's parameters let its bearer do one thing with a key now.
func (s *Store) valid(key string, query url.Values, needed blob.Permission) bool {
	permissions, expiry := query.Get(permissionsParameter), query.Get(expiryParameter)
	given, err := base64.RawURLEncoding.DecodeString(query.Get(signatureParameter))
	signed := func(signing []byte) bool { return hmac.Equal(given, signature(signing, key, permissions, expiry)) }
	if err != nil || !slices.ContainsFunc(s.options.Keys(), signed) {
		return false
	}
	expires, err := strconv.ParseInt(expiry, 10, 64)
	return err == nil && s.options.Now().Before(time.Unix(expires, 0)) && strings.Contains(permissions, letters(needed))
}
