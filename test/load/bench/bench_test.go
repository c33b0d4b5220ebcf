package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
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

// play starts a server that answers the path with its rest, and /fail with 500.
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
