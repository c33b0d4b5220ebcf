package photo

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/egress"
)

func TestWhatIsNoPictureIsNotFetchedTwice(t *testing.T) {
	t.Parallel()
	whole := aPNG(t)
	huge := append(bytes.Clone(whole), make([]byte, MaxBytes)...)
	for name, answer := range map[string]http.HandlerFunc{
		"not found":               http.NotFound,
		"a page of another name":  sends("image/jpeg", []byte("<!doctype html><script>alert(1)</script>")),
		"SVG":                     sends("image/svg+xml", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)),
		"SVG that says it is PNG": sends("image/png", []byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`)),
		"PDF":                     sends("image/png", []byte("%PDF-1.7")),
		"BMP":                     sends("image/bmp", []byte("BM\x00\x00\x00\x00")),
		"nothing":                 sends("image/png", nil),
		"too large, and says so": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(huge)))
			sends("image/png", huge)(w, r)
		},
		"too large": func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush() // so that nobody knows how long it gets
			sends("image/png", huge)(w, r)
		},
		"cut off": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(whole)+100))
			sends("image/png", whole)(w, r)
		},
		"hangs up":   func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"in circles": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) },
		"to another scheme": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		},
		"with a password": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://me:pw@"+r.Host, http.StatusFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAgency(t, answer)
			store := newFolder(t)
			uploads := newUploads(t, store, blob.UploadOptions{})
			m := newMirror(t, func(o *Options) { o.Store, o.Uploads = store, func() *blob.Uploads { return uploads } })
			if p, err := m.Picture(t.Context(), a.URL); !errors.Is(err, ErrAbsent) {
				t.Fatalf("%+v, %v", p, err)
			}
			asked := a.asked.Load()
			if asked == 0 || asked > egress.MostRedirects+1 {
				t.Errorf("the agency was asked %d times", asked)
			}
			if _, err := m.Picture(t.Context(), a.URL); !errors.Is(err, ErrAbsent) || a.asked.Load() != asked {
				t.Errorf("again: %v, asked %d times", err, a.asked.Load())
			}
			if list, err := store.List(t.Context(), "", "", 0); err != nil || len(list) != 0 || uploads.Stats().Queued != 0 {
				t.Errorf("kept: %+v, %v", list, err)
			}
		})
	}
}

func TestRedirectsAreFollowed(t *testing.T) {
	t.Parallel()
	want := aPNG(t)
	a := newAgency(t, func(w http.ResponseWriter, r *http.Request) {
		if n, _ := strconv.Atoi(strings.Trim(r.URL.Path, "/")); n > 0 {
			http.Redirect(w, r, fmt.Sprintf("/%d", n-1), http.StatusMovedPermanently)
			return
		}
		if r.Referer() != "" {
			t.Errorf("the agency is told of %s", r.Referer())
		}
		sends("image/png", want)(w, r)
	})
	m := newMirror(t)
	if p, err := m.Picture(t.Context(), a.URL+"/3"); err != nil || !bytes.Equal(p.Body, want) {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := m.Picture(t.Context(), a.URL+"/4"); !errors.Is(err, ErrAbsent) {
		t.Errorf("four redirects: %v", err)
	}
}

func TestNothingButThePublicInternetIsAsked(t *testing.T) {
	t.Parallel()
	inside := newAgency(t, sends("image/png", aPNG(t)))
	outside := newAgency(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inside.URL, http.StatusFound) })
	guarded := newMirror(t, func(o *Options) { o.Allow = nil })
	for _, address := range []string{
		inside.URL, strings.Replace(inside.URL, "127.0.0.1", "localhost", 1), "http://[::1]", "http://[::ffff:127.0.0.1]", "http://169.254.169.254/latest/meta-data",
		"http://2130706433", "http://0x7f.1", "http://0", "file:///etc/passwd", "ftp://127.0.0.1/1.png", "//127.0.0.1/1.png", "http://", "http://%zz", "",
	} {
		if _, err := guarded.Picture(t.Context(), address); !errors.Is(err, ErrAbsent) {
			t.Errorf("%q: %v", address, err)
		}
	}
	// What an agency's server points to is held to the same rule.
	only := netip.MustParseAddrPort(strings.TrimPrefix(outside.URL, "http://"))
	pointed := newMirror(t, func(o *Options) {
		o.Allow = func(to netip.AddrPort) error {
			if to == only {
				return nil
			}
			return egress.PublicOnly(to)
		}
	})
	if _, err := pointed.Picture(t.Context(), outside.URL); !errors.Is(err, egress.ErrNotPublic) || outside.asked.Load() != 1 {
		t.Errorf("%v, asked %d times", err, outside.asked.Load())
	}
	if inside.asked.Load() != 0 {
		t.Errorf("an address inside was asked %d times", inside.asked.Load())
	}
}

func TestASlowAgencyIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	a := newAgency(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(aPNG(t)[:20])
		_ = http.NewResponseController(w).Flush()
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	})
	defer close(stop)
	m := newMirror(t, func(o *Options) { o.fetch = 50 * time.Millisecond })
	if _, err := m.Picture(t.Context(), a.URL); !errors.Is(err, ErrAbsent) {
		t.Errorf("%v", err)
	}
	if _, err := m.Picture(t.Context(), a.URL); !errors.Is(err, ErrAbsent) || a.asked.Load() != 1 {
		t.Errorf("again: %v, asked %d times", err, a.asked.Load())
	}
}

func TestTypesOfPictures(t *testing.T) {
	t.Parallel()
	var jpg, anim bytes.Buffer
	if err := errors.Join(jpeg.Encode(&jpg, image.NewGray(image.Rect(0, 0, 8, 8)), nil), gif.Encode(&anim, image.NewGray(image.Rect(0, 0, 8, 8)), nil)); err != nil {
		t.Fatal(err)
	}
	for want, bodies := range map[string][]string{
		"image/png": {string(aPNG(t))}, "image/jpeg": {jpg.String()}, "image/gif": {anim.String()}, "image/webp": {"RIFF\x24\x00\x00\x00WEBPVP8 \x18\x00\x00\x00"},
		"image/avif": {"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1miaf\x00\x00\x00\x00", "\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00avifmiaf", "\x00\x00\x00\x14ftypavis\x00\x00\x00\x00avis"},
		"": {
			"", "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isomavc1", "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "\x00\x00\x00\x0cftypavif\x00\x00\x00\x00",
			"\xff\xff\xff\xffftypavif\x00\x00\x00\x00", "\x00\x00\x00\x18ftypavif", "<svg>", "text",
		},
	} {
		for _, body := range bodies {
			if got := typeOf([]byte(body)); got != want {
				t.Errorf("%.30q is %q, want %q", body, got, want)
			}
		}
	}
}
