package photo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/blob/azure"
	"github.com/crownsafe/api/internal/blob/cached"
	"github.com/crownsafe/api/internal/blob/disk"
	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/cache/memory"
	"github.com/crownsafe/api/internal/egress"
	"github.com/crownsafe/api/internal/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// loopback allows test servers.
func loopback(to netip.AddrPort) error {
	if to.Addr().IsLoopback() {
		return nil
	}
	return egress.ErrNotPublic
}

func aPNG(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 20, 20))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fakeAgency counts how often it is asked.
type fakeAgency struct {
	*httptest.Server
	asked atomic.Int64
}

func newAgency(t testing.TB, answer http.HandlerFunc) *fakeAgency {
	t.Helper()
	a := &fakeAgency{}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.asked.Add(1)
		answer(w, r)
	}))
	t.Cleanup(a.Close)
	return a
}

func sends(contentType string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(body) // who refuses it goes away
	}
}

func newCache(t testing.TB) *cache.Cache {
	t.Helper()
	c := cache.New(memory.Open(memory.Options{Bytes: 16 << 20}), nil, cache.Options{})
	t.Cleanup(func() { c.Close() })
	return c
}

func newFolder(t testing.TB) blob.Store {
	t.Helper()
	store, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func newUploads(t testing.TB, store blob.Store, o blob.UploadOptions) *blob.Uploads {
	t.Helper()
	o.Spool = t.TempDir()
	uploads, err := blob.NewUploads(store, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = uploads.Drain(ctx) // some tests have a dead store
	})
	return uploads
}

// newMirror makes a mirror that may ask test servers. change may alter the options.
func newMirror(t testing.TB, change ...func(*Options)) *Mirror {
	t.Helper()
	o := Options{Store: newFolder(t), Cache: newCache(t), UserAgent: "CrownSafe/test (somebody@example.org)", Allow: loopback}
	for _, c := range change {
		c(&o)
	}
	m := New(o)
	t.Cleanup(m.Close)
	return m
}

func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestAPictureIsFetchedOnceAndKept(t *testing.T) {
	t.Parallel()
	want := aPNG(t)
	var agent, accept atomic.Value
	a := newAgency(t, func(w http.ResponseWriter, r *http.Request) {
		agent.Store(r.UserAgent())
		accept.Store(r.Header.Get("Accept"))
		sends("application/octet-stream", want)(w, r) // the bytes tell what it is
	})
	store := newFolder(t)
	uploads := newUploads(t, store, blob.UploadOptions{})
	m := newMirror(t, func(o *Options) { o.Store, o.Uploads = store, func() *blob.Uploads { return uploads } })
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			p, err := m.Picture(t.Context(), a.URL+"/1.png")
			if err != nil || p.Type != "image/png" || !bytes.Equal(p.Body, want) || p.Location != "" {
				t.Errorf("%d bytes of %s, %q, %v", len(p.Body), p.Type, p.Location, err)
			}
		})
	}
	wg.Wait()
	if asked := a.asked.Load(); asked != 1 {
		t.Errorf("the agency was asked %d times", asked)
	}
	if agent.Load() != "CrownSafe/test (somebody@example.org)" || !strings.Contains(accept.Load().(string), "image/jpeg") {
		t.Errorf("the agency saw %v, %v", agent.Load(), accept.Load())
	}
	await(t, "it is kept", func() bool { return uploads.Stats().Done == 1 })
	info, err := store.Head(t.Context(), keyOf(a.URL+"/1.png"))
	if err != nil || info.ContentType != "image/png" || !strings.HasPrefix(info.Key, "photos/") {
		t.Errorf("%+v, %v", info, err)
	}
	// Another process, that asks nobody.
	other := newMirror(t, func(o *Options) { o.Store, o.Offline = store, true })
	if p, err := other.Picture(t.Context(), a.URL+"/1.png"); err != nil || p.Type != "image/png" || !bytes.Equal(p.Body, want) {
		t.Errorf("%d bytes of %s, %v", len(p.Body), p.Type, err)
	}
	if _, err := other.Picture(t.Context(), a.URL+"/2.png"); !errors.Is(err, ErrAbsent) {
		t.Errorf("what isn't kept: %v", err)
	}
	if asked := a.asked.Load(); asked != 1 {
		t.Errorf("the agency was asked %d times", asked)
	}
}

func TestFewPicturesAreFetchedAtOnce(t *testing.T) {
	t.Parallel()
	inside, leave := make(chan struct{}, fetchesAtOnce), make(chan struct{})
	hold := func(w http.ResponseWriter, r *http.Request) {
		inside <- struct{}{}
		<-leave
		sends("image/png", aPNG(t))(w, r)
	}
	agencies := []*fakeAgency{newAgency(t, hold), newAgency(t, hold)}
	m := newMirror(t, func(o *Options) { o.turn = 50 * time.Millisecond })
	var wg sync.WaitGroup
	for i := range fetchesAtOnce {
		wg.Go(func() {
			if _, err := m.Picture(t.Context(), fmt.Sprintf("%s/%d.png", agencies[i%2].URL, i)); err != nil {
				t.Error(err)
			}
		})
	}
	for range fetchesAtOnce {
		<-inside
	}
	if _, err := m.Picture(t.Context(), agencies[0].URL+"/further.png"); !errors.Is(err, ErrBusy) {
		t.Errorf("one too many: %v", err)
	}
	close(leave)
	wg.Wait()
	if _, err := m.Picture(t.Context(), agencies[0].URL+"/further.png"); err != nil { // it isn't taken for absent
		t.Errorf("afterwards: %v", err)
	}
}

func TestWhoGoesAwaySpoilsItForNobody(t *testing.T) {
	t.Parallel()
	inside, leave := make(chan struct{}), make(chan struct{})
	a := newAgency(t, func(w http.ResponseWriter, r *http.Request) {
		inside <- struct{}{}
		<-leave
		sends("image/png", aPNG(t))(w, r)
	})
	m := newMirror(t)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() { _, err := m.Picture(ctx, a.URL); gone <- err }()
	<-inside
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(leave)
	if _, err := m.Picture(t.Context(), a.URL); err != nil || a.asked.Load() != 1 {
		t.Errorf("the next: %v, asked %d times", err, a.asked.Load())
	}
}

// deadStore refuses everything.
type deadStore struct{ blob.Store }

func (deadStore) Get(context.Context, string) (io.ReadCloser, blob.Info, error) {
	return nil, blob.Info{}, blob.ErrUnavailable
}
func (deadStore) Head(context.Context, string) (blob.Info, error) {
	return blob.Info{}, blob.ErrUnavailable
}
func (deadStore) Put(context.Context, string, io.Reader, blob.PutOptions) (blob.Info, error) {
	return blob.Info{}, blob.ErrUnavailable
}

func TestPicturesAreShownWithoutTheStoreOfObjects(t *testing.T) {
	t.Parallel()
	full := newUploads(t, deadStore{}, blob.UploadOptions{MaxQueued: 1})
	if _, err := full.Enqueue(t.Context(), "other", strings.NewReader("x"), blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	for name, uploads := range map[string]*blob.Uploads{"full": full, "none": nil} {
		for _, remote := range []bool{false, true} {
			a := newAgency(t, sends("image/png", aPNG(t)))
			m := newMirror(t, func(o *Options) {
				o.Store, o.Remote, o.Uploads = deadStore{}, remote, func() *blob.Uploads { return uploads }
			})
			for range 2 {
				if p, err := m.Picture(t.Context(), a.URL); err != nil || p.Type != "image/png" {
					t.Errorf("uploads %s: %+v, %v", name, p, err)
				}
			}
			if a.asked.Load() != 1 {
				t.Errorf("uploads %s: the agency was asked %d times", name, a.asked.Load())
			}
		}
	}
}

func TestWhatIsKeptIsHeldToTheSameRules(t *testing.T) {
	t.Parallel()
	a := newAgency(t, sends("image/png", aPNG(t)))
	store := newFolder(t)
	if _, err := store.Put(t.Context(), keyOf(a.URL), strings.NewReader("<script>"), blob.PutOptions{ContentType: "image/png"}); err != nil {
		t.Fatal(err)
	}
	m := newMirror(t, func(o *Options) { o.Store = store })
	if p, err := m.Picture(t.Context(), a.URL); err != nil || !bytes.Equal(p.Body, aPNG(t)) {
		t.Errorf("%.40q, %v", p.Body, err)
	}
}

func TestPicturesOfAnAccountAreFetchedThere(t *testing.T) {
	t.Parallel()
	connection, container := testenv.Azure(t)
	account, err := azure.Open(azure.Options{ConnectionString: connection, Container: container})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { account.Close() })
	a := newAgency(t, sends("image/png", aPNG(t)))
	remembered := newCache(t)
	store := cached.New(account, remembered, cached.Options{Namespace: container})
	uploads := newUploads(t, store, blob.UploadOptions{})
	m := newMirror(t, func(o *Options) {
		o.Store, o.Remote, o.Cache, o.Uploads = store, true, remembered, func() *blob.Uploads { return uploads }
	})
	if p, err := m.Picture(t.Context(), a.URL); err != nil || p.Location != "" || !bytes.Equal(p.Body, aPNG(t)) {
		t.Fatalf("the first: %+v, %v", p, err)
	}
	await(t, "it is kept", func() bool { return uploads.Stats().Done == 1 })
	p, err := m.Picture(t.Context(), a.URL)
	if err != nil || !strings.HasPrefix(p.Location, account.Origin()+"/") {
		t.Fatalf("the second: %+v, %v", p, err)
	}
	if again, err := m.Picture(t.Context(), a.URL); err != nil || again.Location != p.Location {
		t.Errorf("the third has another address: %v", err)
	}
	answer, err := http.Get(p.Location)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "image/png" || !bytes.Equal(body, aPNG(t)) {
		t.Errorf("%s: %d bytes of %s, %v", answer.Status, len(body), answer.Header.Get("Content-Type"), err)
	}
	http.DefaultClient.CloseIdleConnections()
}

// unsigned is a store whose credential may not sign.
type unsigned struct{ blob.Store }

func (unsigned) SignURL(context.Context, string, blob.Permission, time.Duration) (blob.SignedURL, error) {
	return blob.SignedURL{}, errors.ErrUnsupported
}

func TestPicturesOfAnAccountThatCannotSignAreSent(t *testing.T) {
	t.Parallel()
	store := newFolder(t)
	if _, err := store.Put(t.Context(), keyOf("https://agency.example/1.png"), bytes.NewReader(aPNG(t)), blob.PutOptions{ContentType: "image/png"}); err != nil {
		t.Fatal(err)
	}
	m := newMirror(t, func(o *Options) { o.Store, o.Remote, o.Offline = unsigned{store}, true, true })
	if p, err := m.Picture(t.Context(), "https://agency.example/1.png"); err != nil || !bytes.Equal(p.Body, aPNG(t)) {
		t.Errorf("%+v, %v", p, err)
	}
}
