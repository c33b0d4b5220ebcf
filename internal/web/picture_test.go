package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/photo"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/source"
	"github.com/crownsafe/api/internal/web"
)

// licensed is the one agency, whose notices may be passed on.
type licensed struct{ oneAgency }

func (l licensed) List(snap *catalogue.Snapshot) []source.Source {
	list := l.oneAgency.List(snap)
	list[0].Republish = true
	return list
}

// album has pictures by their address.
type album struct {
	pictures map[string]photo.Picture
	failure  error
	asked    []string
}

func (a *album) Picture(_ context.Context, address string) (photo.Picture, error) {
	a.asked = append(a.asked, address)
	if p, ok := a.pictures[address]; ok {
		return p, nil
	}
	return photo.Picture{}, a.failure
}

// illustrated are the notices, the first of them with pictures.
func illustrated() []recall.Notice {
	list := notices()
	list[0].Images = []string{
		"https://agency.example/1.png", "javascript:alert(1)", "https://agency.example/3.jpg", "http://agency.example/4.jpg", "https://agency.example/5.jpg",
	}
	return list
}

func illustratedSite(t *testing.T, a *album, change ...func(*web.Dependencies)) *web.Site {
	t.Helper()
	return newSiteOver(t, licensed{}, illustrated(), append(change, func(d *web.Dependencies) { d.Photos = a })...)
}

const shownNotice = "/?q=036000291452&lot=A17"

func pictures(p page) []string {
	var list []string
	for n := range p.root.Descendants() {
		if n.Data == "img" && strings.HasPrefix(attribute(n, "src"), "/photos/") {
			list = append(list, attribute(n, "src"))
		}
	}
	return list
}

func TestANoticeIsShownWithItsFirstPictures(t *testing.T) {
	a := &album{}
	p := get(t, illustratedSite(t, a), shownNotice)
	if got, want := pictures(p), []string{"/photos/us-cpsc:26-100/1", "/photos/us-cpsc:26-100/3", "/photos/us-cpsc:26-100/4"}; !slices.Equal(got, want) {
		t.Errorf("pictures %q, want %q", got, want)
	}
	for n := range p.root.Descendants() {
		if n.Data == "img" && strings.HasPrefix(attribute(n, "src"), "/photos/") &&
			(attribute(n, "alt") == "" || attribute(n, "width") == "" || attribute(n, "height") == "" || attribute(n, "loading") != "lazy") {
			t.Errorf("a picture without its attributes: %v", n.Attr)
		}
	}
	if len(a.asked) != 0 {
		t.Errorf("the page waited for %q", a.asked)
	}
	for what, site := range map[string]*web.Site{
		"an agency that forbids it": newSiteOver(t, oneAgency{}, illustrated(), func(d *web.Dependencies) { d.Photos = a }),
		"no mirror":                 newSiteOver(t, licensed{}, illustrated()),
	} {
		if got := pictures(get(t, site, shownNotice)); len(got) != 0 {
			t.Errorf("%s: %q", what, got)
		}
		if status := get(t, site, "/photos/us-cpsc:26-100/1").StatusCode; status != http.StatusNotFound || len(a.asked) != 0 {
			t.Errorf("%s: %d, asked for %q", what, status, a.asked)
		}
	}
}

func TestPicturesMayComeFromTheAccountAndNowhereElse(t *testing.T) {
	for origin, want := range map[string]string{"": "; img-src 'self';", "https://account.example": "; img-src 'self' https://account.example;"} {
		site := illustratedSite(t, &album{}, func(d *web.Dependencies) { d.PhotoOrigin = origin })
		if policy := get(t, site, shownNotice).Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none';") || !strings.Contains(policy, want) {
			t.Errorf("origin %q: %s", origin, policy)
		}
	}
}

func TestAPictureIsSent(t *testing.T) {
	a := &album{pictures: map[string]photo.Picture{"https://agency.example/1.png": {Type: "image/png", Body: []byte("a picture")}}}
	site := illustratedSite(t, a)
	p := get(t, site, "/photos/us-cpsc:26-100/1")
	h := p.Header
	tag := h.Get("ETag")
	if p.StatusCode != http.StatusOK || p.source != "a picture" || h.Get("Content-Type") != "image/png" || h.Get("Content-Length") != "9" ||
		h.Get("Cache-Control") != "public, max-age=86400" || h.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(tag, `"`) ||
		!strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%d %q %v", p.StatusCode, p.source, h)
	}
	again := httptest.NewRequest(http.MethodGet, "/photos/us-cpsc:26-100/1", nil)
	again.Header.Set("If-None-Match", tag)
	rec := httptest.NewRecorder()
	site.ServeHTTP(rec, again)
	if rec.Code != http.StatusNotModified || rec.Body.Len() != 0 {
		t.Errorf("again: %d with %d bytes", rec.Code, rec.Body.Len())
	}
	rec = httptest.NewRecorder()
	site.ServeHTTP(rec, httptest.NewRequest(http.MethodHead, "/photos/us-cpsc:26-100/1", nil))
	if rec.Code != http.StatusOK || rec.Body.Len() != 0 || rec.Header().Get("Content-Length") != "9" {
		t.Errorf("HEAD: %d with %d bytes, %v", rec.Code, rec.Body.Len(), rec.Header())
	}
}

func TestAPictureElsewhereIsPointedTo(t *testing.T) {
	const there = "https://account.example/crownsafe/photos/ab?sig=x%2By"
	site := illustratedSite(t, &album{pictures: map[string]photo.Picture{"https://agency.example/1.png": {Location: there}}})
	p := get(t, site, "/photos/us-cpsc:26-100/1")
	if p.StatusCode != http.StatusFound || p.Header.Get("Location") != there || !strings.HasPrefix(p.Header.Get("Cache-Control"), "private") {
		t.Errorf("%d %v", p.StatusCode, p.Header)
	}
}

func TestPicturesThatAreNotThere(t *testing.T) {
	a := &album{failure: photo.ErrAbsent}
	list := illustrated()
	list[1].Images, list[1].Status = []string{"https://agency.example/withdrawn.png"}, recall.Withdrawn
	site := newSiteOver(t, licensed{}, list, func(d *web.Dependencies) { d.Photos = a })
	for _, target := range []string{
		"/photos/us-cpsc:26-100/0", "/photos/us-cpsc:26-100/2", "/photos/us-cpsc:26-100/6", "/photos/us-cpsc:26-100/-1", "/photos/us-cpsc:26-100/x",
		"/photos/us-cpsc:26-100/99999999999999999999", "/photos/us-cpsc:26-101/1", "/photos/us-cpsc:26-999/1", "/photos/us-cpsc:26-100", "/photos/", "/photos/a/b/c",
	} {
		if p := get(t, site, target); p.StatusCode != http.StatusNotFound || len(a.asked) != 0 {
			t.Errorf("%s: %d, asked for %q", target, p.StatusCode, a.asked)
		}
	}
	p := get(t, site, "/photos/us-cpsc:26-100/1")
	if p.StatusCode != http.StatusNotFound || strings.Contains(p.Header.Get("Cache-Control"), "public") || len(a.asked) != 1 {
		t.Errorf("%d %v", p.StatusCode, p.Header)
	}
	for _, failure := range []error{photo.ErrBusy, errors.New("something else")} {
		a.failure = failure
		if p := get(t, site, "/photos/us-cpsc:26-100/1"); p.StatusCode != http.StatusServiceUnavailable || p.Header.Get("Retry-After") == "" ||
			strings.Contains(p.source, "something else") {
			t.Errorf("%v: %d %v", failure, p.StatusCode, p.Header)
		}
	}
}

// heldAlbum gives nothing before it is told to.
type heldAlbum struct{ inside, leave chan struct{} }

func (h heldAlbum) Picture(context.Context, string) (photo.Picture, error) {
	h.inside <- struct{}{}
	<-h.leave
	return photo.Picture{Type: "image/png", Body: []byte("a picture")}, nil
}

func TestPicturesOnTheirWayAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := heldAlbum{make(chan struct{}), make(chan struct{})}
		site := newSiteOver(t, licensed{}, illustrated(), func(d *web.Dependencies) { d.Photos = held })
		const most = 64
		ended := make(chan int)
		for range most {
			go func() { ended <- get(t, site, "/photos/us-cpsc:26-100/1").StatusCode }()
			<-held.inside
		}
		if p := get(t, site, "/photos/us-cpsc:26-100/1"); p.StatusCode != http.StatusServiceUnavailable || p.Header.Get("Retry-After") == "" {
			t.Errorf("one too many: %d", p.StatusCode)
		}
		close(held.leave)
		for range most {
			if status := <-ended; status != http.StatusOK {
				t.Errorf("%d", status)
			}
		}
	})
}
