package blobtest

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/blob"
)

func getRange(t *testing.T, s blob.Store, key string, r blob.Range) (string, error) {
	t.Helper()
	part, _, err := s.GetRange(t.Context(), key, r)
	if err != nil {
		return "", err
	}
	defer part.Close()
	content, err := io.ReadAll(part)
	return string(content), err
}

func ranges(t *testing.T, s blob.Store) {
	const content = "0123456789"
	put(t, s, "a", content)
	put(t, s, "empty", "")
	for _, test := range []struct {
		r    blob.Range
		want string
	}{
		{blob.Range{}, content},
		{blob.Range{Length: 1}, "0"},
		{blob.Range{Length: 10}, content},
		{blob.Range{Length: 100}, content},
		{blob.Range{Offset: 3}, content[3:]},
		{blob.Range{Offset: 3, Length: 4}, content[3:7]},
		{blob.Range{Offset: 9}, "9"},
		{blob.Range{Offset: 9, Length: 5}, "9"},
	} {
		if got, err := getRange(t, s, "a", test.r); got != test.want || err != nil {
			t.Errorf("GetRange(%+v) is %q, %v, want %q", test.r, got, err, test.want)
		}
	}
	for _, r := range []blob.Range{{Offset: 10}, {Offset: 11, Length: 1}, {Offset: -1}, {Offset: -1, Length: 2}, {Length: -1}} {
		if got, err := getRange(t, s, "a", r); !errors.Is(err, blob.ErrRange) {
			t.Errorf("GetRange(%+v) is %q, %v, want ErrRange", r, got, err)
		}
	}
	if got, err := getRange(t, s, "empty", blob.Range{}); got != "" || err != nil {
		t.Errorf("the whole of nothing is %q, %v", got, err)
	}
	if _, err := getRange(t, s, "empty", blob.Range{Length: 1}); !errors.Is(err, blob.ErrRange) {
		t.Errorf("a byte of nothing: %v, want ErrRange", err)
	}
	if _, err := getRange(t, s, "nothing", blob.Range{Length: 1}); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("a range of no object: %v, want ErrNotFound", err)
	}
	if _, err := getRange(t, s, "../a", blob.Range{Length: 1}); !errors.Is(err, blob.ErrBadKey) {
		t.Errorf("a range under a bad key: %v, want ErrBadKey", err)
	}
}

// pinnedRanges reads an object in parts that must be of one object.
func pinnedRanges(t *testing.T, s blob.Store) {
	put(t, s, "a", "the first object")
	etag := head(t, s, "a").ETag
	if got, err := getRange(t, s, "a", blob.Range{Length: 9, IfMatch: etag}); got != "the first" || err != nil {
		t.Errorf("the first part is %q, %v", got, err)
	}
	put(t, s, "a", "another object here")
	for _, r := range []blob.Range{{Offset: 9, IfMatch: etag}, {IfMatch: etag}} {
		if got, err := getRange(t, s, "a", r); !errors.Is(err, blob.ErrChanged) {
			t.Errorf("GetRange(%+v) of a replaced object is %q, %v, want ErrChanged", r, got, err)
		}
	}
}

// damaged reads what a disk or a network has changed.
func damaged(t *testing.T, s blob.Store, damage func(t *testing.T, s blob.Store, key string)) {
	for key, content := range map[string]string{"small": "content", "large": strings.Repeat("content", 100_000)} {
		put(t, s, key, content)
		damage(t, s, key)
		object, _, err := s.Get(t.Context(), key)
		if err != nil {
			if !errors.Is(err, blob.ErrDamaged) {
				t.Errorf("Get of a damaged object: %v", err)
			}
			continue
		}
		got, err := io.ReadAll(object)
		object.Close()
		if !errors.Is(err, blob.ErrDamaged) || len(got) >= len(content) {
			t.Errorf("read %d bytes of a damaged object of %d, %v, want fewer and ErrDamaged", len(got), len(content), err)
		}
		if _, err := s.Copy(t.Context(), key, "copy"); err == nil {
			// A store that copies by itself hands the damage on, and its MD5 with it.
			if _, err := readAll(t, s, "copy"); !errors.Is(err, blob.ErrDamaged) {
				t.Errorf("the copy of a damaged object reads with %v, want ErrDamaged", err)
			}
		}
	}
}

func readAll(t *testing.T, s blob.Store, key string) (string, error) {
	t.Helper()
	return getRange(t, s, key, blob.Range{})
}

func copied(t *testing.T, s blob.Store) {
	for key, content := range map[string]string{"empty": "", "small": "content", "raw/large": strings.Repeat("content", 100_000)} {
		if _, err := s.Put(t.Context(), key, strings.NewReader(content), blob.PutOptions{ContentType: "image/png"}); err != nil {
			t.Fatal(err)
		}
		for _, to := range []string{"copies/" + key, "copies/over", key} {
			info, err := s.Copy(t.Context(), key, to)
			if err != nil {
				t.Fatalf("Copy(%q, %q): %v", key, to, err)
			}
			holds(t, s, to, content)
			if found := head(t, s, to); found != info || info.ContentType != "image/png" || info.MD5 != md5Of(content) {
				t.Errorf("Copy told %+v, Head %+v", info, found)
			}
		}
		// The copy stands on its own.
		put(t, s, key, "another")
		holds(t, s, "copies/"+key, content)
	}
}

func copyFailures(t *testing.T, s blob.Store) {
	put(t, s, "kept", "what was there")
	if _, err := s.Copy(t.Context(), "nothing", "kept"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Copy of nothing: %v, want ErrNotFound", err)
	}
	for _, keys := range [][2]string{{"../a", "b"}, {"kept", "../b"}} {
		if _, err := s.Copy(t.Context(), keys[0], keys[1]); !errors.Is(err, blob.ErrBadKey) {
			t.Errorf("Copy(%q, %q): %v, want ErrBadKey", keys[0], keys[1], err)
		}
	}
	holds(t, s, "kept", "what was there")
	if got := keys(t, s, "", "", 0); len(got) != 1 {
		t.Errorf("then there are %q", got)
	}
}

func exists(t *testing.T, s blob.Store) {
	put(t, s, "a/b", "x")
	for key, want := range map[string]bool{"a/b": true, "a": false, "a/c": false} {
		if got, err := blob.Exists(t.Context(), s, key); got != want || err != nil {
			t.Errorf("Exists(%q) is %t, %v", key, got, err)
		}
	}
	if _, err := blob.Exists(t.Context(), s, "../a"); !errors.Is(err, blob.ErrBadKey) {
		t.Errorf("Exists of a bad key: %v, want ErrBadKey", err)
	}
}
