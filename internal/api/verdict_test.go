package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/recall"
)

func TestBarcodesInEveryWayOfAsking(t *testing.T) {
	b := newBench(t)
	const link = "https://id.example.org/some/path/01/00036000291452/10/A17"
	tests := map[string]string{
		"as a parameter":                       "/api/barcode?code=036000291452&lot=A17",
		"as a parameter of version 1":          "/api/v1/barcode?code=036000291452&lot=A17",
		"in the path":                          "/api/v1/barcode/036000291452?lot=A17",
		"in the path without a version":        "/api/barcode/036000291452?lot=A17",
		"spaced":                               "/api/v1/barcode/0%2036000%2029145%202?lot=A17",
		"hyphenated":                           "/api/v1/barcode/0-36000-29145-2?lot=A17",
		"lot in lower case":                    "/api/v1/barcode/036000291452?lot=a17",
		"element string with brackets":         "/api/v1/barcode/(01)00036000291452(10)A17",
		"element string with FNC1":             "/api/v1/barcode/%1D010003600029145210A17%1D",
		"element string with FNC1, as a query": "/api/barcode?code=" + url.QueryEscape("]C1010003600029145210A17"),
		"Digital Link, escaped":                "/api/v1/barcode/" + url.PathEscape(link),
		"Digital Link, pasted as it is":        "/api/v1/barcode/" + link,
		"Digital Link as a query":              "/api/barcode?code=" + url.QueryEscape(link),
	}
	for name, target := range tests {
		t.Run(name, func(t *testing.T) {
			v := decode[recall.Verdict](t, b.get(t, target), 200)
			if v.Verdict != recall.Affected || v.Query.GTIN != "00036000291452" || !strings.EqualFold(v.Query.Lot, "A17") || v.Serial != 30 {
				t.Errorf("%s %+v", v.Verdict, v.Query)
			}
		})
	}
}

func TestVerdictsHaveNoNullLists(t *testing.T) {
	b := newBench(t)
	for _, body := range []string{
		string(b.get(t, "/api/v1/barcode/036000291452").body),
		string(b.get(t, "/api/v1/barcode/4006381333931").body),
		string(b.do(t, "POST", "/api/v1/verdict", `{"lot":"A17"}`).body),
	} {
		for _, list := range []string{"matches", "rewrites", "flags", "coverage"} {
			if !strings.Contains(body, `"`+list+`":[`) {
				t.Errorf("no list %s in %s", list, body)
			}
		}
	}
}

func TestVerdictOnAUnit(t *testing.T) {
	b := newBench(t)
	tests := map[string]struct {
		body string
		want recall.Outcome
	}{
		"covered":                      {`{"gtin":"036000291452","lot":"A17"}`, recall.Affected},
		"covered, as batch":            {`{"gtin":"036000291452","batch":"A17"}`, recall.Affected},
		"covered, as scanned":          {`{"scan":"(01)00036000291452(10)A17"}`, recall.Affected},
		"the code is missing":          {`{"gtin":"036000291452"}`, recall.NeedCode},
		"another lot":                  {`{"gtin":"036000291452","lot":"B99"}`, recall.NotAffected},
		"unknown product":              {`{"gtin":"4006381333931"}`, recall.NoMatch},
		"only a lot":                   {`{"lot":"A17"}`, recall.CannotTell},
		"only a country":               {`{"country":"FR"}`, recall.CannotTell},
		"null is as good as not given": {`{"gtin":"036000291452","lot":null}`, recall.NeedCode},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := b.do(t, "POST", "/api/v1/verdict", test.body)
			if v := decode[recall.Verdict](t, r, 200); v.Verdict != test.want {
				t.Errorf("%s, want %s", v.Verdict, test.want)
			}
			if r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Crown-Safe-Serial") != "30" {
				t.Errorf("headers %v", r.Header)
			}
		})
	}
}

func TestBodiesWithoutATypeAndWithACharset(t *testing.T) {
	b := newBench(t)
	for _, contentType := range []string{"", "application/json; charset=utf-8", "Application/JSON", "application/vnd.shop+json"} {
		r := b.do(t, "POST", "/api/v1/verdict", `{"gtin":"036000291452"}`, "Content-Type", contentType)
		decode[recall.Verdict](t, r, 200)
	}
}

func TestABatchAnswersInOrderAndNeverFailsForOneItem(t *testing.T) {
	b := newBench(t)
	body := `{"units":[{"gtin":"036000291452","lot":"A17"},{"gtin":"036000291453"},{},null,"text",{"gtin":7},{"lott":"A"},{"lot":"A","lot":"B"},{"gtin":"4006381333931"},{"made_on":"soon"}]}`
	type item struct {
		Verdict recall.Outcome
		Error   *Problem
	}
	got := decode[struct{ Items []item }](t, b.do(t, "POST", "/api/v1/verdict/batch", body), 200)
	var said []string
	for _, it := range got.Items {
		if it.Error == nil {
			said = append(said, string(it.Verdict))
			continue
		}
		said = append(said, it.Error.Code+" "+it.Error.Errors[0].Location)
		if it.Error.Status != 422 || it.Error.TraceID == "" || it.Error.Instance != "/api/v1/verdict/batch" {
			t.Errorf("incomplete problem %+v", it.Error)
		}
	}
	want := []string{
		"affected", "check_digit body.units[1].gtin", "empty body.units[2]", "invalid body.units[3]", "invalid body.units[4]", "invalid body.units[5].gtin",
		"invalid body.units[6].lott", "invalid body.units[7].lot", "no_match", "date body.units[9].made_on",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}
	if got.Items[1].Error.Suggestions[0] != "036000291452" {
		t.Errorf("suggestions %v", got.Items[1].Error.Suggestions)
	}
}

func TestBatchSizes(t *testing.T) {
	b := newBench(t)
	if got := string(b.do(t, "POST", "/api/v1/verdict/batch", `{"units":[]}`).body); got != `{"items":[]}` {
		t.Errorf("an empty batch: %s", got)
	}
	unit := `{"gtin":"036000291452"}`
	full := decode[struct{ Items []any }](t, b.do(t, "POST", "/api/v1/verdict/batch", `{"units":[`+strings.Repeat(unit+",", 999)+unit+`]}`), 200)
	if len(full.Items) != 1000 {
		t.Errorf("%d items of 1,000", len(full.Items))
	}
}

func TestBodiesUpToTheirLimitAreRead(t *testing.T) {
	b := newBench(t)
	unit := `{"gtin":"036000291452"}`
	padded := unit + strings.Repeat(" ", maxVerdictBytes-len(unit))
	decode[recall.Verdict](t, b.do(t, "POST", "/api/v1/verdict", padded), 200)
	decode[Problem](t, b.do(t, "POST", "/api/v1/verdict", padded+" "), 413)
}

func TestASlowBodyTimesOut(t *testing.T) {
	b := newBench(t)
	req := httptest.NewRequest(http.MethodPost, "/api/v1/verdict", timingOut{})
	rec := httptest.NewRecorder()
	b.ServeHTTP(rec, req)
	if rec.Code != http.StatusRequestTimeout {
		t.Errorf("status %d", rec.Code)
	}
	req = httptest.NewRequest(http.MethodPost, "/api/v1/verdict", breakingOff{})
	rec = httptest.NewRecorder()
	b.ServeHTTP(rec, req)
	if rec.Code != http.StatusBadRequest {
		t.Errorf("a body that breaks off: status %d", rec.Code)
	}
}

type timingOut struct{}

func (timingOut) Read([]byte) (int, error) { return 0, timeout{} }

type timeout struct{}

func (timeout) Error() string   { return "i/o timeout" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

type breakingOff struct{}

func (breakingOff) Read([]byte) (int, error) { return 0, fmt.Errorf("malformed chunked encoding") }

func FuzzBarcodeRoute(f *testing.F) {
	b := newBench(f)
	for _, seed := range []string{
		"036000291452", "", "/", "..", "%2e%2e", "a/../b", "]C1010003600029145210A17", "https://id.gs1.org/01/00036000291452?17=261231", "\x1d01000360002914521", "\xff\xfe", "０３６０００２９１４５２", "1?lot=2",
	} {
		f.Add(seed, "A17")
	}
	f.Fuzz(func(t *testing.T, code, lot string) {
		for _, path := range []string{"/api/v1/barcode/" + url.PathEscape(code), "/api/v1/barcode/" + code, "/api/barcode?" + url.Values{"code": {code}, "lot": {lot}}.Encode()} {
			req := &http.Request{Method: http.MethodGet, Header: http.Header{}, RequestURI: path, RemoteAddr: "192.0.2.1:1"}
			var err error
			if req.URL, err = url.ParseRequestURI(path); err != nil {
				continue // net/http refuses it before us
			}
			rec := httptest.NewRecorder()
			b.ServeHTTP(rec, req)
			if rec.Code >= 500 {
				t.Errorf("%q: %d %s", path, rec.Code, rec.Body)
			}
		}
	})
}

func FuzzQuery(f *testing.F) {
	b := newBench(f)
	for _, seed := range []string{"q=snoozle&limit=3", "limit=1e3", "cursor=MQ", "cursor=LTE", "published_from=0000-01-01", "hazard=,,&facets=year", "a;b", "%", "q=%ff", "country=%C3%A9%C3%A9", "q&limit"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range []string{"/api/v1/recalls", "/api/v1/changes", "/api/v1/recalls/us-cpsc:26-100", "/api/v1/sources"} {
			req := &http.Request{Method: http.MethodGet, Header: http.Header{}, URL: &url.URL{Path: path, RawQuery: query}, RequestURI: path + "?" + query, RemoteAddr: "192.0.2.1:1"}
			rec := httptest.NewRecorder()
			b.ServeHTTP(rec, req)
			if rec.Code >= 500 {
				t.Errorf("%s?%s: %d %s", path, query, rec.Code, rec.Body)
			}
		}
	})
}

func FuzzVerdictBody(f *testing.F) {
	b := newBench(f)
	for _, seed := range []string{`{"gtin":"036000291452"}`, `{"units":[{},null]}`, `{"units":[[]]}`, `{"a":{"b":[1]}}`, `{"lot":"\ud800"}`, `[`, `{"":1}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, path := range []string{"/api/v1/verdict", "/api/v1/verdict/batch"} {
			rec := httptest.NewRecorder()
			b.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, path, strings.NewReader(string(body))))
			if rec.Code >= 500 {
				t.Errorf("%s %q: %d %s", path, body, rec.Code, rec.Body)
			}
		}
	})
}
