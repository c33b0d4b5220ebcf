package main

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestHealthcheck asks servers that are well, unwell, elsewhere and not there.
func TestHealthcheck(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/health":
		case "/moved":
			http.Redirect(w, r, "/health", http.StatusFound)
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	addr := strings.TrimPrefix(server.URL, "http://")
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, c := range map[string]struct {
		settings map[string]string
		args     []string
		code     int
		says     string
	}{
		"well, by PORT":     {map[string]string{"PORT": port}, nil, exitDone, ""},
		"well, by address":  {nil, []string{"--addr", addr}, exitDone, ""},
		"not ready":         {nil, []string{"--addr", addr, "--path", "/api/readyz"}, exitFailed, "503"},
		"sent elsewhere":    {nil, []string{"--addr", addr, "--path", "/moved"}, exitFailed, "302"},
		"not there":         {nil, []string{"--addr", strings.TrimPrefix(gone.URL, "http://")}, exitFailed, "refused"},
		"no such port":      {map[string]string{"PORT": "many"}, nil, exitFailed, "PORT"},
		"no such address":   {nil, []string{"--addr", "a b"}, exitUsage, "a b"},
		"more than a check": {nil, []string{"now"}, exitUsage, "now"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lookup := func(name string) (string, bool) { value, ok := c.settings[name]; return value, ok }
			var out, errOut bytes.Buffer
			code := realMain(t.Context(), append([]string{"healthcheck"}, c.args...), environment{lookup: lookup, stdin: strings.NewReader(""), stdout: &out, stderr: &errOut})
			if code != c.code || out.Len() > 0 || !strings.Contains(errOut.String(), c.says) || c.says == "" && errOut.Len() > 0 {
				t.Errorf("status %d, %q, %q", code, out.String(), errOut.String())
			}
		})
	}
}
