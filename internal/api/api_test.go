package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/lookup"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/source"
	"github.com/crownsafe/api/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memoryStore is the little of a store that the API and the catalogue need.
type memoryStore struct {
	store.Notices
	mu        sync.Mutex
	current   map[string]store.Stored
	revisions map[string][]store.Revision
	former    map[string]string
	serial    int64
	down      error
}

func newMemoryStore() *memoryStore {
	return &memoryStore{current: map[string]store.Stored{}, revisions: map[string][]store.Revision{}, former: map[string]string{}}
}

func (m *memoryStore) put(n recall.Notice, seen time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.serial++
	n.Revision = len(m.revisions[n.ID]) + 1
	n.Normalise()
	m.current[n.ID] = store.Stored{Serial: m.serial, Notice: n, Tombstone: n.Status == recall.Withdrawn}
	m.revisions[n.ID] = append(m.revisions[n.ID], store.Revision{Serial: m.serial, SeenAt: seen, Notice: n})
}

func (m *memoryStore) Serial(context.Context) (int64, error) { return m.serial, m.down }

func (m *memoryStore) Changes(_ context.Context, since int64, _ int, yield func(store.Stored) error) error {
	var list []store.Stored
	for _, s := range m.current {
		if s.Serial > since {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b store.Stored) int { return int(a.Serial - b.Serial) })
	for _, s := range list {
		if err := yield(s); err != nil {
			return err
		}
	}
	return m.down
}

func (m *memoryStore) Notice(_ context.Context, id string) (store.Stored, error) {
	if m.down != nil {
		return store.Stored{}, m.down
	}
	if to, ok := m.former[id]; ok {
		id = to
	}
	s, ok := m.current[id]
	if !ok {
		return s, store.ErrNotFound
	}
	return s, nil
}

func (m *memoryStore) NoticeAsOf(_ context.Context, id string, at time.Time) (store.Revision, error) {
	if m.down != nil {
		return store.Revision{}, m.down
	}
	for _, r := range slices.Backward(m.revisions[id]) {
		if !r.SeenAt.After(at) {
			return r, nil
		}
	}
	return store.Revision{}, store.ErrNotFound
}

func (m *memoryStore) Revisions(_ context.Context, id string) ([]store.Revision, error) {
	if m.down != nil {
		return nil, m.down
	}
	if list := m.revisions[id]; len(list) > 0 {
		return slices.Clone(list), nil // as a store's: the caller's own
	}
	return nil, store.ErrNotFound
}

// fixedSources has two agencies; the first was polled at a known time.
type fixedSources struct {
	now     func() time.Time
	polled  time.Time
	state   source.State
	licence string // of the first; "": public domain
}

func (f *fixedSources) List(snap *catalogue.Snapshot) []source.Source {
	age := int64(f.now().Sub(f.polled).Seconds())
	count := snap.Counts()
	return []source.Source{
		{Agency: "eu-safety-gate", Name: "Safety Gate", Country: "EU", State: source.Never, Reason: "never polled", Quality: noQuality},
		{
			Agency: "us-cpsc", Name: "Consumer Product Safety Commission", Country: "US", State: f.state, LastSuccessAt: &f.polled, AgeSeconds: &age,
			Notices: count["us-cpsc"].Notices, BarcodeShare: 0.5, Licence: cmp.Or(f.licence, "public domain"), Republish: true, Quality: noQuality,
		},
	}
}

var noQuality = source.Quality{Flags: map[recall.FlagKind]int{}}

func (f *fixedSources) Fingerprint(*catalogue.Snapshot) string { return string(f.state) }

// bench is a whole API over a small catalogue, with a clock that a test turns.
type bench struct {
	http.Handler
	store    *memoryStore
	board    *catalogue.Catalogue
	sources  *fixedSources
	log      *bytes.Buffer
	clock    time.Time
	draining bool
	ping     error
}

// start is the time at which every test begins.
var start = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

// newBench makes an API over the notices of fixture. change may alter the dependencies.
func newBench(t testing.TB, change ...func(*Dependencies)) *bench {
	t.Helper()
	b := &bench{store: newMemoryStore(), board: catalogue.New(), log: &bytes.Buffer{}, clock: start}
	b.sources = &fixedSources{now: b.now, polled: start.Add(-412 * time.Second), state: source.OK}
	for _, n := range fixture() {
		b.store.put(n, start.Add(-48*time.Hour))
	}
	b.load(t)
	d := Dependencies{
		Catalogue: b, Lookup: lookup.New(b.sources, b.now), Sources: b.sources, History: b.store,
		Ping: func(context.Context) error { return b.ping }, Draining: func() bool { return b.draining },
		Logger: slog.New(slog.NewJSONHandler(b.log, nil)), Now: b.now, Version: "test",
	}
	for _, c := range change {
		c(&d)
	}
	handler, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	b.Handler = handler
	return b
}

func (b *bench) now() time.Time { return b.clock }

// Current makes the bench the API's catalogue, so that a test can change it.
func (b *bench) Current() *catalogue.Snapshot { return b.board.Current() }

func (b *bench) load(t testing.TB) {
	t.Helper()
	if err := b.board.Load(t.Context(), b.store); err != nil {
		t.Fatal(err)
	}
}

// fixture are invented notices of two agencies.
func fixture() []recall.Notice {
	var list []recall.Notice
	for i := range 30 {
		list = append(list, recall.Notice{
			ID: fmt.Sprintf("us-cpsc:26-%03d", 100+i), Agency: "us-cpsc", URL: "https://example.org/recalls/" + fmt.Sprint(i), Language: "en",
			Title: fmt.Sprintf("Tumblewick recalls Snoozle %c stroller", 'A'+i%26), Summary: "The brake can fail & the stroller <rolls> away.",
			PublishedAt: start.AddDate(0, 0, -i), FirstSeenAt: start, Countries: []string{"US"}, Audience: recall.Infant, Categories: []string{"strollers"},
			Products:   []recall.Product{{Name: "Snoozle stroller", Brand: "Tumblewick", Models: []string{fmt.Sprintf("SZ-%d", 100+i)}}},
			Hazards:    []recall.Hazard{{Type: recall.HazardFall, Text: "Fall hazard"}},
			Remedy:     recall.Remedy{Types: []recall.RemedyType{recall.RemedyRepair}, Text: "Ask for a repair kit.", Contact: "0800 000"},
			Provenance: recall.Provenance{FetchedAt: start, SourceURL: "https://example.org/feed", SHA256: "00ff", Raw: "00ff.gz"},
		})
	}
	list[0].Products[0].GTINs = []recall.PrintedGTIN{{GTIN: "00036000291452", Printed: "036000291452", From: "ProductUPCs"}}
	list[0].Products[0].Units = []recall.Predicate{recall.Equals(1, recall.Lot, "A17", recall.Quote{Text: "lot A17", Field: "description", End: 7})}
	list[29].Status = recall.Withdrawn
	return list
}

type reply struct {
	*http.Response
	body []byte
}

func (b *bench) do(t testing.TB, method, target, body string, headers ...string) reply {
	t.Helper()
	req := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	b.ServeHTTP(rec, req)
	res := rec.Result()
	defer res.Body.Close()
	read, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{res, read}
}

func (b *bench) get(t testing.TB, target string, headers ...string) reply {
	t.Helper()
	return b.do(t, http.MethodGet, target, "", headers...)
}

// decode reads a reply of the wanted status into a value.
func decode[T any](t testing.TB, r reply, status int) T {
	t.Helper()
	if r.StatusCode != status {
		t.Fatalf("status %d, want %d; body %.600s", r.StatusCode, status, r.body)
	}
	want := "application/json"
	if status >= 400 {
		want = "application/problem+json"
	}
	if got := r.Header.Get("Content-Type"); got != want {
		t.Fatalf("Content-Type %q, want %q", got, want)
	}
	var v T
	if err := json.Unmarshal(r.body, &v); err != nil {
		t.Fatalf("%v in %.600s", err, r.body)
	}
	return v
}
