package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/crownsafe/api/internal/lookup"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/web"
)

// photoPage is the page for what was found in a photo.
func photoPage(t *testing.T, site *web.Site, found []recall.Verdict, failure string, status int) page {
	t.Helper()
	rec := httptest.NewRecorder()
	site.Photo(rec, httptest.NewRequest(http.MethodPost, "/photo", nil), found, failure, status)
	root, err := html.Parse(strings.NewReader(rec.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	return page{rec.Result(), rec.Body.String(), root}
}

// verdictsOn are the verdicts on codes, as a photo of them gives.
func verdictsOn(t *testing.T, site *web.Site, codes ...string) []recall.Verdict {
	t.Helper()
	asks := lookup.New(site.Sources, func() time.Time { return now })
	var found []recall.Verdict
	for _, code := range codes {
		v, err := asks.Barcode(site.Catalogue.Current(), code, recall.Unit{})
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, v)
	}
	return found
}

func TestAPhotoIsAnsweredLikeTypedDigits(t *testing.T) {
	site := newSite(t, notices())
	p := photoPage(t, site, verdictsOn(t, site, "036000291452"), "", http.StatusOK)
	text := p.text()
	for _, want := range []string{"one more code decides", "Tumblewick recalls", "Barcode 00036000291452", "Check again", "What was looked at"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page doesn't say %q:\n%s", want, text)
		}
	}
	for n := range p.root.Descendants() {
		if attribute(n, "id") == "q" && attribute(n, "value") != "00036000291452" {
			t.Errorf("the form asks for %q", attribute(n, "value"))
		}
	}
	if p.Header.Get("Content-Security-Policy") == "" {
		t.Error("no policy")
	}
}

func TestSeveralCodesOfAPhotoComeTheStrongestFirst(t *testing.T) {
	site := newSite(t, notices())
	p := photoPage(t, site, verdictsOn(t, site, "4006381333931", "]C1010003600029145210A17", "036000291452"), "", http.StatusOK)
	var outcomes []string
	ids := map[string]bool{}
	for n := range p.root.Descendants() {
		if id := attribute(n, "id"); id != "" {
			if ids[id] {
				t.Errorf("id %s is given twice", id)
			}
			ids[id] = true
		}
	}
	for _, n := range p.elements("verdict") {
		outcomes = append(outcomes, strings.TrimPrefix(attribute(n, "class"), "verdict "))
		if by := attribute(n, "aria-labelledby"); !ids[by] {
			t.Errorf("nothing has the id %s", by)
		}
	}
	if got := strings.Join(outcomes, " "); got != "affected need_code no_match" {
		t.Errorf("the answers are %s", got)
	}
}

func TestAPhotoWithoutAnAnswerNeverLooksLikeNoMatch(t *testing.T) {
	site := newSite(t, notices())
	for name, c := range map[string]struct {
		site    *web.Site
		failure string
		status  int
		says    string
	}{
		"no code":       {site, "", 200, "No barcode could be read in the photo"},
		"too large":     {site, "too_large", 413, "The photo is too large"},
		"no picture":    {site, "unsupported_media_type", 415, "JPEG, PNG and WebP can be read"},
		"damaged":       {site, "bad_image", 422, "The photo is damaged"},
		"none chosen":   {site, "invalid", 422, "Choose or take a photo"},
		"slow line":     {site, "timeout", 408, "took too long to arrive"},
		"busy":          {site, "unavailable", 503, "try again in a moment"},
		"anything else": {site, "internal", 500, "couldn't be read"},
		"no catalogue":  {newSite(t, nil), "", 503, "still being loaded"},
	} {
		t.Run(name, func(t *testing.T) {
			status := c.status
			if c.failure == "" {
				status = http.StatusOK
			}
			p := photoPage(t, c.site, nil, c.failure, status)
			if p.StatusCode != c.status || !strings.Contains(p.text(), c.says) || strings.Contains(p.text(), "No recall notice found") {
				t.Errorf("%d, want %d with %q:\n%s", p.StatusCode, c.status, c.says, p.text())
			}
		})
	}
}

func TestThePhotosAddressLeadsBackToTheForm(t *testing.T) {
	p := get(t, newSite(t, notices()), "/photo")
	if p.StatusCode != http.StatusSeeOther || p.Header.Get("Location") != "/" {
		t.Errorf("%d to %s", p.StatusCode, p.Header.Get("Location"))
	}
}
