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
	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/blob"
)

// Exercise holds an adapter to the contract. open returns a new, empty store
// that nothing else uses; it is called by several subtests at the same time.
func Exercise(t *testing.T, open func(t *testing.T) blob.Store) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s blob.Store)
	}{
		{"what is put comes back", roundTrip},
		{"a second put replaces the first", replaced},
		{"if absent: an object is left alone", ifAbsent},
		{"if absent: of many exactly one succeeds", ifAbsentRace},
		{"a failed put leaves what was there", failedPut},
		{"a put is never seen half", neverHalf},
		{"an open object is read to its end", openWhileReplaced},
		{"what is not there", missing},
		{"delete may be repeated", deleted},
		{"bad keys are refused", badKeys},
		{"every good key works", goodKeys},
		{"list: order, prefix, after and limit", list},
		{"list: as a sorted map would", listLikeMap},
		{"an ended context", endedContext},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open(t))
		})
	}
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
	before := strings.Repeat("before ", 100_000)
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
		if err != nil || string(head)+string(rest) != before {
			t.Errorf("%q was open: read %d bytes, %v, want %d", key, len(head)+len(rest), err, len(before))
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
		strings.Repeat("0123456/", 128) + "a",
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
		strings.Repeat("x", 255), strings.Repeat("0123456/", 127) + "01234567",
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

func list(t *testing.T, s blob.Store) {
	all := []string{"a-b", "a/b", "a/c/d", "a/c0", "a0", "b/a", "b/b"}
	for _, key := range all {
		put(t, s, key, "x")
	}
	for _, test := range []struct {
		prefix, after string
		limit         int
		want          []string
	}{
		{"", "", 0, all},
		{"", "", 3, all[:3]},
		{"", "", 100, all},
		{"a", "", 0, all[:5]},
		{"a/", "", 0, all[1:4]},
		{"a/c", "", 0, all[2:4]},
		{"a/c/", "", 0, all[2:3]},
		{"a/c/d", "", 0, all[2:3]},
		{"a/c/d/", "", 0, nil},
		{"c", "", 0, nil},
		{"../", "", 0, nil},
		{"/", "", 0, nil},
		{"", "a/b", 0, all[2:]},
		{"", "a/", 0, all[1:]},
		{"", "a/bb", 2, all[2:4]},
		{"a", "a/c/d", 1, all[3:4]},
		{"b", "a", 0, all[5:]},
		{"a", "b", 0, nil},
		{"", "b/b", 0, nil},
	} {
		if got := keys(t, s, test.prefix, test.after, test.limit); !slices.Equal(got, test.want) {
			t.Errorf("List(%q, %q, %d) is %q, want %q", test.prefix, test.after, test.limit, got, test.want)
		}
	}
}

// listLikeMap draws keys from a small alphabet, so that prefixes and borders
// of folders meet.
func listLikeMap(t *testing.T, s blob.Store) {
	text := rapid.StringMatching(`[-ab/0]{0,5}`)
	var stored []string
	rapid.Check(t, func(rt *rapid.T) {
		key := "k" + rapid.StringMatching(`[-ab0]{0,2}(/[-ab0]{1,2}){0,2}`).Draw(rt, "key")
		clash := slices.ContainsFunc(stored, func(other string) bool {
			return strings.HasPrefix(other, key+"/") || strings.HasPrefix(key, other+"/")
		})
		if !clash && !slices.Contains(stored, key) {
			put(t, s, key, "x")
			stored = append(stored, key)
			slices.Sort(stored)
		}
		prefix, after := text.Draw(rt, "prefix"), text.Draw(rt, "after")
		if rapid.Bool().Draw(rt, "near keys") {
			prefix, after = "k"+prefix, "k"+after
		}
		limit := rapid.IntRange(0, 4).Draw(rt, "limit")
		var want []string
		for _, key := range stored {
			if strings.HasPrefix(key, prefix) && key > after && (limit == 0 || len(want) < limit) {
				want = append(want, key)
			}
		}
		if got := keys(t, s, prefix, after, limit); !slices.Equal(got, want) {
			rt.Fatalf("List(%q, %q, %d) of %q is %q, want %q", prefix, after, limit, stored, got, want)
		}
	})
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
