// Package blobtest is the conformance suite of the blob port: every adapter
// passes the same tests. It knows the port only, never an adapter.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/blob"
)

// Adapter is what is exercised.
type Adapter struct {
	// Open returns a new, empty store that nothing else uses, whose signed URLs
	// are served; it is called by several subtests at the same time.
	Open func(t *testing.T) blob.Store
	// Damage changes a byte of a stored object's content behind the store's back.
	Damage func(t *testing.T, s blob.Store, key string)
}

// Exercise holds an adapter to the contract.
func Exercise(t *testing.T, a Adapter) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s blob.Store)
	}{
		{"what is put comes back", roundTrip},
		{"a second put replaces the first", replaced},
		{"if absent: an object is left alone", ifAbsent},
		{"if absent: of many exactly one succeeds", ifAbsentRace},
		{"if match: only what was seen is replaced", ifMatch},
		{"if match: of many exactly one succeeds", ifMatchRace},
		{"what is told of an object", told},
		{"content types", contentTypes},
		{"content is held against its MD5", givenMD5},
		{"content that ends too early", cutContent},
		{"content that comes but once", stream},
		{"content from where it is", fromTheMiddle},
		{"a failed put leaves what was there", failedPut},
		{"a put is never seen half", neverHalf},
		{"an open object is read to its end", openWhileReplaced},
		{"what is not there", missing},
		{"delete may be repeated", deleted},
		{"bad keys are refused", badKeys},
		{"every good key works", goodKeys},
		{"list: order, prefix, after and limit", list},
		{"list: as a sorted map would", listLikeMap},
		{"list: more than a page", manyPages},
		{"list: beyond what UTF-16 orders alike", listBeyondUTF16},
		{"an ended context", endedContext},
		{"ranges", ranges},
		{"ranges of one object", pinnedRanges},
		{"copy", copied},
		{"copy: what can't be", copyFailures},
		{"exists", exists},
		{"many at once", concurrent},
		{"many put one key at once", samePut},
		{"signed: read", signedRead},
		{"signed: write", signedWrite},
		{"signed: delete", signedDelete},
		{"signed: expiry", signedExpiry},
		{"signed: every good key", signedKeys},
		{"signed: what nobody signs", signedNonsense},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, a.Open(t))
		})
	}
	t.Run("damage is found", func(t *testing.T) {
		t.Parallel()
		damaged(t, a.Open(t), a.Damage)
	})
}

func put(t *testing.T, s blob.Store, key, content string) {
	t.Helper()
	info, err := s.Put(t.Context(), key, strings.NewReader(content), blob.PutOptions{ContentType: "text/plain"})
	if err != nil {
		t.Fatalf("Put(%q): %v", key, err)
	}
	if info.Key != key || info.Size != int64(len(content)) || info.ModifiedAt.IsZero() {
		t.Errorf("Put(%q) of %d bytes told %+v", key, len(content), info)
	}
}

func get(t *testing.T, s blob.Store, key string) string {
	t.Helper()
	object, info, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("Get(%q): %v", key, err)
	}
	defer object.Close()
	content, err := io.ReadAll(object)
	if err != nil {
		t.Fatalf("reading %q: %v", key, err)
	}
	if info.Key != key || info.Size != int64(len(content)) {
		t.Errorf("Get(%q) of %d bytes told %+v", key, len(content), info)
	}
	return string(content)
}

// holds fails unless an object has this content.
func holds(t *testing.T, s blob.Store, key, want string) {
	t.Helper()
	if got := get(t, s, key); got != want {
		t.Errorf("%q holds %.60q (%d bytes), want %.60q (%d bytes)", key, got, len(got), want, len(want))
	}
}

func keys(t *testing.T, s blob.Store, prefix, after string, limit int) []string {
	t.Helper()
	infos, err := s.List(t.Context(), prefix, after, limit)
	if err != nil {
		t.Fatalf("List(%q, %q, %d): %v", prefix, after, limit, err)
	}
	found := make([]string, len(infos))
	for i, info := range infos {
		found[i] = info.Key
	}
	return found
}

func roundTrip(t *testing.T, s blob.Store) {
	for key, content := range map[string]string{
		"empty":            "",
		"raw/us-cpsc/a.gz": "\x00\x1f\x8b binary \xff",
		"large":            strings.Repeat("0123456789abcdef", 1<<16),
	} {
		put(t, s, key, content)
		holds(t, s, key, content)
		info, err := s.Head(t.Context(), key)
		if err != nil || info.Key != key || info.Size != int64(len(content)) || info.ModifiedAt.IsZero() {
			t.Errorf("Head(%q): %+v, %v", key, info, err)
		}
	}
	infos, err := s.List(t.Context(), "raw/", "", 0)
	if err != nil || len(infos) != 1 || infos[0].Size != 12 {
		t.Errorf("List tells %+v, %v", infos, err)
	}
}

func replaced(t *testing.T, s blob.Store) {
	put(t, s, "a/b", "the first, which is longer")
	put(t, s, "a/b", "the second")
	holds(t, s, "a/b", "the second")
}

func ifAbsent(t *testing.T, s blob.Store) {
	once := blob.PutOptions{IfAbsent: true}
	if _, err := s.Put(t.Context(), "a/b", strings.NewReader("first"), once); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "a/b", strings.NewReader("second"), once); !errors.Is(err, blob.ErrExists) {
		t.Errorf("second Put: %v, want ErrExists", err)
	}
	holds(t, s, "a/b", "first")
	if err := s.Delete(t.Context(), "a/b"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "a/b", strings.NewReader("third"), once); err != nil {
		t.Errorf("Put after Delete: %v", err)
	}
}

func ifAbsentRace(t *testing.T, s blob.Store) {
	const contenders = 8
	var winner atomic.Pointer[string]
	var group sync.WaitGroup
	for i := range contenders {
		group.Go(func() {
			content := strings.Repeat(fmt.Sprint(i), 1000)
			_, err := s.Put(t.Context(), "new/folder/key", strings.NewReader(content), blob.PutOptions{IfAbsent: true})
			switch {
			case err == nil:
				if winner.Swap(&content) != nil {
					t.Error("two have put it")
				}
			case !errors.Is(err, blob.ErrExists):
				t.Errorf("Put: %v", err)
			}
		})
	}
	group.Wait()
	if winner.Load() == nil {
		t.Fatal("nobody has put it")
	}
	holds(t, s, "new/folder/key", *winner.Load())
}

func failedPut(t *testing.T, s blob.Store) {
	broken := errors.New("the connection broke")
	half := func() io.Reader {
		return io.MultiReader(strings.NewReader(strings.Repeat("x", 100_000)), iotest.ErrReader(broken))
	}
	put(t, s, "kept", "what was there")
	for _, key := range []string{"kept", "never"} {
		for _, opts := range []blob.PutOptions{{}, {IfAbsent: key == "never"}} {
			if _, err := s.Put(t.Context(), key, half(), opts); !errors.Is(err, broken) {
				t.Errorf("Put(%q): %v, want the error of its content", key, err)
			}
		}
	}
	holds(t, s, "kept", "what was there")
	if got := keys(t, s, "", "", 0); !slices.Equal(got, []string{"kept"}) {
		t.Errorf("then there are %q", got)
	}
}

// neverHalf reads while a put is on its way.
func neverHalf(t *testing.T, s blob.Store) {
	put(t, s, "a", "before")
	const after = "what is put, in two parts"
	look := iotest.ErrReader(io.EOF)
	watched := readerFunc(func(p []byte) (int, error) {
		holds(t, s, "a", "before")
		if got := keys(t, s, "", "", 0); !slices.Equal(got, []string{"a"}) {
			t.Errorf("in the middle of a put there are %q", got)
		}
		return look.Read(p)
	})
	content := io.MultiReader(strings.NewReader(after[:9]), watched, strings.NewReader(after[9:]), watched)
	if _, err := s.Put(t.Context(), "a", content, blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	holds(t, s, "a", after)
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func openWhileReplaced(t *testing.T, s blob.Store) {
	before := strings.Repeat("before ", 1_000_000)
	put(t, s, "a", before)
	put(t, s, "b", before)
	for key, change := range map[string]func(){
		"a": func() { put(t, s, "a", "after") },
		"b": func() {
			if err := s.Delete(t.Context(), "b"); err != nil {
				t.Error(err)
			}
		},
	} {
		object, _, err := s.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 10)
		if _, err := io.ReadFull(object, head); err != nil {
			t.Fatal(err)
		}
		change()
		rest, err := io.ReadAll(object)
		if content := string(head) + string(rest); err == nil && content != before || !strings.HasPrefix(before, content) {
			t.Errorf("%q was open: read %d bytes, %v, which isn't what was opened", key, len(content), err)
		}
		if err != nil && !errors.Is(err, blob.ErrChanged) {
			t.Errorf("%q was open: %v, want its end or ErrChanged", key, err)
		}
		if err := object.Close(); err != nil {
			t.Error(err)
		}
	}
}

func missing(t *testing.T, s blob.Store) {
	put(t, s, "raw/here", "x")
	for _, key := range []string{"nothing", "raw", "raw/nothing", "raw/here/below", "x/y/z"} {
		if _, _, err := s.Get(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("Get(%q): %v, want ErrNotFound", key, err)
		}
		if _, err := s.Head(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("Head(%q): %v, want ErrNotFound", key, err)
		}
		if err := s.Delete(t.Context(), key); err != nil {
			t.Errorf("Delete(%q): %v", key, err)
		}
	}
	holds(t, s, "raw/here", "x")
}

func deleted(t *testing.T, s blob.Store) {
	put(t, s, "a/b", "x")
	put(t, s, "a/c", "y")
	for range 2 {
		if err := s.Delete(t.Context(), "a/b"); err != nil {
			t.Errorf("Delete: %v", err)
		}
	}
	if _, err := s.Head(t.Context(), "a/b"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Head after Delete: %v, want ErrNotFound", err)
	}
	holds(t, s, "a/c", "y")
}

func badKeys(t *testing.T, s blob.Store) {
	for _, key := range []string{
		"", "/", "/etc/passwd", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "a/./b", "./a", "a/.hidden", ".hidden", "a.",
		`a\b`, `..\a`, "C:a", "a\x00b", "a\nb", "a\x7f", "cut \xff", strings.Repeat("x", 256), "a/" + strings.Repeat("é", 128),
		strings.Repeat("0123456/", 128) + "a", strings.Repeat("a/", 254) + "a", "a\ufffe",
	} {
		if _, err := s.Put(t.Context(), key, strings.NewReader("x"), blob.PutOptions{}); !errors.Is(err, blob.ErrBadKey) {
			t.Errorf("Put(%.40q): %v, want ErrBadKey", key, err)
		}
		if _, _, err := s.Get(t.Context(), key); !errors.Is(err, blob.ErrBadKey) {
			t.Errorf("Get(%.40q): %v, want ErrBadKey", key, err)
		}
		if _, err := s.Head(t.Context(), key); !errors.Is(err, blob.ErrBadKey) {
			t.Errorf("Head(%.40q): %v, want ErrBadKey", key, err)
		}
		if err := s.Delete(t.Context(), key); !errors.Is(err, blob.ErrBadKey) {
			t.Errorf("Delete(%.40q): %v, want ErrBadKey", key, err)
		}
	}
	if got := keys(t, s, "", "", 0); len(got) != 0 {
		t.Errorf("then there are %q", got)
	}
}

func goodKeys(t *testing.T, s blob.Store) {
	good := []string{
		"a", "A-b_c~d", "a.b.c", "a..b", "raw/us-cpsc/ab/abcdef.gz", "with blank", "100% #1?x=y&z", "données/été", "乳母车", "👶",
		strings.Repeat("x", 255), strings.Repeat("0123456/", 127) + "01234567", strings.Repeat("d/", 253) + "d",
		"plus+and space", "a%2Fb", "a;b=c,d", "'quotes\"", "<xml>&amp;", "\ue000", "\uffee", "\U0001f9f8/\uff5e", " blanks ",
	}
	slices.Sort(good)
	for _, key := range good {
		put(t, s, key, "content of "+key)
	}
	for _, key := range good {
		holds(t, s, key, "content of "+key)
	}
	if diff := cmp.Diff(good, keys(t, s, "", "", 0)); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func endedContext(t *testing.T, s blob.Store) {
	put(t, s, "a", "before")
	ctx, cancel := context.WithCancel(t.Context())
	// It ends in the middle of a put.
	content := io.MultiReader(strings.NewReader("after"), readerFunc(func(p []byte) (int, error) {
		cancel()
		return copy(p, bytes.Repeat([]byte{'x'}, len(p))), nil
	}))
	if _, err := s.Put(ctx, "a", content, blob.PutOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Put: %v, want context.Canceled", err)
	}
	holds(t, s, "a", "before")
	_, _, getErr := s.Get(ctx, "a")
	_, headErr := s.Head(ctx, "a")
	_, listErr := s.List(ctx, "", "", 0)
	_, putErr := s.Put(ctx, "b", strings.NewReader(""), blob.PutOptions{})
	for name, err := range map[string]error{
		"Get": getErr, "Head": headErr, "List": listErr, "Put": putErr, "Delete": s.Delete(ctx, "a"),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", name, err)
		}
	}
	holds(t, s, "a", "before")
}
