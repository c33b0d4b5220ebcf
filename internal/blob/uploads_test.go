package blob_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/testenv"
)

// uploading starts uploads that try again soon, and drains them at the end.
func uploading(t *testing.T, s blob.Store, o blob.UploadOptions) *blob.Uploads {
	t.Helper()
	if o.Spool == "" {
		o.Spool = t.TempDir()
	}
	o.FirstWait, o.MaxWait = time.Millisecond, 4*time.Millisecond
	u, err := blob.NewUploads(s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = u.Drain(ended) // a test that cares has done it
	})
	return u
}

func enqueue(t *testing.T, u *blob.Uploads, key, content string, opts blob.PutOptions) *blob.Upload {
	t.Helper()
	upload, err := u.Enqueue(t.Context(), key, strings.NewReader(content), opts)
	if err != nil {
		t.Fatal(err)
	}
	return upload
}

// soon is how long a test waits for what happens by itself.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func wait(t *testing.T, upload *blob.Upload) (blob.Info, error) {
	t.Helper()
	ctx := soon(t)
	info, err := upload.Wait(ctx)
	if ctx.Err() != nil {
		t.Fatalf("the upload of %s doesn't end", upload.Key())
	}
	return info, err
}

func drain(t *testing.T, u *blob.Uploads) {
	t.Helper()
	if err := u.Drain(soon(t)); err != nil {
		t.Errorf("Drain: %v", err)
	}
}

func content(t *testing.T, s blob.Store, key string) string {
	t.Helper()
	object, _, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer object.Close()
	content, err := io.ReadAll(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func wantSpool(t *testing.T, folder string, want int) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(folder, "[^.]*"))
	if err != nil || len(left) != want {
		t.Errorf("in the spool there is %q, %v, want %d files", left, err, want)
	}
}

// wantStats compares what API answers show.
func wantStats(t *testing.T, u *blob.Uploads, want blob.UploadStats) {
	t.Helper()
	if diff := cmp.Diff(want, u.Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}

func TestUploads(t *testing.T) {
	t.Parallel()
	r, spool := openRemote(t), t.TempDir()
	u := uploading(t, r, blob.UploadOptions{Spool: spool, Workers: 3})
	var uploads []*blob.Upload
	for i := range 20 {
		uploads = append(uploads, enqueue(t, u, fmt.Sprintf("k/%02d", i), strings.Repeat("x", i*1000), blob.PutOptions{ContentType: "image/png"}))
	}
	for i, upload := range uploads {
		info, err := wait(t, upload)
		if err != nil || info.Key != upload.Key() || info.Size != int64(i*1000) || info.ContentType != "image/png" {
			t.Errorf("upload %d: %+v, %v", i, info, err)
		}
		if got := content(t, r, upload.Key()); got != strings.Repeat("x", i*1000) {
			t.Errorf("upload %d stored %d bytes", i, len(got))
		}
	}
	drain(t, u)
	wantStats(t, u, blob.UploadStats{Workers: 3, Done: 20})
	wantSpool(t, spool, 0)
	if _, err := u.Enqueue(t.Context(), "a", strings.NewReader("x"), blob.PutOptions{}); !errors.Is(err, blob.ErrStopped) {
		t.Errorf("Enqueue after Drain: %v, want ErrStopped", err)
	}
}

// What passes is tried until it has passed; what doesn't ends at some time.
func TestUploadsTryAgain(t *testing.T) {
	t.Parallel()
	r, spool := openRemote(t), t.TempDir()
	odd := errors.New("something odd")
	r.before = func(_ context.Context, key string, attempt int) error {
		if key == "odd" {
			return odd
		}
		for i, err := range []error{blob.ErrUnavailable, blob.ErrBusy, blob.ErrFull, blob.ErrReadOnly, blob.ErrDenied, context.DeadlineExceeded, blob.ErrUnavailable} {
			if attempt == i+1 {
				return fmt.Errorf("attempt %d: %w", attempt, err)
			}
		}
		return nil
	}
	var finished sync.Map
	u := uploading(t, r, blob.UploadOptions{Spool: spool, Finished: func(key string, _ blob.Info, err error) {
		if before, twice := finished.Swap(key, err); twice {
			t.Errorf("%s has finished twice: %v, %v", key, before, err)
		}
	}})
	passing, failing := enqueue(t, u, "passing", "content", blob.PutOptions{}), enqueue(t, u, "odd", "content", blob.PutOptions{})
	if _, err := wait(t, passing); err != nil {
		t.Errorf("an upload whose failures pass: %v", err)
	}
	if _, err := wait(t, failing); !errors.Is(err, odd) {
		t.Errorf("an upload that fails for ever: %v, want its error", err)
	}
	drain(t, u)
	wantStats(t, u, blob.UploadStats{Workers: 10, Done: 1, Failed: 1, Retries: 7 + 4})
	wantSpool(t, spool, 1)
	for key, want := range map[string]error{"passing": nil, "odd": odd} {
		if got, told := finished.Load(key); !told || want == nil && got != nil || want != nil && !errors.Is(got.(error), want) {
			t.Errorf("Finished was told %v of %s, want %v", got, key, want)
		}
	}
	if got := content(t, r, "passing"); got != "content" {
		t.Errorf("it stored %q", got)
	}
}

// What has failed for good stays where an operator finds it, and is stored when he
// asks for it.
func TestFailedUploadIsPutAside(t *testing.T) {
	t.Parallel()
	r, spool := openRemote(t), t.TempDir()
	r.before = func(context.Context, string, int) error { return errors.New("something odd") }
	u := uploading(t, r, blob.UploadOptions{Spool: spool})
	enqueue(t, u, "a", "content", blob.PutOptions{})
	drain(t, u)
	aside, err := filepath.Glob(filepath.Join(spool, "*.upload.failed"))
	if err != nil || len(aside) != 1 {
		t.Fatalf("put aside: %q, %v", aside, err)
	}
	r.failing(nil)
	again := uploading(t, r, blob.UploadOptions{Spool: spool})
	drain(t, again)
	wantStats(t, again, blob.UploadStats{Workers: 10, Failed: 1})
	if there, err := blob.Exists(t.Context(), r, "a"); there || err != nil {
		t.Errorf("what failed is tried again by itself: %t, %v", there, err)
	}
	if err := os.Rename(aside[0], strings.TrimSuffix(aside[0], ".failed")); err != nil {
		t.Fatal(err)
	}
	asked := uploading(t, r, blob.UploadOptions{Spool: spool})
	drain(t, asked)
	wantStats(t, asked, blob.UploadStats{Workers: 10, Done: 1})
	if got := content(t, r, "a"); got != "content" {
		t.Errorf("it stored %q", got)
	}
	wantSpool(t, spool, 0)
}

// An answer that was lost must not make an upload fail, or store twice.
func TestUploadWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	r := openRemote(t)
	r.after = func(_ string, attempt int) error {
		if attempt == 1 {
			return blob.ErrUnavailable
		}
		return nil
	}
	u := uploading(t, r, blob.UploadOptions{})
	if info, err := wait(t, enqueue(t, u, "a", "content", blob.PutOptions{IfAbsent: true})); err != nil || info.Size != 7 {
		t.Errorf("the upload ended with %+v, %v", info, err)
	}
	if _, err := wait(t, enqueue(t, u, "a", "another", blob.PutOptions{IfAbsent: true})); !errors.Is(err, blob.ErrExists) {
		t.Errorf("an upload to where another object is: %v, want ErrExists", err)
	}
	if got := content(t, r, "a"); got != "content" {
		t.Errorf("it holds %q", got)
	}
}

// blocked makes uploads wait until the returned function is called.
func blocked(r *remote) (release func()) {
	gate := make(chan struct{})
	r.failing(func(ctx context.Context, _ string, _ int) error {
		select {
		case <-gate:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	return sync.OnceFunc(func() { close(gate) })
}

func TestFullQueue(t *testing.T) {
	t.Parallel()
	r, spool := openRemote(t), t.TempDir()
	release := blocked(r)
	u := uploading(t, r, blob.UploadOptions{Spool: spool, Workers: 1, MaxQueued: 3, MaxBytes: 1000})
	for i := range 2 {
		enqueue(t, u, fmt.Sprint(i), "content", blob.PutOptions{})
	}
	// Content that there is no room for is read only that far.
	read := &counter{Reader: strings.NewReader(strings.Repeat("x", 1<<20))}
	if _, err := u.Enqueue(t.Context(), "large", read, blob.PutOptions{}); !errors.Is(err, blob.ErrQueueFull) || read.n > 100_000 {
		t.Errorf("Enqueue of too much: %v after %d bytes, want ErrQueueFull", err, read.n)
	}
	wantStats(t, u, blob.UploadStats{Workers: 1, Queued: 2, Bytes: 14})
	enqueue(t, u, "2", "content", blob.PutOptions{})
	unread := &counter{Reader: strings.NewReader("content")}
	_, err := u.Enqueue(t.Context(), "3", unread, blob.PutOptions{})
	if !errors.Is(err, blob.ErrQueueFull) || unread.n != 0 || !strings.Contains(err.Error(), "3 of 3") {
		t.Errorf("Enqueue of one too many: %v after %d bytes, want ErrQueueFull with the number", err, unread.n)
	}
	wantSpool(t, spool, 3)
	release()
	drain(t, u)
	wantStats(t, u, blob.UploadStats{Workers: 1, Done: 3})
}

type counter struct {
	io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

func TestEnqueueRefuses(t *testing.T) {
	t.Parallel()
	spool := t.TempDir()
	u := uploading(t, openRemote(t), blob.UploadOptions{Spool: spool})
	broken := errors.New("the connection broke")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		ctx     context.Context
		key     string
		content io.Reader
		opts    blob.PutOptions
		want    error
	}{
		"a bad key":          {t.Context(), "../a", strings.NewReader("x"), blob.PutOptions{}, blob.ErrBadKey},
		"a bad content type": {t.Context(), "a", strings.NewReader("x"), blob.PutOptions{ContentType: "x"}, blob.ErrBadContentType},
		"a condition":        {t.Context(), "a", strings.NewReader("x"), blob.PutOptions{IfMatch: `"x"`}, errors.ErrUnsupported},
		"another MD5":        {t.Context(), "a", strings.NewReader("x"), blob.PutOptions{MD5: strings.Repeat("0", 32)}, blob.ErrDamaged},
		"broken content":     {t.Context(), "a", io.MultiReader(strings.NewReader("x"), iotest.ErrReader(broken)), blob.PutOptions{}, broken},
		"an ended context":   {ended, "a", strings.NewReader("x"), blob.PutOptions{}, context.Canceled},
	} {
		if _, err := u.Enqueue(test.ctx, test.key, test.content, test.opts); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	wantStats(t, u, blob.UploadStats{Workers: 10})
	wantSpool(t, spool, 0)
}

// Uploads of one key are stored in their order, whatever fails on the way.
func TestUploadsOfOneKey(t *testing.T) {
	t.Parallel()
	r := openRemote(t)
	r.before = func(_ context.Context, _ string, attempt int) error {
		if attempt%2 == 1 {
			return blob.ErrUnavailable
		}
		return nil
	}
	var mu sync.Mutex
	var order []int64
	u := uploading(t, r, blob.UploadOptions{Finished: func(_ string, info blob.Info, _ error) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, info.Size)
	}})
	for i := range 10 {
		enqueue(t, u, "a", strings.Repeat("x", i), blob.PutOptions{})
	}
	drain(t, u)
	if diff := cmp.Diff([]int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, order); diff != "" {
		t.Errorf("stored in this order (-want +got):\n%s", diff)
	}
	if got := content(t, r, "a"); len(got) != 9 {
		t.Errorf("the last that was enqueued has 9 bytes, the object %d", len(got))
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	r, spool := openRemote(t), t.TempDir()
	release := blocked(r)
	u := uploading(t, r, blob.UploadOptions{Spool: spool, Workers: 1})
	running := enqueue(t, u, "running", "x", blob.PutOptions{})
	testenv.Eventually(t, testenv.Patience, "the first upload begins", func() bool { return r.attempts("running") > 0 })
	waiting, second, kept := enqueue(t, u, "b", "x", blob.PutOptions{}), enqueue(t, u, "b", "y", blob.PutOptions{}), enqueue(t, u, "b", "z", blob.PutOptions{})
	for _, upload := range []*blob.Upload{second, waiting, running} {
		upload.Cancel()
		upload.Cancel()
		if _, err := wait(t, upload); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled upload of %s: %v, want context.Canceled", upload.Key(), err)
		}
	}
	release()
	if _, err := wait(t, kept); err != nil {
		t.Errorf("an upload that wasn't cancelled: %v", err)
	}
	drain(t, u)
	wantStats(t, u, blob.UploadStats{Workers: 1, Done: 1})
	wantSpool(t, spool, 0)
	if there, err := blob.Exists(t.Context(), r, "running"); there || err != nil {
		t.Errorf("what was cancelled is there: %t, %v", there, err)
	}
	if got := content(t, r, "b"); got != "z" {
		t.Errorf("it holds %q", got)
	}
}

// Cancelling what has just been stored changes nothing.
func TestCancelTooLate(t *testing.T) {
	t.Parallel()
	stored, cancelled := make(chan struct{}), make(chan struct{})
	u := uploading(t, openRemote(t), blob.UploadOptions{Finished: func(string, blob.Info, error) {
		close(stored)
		<-cancelled
	}})
	upload := enqueue(t, u, "a", "x", blob.PutOptions{})
	<-stored
	upload.Cancel()
	close(cancelled)
	if _, err := wait(t, upload); err != nil {
		t.Errorf("the upload ended with %v", err)
	}
	drain(t, u)
	wantStats(t, u, blob.UploadStats{Workers: 10, Done: 1})
}
