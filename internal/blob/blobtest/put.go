package blobtest

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/blob"
)

func md5Of(content string) string {
	sum := md5.Sum([]byte(content))
	return hex.EncodeToString(sum[:])
}

func head(t *testing.T, s blob.Store, key string) blob.Info {
	t.Helper()
	info, err := s.Head(t.Context(), key)
	if err != nil {
		t.Fatalf("Head(%q): %v", key, err)
	}
	return info
}

func ifMatch(t *testing.T, s blob.Store) {
	if _, err := s.Put(t.Context(), "a", strings.NewReader("x"), blob.PutOptions{IfMatch: `"nothing"`}); !errors.Is(err, blob.ErrChanged) {
		t.Errorf("Put in place of nothing: %v, want ErrChanged", err)
	}
	put(t, s, "a", "first")
	first := head(t, s, "a").ETag
	second, err := s.Put(t.Context(), "a", strings.NewReader("second"), blob.PutOptions{IfMatch: first})
	if err != nil {
		t.Fatalf("Put in place of what is there: %v", err)
	}
	if second.ETag == first || second.ETag != head(t, s, "a").ETag {
		t.Errorf("Put told the ETag %s after %s, Head %s", second.ETag, first, head(t, s, "a").ETag)
	}
	if _, err := s.Put(t.Context(), "a", strings.NewReader("third"), blob.PutOptions{IfMatch: first}); !errors.Is(err, blob.ErrChanged) {
		t.Errorf("Put in place of what was replaced: %v, want ErrChanged", err)
	}
	holds(t, s, "a", "second")
}

func ifMatchRace(t *testing.T, s blob.Store) {
	put(t, s, "a", "before")
	etag := head(t, s, "a").ETag
	var winners atomic.Int32
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			_, err := s.Put(t.Context(), "a", strings.NewReader(fmt.Sprint(i)), blob.PutOptions{IfMatch: etag})
			switch {
			case err == nil:
				winners.Add(1)
			case !errors.Is(err, blob.ErrChanged):
				t.Errorf("Put: %v", err)
			}
		})
	}
	group.Wait()
	if n := winners.Load(); n != 1 {
		t.Errorf("%d have replaced it, want 1", n)
	}
}

// told holds what Put, Get, GetRange and Head tell against one another.
func told(t *testing.T, s blob.Store) {
	for key, content := range map[string]string{
		"empty": "", "small": "a photo", "large": strings.Repeat("0123456789abcdef", 1<<16),
	} {
		fromPut, err := s.Put(t.Context(), key, strings.NewReader(content), blob.PutOptions{ContentType: "image/png"})
		if err != nil {
			t.Fatal(err)
		}
		want := blob.Info{
			Key: key, Size: int64(len(content)), ContentType: "image/png", MD5: md5Of(content),
			ModifiedAt: fromPut.ModifiedAt, ETag: fromPut.ETag,
		}
		object, fromGet, err := s.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		object.Close()
		for name, got := range map[string]blob.Info{"Put": fromPut, "Get": fromGet, "Head": head(t, s, key)} {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s of %s tells (-want +got):\n%s", name, key, diff)
			}
		}
		if len(want.ETag) < 3 || want.ETag[0] != '"' || want.ETag[len(want.ETag)-1] != '"' || want.ModifiedAt.IsZero() {
			t.Errorf("Put told %+v", want)
		}
		if content == "" {
			continue
		}
		part, fromRange, err := s.GetRange(t.Context(), key, blob.Range{Offset: 1, Length: 3})
		if err != nil {
			t.Fatal(err)
		}
		part.Close()
		if diff := cmp.Diff(want, fromRange); diff != "" {
			t.Errorf("GetRange of %s tells (-want +got):\n%s", key, diff)
		}
	}
}

func contentTypes(t *testing.T, s blob.Store) {
	for given, want := range map[string]string{
		"":                               blob.DefaultContentType,
		"text/html; charset=utf-8":       "text/html; charset=utf-8",
		`multipart/mixed; boundary="<>"`: `multipart/mixed; boundary="<>"`,
	} {
		if _, err := s.Put(t.Context(), "a", strings.NewReader("x"), blob.PutOptions{ContentType: given}); err != nil {
			t.Fatalf("Put with content type %q: %v", given, err)
		}
		if got := head(t, s, "a").ContentType; got != want {
			t.Errorf("content type %q became %q, want %q", given, got, want)
		}
	}
	for _, bad := range []string{"text", "text/html\r\nX: y", "text/plain; name=\"é\"", "a b/c", "text/" + strings.Repeat("x", 200)} {
		if _, err := s.Put(t.Context(), "a", strings.NewReader("x"), blob.PutOptions{ContentType: bad}); !errors.Is(err, blob.ErrBadContentType) {
			t.Errorf("Put with content type %.40q: %v, want ErrBadContentType", bad, err)
		}
	}
}

func givenMD5(t *testing.T, s blob.Store) {
	for name, content := range map[string]string{"small": "content", "large": strings.Repeat("content", 100_000)} {
		if _, err := s.Put(t.Context(), name, strings.NewReader(content), blob.PutOptions{MD5: md5Of("other")}); !errors.Is(err, blob.ErrDamaged) {
			t.Errorf("Put of what isn't its MD5: %v, want ErrDamaged", err)
		}
		if _, err := s.Head(t.Context(), name); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("then Head: %v, want ErrNotFound", err)
		}
		if _, err := s.Put(t.Context(), name, strings.NewReader(content), blob.PutOptions{MD5: md5Of(content)}); err != nil {
			t.Errorf("Put of what is its MD5: %v", err)
		}
	}
}

// cutContent is content that says itself that it ends too early, as the body of
// a request does whose connection broke; an adapter that fills buffers by
// io.ReadFull takes it for its end.
func cutContent(t *testing.T, s blob.Store) {
	for _, size := range []int{0, 10, 300_000} {
		content := io.MultiReader(strings.NewReader(strings.Repeat("x", size)), iotest.ErrReader(io.ErrUnexpectedEOF))
		if _, err := s.Put(t.Context(), "a", content, blob.PutOptions{}); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("Put of content that is cut after %d bytes: %v, want its error", size, err)
		}
	}
	if _, err := s.Head(t.Context(), "a"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("then Head: %v, want ErrNotFound", err)
	}
}

// stream puts content that can't be read again, of lengths around what adapters
// may cut it into.
func stream(t *testing.T, s blob.Store) {
	for _, size := range []int{0, 1, 100, 128<<10 - 1, 128 << 10, 128<<10 + 1, 256 << 10, 300_000} {
		content := strings.Repeat("0123456789", size/10+1)[:size]
		for name, reader := range map[string]io.Reader{
			"the end comes alone":    struct{ io.Reader }{strings.NewReader(content)},
			"the end comes with all": iotest.DataErrReader(strings.NewReader(content)),
			"in small parts":         iotest.HalfReader(struct{ io.Reader }{io.LimitReader(strings.NewReader(content), 1<<40)}),
		} {
			info, err := s.Put(t.Context(), "a", reader, blob.PutOptions{MD5: md5Of(content)})
			if err != nil || info.Size != int64(size) || info.MD5 != md5Of(content) {
				t.Errorf("%s: Put of %d bytes: %+v, %v", name, size, info, err)
			}
			holds(t, s, "a", content)
		}
	}
}

// fromTheMiddle puts what is left of content that somebody has begun to read.
func fromTheMiddle(t *testing.T, s blob.Store) {
	for _, size := range []int{10, 300_000} {
		content := strings.NewReader(strings.Repeat("x", 5) + strings.Repeat("y", size))
		if _, err := io.ReadFull(content, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Put(t.Context(), "a", content, blob.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		holds(t, s, "a", strings.Repeat("y", size))
	}
}

// samePut has several put a large object under one key: each is whole.
func samePut(t *testing.T, s blob.Store) {
	contents := map[string]bool{}
	var group sync.WaitGroup
	for i := range 4 {
		content := strings.Repeat(fmt.Sprint(i), 400_000)
		contents[content] = true
		group.Go(func() {
			if _, err := s.Put(t.Context(), "a", strings.NewReader(content), blob.PutOptions{}); err != nil {
				t.Errorf("Put: %v", err)
			}
		})
	}
	group.Wait()
	if got := get(t, s, "a"); !contents[got] {
		t.Errorf("it holds %d bytes that nobody put", len(got))
	}
}

// concurrent mixes everything; who reads gets one of the contents, whole.
func concurrent(t *testing.T, s blob.Store) {
	content := func(i int) string { return strings.Repeat(fmt.Sprint(i), 20_000) }
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for round := range 5 {
				key := fmt.Sprintf("k%d", (i+round)%2)
				if _, err := s.Put(t.Context(), key, strings.NewReader(content(i)), blob.PutOptions{}); err != nil {
					t.Errorf("Put: %v", err)
				}
				readWhole(t, s, key, content)
				if _, err := s.List(t.Context(), "", "", 0); err != nil {
					t.Errorf("List: %v", err)
				}
				if round == 3 {
					if err := s.Delete(t.Context(), key); err != nil {
						t.Errorf("Delete: %v", err)
					}
				}
			}
		})
	}
	group.Wait()
}

func readWhole(t *testing.T, s blob.Store, key string, content func(i int) string) {
	object, _, err := s.Get(t.Context(), key)
	if errors.Is(err, blob.ErrNotFound) {
		return
	}
	if err != nil {
		t.Errorf("Get: %v", err)
		return
	}
	defer object.Close()
	got, err := io.ReadAll(object)
	if errors.Is(err, blob.ErrChanged) {
		return
	}
	if err != nil || len(got) == 0 || string(got) != content(int(got[0]-'0')) {
		t.Errorf("read %d bytes that nobody put, %v", len(got), err)
	}
}
