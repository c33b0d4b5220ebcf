package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/recall"
)

// Photo repeats what the pages are given.
func (pages) Photo(w http.ResponseWriter, _ *http.Request, found []recall.Verdict, failure string, status int) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "failure %q", failure)
	for i := range found {
		_, _ = fmt.Fprintf(w, " %s %s", found[i].Verdict, found[i].Query.GTIN)
	}
}

func TestThePagesFormForAPhotograph(t *testing.T) {
	b := newBench(t, func(d *Dependencies) { d.Pages = pages{http.NotFoundHandler()} })
	picture := asPNG(t, paste(t, eanCode(t, "0036000291452")))
	for name, test := range map[string]struct {
		field  [3]string
		status int
		want   string
	}{
		"a barcode":   {[3]string{"image", "photo.png", picture}, 200, `failure "" need_code 00036000291452`},
		"no picture":  {[3]string{"image", "photo.png", "036000291452"}, 415, `failure "unsupported_media_type"`},
		"none chosen": {[3]string{"image", "", ""}, 422, `failure "invalid"`},
		"too large":   {[3]string{"image", "photo.png", strings.Repeat("x", maxImageBytes+1)}, 413, `failure "too_large"`},
	} {
		body, contentType := form(t, test.field)
		r := b.do(t, http.MethodPost, "/photo", body, "Content-Type", contentType, "Accept", "text/html")
		if r.StatusCode != test.status || string(r.body) != test.want {
			t.Errorf("%s: %d %s, want %d %s", name, r.StatusCode, r.body, test.status, test.want)
		}
	}
}

func TestAPhotographThatFailsInsideIsLogged(t *testing.T) {
	b := newBench(t, func(d *Dependencies) {
		d.Pages = pages{http.NotFoundHandler()}
		d.Lookup = brokenLookup{fails: fmt.Errorf("no such host db.internal")}
	})
	body, contentType := form(t, [3]string{"image", "photo.png", asPNG(t, paste(t, eanCode(t, "0036000291452")))})
	r := b.do(t, http.MethodPost, "/photo", body, "Content-Type", contentType)
	if r.StatusCode != 500 || string(r.body) != `failure "internal"` || !strings.Contains(b.log.String(), "db.internal") {
		t.Errorf("%d %s; the log: %s", r.StatusCode, r.body, b.log.String())
	}
}

func (pages) Account(w http.ResponseWriter, _ *http.Request, page, token, code string, status int) {
	w.WriteHeader(status)
	_, _ = w.Write([]byte(page + " " + token + " " + code))
}
