package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestReadHead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		want       head
		fails      string
	}{
		{"all that is read", "HTTP/1.1 200 OK\r\nCrown-Safe-Serial: 481\r\nContent-Type: text/plain\r\nContent-Length: 12\r\nConnection: close\r\n\r\n", head{200, 12, 481, true}, ""},
		{"another status", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", head{status: 503}, ""},
		{"no length", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", head{}, "no Content-Length"},
		{"a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n", head{}, "Content-Length"},
		{"a length beyond belief", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", head{}, "Content-Length"},
		{"no HTTP", "SSH-2.0-OpenSSH\r\n\r\n", head{}, "no status line"},
		{"a short status line", "HTTP/1.1 2\n\r\n", head{}, "no status line"},
		{"cut off in the status line", "HTTP/1.1 20", head{}, "EOF"},
		{"cut off in the headers", "HTTP/1.1 200 OK\r\nContent-", head{}, "EOF"},
		{"nothing", "", head{}, "EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := readHead(bufio.NewReader(strings.NewReader(tt.text)))
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("error %v, want one with %q", err, tt.fails)
				}
				return
			}
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

func FuzzReadHead(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 200\nCrown-Safe-Serial: \n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		h, err := readHead(bufio.NewReader(bytes.NewReader(text)))
		if err == nil && (h.status < 0 || h.length < 0 || h.serial < 0) {
			t.Errorf("%q was read as %+v", text, h)
		}
	})
}

func play(t *testing.T, served func()) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if served != nil {
			served()
		}
		if r.URL.Path == "/fail" {
			w.Header().Set("Content-Length", "0")
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, strings.TrimPrefix(r.RequestURI, "/"))
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func TestClient_asksManyTimesOnOneConnection(t *testing.T) {
	t.Parallel()
	c, err := dial(play(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	for _, word := range []string{"first", "second", "third"} {
		h, err := c.ask(get("/"+word), &expectation{begins: []byte(word), length: len(word)}, true)
		if err != nil || h.status != http.StatusOK || h.length != len(word) || string(c.body) != word {
			t.Fatalf("%s: %+v, body %q, %v", word, h, c.body, err)
		}
		if _, err := c.ask(get("/unlooked"), &expectation{begins: []byte("else")}, false); err != nil {
			t.Fatal(err)
		}
	}
}

func TestClient_noticesWrongAnswers(t *testing.T) {
	t.Parallel()
	address := play(t, nil)
	for _, tt := range []struct {
		name, uri string
		want      expectation
		fails     string
	}{
		{"status", "/fail", expectation{}, "status 500"},
		{"beginning", "/verdict", expectation{begins: []byte("vowel")}, "instead of"},
		{"length", "/short", expectation{length: 6 + lengthSlack}, "bytes instead of"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := dial(address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.close()
			if _, err := c.ask(get(tt.uri), &tt.want, true); err == nil || !strings.Contains(err.Error(), tt.fails) {
				t.Errorf("error %v, want one with %q", err, tt.fails)
			}
		})
	}
}
