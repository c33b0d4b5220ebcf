package redis

import (
	"slices"
	"testing"

	"github.com/crownsafe/api/internal/cache"
)

func TestMessages(t *testing.T) {
	t.Parallel()
	for _, marks := range [][]cache.Mark{nil, {cache.All}, {"", "k:a:b", "t:\xff\x00", "t:乳母车"}} {
		from, got, err := decodeMessage(string(encodeMessage("me", marks)))
		if err != nil || from != "me" || !slices.Equal(got, marks) {
			t.Errorf("%q came as %q from %q, %v", marks, got, from, err)
		}
	}
	for _, payload := range []string{"", "\x05me", "\x02me\x09x", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\x02me\xff"} {
		if from, marks, err := decodeMessage(payload); err == nil {
			t.Errorf("%q is read as %q from %q", payload, marks, from)
		}
	}
}

func FuzzMessages(f *testing.F) {
	f.Add(string(encodeMessage("me", []cache.Mark{"a", "b"})))
	f.Fuzz(func(t *testing.T, payload string) {
		from, marks, err := decodeMessage(payload)
		if err != nil {
			return
		}
		again, same, err := decodeMessage(string(encodeMessage(from, marks)))
		if err != nil || again != from || !slices.Equal(same, marks) {
			t.Errorf("%q from %q came back as %q from %q, %v", marks, from, same, again, err)
		}
	})
}
