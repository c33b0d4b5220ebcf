package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/crownsafe/api/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

func smoke(t *testing.T, args ...string) (code int, said string) {
	t.Helper()
	var both bytes.Buffer
	code = realMain(t.Context(), args, &both, &both)
	return code, both.String()
}

// TestSmoke asks the real binary as it is, and then behind a proxy that breaks
// one promise at a time: each check turns red by its own fault and no other.
func TestSmoke(t *testing.T) {
	t.Parallel()
	server := program.Serve(t, t.TempDir())
	if code, said := smoke(t, server.Base); code != 0 {
		t.Fatalf("the service as it is: status %d\n%s", code, said)
	}
	target, err := url.Parse(server.Base)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(path string, r *http.Response) (body string){
		"the process lives":                        at("/health", `{"status":"starting"}`),
		"the database answers":                     refused("/api/healthz", 503),
		"sources are listed":                       at("/api/v1/sources", `{"items":[]}`),
		"a notice is found by its id":              below("/api/v1/recalls/", `{"id":"us-cpsc:1"}`),
		"a recalled barcode is recalled":           below("/api/v1/barcode/0", `{"verdict":"no_match","serial":1,"coverage":[{}]}`, "/"+misread),
		"a misread barcode is refused":             below("/api/v1/barcode/"+misread, `{"code":"length"}`),
		"what is monitored is closed to strangers": refused("/metrics", 500),
		"browsers are told what they may not do":   withoutPolicy,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := &httputil.ReverseProxy{
				Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
				ModifyResponse: func(r *http.Response) error {
					if body := spoil(r.Request.URL.Path, r); body != "" {
						r.Header.Del("Content-Encoding")
						r.ContentLength = int64(len(body))
						r.Header.Del("Content-Length")
						r.Body.Close()
						r.Body = readCloser{strings.NewReader(body)}
					}
					return nil
				},
			}
			front := httptest.NewServer(proxy)
			defer front.Close()
			code, said := smoke(t, front.URL)
			if code != 1 || !strings.Contains(said, "FAIL  "+name) || strings.Count(said, "FAIL") != 1 {
				t.Errorf("status %d\n%s", code, said)
			}
		})
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

func at(path, body string) func(string, *http.Response) string {
	return func(asked string, _ *http.Response) string {
		if asked == path {
			return body
		}
		return ""
	}
}

func below(prefix, body string, except ...string) func(string, *http.Response) string {
	return func(asked string, _ *http.Response) string {
		for _, e := range except {
			if strings.HasSuffix(asked, e) {
				return ""
			}
		}
		if strings.HasPrefix(asked, prefix) {
			return body
		}
		return ""
	}
}

func refused(path string, status int) func(string, *http.Response) string {
	return func(asked string, r *http.Response) string {
		if asked != path {
			return ""
		}
		r.StatusCode = status
		problem, _ := json.Marshal(map[string]any{"status": status}) // a map of a number
		return string(problem)
	}
}

func withoutPolicy(_ string, r *http.Response) string {
	r.Header.Del("Content-Security-Policy")
	return ""
}

func TestWrongUse(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"staging"}, {"ftp://example.org"}, {"http://a.example", "http://b.example"}, {"-patience", "long", "http://a.example"}} {
		if code, said := smoke(t, args...); code != 2 {
			t.Errorf("%q: status %d: %s", args, code, said)
		}
	}
}

// TestAServiceThatIsNotThere is waited for no longer than was asked.
func TestAServiceThatIsNotThere(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	if code, said := smoke(t, "-patience", "1ms", gone.URL); code != 1 || !strings.Contains(said, "not ready within 1ms") {
		t.Errorf("status %d: %s", code, said)
	}
}

func TestOnlyLoopbackIsTrusted(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "::1": true,
		"staging.crownsafe.com": false, "10.0.0.1": false, "localhost.example.org": false,
	} {
		if isLoopback(host) != want {
			t.Errorf("isLoopback(%q) = %t", host, !want)
		}
	}
}
