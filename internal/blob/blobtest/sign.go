package blobtest

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/blob"
)

func sign(t *testing.T, s blob.Store, key string, allowed blob.Permission) blob.SignedURL {
	t.Helper()
	before := time.Now()
	signed, err := s.SignURL(t.Context(), key, allowed, time.Hour)
	if err != nil {
		t.Fatalf("SignURL(%q): %v", key, err)
	}
	if least, most := before.Add(time.Hour), time.Now().Add(time.Hour+time.Second); signed.ExpiresAt.Before(least) || signed.ExpiresAt.After(most) {
		t.Errorf("a URL for an hour ends at %s, it is %s", signed.ExpiresAt, before)
	}
	return signed
}

// request is what somebody does who has a URL and nothing else.
func request(t *testing.T, method string, signed blob.SignedURL, content string, header map[string]string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, signed.URL, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	for name, value := range signed.PutHeader {
		if method == http.MethodPut {
			req.Header.Set(name, value)
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// wantStatus sends what is right in all but what the URL allows.
func wantStatus(t *testing.T, s blob.Store, method string, signed blob.SignedURL, want int) {
	t.Helper()
	signed.PutHeader = sign(t, s, "any", blob.Write).PutHeader
	if resp, body := request(t, method, signed, "what should not be stored", nil); resp.StatusCode != want {
		t.Errorf("%s answers %s, want %d: %.200s", method, resp.Status, want, body)
	}
}

// elsewhere makes a URL lead to another key.
func elsewhere(t *testing.T, signed blob.SignedURL, from, to string) blob.SignedURL {
	t.Helper()
	u, err := url.Parse(signed.URL)
	if err != nil || !strings.HasSuffix(u.Path, from) {
		t.Fatalf("the URL has the path %q, which doesn't end in %q: %v", u.Path, from, err)
	}
	u.Path, u.RawPath = strings.TrimSuffix(u.Path, from)+to, ""
	signed.URL = u.String()
	return signed
}

func signedRead(t *testing.T, s blob.Store) {
	if _, err := s.Put(t.Context(), "photos/a", strings.NewReader("0123456789"), blob.PutOptions{ContentType: "image/png"}); err != nil {
		t.Fatal(err)
	}
	put(t, s, "photos/b", "another")
	signed := sign(t, s, "photos/a", blob.Read)
	resp, body := request(t, http.MethodGet, signed, "", nil)
	if resp.StatusCode != http.StatusOK || body != "0123456789" || resp.Header.Get("Content-Type") != "image/png" || resp.Header.Get("ETag") == "" {
		t.Errorf("GET answers %s, %q, %v", resp.Status, body, resp.Header)
	}
	if resp, body := request(t, http.MethodHead, signed, "", nil); resp.StatusCode != http.StatusOK || body != "" || resp.ContentLength != 10 {
		t.Errorf("HEAD answers %s, %q, %d bytes", resp.Status, body, resp.ContentLength)
	}
	if resp, body := request(t, http.MethodGet, signed, "", map[string]string{"Range": "bytes=2-4"}); resp.StatusCode != http.StatusPartialContent || body != "234" {
		t.Errorf("GET of a range answers %s, %q", resp.Status, body)
	}
	if resp, _ := request(t, http.MethodGet, signed, "", map[string]string{"Range": "bytes=11-"}); resp.StatusCode != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("GET of a range beyond the end answers %s", resp.Status)
	}
	wantStatus(t, s, http.MethodGet, elsewhere(t, signed, "photos/a", "photos/b"), http.StatusForbidden)
	wantStatus(t, s, http.MethodPut, signed, http.StatusForbidden)
	wantStatus(t, s, http.MethodDelete, signed, http.StatusForbidden)
	holds(t, s, "photos/a", "0123456789")
	wantStatus(t, s, http.MethodGet, sign(t, s, "nothing", blob.Read), http.StatusNotFound)
}

func signedWrite(t *testing.T, s blob.Store) {
	put(t, s, "b", "another")
	signed := sign(t, s, "a", blob.Write)
	for _, content := range []string{"what somebody sends", "and sends again"} {
		resp, body := request(t, http.MethodPut, signed, content, map[string]string{"Content-Type": "text/csv"})
		if resp.StatusCode != http.StatusCreated {
			t.Fatalf("PUT answers %s: %.200s", resp.Status, body)
		}
		holds(t, s, "a", content)
		if got := head(t, s, "a").ContentType; got != "text/csv" {
			t.Errorf("it has the content type %q", got)
		}
	}
	wantStatus(t, s, http.MethodGet, signed, http.StatusForbidden)
	wantStatus(t, s, http.MethodDelete, signed, http.StatusForbidden)
	wantStatus(t, s, http.MethodPut, elsewhere(t, signed, "a", "b"), http.StatusForbidden)
	holds(t, s, "a", "and sends again")
	holds(t, s, "b", "another")
}

func signedDelete(t *testing.T, s blob.Store) {
	put(t, s, "a", "x")
	signed := sign(t, s, "a", blob.Delete)
	wantStatus(t, s, http.MethodGet, signed, http.StatusForbidden)
	wantStatus(t, s, http.MethodPut, signed, http.StatusForbidden)
	holds(t, s, "a", "x")
	if resp, body := request(t, http.MethodDelete, signed, "", nil); resp.StatusCode/100 != 2 {
		t.Errorf("DELETE answers %s: %.200s", resp.Status, body)
	}
	if there, err := blob.Exists(t.Context(), s, "a"); there || err != nil {
		t.Errorf("after DELETE it is there: %t, %v", there, err)
	}
	put(t, s, "b", "all at once")
	signed = sign(t, s, "b", blob.Read|blob.Write|blob.Delete)
	for method, want := range map[string]int{http.MethodGet: 200, http.MethodPut: 201} {
		if resp, body := request(t, method, signed, "new", nil); resp.StatusCode != want {
			t.Errorf("%s answers %s, want %d: %.200s", method, resp.Status, want, body)
		}
	}
}

// signedExpiry waits for the end of the shortest life that there is.
func signedExpiry(t *testing.T, s blob.Store) {
	put(t, s, "a", "x")
	signed, err := s.SignURL(t.Context(), "a", blob.Read, time.Nanosecond)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; <-time.After(20 * time.Millisecond) {
		resp, _ := request(t, http.MethodGet, signed, "", nil)
		if resp.StatusCode == http.StatusForbidden {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("a URL that ended at %s answers %s", signed.ExpiresAt, resp.Status)
		}
	}
	if time.Now().Before(signed.ExpiresAt) {
		t.Errorf("the URL ended before %s", signed.ExpiresAt)
	}
}

// signedKeys has keys that careless URLs break.
func signedKeys(t *testing.T, s blob.Store) {
	for _, key := range []string{"with blank", "100% #1?x=y&z", "plus+", "a%2Fb", "données/été", "👶", "a;b,c", "'\"<>"} {
		put(t, s, key, "content of "+key)
		resp, body := request(t, http.MethodGet, sign(t, s, key, blob.Read), "", nil)
		if resp.StatusCode != http.StatusOK || body != "content of "+key {
			t.Errorf("%q: GET answers %s, %.200q", key, resp.Status, body)
		}
	}
}

func signedNonsense(t *testing.T, s blob.Store) {
	for name, err := range map[string]error{
		"a bad key":       second(s.SignURL(t.Context(), "../a", blob.Read, time.Hour)),
		"no permission":   second(s.SignURL(t.Context(), "a", 0, time.Hour)),
		"no such one":     second(s.SignURL(t.Context(), "a", 1<<7, time.Hour)),
		"no lifetime":     second(s.SignURL(t.Context(), "a", blob.Read, 0)),
		"the past":        second(s.SignURL(t.Context(), "a", blob.Read, -time.Hour)),
		"a long lifetime": second(s.SignURL(t.Context(), "a", blob.Read, blob.MaxLifetime+time.Second)),
	} {
		if err == nil {
			t.Errorf("a URL was signed for %s", name)
		}
	}
}

func second(_ blob.SignedURL, err error) error { return err }
