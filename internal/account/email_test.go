package account

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestEmailKey(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"parent@example.com":                "parent@example.com",
		"Parent.One+Shop@EXAMPLE.Com":       "parent.one+shop@example.com",
		"ＰＡＲＥＮＴ＠ｅｘａｍｐｌｅ．ｃｏｍ":                "parent@example.com",
		"grüße@Bücher.example":              "grüße@xn--bcher-kva.example",
		"gru\u0308ße@xn--bcher-kva.example": "grüße@xn--bcher-kva.example",
		"o'brien@sub.example.co.uk":         "o'brien@sub.example.co.uk",
		"me@localhost":                      "me@localhost",
		strings.Repeat("l", 64) + "@" + strings.Repeat("d", 63) + "." + strings.Repeat("e", 63) + "." + strings.Repeat("f", 61): strings.Repeat("l", 64) + "@" + strings.Repeat("d", 63) + "." + strings.Repeat("e", 63) + "." + strings.Repeat("f", 61),
	} {
		if got, err := EmailKey(address); err != nil || got != want {
			t.Errorf("EmailKey(%q) is %q, %v, want %q", address, got, err, want)
		}
	}
	for _, address := range []string{
		"", "@", "parent", "parent@", "@example.com", "a@b@example.com", "a b@example.com", "parent@example.com ", " parent@example.com",
		"<parent@example.com>", "Parent <parent@example.com>", "parent@example.com (at home)", `"parent"@example.com`, `"a@b"@example.com`,
		"parent@[192.0.2.1]", "parent@exa_mple.com", "parent@-example.com", "parent@example..com", "parent@example.com.", ".parent@example.com",
		"a@example.com,b@example.com", "parent\x00@example.com", "parent\n@example.com", "par\xffent@example.com", "parent@xn--a.example",
		strings.Repeat("l", 245) + "@example.com", "a@" + strings.Repeat("ü", 62) + ".example", "a@" + strings.Repeat("d", 64) + ".example",
	} {
		if got, err := EmailKey(address); !errors.Is(err, ErrAddress) || got != "" {
			t.Errorf("EmailKey(%q) is %q, %v, want ErrAddress", address, got, err)
		}
	}
}

// checkKey holds a key to what every key has.
func checkKey(t interface{ Errorf(string, ...any) }, address string) {
	key, err := EmailKey(address)
	if err != nil {
		if !errors.Is(err, ErrAddress) || key != "" {
			t.Errorf("EmailKey(%q) is %q, %v", address, key, err)
		}
		if err.Error() != ErrAddress.Error() {
			t.Errorf("the error shows more than it should: %v", err)
		}
		return
	}
	if again, err := EmailKey(key); err != nil || again != key {
		t.Errorf("EmailKey(%q) is %q, and its own key %q, %v", address, key, again, err)
	}
	if len(key) > 254 || strings.Count(key, "@") != 1 || Text(key) != key || strings.ToLower(key) != key || strings.ContainsAny(key, " \t\r\n\"<>(),") {
		t.Errorf("EmailKey(%q) is %q", address, key)
	}
}

func TestEmailKeyIsItsOwnKey(t *testing.T) {
	t.Parallel()
	part := rapid.StringOfN(rapid.OneOf(
		rapid.RuneFrom([]rune("aAzZ09.-_+'ßẞÜüİıſKﬁ①ⅷ㎏é´ʼ٣ａＡ．＠@ \u0308\u0307\u200d\u00ad")), rapid.Rune(),
	), 1, 12, -1)
	rapid.Check(t, func(t *rapid.T) {
		checkKey(t, part.Draw(t, "local")+"@"+part.Draw(t, "domain")+".example")
	})
}

func FuzzEmailKey(f *testing.F) {
	for _, address := range []string{"Parent@Example.com", "ﬁ@ǅ.example", "a@ẞ.example", "İ@example.com", "K@xn--bcher-kva.example"} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) { checkKey(t, address) })
}
