package api

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
)

func TestHealth(t *testing.T) {
	tests := map[string]struct {
		arrange              func(b *bench)
		live, ready, healthy int
		checks               map[string]string
	}{
		"all well":           {func(*bench) {}, 200, 200, 200, map[string]string{"catalogue": "ok", "database": "ok", "process": "ok"}},
		"database down":      {func(b *bench) { b.ping = errors.New("dial tcp db.internal:5432: refused") }, 200, 200, 503, map[string]string{"catalogue": "ok", "database": "no answer", "process": "ok"}},
		"draining":           {func(b *bench) { b.draining = true }, 200, 503, 503, map[string]string{"catalogue": "ok", "database": "ok", "process": "draining"}},
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
			if diff := cmp.Diff(test.checks, got.Checks); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLivenessIsExactlyThis(t *testing.T) {
	if got := string(newBench(t).get(t, "/health").body); got != `{"status":"ok"}` {
		t.Error(got)
	}
}

func TestAnswersGoOnWhileTheStoreIsDown(t *testing.T) {
	b := newBench(t)
	b.store.down = errors.New("dial tcp db.internal:5432: refused")
	for _, target := range []string{"/api/v1/recalls?q=snoozle", "/api/v1/recalls/us-cpsc:26-100", "/api/v1/barcode/036000291452", "/api/v1/sources", "/api/v1/changes"} {
		if r := b.get(t, target); r.StatusCode != 200 {
			t.Errorf("%s: %d", target, r.StatusCode)
		}
	}
	for _, target := range []string{"/api/v1/recalls/us-cpsc:maybe-former", "/api/v1/recalls/us-cpsc:26-100/revisions", "/api/v1/recalls/us-cpsc:26-100?as_of=2026-11-21"} {
		r := b.get(t, target)
		if p := decode[Problem](t, r, 503); p.Code != "unavailable" || strings.Contains(string(r.body), "db.internal") {
			t.Errorf("%s: %s", target, r.body)
		}
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
