package blob_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/testenv"
)

// backend is a store that says what a test wants, and counts how often it is
// asked.
type backend struct {
	blob.Store // none: what isn't here isn't asked
	failure    atomic.Pointer[error]
	asked      atomic.Int64
	hold       chan struct{} // unless nil, Head waits for it
	slow       time.Duration // Ping takes it
	body       io.Reader     // of Get
	panics     bool
}

func (b *backend) fail(err error) { b.failure.Store(&err) }

func (b *backend) answer() error {
	b.asked.Add(1)
	if b.panics {
		panic("somewhere in the store")
	}
	if err := b.failure.Load(); err != nil {
		return *err
	}
	return nil
}

func (b *backend) Head(ctx context.Context, key string) (blob.Info, error) {
	if b.hold != nil {
		select {
		case <-b.hold:
		case <-ctx.Done():
			return blob.Info{}, ctx.Err()
		}
	}
	return blob.Info{Key: key}, b.answer()
}

func (b *backend) GetRange(context.Context, string, blob.Range) (io.ReadCloser, blob.Info, error) {
	return io.NopCloser(b.body), blob.Info{}, b.answer()
}

func (b *backend) Ping(ctx context.Context) error {
	select {
	case <-time.After(b.slow):
		return b.answer()
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errDown = fmt.Errorf("asking somebody: %w", blob.ErrUnavailable)

func head(t *testing.T, g *blob.Guarded, want error) {
	t.Helper()
	if _, err := g.Head(t.Context(), "a"); !errors.Is(err, want) {
		t.Errorf("Head: %v, want %v", err, want)
	}
}

func TestGuardBoundsWhatIsInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &backend{hold: make(chan struct{})}
		g := blob.Guard(b, blob.GuardOptions{InFlight: 2, AcquireTimeout: 30 * time.Second})
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() { head(t, g, nil) })
		}
		synctest.Wait()
		if diff := cmp.Diff(blob.PoolStats{Size: 2, InUse: 2, Exhaustions: 1}, g.Pool()); diff != "" {
			t.Errorf("with two in flight and one waiting (-want +got):\n%s", diff)
		}
		b.hold <- struct{}{}
		synctest.Wait()
		if diff := cmp.Diff(blob.PoolStats{Size: 2, InUse: 2, Exhaustions: 1, Waits: 1}, g.Pool()); diff != "" {
			t.Errorf("when the third has its turn (-want +got):\n%s", diff)
		}
		start := time.Now()
		head(t, g, blob.ErrBusy)
		if waited := time.Since(start); waited != 30*time.Second {
			t.Errorf("it was refused after %s", waited)
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := g.Head(impatient, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Head: %v, want the context's error", err)
		}
		close(b.hold)
		group.Wait()
		if diff := cmp.Diff(blob.PoolStats{Size: 2, Idle: 2, Exhaustions: 3, Waits: 1, Timeouts: 1}, g.Pool()); diff != "" {
			t.Errorf("at the end (-want +got):\n%s", diff)
		}
	})
}

// However many uploads there are, and however slow, others have slots too.
func TestUploadsLeaveSlotsToOthers(t *testing.T) {
	t.Parallel()
	r := openRemote(t)
	release := blocked(r)
	g := blob.Guard(r, blob.GuardOptions{AcquireTimeout: time.Millisecond})
	u := uploading(t, g, blob.UploadOptions{Workers: 20})
	for i := range 20 {
		enqueue(t, u, fmt.Sprint(i), "content", blob.PutOptions{})
	}
	testenv.Eventually(t, testenv.Patience, "uploads have all that they may", func() bool { return g.Pool().InUse == 8 })
	head(t, g, blob.ErrNotFound)
	if pool := g.Pool(); pool.InUse != 8 || pool.Exhaustions != 0 {
		t.Errorf("beside uploads the pool is %+v", pool)
	}
	release()
	drain(t, u)
	wantStats(t, u, blob.UploadStats{Workers: 20, Done: 20})
	if pool := g.Pool(); pool.InUse != 0 {
		t.Errorf("at the end the pool is %+v", pool)
	}
}

// A guard so small that nothing could be kept free lets uploads go on.
func TestUploadsThroughOneSlot(t *testing.T) {
	t.Parallel()
	u := uploading(t, blob.Guard(openRemote(t), blob.GuardOptions{InFlight: 1}), blob.UploadOptions{})
	for i := range 5 {
		enqueue(t, u, fmt.Sprint(i), "content", blob.PutOptions{})
	}
	drain(t, u)
	wantStats(t, u, blob.UploadStats{Workers: 10, Done: 5})
}

// A panic takes neither a slot nor the breaker's only permit with it.
func TestGuardSurvivesPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &backend{body: strings.NewReader("content")}
		g := blob.Guard(b, blob.GuardOptions{InFlight: 1, Failures: 1, OpenFor: 10 * time.Second})
		for name, operation := range map[string]func() error{
			"head": func() error { _, err := g.Head(t.Context(), "a"); return err },
			"get": func() error {
				content, _, err := g.Get(t.Context(), "a")
				if err == nil {
					err = content.Close()
				}
				return err
			},
		} {
			b.fail(errDown)
			head(t, g, blob.ErrUnavailable)
			time.Sleep(10 * time.Second) // the next is the probe
			b.panics = true
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: the panic is gone", name)
					}
				}()
				_ = operation()
			}()
			b.panics = false
			b.fail(nil)
			time.Sleep(10 * time.Second)
			if err := operation(); err != nil || g.Pool().InUse != 0 || g.Breaker() != "closed" {
				t.Errorf("%s after a panic: %v; %d in flight, the breaker is %s", name, err, g.Pool().InUse, g.Breaker())
			}
		}
	})
}

// A Get is in flight until its content is closed, which may be done twice.
func TestGuardCountsOpenContent(t *testing.T) {
	t.Parallel()
	g := blob.Guard(&backend{body: strings.NewReader("content")}, blob.GuardOptions{InFlight: 1})
	content, _, err := g.Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if got := g.Pool().InUse; got != 1 {
		t.Errorf("with content open %d are in flight, want 1", got)
	}
	if got, err := io.ReadAll(content); string(got) != "content" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	for range 2 {
		if err := content.Close(); err != nil {
			t.Error(err)
		}
	}
	if got := g.Pool().InUse; got != 0 {
		t.Errorf("with content closed %d are in flight, want 0", got)
	}
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &backend{}
		g := blob.Guard(b, blob.GuardOptions{Failures: 3, OpenFor: 10 * time.Second})
		b.fail(errDown)
		for range 2 {
			head(t, g, blob.ErrUnavailable)
		}
		// An answer, be it no, is a sign of life.
		b.fail(blob.ErrNotFound)
		head(t, g, blob.ErrNotFound)
		b.fail(errDown)
		for range 3 {
			if state := g.Breaker(); state != "closed" {
				t.Fatalf("the breaker is %s too early", state)
			}
			head(t, g, blob.ErrUnavailable)
		}
		if state := g.Breaker(); state != "open" {
			t.Fatalf("after three failures the breaker is %s", state)
		}
		asked := b.asked.Load()
		head(t, g, blob.ErrUnavailable)
		if b.asked.Load() != asked {
			t.Error("a backend that is left alone was asked")
		}
		// It is asked again after a while, once, and left alone when it fails.
		time.Sleep(10 * time.Second)
		head(t, g, blob.ErrUnavailable)
		head(t, g, blob.ErrUnavailable)
		if got := b.asked.Load() - asked; got != 1 {
			t.Errorf("it was asked %d times, want once", got)
		}
		b.fail(nil)
		time.Sleep(10 * time.Second)
		head(t, g, nil)
		if state := g.Breaker(); state != "closed" {
			t.Errorf("after a success the breaker is %s", state)
		}
	})
}

// What says nothing about the backend neither opens nor closes the breaker, and
// doesn't keep it half open for ever.
func TestBreakerAndOtherErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &backend{}
		g := blob.Guard(b, blob.GuardOptions{Failures: 2, OpenFor: 10 * time.Second})
		for _, err := range []error{context.Canceled, errors.New("the content broke"), blob.ErrDamaged, blob.ErrBadKey} {
			b.fail(err)
			for range 3 {
				head(t, g, err)
			}
		}
		b.fail(context.DeadlineExceeded) // nobody waits for it any longer
		head(t, g, context.DeadlineExceeded)
		head(t, g, context.DeadlineExceeded)
		if state := g.Breaker(); state != "open" {
			t.Fatalf("a backend that is too slow for everybody has the breaker %s", state)
		}
		time.Sleep(10 * time.Second)
		b.fail(context.Canceled)
		head(t, g, context.Canceled)
		if state := g.Breaker(); state != "open" {
			t.Errorf("a probe that was cancelled left the breaker %s", state)
		}
		time.Sleep(10 * time.Second)
		b.fail(nil)
		head(t, g, nil)
		if state := g.Breaker(); state != "closed" {
			t.Errorf("at the end the breaker is %s", state)
		}
	})
}

// A download that breaks off counts like a failed request.
func TestBreakerSeesBrokenContent(t *testing.T) {
	t.Parallel()
	b := &backend{body: readerFunc(func([]byte) (int, error) { return 0, errDown })}
	g := blob.Guard(b, blob.GuardOptions{Failures: 1})
	content, _, err := g.Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	if _, err := io.ReadAll(content); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("reading: %v", err)
	}
	if state := g.Breaker(); state != "open" {
		t.Errorf("the breaker is %s", state)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &backend{slow: 12500 * time.Microsecond}
		g := blob.Guard(b, blob.GuardOptions{Backend: "azure", InFlight: 4, Failures: 2, OpenFor: 10 * time.Second, HealthTimeout: 2 * time.Second})
		latency := 12.5
		want := blob.Health{
			Status: blob.Healthy, Backend: "azure", LatencyMS: &latency, Pool: blob.PoolStats{Size: 4, Idle: 4},
			Checks: map[string]string{"account": "ok", "breaker": "closed"},
		}
		// However many ask, the backend is asked once a second, also where the first
		// goes away.
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if health := g.Health(gone); health.Status != blob.Unhealthy {
			t.Errorf("to somebody who is gone health is %+v", health)
		}
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if diff := cmp.Diff(want, g.Health(t.Context())); diff != "" {
					t.Errorf("health (-want +got):\n%s", diff)
				}
			})
		}
		group.Wait()
		if got := b.asked.Load(); got != 1 {
			t.Errorf("the backend was asked %d times, want once", got)
		}

		b.slow = time.Hour
		for range 2 {
			time.Sleep(time.Second)
			start := time.Now()
			health := g.Health(t.Context())
			if waited := time.Since(start); waited != 2*time.Second {
				t.Errorf("a backend that hangs held health up for %s", waited)
			}
			if health.Status != blob.Unhealthy || health.LatencyMS != nil || health.Checks["account"] != blob.ErrUnavailable.Error() {
				t.Errorf("then health is %+v", health)
			}
		}
		synctest.Wait()
		head(t, g, blob.ErrUnavailable) // health has opened the breaker

		b.slow = 0
		time.Sleep(time.Second)
		if health := g.Health(t.Context()); health.Status != blob.Degraded || health.Checks["breaker"] != "open" {
			t.Errorf("with the backend back and the breaker open health is %+v", health)
		}
		time.Sleep(10 * time.Second)
		if health := g.Health(t.Context()); health.Status != blob.Healthy || health.Checks["breaker"] != "closed" {
			t.Errorf("later health is %+v", health)
		}

		b.fail(fmt.Errorf("listing /srv/secret: %w", blob.ErrDenied))
		time.Sleep(time.Second)
		if health := g.Health(t.Context()); health.Status != blob.Unhealthy || health.Checks["account"] != blob.ErrDenied.Error() {
			t.Errorf("of a backend that refuses us health is %+v", health)
		}
	})
}

// stalled is a backend that heeds no context, as a folder on a dead file server.
type stalled struct {
	blob.Store
	asked  atomic.Int64
	answer chan struct{}
}

func (s *stalled) Ping(context.Context) error {
	s.asked.Add(1)
	<-s.answer
	return nil
}

// A backend that hangs for good holds up nobody who asks for health, and no more
// than one question.
func TestHealthOfAStalledBackend(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &stalled{answer: make(chan struct{})}
		g := blob.Guard(s, blob.GuardOptions{HealthTimeout: 2 * time.Second})
		for _, patience := range []time.Duration{time.Second, time.Hour} {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			start := time.Now()
			if health := g.Health(ctx); health.Status != blob.Unhealthy || health.LatencyMS != nil {
				t.Errorf("health is %+v", health)
			}
			if waited := time.Since(start); waited != min(patience, 2*time.Second) {
				t.Errorf("who has %s waited %s", patience, waited)
			}
			cancel()
		}
		if got := s.asked.Load(); got != 1 {
			t.Errorf("it was asked %d times, want once", got)
		}
		close(s.answer)
		synctest.Wait()
		if health := g.Health(t.Context()); health.Status != blob.Healthy {
			t.Errorf("of a backend that answers again health is %+v", health)
		}
	})
}

type reusing struct {
	backend
	requests, reused int64
}

func (r *reusing) Connections() (int64, int64) { return r.requests, r.reused }

func TestReuseRate(t *testing.T) {
	t.Parallel()
	r := &reusing{}
	g := blob.Guard(r, blob.GuardOptions{})
	if rate := g.Pool().ReuseRate; rate != nil {
		t.Errorf("before any request the reuse rate is %g, want none", *rate)
	}
	r.requests, r.reused = 8, 6
	if rate := g.Pool().ReuseRate; rate == nil || *rate != 75 {
		t.Errorf("the reuse rate is %v, want 75", rate)
	}
}

func TestObserve(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &backend{hold: make(chan struct{}), body: strings.NewReader("")}
		var seen []string
		g := blob.Guard(b, blob.GuardOptions{Failures: 1, Observe: func(operation string, took time.Duration, err error) {
			seen = append(seen, fmt.Sprint(operation, " ", took, " ", err))
		}})
		time.AfterFunc(5*time.Second, func() { close(b.hold) })
		head(t, g, nil)
		b.fail(errDown)
		if _, _, err := g.Get(t.Context(), "a"); !errors.Is(err, blob.ErrUnavailable) {
			t.Errorf("Get: %v", err)
		}
		head(t, g, blob.ErrUnavailable) // the store isn't asked any more
		if diff := cmp.Diff([]string{"head 5s <nil>", "get 0s " + errDown.Error()}, seen); diff != "" {
			t.Errorf("Observe was told (-want +got):\n%s", diff)
		}
	})
}
