package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestPercentile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		values []int
		share  float64
		want   int
	}{
		{"none", nil, 0.5, 0},
		{"one", []int{7}, 0.99, 7},
		{"the middle of three", []int{9, 1, 5}, 0.5, 5},
		{"the lower middle of two", []int{4, 2}, 0.5, 2},
		{"the highest", []int{3, 1, 2}, 1, 3},
		{"the lowest", []int{3, 1, 2}, 0, 1},
		{"99 of a hundred", upTo(100), 0.99, 99},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before := slices.Clone(tt.values)
			if got := percentile(tt.values, tt.share); got != tt.want {
				t.Errorf("percentile(%v, %g) = %d, want %d", tt.values, tt.share, got, tt.want)
			}
			if !slices.Equal(before, tt.values) {
				t.Errorf("the values were put into another order: %v", tt.values)
			}
		})
	}
}

func upTo(n int) (list []int) {
	for i := range n {
		list = append(list, i+1)
	}
	return list
}

func TestPercentile_coversItsShare(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int(), 1, 200).Draw(t, "values")
		share := rapid.Float64Range(0, 1).Draw(t, "share")
		got := percentile(values, share)
		within, below := 0, 0
		for _, v := range values {
			if v <= got {
				within++
			}
			if v < got {
				below++
			}
		}
		if n := float64(len(values)); float64(within) < share*n || below > 0 && float64(below) >= share*n {
			t.Errorf("percentile %g of %v is %d", share, values, got)
		}
	})
}

func TestTable(t *testing.T) {
	t.Parallel()
	rows := []row{
		{"start", "0.40 s", "≤ 1 s", atMost(0.4, 1)},
		{"rate", "0.59", "≥ 0.60", atLeast(0.59, 0.6)},
		{"for the record", "12 µs", "", information},
	}
	want := strings.TrimPrefix(`
| what           | measured | goal   |            |
| -------------- | -------- | ------ | ---------- |
| start          | 0.40 s   | ≤ 1 s  | met        |
| rate           | 0.59     | ≥ 0.60 | **missed** |
| for the record | 12 µs    |        |            |
`, "\n")
	if diff := cmp.Diff(want, table(rows)); diff != "" {
		t.Error(diff)
	}
	if got := missed(rows); got != 1 {
		t.Errorf("%d goals missed, want 1", got)
	}
}

func TestJudgement_theGoalItselfIsMet(t *testing.T) {
	t.Parallel()
	if atLeast(0.6, 0.6) != met || atMost(1, 1) != met || atMost(1.01, 1) != missedGoal {
		t.Error("a value at its goal must meet it, one beyond must not")
	}
}

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

// play starts a server that answers the path with its rest, and /fail with 500.
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

func TestAsk_countsWhatFailsAndGoesOn(t *testing.T) {
	t.Parallel()
	ctx, enough := context.WithCancel(t.Context())
	defer enough()
	var served atomic.Int64
	address := play(t, func() {
		if served.Add(1) == 2000 {
			enough()
		}
	})
	var given atomic.Int64
	got := ask(ctx, address, numbered(func(n uint64) question {
		given.Add(1)
		if n%100 == 0 {
			return question{get("/fail"), expectation{}}
		}
		return question{get("/ok"), expectation{begins: []byte("ok"), length: 2}}
	}))
	asked := int(given.Load())
	if want := (asked + 99) / 100; got.failures != want || got.requests != asked || len(got.latencies) != asked {
		t.Errorf("%d of %d requests failed (%d latencies), want %d of %d; the first: %v", got.failures, got.requests, len(got.latencies), want, asked, got.first)
	}
	if got.first == nil || !strings.Contains(got.first.Error(), "500") {
		t.Errorf("the first failure is %v", got.first)
	}
}

func TestAsk_givesUpOnAServerThatIsGone(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	address := s.Listener.Addr().String()
	s.Close()
	if got := ask(t.Context(), address, inTurn([]question{{get("/"), expectation{}}})); got.failures != connections*mostFailures || got.requests != 0 {
		t.Errorf("%d failures in %d requests, want %d in none", got.failures, got.requests, connections*mostFailures)
	}
}

func TestQuestions_noNumberComesTwice(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[uint64]bool{}
	next := numbered(func(n uint64) question {
		mu.Lock()
		defer mu.Unlock()
		if seen[n] {
			t.Errorf("number %d twice", n)
		}
		seen[n] = true
		return question{}
	})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				next()
			}
		})
	}
	wg.Wait()
	if len(seen) != 800 {
		t.Errorf("%d numbers, want 800", len(seen))
	}
}

func TestServeBare_playsAnswersAgain(t *testing.T) {
	t.Parallel()
	want := answer{URI: "/api/v1/recalls?q=crib", Header: http.Header{"Etag": {`W/"1"`}, "Content-Type": {"application/json"}, "Content-Length": {"13"}}, Body: []byte(`{"items":[{}]`)}
	in, feed := io.Pipe()
	lines, log := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- serveBare(t.Context(), in, log) }()
	if err := json.NewEncoder(feed).Encode([]answer{want}); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(lines).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	address := listeningAt(line)
	got, err := fetch(address, want.URI)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := fetch(address, "/other"); err == nil {
		t.Error("an address that was not given is answered")
	}
	if err := feed.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("when its input ends it says %v", err)
	}
}

func TestServeBare_refusesWhatIsNoList(t *testing.T) {
	t.Parallel()
	if err := serveBare(t.Context(), strings.NewReader("{"), io.Discard); err == nil {
		t.Error("a broken list is served")
	}
}

func TestListeningAt(t *testing.T) {
	t.Parallel()
	log := "{\"msg\":\"loaded\",\"addr\":\"no\"}\nnot JSON\n{\"msg\":\"listening\",\"addr\":\"127.0.0.1:81\"}\n"
	if got := listeningAt([]byte(log)); got != "127.0.0.1:81" {
		t.Errorf("listening at %q", got)
	}
	if got := listeningAt([]byte(log[:len(log)-8])); got != "" {
		t.Errorf("half a line says %q", got)
	}
}

func TestProcessorTime(t *testing.T) {
	t.Parallel()
	const stat = "4711 (a (odd) name) S 1 2 3 4 5 6 7 8 9 10 250 31 0 0 20 0 9 0 5 6 7"
	if got, err := processorTime(stat); err != nil || got != 2810*time.Millisecond {
		t.Errorf("got %s, %v; want 2.81s", got, err)
	}
	for _, bad := range []string{"", "4711 (x) S 1", strings.Replace(stat, "250", "x", 1), strings.Replace(stat, "31", "x", 1)} {
		if got, err := processorTime(bad); err == nil {
			t.Errorf("%q was read as %s", bad, got)
		}
	}
}

func TestKibibytes(t *testing.T) {
	t.Parallel()
	status := []byte("Name:\tcrownsafe\nVmHWM:\t  180224 kB\nVmRSS:\t  131072 kB\nVmBad:\t many kB\n")
	if got, err := kibibytes(status, "VmRSS"); err != nil || got != 128*megabyte {
		t.Errorf("got %d, %v; want 128 MiB", got, err)
	}
	for _, field := range []string{"VmSwap", "VmBad"} {
		if got, err := kibibytes(status, field); err == nil {
			t.Errorf("%s was read as %d", field, got)
		}
	}
}

// own is a server whose process is this test, with a log of its own.
func own(t *testing.T, address string) *server {
	t.Helper()
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(log, []byte("old lines"), 0o600); err != nil {
		t.Fatal(err)
	}
	return &server{cmd: &exec.Cmd{Process: self, Path: "test"}, address: address, log: log}
}

func TestCompare_asksBothTheSame(t *testing.T) {
	t.Parallel()
	var bare, ours atomic.Int64
	b := own(t, play(t, func() { bare.Add(1) }))
	o := own(t, play(t, func() { ours.Add(1) }))
	s := settings{rounds: 3, round: 20 * time.Millisecond}
	ratio, bc, oc, err := compare(t.Context(), s, b, o, inTurn([]question{{get("/x"), expectation{length: 1}}}))
	if err != nil {
		t.Fatal(err)
	}
	if ratio <= 0 || len(bc.rates) != s.rounds || len(oc.rates) != s.rounds {
		t.Errorf("ratio %g of %v by %v", ratio, oc.rates, bc.rates)
	}
	if bc.total.requests == 0 || int64(bc.total.requests) > bare.Load() || oc.total.requests == 0 || int64(oc.total.requests) > ours.Load() {
		t.Errorf("%d and %d requests counted, %d and %d served", bc.total.requests, oc.total.requests, bare.Load(), ours.Load())
	}
	if text, err := os.ReadFile(o.log); err != nil || len(text) != 0 {
		t.Errorf("the log holds %q, %v", text, err)
	}
}

func TestCompare_aFailedRequestIsNoResult(t *testing.T) {
	t.Parallel()
	b, o := own(t, play(t, nil)), own(t, play(t, nil))
	_, _, _, err := compare(t.Context(), settings{rounds: 1, round: 20 * time.Millisecond}, b, o, inTurn([]question{{get("/fail"), expectation{}}}))
	if err == nil || !strings.Contains(err.Error(), "status 500") {
		t.Errorf("error %v, want the status", err)
	}
}

func TestSightings_visible(t *testing.T) {
	t.Parallel()
	over := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return over.Add(time.Duration(ms) * time.Millisecond) }
	for _, tt := range []struct {
		name         string
		since, known time.Time
		want         time.Duration
	}{
		{"before the end", at(-40), at(-50), 0},
		{"the serial came last", at(300), at(200), 300 * time.Millisecond},
		{"the notice came last", at(300), at(310), 310 * time.Millisecond},
	} {
		s := sightings{serial: 9, since: tt.since, known: tt.known}
		if got, err := s.visible(over); err != nil || got != tt.want {
			t.Errorf("%s: %s, %v; want %s", tt.name, got, err, tt.want)
		}
	}
	if _, err := (&sightings{serial: 9, since: at(1)}).visible(over); err == nil {
		t.Error("a notice that was never served is visible")
	}
}

func TestBarcodes_areSpreadAndDifferent(t *testing.T) {
	t.Parallel()
	got := barcodes(1, 0, 2000, 50)
	slices.Sort(got)
	if n := len(slices.Compact(got)); n != 50 {
		t.Errorf("%d different barcodes, want 50", n)
	}
}

func TestAskedAnew_everyAddressIsNew(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for n := range uint64(1000) {
		for _, uri := range []string{withLot(answer{URI: "/b"}, n), withFarEnd(answer{URI: "/r?q=x"}, n)} {
			if seen[uri] {
				t.Fatalf("%s twice", uri)
			}
			seen[uri] = true
		}
	}
}

func TestRealMain_usage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-unknown"}, {"argument"}} {
		var out, progress bytes.Buffer
		if code := realMain(t.Context(), args, strings.NewReader(""), &out, &progress); code != exitUsage || progress.Len() == 0 {
			t.Errorf("%v: status %d, %q", args, code, progress.String())
		}
	}
}
