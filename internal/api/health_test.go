package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

func TestHealth(t *testing.T) {
	tests := map[string]struct {
		arrange              func(b *bench)
		live, ready, healthy int
		checks               map[string]string
	}{
		"all well":      {func(*bench) {}, 200, 200, 200, map[string]string{"catalogue": "ok", "database": "ok", "process": "ok"}},
		"database down": {func(b *bench) { b.ping = errors.New("dial tcp db.internal:5432: refused") }, 200, 200, 503, map[string]string{"catalogue": "ok", "database": "no answer", "process": "ok"}},
		"draining":      {func(b *bench) { b.draining = true }, 200, 503, 503, map[string]string{"catalogue": "ok", "database": "ok", "process": "draining"}},
		"a catalogue that nobody follows": {
			func(b *bench) { b.clock = time.Date(2126, 11, 22, 6, 0, 0, 0, time.UTC) }, 200, 200, 503,
			map[string]string{"catalogue": "as of FRESH; the database has not been read since", "database": "ok", "process": "ok"},
		},
		"a catalogue from a file": {
			func(b *bench) { b.restore(t) }, 200, 200, 503,
			map[string]string{"catalogue": "from a snapshot, as of FRESH; the database has not been read since", "database": "ok", "process": "ok"},
		},
		"nothing loaded yet": {func(b *bench) { b.board = catalogue.New() }, 200, 503, 503, map[string]string{"catalogue": "not loaded", "database": "ok", "process": "ok"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			test.arrange(b)
			for target, want := range map[string]int{"/health": test.live, "/api/readyz": test.ready, "/api/healthz": test.healthy} {
				r := b.get(t, target)
				if r.StatusCode != want {
					t.Errorf("%s: %d, want %d: %s", target, r.StatusCode, want, r.body)
				}
				if strings.Contains(string(r.body), "db.internal") {
					t.Errorf("%s tells of the inside: %s", target, r.body)
				}
				if want == 200 && !strings.Contains(string(r.body), `"status":"ok"`) {
					t.Errorf("%s: %s", target, r.body)
				}
			}
			got := decode[struct{ Checks map[string]string }](t, b.get(t, "/api/healthz"), test.healthy)
			for name, said := range test.checks {
				test.checks[name] = strings.Replace(said, "FRESH", b.board.FreshAt().Format(time.RFC3339), 1)
			}
			if diff := cmp.Diff(test.checks, got.Checks); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// restore makes the bench's catalogue anew, as from a file.
func (b *bench) restore(t *testing.T) {
	t.Helper()
	var records bytes.Buffer
	snap := b.board.Current()
	if err := snap.WriteRecords(t.Context(), &records); err != nil {
		t.Fatal(err)
	}
	b.board = catalogue.New()
	if err := b.board.Restore(t.Context(), snap.Manifest(), &records); err != nil {
		t.Fatal(err)
	}
}

func TestLivenessIsExactlyThis(t *testing.T) {
	if got := string(newBench(t).get(t, "/health").body); got != `{"status":"ok"}` {
		t.Error(got)
	}
}

// deaf is a store that is down, and notes how long it would have been waited for.
type deaf struct {
	err      error
	asked    int
	patience time.Duration
}

func (d *deaf) hear(ctx context.Context) error {
	d.asked++
	if deadline, ok := ctx.Deadline(); ok {
		d.patience = max(d.patience, time.Until(deadline))
	} else {
		d.patience = time.Hour
	}
	return fmt.Errorf("dial tcp db.internal:5432: %w", d.err)
}

func (d *deaf) Notice(ctx context.Context, _ string) (store.Stored, error) {
	return store.Stored{}, d.hear(ctx)
}

func (d *deaf) NoticeAsOf(ctx context.Context, _ string, _ time.Time) (store.Revision, error) {
	return store.Revision{}, d.hear(ctx)
}

func (d *deaf) Revisions(ctx context.Context, _ string) ([]store.Revision, error) {
	return nil, d.hear(ctx)
}

func (d *deaf) Rejections(ctx context.Context, _ string, _ *store.Rejection, _ int) ([]store.Rejection, error) {
	return nil, d.hear(ctx)
}

func TestAnswersGoOnWhileTheStoreIsDown(t *testing.T) {
	for _, err := range []error{store.ErrUnavailable, store.ErrBusy, store.ErrReadOnly, store.ErrFull, store.ErrCorrupt, context.DeadlineExceeded, errors.New("refused")} {
		t.Run(err.Error(), func(t *testing.T) {
			d := &deaf{err: err}
			b := newBench(t, func(deps *Dependencies) {
				deps.History, deps.Quarantine, deps.Operators = d, d, Operators{Token: showing("ops")}
			})
			for _, target := range []string{
				"/api/v1/recalls?q=snoozle", "/api/v1/recalls/us-cpsc:26-100", "/api/recalls/us-cpsc:26-100", "/api/v1/barcode/036000291452", "/api/v1/sources",
				"/api/v1/changes", "/api/v1/export/recalls.ndjson.gz", "/health", "/api/readyz",
			} {
				if r := b.get(t, target); r.StatusCode != 200 {
					t.Errorf("%s: %d", target, r.StatusCode)
				}
			}
			if r := b.do(t, "POST", "/api/v1/verdict", `{"brand":"Tumblewick","name":"Snoozle"}`); r.StatusCode != 200 {
				t.Errorf("verdict: %d", r.StatusCode)
			}
			if d.asked > 0 {
				t.Errorf("the store was asked %d times for what the catalogue has", d.asked)
			}
			for _, target := range []string{
				"/api/v1/recalls/us-cpsc:maybe-former", "/api/v1/recalls/us-cpsc:26-100/revisions", "/api/v1/recalls/us-cpsc:26-100?as_of=2026-11-21",
				"/api/v1/sources/us-cpsc/quarantine",
			} {
				r := b.get(t, target, "Authorization", "Bearer ops")
				if p := decode[Problem](t, r, 503); p.Code != "unavailable" || r.Header.Get("Retry-After") == "" || strings.Contains(string(r.body), "db.internal") {
					t.Errorf("%s: Retry-After %q, %s", target, r.Header.Get("Retry-After"), r.body)
				}
			}
			if d.asked != 4 || d.patience > 2*time.Second {
				t.Errorf("the store was asked %d times and waited for %s", d.asked, d.patience)
			}
		})
	}
}

func TestBeforeTheCatalogueIsLoadedNothingIsClaimed(t *testing.T) {
	b := newBench(t)
	b.board = catalogue.New()
	for _, target := range []string{"/api/v1/recalls", "/api/v1/recalls/us-cpsc:26-100", "/api/v1/sources", "/api/v1/changes"} {
		r := b.get(t, target)
		if p := decode[Problem](t, r, 503); p.Code != "unavailable" || r.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %v", target, p)
		}
	}
	v := decode[recall.Verdict](t, b.get(t, "/api/v1/barcode/036000291452"), 200)
	if v.Verdict != recall.CannotTell {
		t.Errorf("barcode: %s", v.Verdict)
	}
	v = decode[recall.Verdict](t, b.do(t, "POST", "/api/v1/verdict", `{"brand":"Tumblewick","name":"Snoozle"}`), 200)
	if v.Verdict != recall.CannotTell {
		t.Errorf("verdict: %s", v.Verdict)
	}
}
