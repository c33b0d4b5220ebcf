package web_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/source"
	"github.com/crownsafe/api/internal/web"
)

// listed are sources as a test wants them.
type listed []source.Source

func (l listed) List(*catalogue.Snapshot) []source.Source { return l }

func TestStatusSaysHowTheServiceDoes(t *testing.T) {
	t.Parallel()
	hours := func(h int64) *int64 { return new(h * 3600) }
	at := new(now.Add(-time.Hour))
	fresh := source.Source{Agency: "us-a", Name: "Agency <A>", State: source.OK, AgeSeconds: hours(1), LastSuccessAt: at, Notices: 5, Objective: 24 * time.Hour}
	old := source.Source{Agency: "us-b", Name: "Agency B", State: source.Stale, AgeSeconds: hours(72), LastSuccessAt: at, Notices: 5, Objective: 24 * time.Hour}
	for name, c := range map[string]struct {
		sources listed
		status  int
		says    []string
		never   []string
	}{
		"all fresh":       {listed{fresh}, 200, []string{"Working, and up to date", "Agency <A>", "Last fetched 60 minutes ago. We aim for 24 hours at most."}, []string{"missing"}},
		"one is stale":    {listed{fresh, old}, 200, []string{"Working, but only 1 of 2 agencies’ notices are up to date", "Agency B", "out of date", "Last fetched 3 days ago", "Newer notices may be missing"}, []string{"and up to date"}},
		"none is fresh":   {listed{old}, 200, []string{"Working, but no agency’s notices are up to date"}, nil},
		"from files only": {listed{{Name: "F", State: source.Stale, Notices: 7, Objective: time.Hour}}, 200, []string{"loaded from files", "We aim for 60 minutes"}, []string{"Last fetched"}},
		"partly read":     {listed{{Name: "P", State: source.Partial, AgeSeconds: hours(1), LastSuccessAt: at, Notices: 7}}, 200, []string{"partly read", "some notices may be missing"}, nil},
		"out of reach":    {listed{{Name: "P", State: source.Failing, Reason: "dial tcp 10.1.2.3:443: refused"}}, 200, []string{"can't be reached", "Nothing has been fetched"}, []string{"10.1.2.3"}},
		"without the key": {listed{{Name: "P", State: source.Never, Withheld: true, Reason: "CROWNSAFE_KEY_KR_KATS is not set"}}, 200, []string{"None of its notices are loaded", "registered"}, []string{"CROWNSAFE_"}},
		"with starter entries": {
			listed{{Name: "P", State: source.Never, Starter: 3}}, 200, []string{"Only 3 short entries of our own stand in"}, []string{"up to date."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := get(t, newSiteOver(t, c.sources, notices()), "/status")
			if p.StatusCode != c.status {
				t.Errorf("status %d", p.StatusCode)
			}
			for _, want := range c.says {
				if !strings.Contains(p.text(), want) {
					t.Errorf("doesn't say %q: %s", want, p.text())
				}
			}
			for _, never := range append(c.never, "postgres", "sqlite", "redis", "azure") {
				if strings.Contains(strings.ToLower(p.text()), strings.ToLower(never)) {
					t.Errorf("says %q: %s", never, p.text())
				}
			}
		})
	}
}

func TestStatusWithoutACatalogueIsNoGood(t *testing.T) {
	t.Parallel()
	p := get(t, newSiteOver(t, listed{{Name: "A", State: source.OK, AgeSeconds: new(int64(5))}}, nil), "/status")
	if p.StatusCode != http.StatusServiceUnavailable || !strings.Contains(p.text(), "no product can be checked") || strings.Contains(p.text(), "Working") {
		t.Errorf("%d %s", p.StatusCode, p.text())
	}
}

func TestStatusOfAnOldCatalogueSaysFromWhen(t *testing.T) {
	t.Parallel()
	fresh := listed{{Name: "A", State: source.OK, AgeSeconds: new(int64(5))}}
	t.Run("nobody follows it", func(t *testing.T) {
		t.Parallel()
		later := func(d *web.Dependencies) { d.Now = func() time.Time { return time.Now().Add(time.Minute) } }
		p := get(t, newSiteOver(t, fresh, notices(), later), "/status")
		if !strings.Contains(p.text(), "not with the latest notices") || strings.Contains(p.text(), "and up to date") {
			t.Errorf("%s", p.text())
		}
	})
	t.Run("it is from a file", func(t *testing.T) {
		t.Parallel()
		c, restored := catalogue.New(), catalogue.New()
		if err := c.Load(t.Context(), shelf{notices: notices()}); err != nil {
			t.Fatal(err)
		}
		var records bytes.Buffer
		if err := c.Current().WriteRecords(t.Context(), &records); err != nil {
			t.Fatal(err)
		}
		if err := restored.Restore(t.Context(), c.Current().Manifest(), &records); err != nil {
			t.Fatal(err)
		}
		p := get(t, newSiteOver(t, fresh, nil, func(d *web.Dependencies) { d.Catalogue = restored }), "/status")
		if p.StatusCode != http.StatusOK || !strings.Contains(p.text(), "not with the latest notices") {
			t.Errorf("%d %s", p.StatusCode, p.text())
		}
	})
	t.Run("nothing is fetched", func(t *testing.T) {
		t.Parallel()
		p := get(t, newSiteOver(t, fresh, notices(), func(d *web.Dependencies) { d.Offline = true }), "/status")
		if !strings.Contains(p.text(), "set not to fetch") {
			t.Errorf("%s", p.text())
		}
	})
}
