package auth

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // the list's format
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"pgregory.net/rapid"
)

func TestSecretsCanBeToldFromWhatLooksLikeThem(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile(`^crs_live_[0-9A-Za-z]{49}$`) // as docs/accounts.md tells scanners
	seen := map[string]bool{}
	for range 1000 {
		s := newSecret(keyPrefix)
		if !pattern.MatchString(s) || !wellFormed(s, keyPrefix) || wellFormed(s, refreshPrefix) || seen[s] {
			t.Fatalf("a bad secret")
		}
		seen[s] = true
	}
	rapid.Check(t, func(t *rapid.T) {
		s := []byte(newSecret(keyPrefix))
		at := rapid.IntRange(0, len(s)-1).Draw(t, "at")
		other := rapid.ByteRange(0, 255).Draw(t, "other")
		if other == s[at] {
			return
		}
		s[at] = other
		if wellFormed(string(s), keyPrefix) {
			t.Fatalf("one character changed, and it passes")
		}
	})
}

func TestEasyPasswords(t *testing.T) {
	t.Parallel()
	for _, easy := range []string{
		"passwordpassword", "Password1234!", "P@ssw0rd2026", "123456789012", "qwertyuiop12", "qwertyuiopasdf", "aaaaaaaaaaaa", "abcabcabcabc",
		"Summer2026!!", "iloveyou2024!", "1q2w3e4r5t6y", "michael19851985", "letmeinletmein1", "AdminAdmin123", "098765432109",
	} {
		if bits := guessBits(easy); bits >= minGuessBits {
			t.Errorf("%s passes with %.1f bits", easy, bits)
		}
	}
	for _, hard := range []string{"velvet-otter-climbs-37", "kx9vq2mzr7ab", "Straßenbahnhaltestelle", "xw7#Lq!9vTz2"} {
		if bits := guessBits(hard); bits < minGuessBits {
			t.Errorf("%s is refused with %.1f bits", hard, bits)
		}
	}
	rapid.Check(t, func(t *rapid.T) { // and no text breaks it
		if bits := guessBits(rapid.String().Draw(t, "password")); bits < 0 {
			t.Fatal("less than nothing")
		}
	})
}

func TestBreachedFile(t *testing.T) {
	t.Parallel()
	var lines []string
	hash := func(p string) string { return strings.ToUpper(fmt.Sprintf("%x", sha1.Sum([]byte(p)))) } //nolint:gosec // see above
	for i := range 2000 {
		lines = append(lines, fmt.Sprintf("%s:%d", hash(fmt.Sprint("stolen", i)), i*i+1))
	}
	slices.Sort(lines)
	for name, end := range map[string]string{"unix": "\n", "windows": "\r\n"} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(strings.Join(lines, end)+end), 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := OpenBreached(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2200 {
			known, err := b.Holds(t.Context(), fmt.Sprint("stolen", i))
			if err != nil || known != (i < 2000) {
				t.Fatalf("%s: stolen%d: %t, %v", name, i, known, err)
			}
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "no-list")
	if err := os.WriteFile(path, []byte("hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenBreached(path); err == nil {
		t.Error("a file that is no list was taken")
	}
}

func TestPauses(t *testing.T) {
	t.Parallel()
	for failures, want := range map[int]time.Duration{0: 0, 4: 0, 5: time.Second, 6: 2 * time.Second, 9: 16 * time.Second, 14: 512 * time.Second, 15: 15 * time.Minute, 1000: 15 * time.Minute} {
		if got := pause(failures, accountFailures); got != want {
			t.Errorf("%d failures: %s, want %s", failures, got, want)
		}
	}
}

func TestNetworksAreCut(t *testing.T) {
	t.Parallel()
	for address, want := range map[string][2]string{
		"203.0.113.77": {"203.0.113.0/24", "203.0.113.77/32"}, "::ffff:203.0.113.77": {"203.0.113.0/24", "203.0.113.77/32"},
		"2001:db8:1:2:3::9": {"2001:db8:1::/48", "2001:db8:1:2::/64"}, "fe80::1%eth0": {"fe80::/48", "fe80::/64"},
	} {
		o := Origin{Address: netip.MustParseAddr(address)}
		if o.network() != want[0] || o.place() != want[1] {
			t.Errorf("%s: %s, %s", address, o.network(), o.place())
		}
	}
	if o := (Origin{}); o.network() != "" || o.place() != "" {
		t.Error("an unknown address has a network")
	}
}

func seed(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func TestOnlyOurTokensAreTaken(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	seeds := [][]byte{seed(1), seed(2)}
	k := &keyring{seeds: func() [][]byte { return seeds }}
	base := jwt.RegisteredClaims{
		Issuer: issuer, Audience: jwt.ClaimStrings{audience}, Subject: "u", IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(time.Minute)),
	}
	sign := func(change func(*claims)) string {
		c := claims{Session: "s", RegisteredClaims: base}
		if change != nil {
			change(&c)
		}
		text, err := k.sign(c)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	check := func(text string) error { _, err := k.check(context.Background(), text, audience, clock); return err }
	good := sign(nil)
	if err := check(good); err != nil {
		t.Fatal(err)
	}
	stranger := &keyring{seeds: func() [][]byte { return [][]byte{seed(9)} }}
	foreign, err := stranger.sign(claims{Session: "s", RegisteredClaims: base})
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + "."
	bad := map[string]string{
		"another key": foreign, "alg none": none, "no signature": parts[0] + "." + parts[1] + ".", "nonsense": "a.b.c", "empty": "",
		"expired":          sign(func(c *claims) { c.ExpiresAt = jwt.NewNumericDate(now.Add(-time.Second)) }),
		"no expiry":        sign(func(c *claims) { c.ExpiresAt = nil }),
		"another issuer":   sign(func(c *claims) { c.Issuer = "x" }),
		"another audience": sign(func(c *claims) { c.Audience = jwt.ClaimStrings{operatorAudience} }),
		"changed":          parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"admin"}`)) + "." + parts[2],
	}
	for name, text := range bad {
		if err := check(text); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	seeds = [][]byte{seed(3), seed(1)} // rotated: the one before is good still
	if err := check(good); err != nil {
		t.Errorf("after a rotation: %v", err)
	}
	seeds = [][]byte{seed(3)}
	if err := check(good); !errors.Is(err, ErrInvalid) {
		t.Errorf("after the key is gone: %v", err)
	}
	k.refresh = func(context.Context) error { seeds = [][]byte{seed(3), seed(1)}; return nil }
	if err := check(good); err != nil {
		t.Errorf("a key that another process began to use: %v", err)
	}
}

func TestAWrongAddressCostsWhatAWrongPasswordCosts(t *testing.T) {
	t.Parallel()
	h := newHasher(4)
	if h.matches(nil, "velvet-otter-climbs-37") {
		t.Error("nobody has a password")
	}
	hash, err := h.hash(t.Context(), "velvet-otter-climbs-37")
	if err != nil || !h.matches(hash, "velvet-otter-climbs-37") || h.matches(hash, "velvet-otter-climbs-38") {
		t.Error("a password that doesn't match its hash", err)
	}
	if h.matches(hash, strings.Repeat("a", 100)) {
		t.Error("too long a password matches")
	}
	if !newHasher(5).outdated(hash) || h.outdated(hash) {
		t.Error("which hashes are outdated")
	}
}

func TestPasswordsWaitForTheirTurnAndNotForever(t *testing.T) {
	t.Parallel()
	h := newHasher(4)
	h.wait = 10 * time.Millisecond
	var ends []func()
	for range cap(h.turns) {
		done, err := h.turn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, done)
	}
	if _, err := h.turn(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("one too many: %v", err)
	}
	for _, end := range ends {
		end()
	}
	if _, err := h.turn(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func BenchmarkSignature(b *testing.B) {
	k := &keyring{seeds: func() [][]byte { return [][]byte{seed(1)} }}
	text, err := k.sign(claims{Session: "s", RegisteredClaims: jwt.RegisteredClaims{
		Issuer: issuer, Audience: jwt.ClaimStrings{audience}, Subject: "u", ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Hour)),
	}})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := k.check(b.Context(), text, audience, time.Now); err != nil {
			b.Fatal(err)
		}
	}
}
