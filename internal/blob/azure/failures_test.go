package azure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/blob"
)

var large = strings.Repeat("0123456789abcdef", 20<<10) // three blocks

func put(t *testing.T, s blob.Store, key, content string) blob.Info {
	t.Helper()
	info, err := s.Put(t.Context(), key, strings.NewReader(content), blob.PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func get(t *testing.T, s blob.Store, key string) (string, error) {
	t.Helper()
	object, _, err := s.Get(t.Context(), key)
	if err != nil {
		return "", err
	}
	defer object.Close()
	content, err := io.ReadAll(object)
	return string(content), err
}

func holds(t *testing.T, s blob.Store, key, want string) {
	t.Helper()
	if got, err := get(t, s, key); got != want || err != nil {
		t.Errorf("%s holds %d bytes, %v, want %d", key, len(got), err, len(want))
	}
}

func absent(t *testing.T, s blob.Store, key string) {
	t.Helper()
	if there, err := blob.Exists(t.Context(), s, key); there || err != nil {
		t.Errorf("%s is there: %t, %v", key, there, err)
	}
	if infos, err := s.List(t.Context(), key, "", 0); len(infos) != 0 || err != nil {
		t.Errorf("%s is listed: %v, %v", key, infos, err)
	}
}

// everything does each operation once, and checks what it did.
func everything(t *testing.T, s blob.Store) {
	t.Helper()
	for key, content := range map[string]string{"small": "content", "large": large} {
		if _, err := s.Put(t.Context(), key, strings.NewReader(content), blob.PutOptions{IfAbsent: true}); err != nil {
			t.Errorf("Put of something %s: %v", key, err)
		}
		holds(t, s, key, content)
		info, err := s.Head(t.Context(), key)
		if err != nil {
			t.Errorf("Head: %v", err)
		}
		if _, err := s.Put(t.Context(), key, strings.NewReader(content+"!"), blob.PutOptions{IfMatch: info.ETag}); err != nil {
			t.Errorf("Put in place of something %s: %v", key, err)
		}
		if _, err := s.Copy(t.Context(), key, "copy"); err != nil {
			t.Errorf("Copy: %v", err)
		}
		holds(t, s, "copy", content+"!")
	}
	if infos, err := s.List(t.Context(), "", "", 0); err != nil || len(infos) != 3 {
		t.Errorf("List: %d, %v", len(infos), err)
	}
	if err := s.Delete(t.Context(), "copy"); err != nil {
		t.Errorf("Delete: %v", err)
	}
	absent(t, s, "copy")
}

// Whatever happens to two attempts of each request, the third does what is
// asked, and not twice.
func TestPassingFailures(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(p *proxy) func(w http.ResponseWriter, r *http.Request) bool{
		"503":                 func(*proxy) func(http.ResponseWriter, *http.Request) bool { return answers(503, "ServerBusy") },
		"429":                 func(*proxy) func(http.ResponseWriter, *http.Request) bool { return answers(429, "") },
		"500":                 func(*proxy) func(http.ResponseWriter, *http.Request) bool { return answers(500, "OperationTimedOut") },
		"damaged on the way":  func(*proxy) func(http.ResponseWriter, *http.Request) bool { return answers(400, "Md5Mismatch") },
		"cut in the middle":   func(*proxy) func(http.ResponseWriter, *http.Request) bool { return cut },
		"the answer was lost": func(p *proxy) func(http.ResponseWriter, *http.Request) bool { return p.lost },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, o := newProxy(t)
			o.copyAtOnce = 200 << 10
			p.do(first(2, fault(p)))
			everything(t, openTest(t, o))
		})
	}
}

// What doesn't pass ends soon, as ErrUnavailable, and leaves nothing.
func TestLastingFailures(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(w http.ResponseWriter, r *http.Request) bool{
		"503": answers(503, "ServerBusy"), "cut": cut, "hangs": hang,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, o := newProxy(t)
			patient := openTest(t, o)
			o.Retries, o.TryTimeout = 1, 200*time.Millisecond
			s := openTest(t, o)
			put(t, patient, "kept", "what was there")
			for _, kind := range []string{"put", "stage", "commit"} {
				p.do(only(kind, fault))
				for _, key := range []string{"kept", "never"} {
					for _, content := range []string{"content", large} {
						if kind == "put" && content == large || kind != "put" && content != large {
							continue
						}
						if _, err := s.Put(t.Context(), key, strings.NewReader(content), blob.PutOptions{}); !errors.Is(err, blob.ErrUnavailable) {
							t.Errorf("Put of %s while %s fails: %v, want ErrUnavailable", key, kind, err)
						}
					}
				}
			}
			p.do(fault)
			_, getErr := get(t, s, "kept")
			_, headErr := s.Head(t.Context(), "kept")
			_, listErr := s.List(t.Context(), "", "", 0)
			_, copyErr := s.Copy(t.Context(), "kept", "never")
			for name, err := range map[string]error{
				"Get": getErr, "Head": headErr, "List": listErr, "Copy": copyErr, "Delete": s.Delete(t.Context(), "kept"), "Ping": s.Ping(t.Context()),
			} {
				if !errors.Is(err, blob.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: %v, want ErrUnavailable and no context's error", name, err)
				}
			}
			p.heal()
			holds(t, patient, "kept", "what was there")
			absent(t, patient, "never")
		})
	}
}

// Only what may pass is tried again.
func TestWhatIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	p, o := newProxy(t)
	s := openTest(t, o)
	for status, want := range map[int]error{
		404: blob.ErrNotFound, 403: blob.ErrDenied, 401: blob.ErrDenied, 412: blob.ErrChanged, 416: blob.ErrRange, 507: blob.ErrFull, 400: errUnexpected,
	} {
		p.do(answers(status, ""))
		before := p.requests.Load()
		if _, err := s.Head(t.Context(), "a"); !errors.Is(err, want) {
			t.Errorf("Head answered by %d: %v, want %v", status, err, want)
		}
		if tries := p.requests.Load() - before; tries != 1 {
			t.Errorf("after %d it was tried %d times, want once", status, tries)
		}
	}
	p.do(answers(403, "AuthorizationPermissionMismatch"))
	if err := s.Delete(t.Context(), "a"); !errors.Is(err, blob.ErrReadOnly) {
		t.Errorf("Delete that isn't permitted: %v, want ErrReadOnly", err)
	}
	p.do(answers(409, "ContainerBeingDeleted"))
	if _, err := s.Put(t.Context(), "a", strings.NewReader("x"), blob.PutOptions{}); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("Put into a container that is being deleted: %v, want ErrUnavailable", err)
	}
}

// A context that ends is heeded at once, wherever it ends.
func TestContextWhileItHangs(t *testing.T) {
	t.Parallel()
	p, o := newProxy(t)
	s := openTest(t, o)
	put(t, s, "a", large)
	p.do(hang)
	for name, do := range map[string]func(ctx context.Context) error{
		"Head": func(ctx context.Context) error { _, err := s.Head(ctx, "a"); return err },
		"Get":  func(ctx context.Context) error { _, _, err := s.Get(ctx, "a"); return err },
		"Put": func(ctx context.Context) error {
			_, err := s.Put(ctx, "b", strings.NewReader(large), blob.PutOptions{})
			return err
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		start := time.Now()
		if err := do(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want the context's error", name, err)
		}
		if took := time.Since(start); took > o.TryTimeout {
			t.Errorf("%s took %s to heed its context", name, took)
		}
		cancel()
	}
	// In the middle of a download.
	p.do(only("get", p.part(1000, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })))
	ctx, cancel := context.WithCancel(t.Context())
	object, _, err := s.Get(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	defer object.Close()
	if _, err := io.ReadFull(object, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := io.ReadAll(object); !errors.Is(err, context.Canceled) {
		t.Errorf("reading: %v, want context.Canceled", err)
	}
}

// A download that breaks off, or stands still, goes on where it was.
func TestDownloadGoesOn(t *testing.T) {
	t.Parallel()
	for name, then := range map[string]func(w http.ResponseWriter, r *http.Request){
		"cut":          func(http.ResponseWriter, *http.Request) {},
		"stands still": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, o := newProxy(t)
			put(t, openTest(t, o), "a", large)
			o.TryTimeout = 500 * time.Millisecond
			s := openTest(t, o)
			p.do(first(2, only("get", p.part(100_000, then))))
			holds(t, s, "a", large)

			p.do(first(1, only("get", p.part(1000, then))))
			part, _, err := s.GetRange(t.Context(), "a", blob.Range{Offset: 100, Length: 50_000})
			if err != nil {
				t.Fatal(err)
			}
			defer part.Close()
			if got, err := io.ReadAll(part); string(got) != large[100:50_100] || err != nil {
				t.Errorf("read %d bytes of a part, %v, want 50000", len(got), err)
			}

			p.do(only("get", p.part(0, then)))
			if _, err := get(t, s, "a"); !errors.Is(err, blob.ErrUnavailable) {
				t.Errorf("a download that always breaks off: %v, want ErrUnavailable", err)
			}
		})
	}
}

// What was replaced while a download was broken is never mixed with what was there.
func TestDownloadOfWhatIsReplaced(t *testing.T) {
	t.Parallel()
	p, o := newProxy(t)
	s := openTest(t, o)
	for name, change := range map[string]func(){
		"replaced": func() { put(t, s, "replaced", strings.ToUpper(large)) },
		"removed": func() {
			if err := s.Delete(t.Context(), "removed"); err != nil {
				t.Error(err)
			}
		},
	} {
		put(t, s, name, large)
		p.do(first(1, only("get", p.part(100_000, func(http.ResponseWriter, *http.Request) { change() }))))
		got, err := get(t, s, name)
		if !errors.Is(err, blob.ErrChanged) || !strings.HasPrefix(large, got) {
			t.Errorf("what was %s reads %d bytes, %v, want ErrChanged", name, len(got), err)
		}
	}
}

// An upload whose blocks another upload has discarded begins anew, if it can.
func TestOvertakenUpload(t *testing.T) {
	t.Parallel()
	p, o := newProxy(t)
	s, direct := openTest(t, o), openTest(t, o)
	overtake := func() {
		p.do(first(1, only("commit", func(http.ResponseWriter, *http.Request) bool {
			p.heal()
			put(t, direct, "a", large+"of another")
			return false
		})))
	}
	overtake()
	if info := put(t, s, "a", large); info.Size != int64(len(large)) {
		t.Errorf("Put told of %d bytes", info.Size)
	}
	holds(t, s, "a", large)
	overtake()
	unseekable := struct{ io.Reader }{strings.NewReader(large)}
	if _, err := s.Put(t.Context(), "a", unseekable, blob.PutOptions{}); !errors.Is(err, blob.ErrChanged) {
		t.Errorf("Put of what can't be read again: %v, want ErrChanged", err)
	}
	holds(t, s, "a", large+"of another")
}

// A process starts while the account is down, its breaker opens, and it finds the
// account when that comes.
func TestStartWithTheAccountDead(t *testing.T) {
	t.Parallel()
	p, o := newProxy(t)
	o.Retries = -1
	p.do(cut)
	s := openTest(t, o)
	g := blob.Guard(s, blob.GuardOptions{Backend: "azure", Failures: 2, OpenFor: 100 * time.Millisecond})
	for range 2 {
		if _, err := g.Head(t.Context(), "a"); !errors.Is(err, blob.ErrUnavailable) {
			t.Errorf("Head: %v, want ErrUnavailable", err)
		}
	}
	asked := p.requests.Load()
	if _, err := g.Head(t.Context(), "a"); !errors.Is(err, blob.ErrUnavailable) || p.requests.Load() != asked {
		t.Errorf("with the breaker open: %v after %d requests", err, p.requests.Load()-asked)
	}
	if health := g.Health(t.Context()); health.Status != blob.Unhealthy || health.LatencyMS != nil {
		t.Errorf("health is %+v", health)
	}
	p.heal()
	for deadline := time.Now().Add(time.Minute); g.Health(t.Context()).Status != blob.Healthy; <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the account is back, and health is %+v", g.Health(t.Context()))
		}
	}
	put(t, g, "a", large)
	holds(t, g, "a", large)
	health := g.Health(t.Context())
	if health.LatencyMS == nil || *health.LatencyMS <= 0 || health.Pool.ReuseRate == nil || *health.Pool.ReuseRate <= 0 || *health.Pool.ReuseRate > 100 {
		t.Errorf("health is %+v", health)
	}
}

// Uploads get through whatever passes, whole.
func TestUploadsThroughFaults(t *testing.T) {
	t.Parallel()
	p, o := newProxy(t)
	o.Retries = 1
	s := openTest(t, o)
	faults := []func(w http.ResponseWriter, r *http.Request) bool{cut, answers(503, "ServerBusy"), p.lost, answers(500, "")}
	p.do(func(w http.ResponseWriter, r *http.Request) bool {
		n := p.requests.Load()
		return n%3 == 0 && faults[n/3%4](w, r)
	})
	u, err := blob.NewUploads(blob.Guard(s, blob.GuardOptions{InFlight: 4, OpenFor: 10 * time.Millisecond}),
		blob.UploadOptions{Spool: t.TempDir(), FirstWait: time.Millisecond, MaxWait: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	contents := map[string]string{}
	for i := range 30 {
		key, content := fmt.Sprintf("k/%d", i), strings.Repeat(fmt.Sprint(i), 1+i*5000)
		contents[key] = content
		if _, err := u.Enqueue(t.Context(), key, strings.NewReader(content), blob.PutOptions{IfAbsent: true}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := u.Drain(ctx); err != nil {
		t.Errorf("Drain: %v", err)
	}
	if stats := u.Stats(); stats.Done != 30 || stats.Failed != 0 || stats.Queued != 0 {
		t.Errorf("stats are %+v", stats)
	}
	p.heal()
	for key, content := range contents {
		holds(t, s, key, content)
	}
}
