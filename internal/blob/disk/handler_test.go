package disk

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/blob"
)

var secret = bytes.Repeat([]byte("s"), minSecret)

// ask sends a request to a store's handler as the mounted server would.
func ask(t *testing.T, s *Store, method, target, body string, header map[string]string) *http.Response {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	for name, value := range header {
		req.Header.Set(name, value)
	}
	answer := httptest.NewRecorder()
	http.StripPrefix("/blobs", s.Handler()).ServeHTTP(answer, req)
	return answer.Result()
}

// only is a ring of one key.
func only(key []byte) func() [][]byte { return func() [][]byte { return [][]byte{key} } }

func signing(t *testing.T, o Options) *Store {
	t.Helper()
	if o.Keys == nil {
		o.Keys = only(secret)
	}
	s, err := OpenWith(t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func signed(t *testing.T, s *Store, key string, allowed blob.Permission) string {
	t.Helper()
	signed, err := s.SignURL(t.Context(), key, allowed, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return signed.URL
}

// What somebody uploads is never run in the name of the service.
func TestServedContentIsHarmless(t *testing.T) {
	t.Parallel()
	s := signing(t, Options{})
	for contentType, disposition := range map[string]string{
		"text/html":     "attachment",
		"image/svg+xml": "attachment",
		"image/png":     "inline",
		"":              "attachment",
	} {
		if _, err := s.Put(t.Context(), "photos/näme.x", strings.NewReader("<script>"), blob.PutOptions{ContentType: contentType}); err != nil {
			t.Fatal(err)
		}
		resp := ask(t, s, http.MethodGet, signed(t, s, "photos/näme.x", blob.Read), "", nil)
		for name, part := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox", "Referrer-Policy": "no-referrer",
			"Content-Disposition": disposition + "; filename*=utf-8''n%C3%A4me.x", "Cache-Control": "private, max-age=3",
		} {
			if got := resp.Header.Get(name); !strings.HasPrefix(got, part) && !strings.HasSuffix(got, part) {
				t.Errorf("an object of type %q comes with %s %q, want %q", contentType, name, got, part)
			}
		}
	}
}

func TestHandlerRefuses(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := signing(t, Options{Now: func() time.Time { return now }})
	put(t, s, "a")
	put(t, s, "b")
	good, err := url.Parse(signed(t, s, "a", blob.Read))
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(u *url.URL, q url.Values)) string {
		u, q := *good, good.Query()
		change(&u, q)
		u.RawQuery = q.Encode()
		return u.String()
	}
	for name, target := range map[string]string{
		"no signature":       "/blobs/a",
		"an empty signature": with(func(_ *url.URL, q url.Values) { q.Set("s", "") }),
		"no base64":          with(func(_ *url.URL, q url.Values) { q.Set("s", "!") }),
		"a cut signature":    with(func(_ *url.URL, q url.Values) { q.Set("s", q.Get("s")[:42]) }),
		"more permissions":   with(func(_ *url.URL, q url.Values) { q.Set("p", "rw") }),
		"a later expiry":     with(func(_ *url.URL, q url.Values) { q.Set("e", "99999999999") }),
		"a blank expiry":     with(func(_ *url.URL, q url.Values) { q.Set("e", " "+q.Get("e")) }),
		"another key":        with(func(u *url.URL, _ url.Values) { u.Path = "/blobs/b" }),
		"a way out":          with(func(u *url.URL, _ url.Values) { u.Path = "/blobs/../a" }),
		"moved line breaks":  with(func(u *url.URL, q url.Values) { q.Set("p", "r\n"+q.Get("e")) }),
		"of another secret":  signed(t, other(t), "a", blob.Read),
		"what isn't a key":   with(func(u *url.URL, _ url.Values) { u.Path = "/blobs/.incoming" }),
		"the folder's lock":  with(func(u *url.URL, _ url.Values) { u.Path = "/blobs/.lock" }),
	} {
		resp := ask(t, s, http.MethodGet, target, "", nil)
		var problem struct{ Status int }
		if err := json.NewDecoder(resp.Body).Decode(&problem); err != nil || problem.Status != 403 ||
			resp.StatusCode != http.StatusForbidden || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s, %+v, %v", name, resp.Status, problem, err)
		}
	}
	if resp := ask(t, s, http.MethodGet, good.String(), "", nil); resp.StatusCode != http.StatusOK {
		t.Errorf("a good URL answers %s", resp.Status)
	}
	if resp := ask(t, s, http.MethodPost, good.String(), "", nil); resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") == "" {
		t.Errorf("POST answers %s", resp.Status)
	}
	now = now.Add(time.Hour + time.Second)
	if resp := ask(t, s, http.MethodGet, good.String(), "", nil); resp.StatusCode != http.StatusForbidden {
		t.Errorf("an expired URL answers %s", resp.Status)
	}
}

func other(t *testing.T) *Store {
	t.Helper()
	s, err := OpenWith(t.TempDir(), Options{Keys: only(bytes.Repeat([]byte("o"), minSecret))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestHandlerWrites(t *testing.T) {
	t.Parallel()
	s := signing(t, Options{MaxUpload: 10})
	target := signed(t, s, "a", blob.Write)
	for _, test := range []struct {
		name, body string
		header     map[string]string
		want       int
	}{
		{"only if absent", "first", map[string]string{"If-None-Match": "*"}, 201},
		{"only if absent, again", "second", map[string]string{"If-None-Match": "*"}, 412},
		{"in place of another", "second", map[string]string{"If-Match": `"x"`}, 412},
		{"with its MD5", "abc", map[string]string{"Content-MD5": "kAFQmDzST7DWlj99KOF/cg=="}, 201}, // RFC 1321, A.5
		{"with another MD5", "abd", map[string]string{"Content-MD5": "kAFQmDzST7DWlj99KOF/cg=="}, 400},
		{"with no MD5", "abd", map[string]string{"Content-MD5": "!"}, 400},
		{"with a bad type", "abd", map[string]string{"Content-Type": "x"}, 400},
		{"too much", "0123456789a", nil, 413},
	} {
		if resp := ask(t, s, http.MethodPut, target, test.body, test.header); resp.StatusCode != test.want {
			t.Errorf("%s: %s, want %d", test.name, resp.Status, test.want)
		}
	}
	object, _, err := s.Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer object.Close()
	if got, err := io.ReadAll(object); string(got) != "abc" || err != nil {
		t.Errorf("it holds %q, %v", got, err)
	}
	if resp := ask(t, s, http.MethodPut, signed(t, s, "a/b", blob.Write), "x", nil); resp.StatusCode != 400 {
		t.Errorf("PUT below an object answers %s", resp.Status)
	}
}

// Who is told the length gets less of what is damaged, never all of it.
func TestHandlerCutsWhatIsDamaged(t *testing.T) {
	t.Parallel()
	s := serving(t, Options{})
	put(t, s, "a")
	rewrite(t, filepath.Join(s.root.Name(), "a"), func(content []byte) []byte { return append([]byte("y"), content[1:]...) })
	resp, err := http.Get(signed(t, s, "a", blob.Read))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) || len(got) != 0 {
		t.Errorf("read %q, %v, want the answer cut short", got, err)
	}
	put(t, s, "b")
	rewrite(t, filepath.Join(s.root.Name(), "b"), func(content []byte) []byte { return nil })
	resp, err = http.Get(signed(t, s, "b", blob.Read))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("an object that is cut answers %s", resp.Status)
	}
}

func TestNothingIsSignedWithoutASecret(t *testing.T) {
	t.Parallel()
	s, _ := openTemp(t)
	put(t, s, "a")
	if _, err := s.SignURL(t.Context(), "a", blob.Read, time.Hour); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("SignURL: %v, want errors.ErrUnsupported", err)
	}
	// A signature by the empty secret isn't one.
	mac := signature(nil, "a", "r", "99999999999")
	query := url.Values{"p": {"r"}, "e": {"99999999999"}, "s": {base64.RawURLEncoding.EncodeToString(mac)}}
	if resp := ask(t, s, http.MethodGet, "/blobs/a?"+query.Encode(), "", nil); resp.StatusCode != http.StatusForbidden {
		t.Errorf("GET answers %s", resp.Status)
	}
	if _, err := OpenWith(t.TempDir(), Options{Keys: only([]byte("short"))}); err == nil {
		t.Error("a short secret was taken")
	}
}

func TestOwnProblems(t *testing.T) {
	t.Parallel()
	s := signing(t, Options{Problem: func(w http.ResponseWriter, _ *http.Request, status int, detail string) {
		http.Error(w, "own: "+detail, status)
	}})
	resp := ask(t, s, http.MethodGet, "/blobs/a", "", nil)
	if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusForbidden || !strings.HasPrefix(string(body), "own: ") {
		t.Errorf("GET answers %s, %q, %v", resp.Status, body, err)
	}
}

// TestASignedURLOutlivesARotation: what the key before signed is good while that
// key is on the ring, and no longer.
func TestASignedURLOutlivesARotation(t *testing.T) {
	t.Parallel()
	ring := [][]byte{secret}
	s := signing(t, Options{Keys: func() [][]byte { return ring }})
	if _, err := s.Put(t.Context(), "a", strings.NewReader("x"), blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	before := signed(t, s, "a", blob.Read)
	answers := func(when string, address string, want int) {
		t.Helper()
		if resp := ask(t, s, http.MethodGet, address, "", nil); resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", when, resp.StatusCode, want)
		}
	}
	ring = [][]byte{bytes.Repeat([]byte("n"), minSecret), secret}
	after := signed(t, s, "a", blob.Read)
	answers("by the key before", before, http.StatusOK)
	answers("by the new key", after, http.StatusOK)
	ring = ring[:1]
	answers("by a key that has gone", before, http.StatusForbidden)
	answers("by the key that is left", after, http.StatusOK)
}
