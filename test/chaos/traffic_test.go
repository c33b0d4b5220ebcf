package chaos

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/program"
)

// askers is how many ask at the same time, and pause how long each waits between
// an answer and the next question: some hundred questions a second, which leave
// the processors room for the servers.
const (
	askers = 4
	pause  = 5 * time.Millisecond
)

// traffic are people who ask while something fails.
type traffic struct {
	t      *testing.T
	base   string
	asked  atomic.Int64
	failed atomic.Int64
	first  atomic.Pointer[string] // the first failure
	ending chan struct{}
	ended  sync.WaitGroup
}

// drive lets people ask a service until stop. Every question is another one, so
// that answers are worked out and not remembered.
func drive(t *testing.T, base string) *traffic {
	t.Helper()
	tr := &traffic{t: t, base: base, ending: make(chan struct{})}
	for range askers {
		tr.ended.Go(tr.ask)
	}
	t.Cleanup(tr.end)
	return tr
}

func (tr *traffic) ask() {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for {
		select {
		case <-tr.ending:
			return
		case <-time.After(pause):
		}
		n := tr.asked.Add(1)
		if failure := question(client, tr.base, n); failure != "" {
			tr.failed.Add(1)
			tr.first.CompareAndSwap(nil, &failure)
		}
	}
}

// question asks the n-th question and returns what was wrong with its answer.
func question(client *http.Client, base string, n int64) string {
	method, path, body := http.MethodGet, "", ""
	switch n % 5 {
	case 0:
		path = fmt.Sprintf("/api/v1/barcode/850044968008?lot=X%d", n)
	case 1:
		path = fmt.Sprintf("/api/v1/recalls?q=infant+formula+x%d&facets=agency", n)
	case 2:
		method, path, body = http.MethodPost, "/api/v1/verdict", fmt.Sprintf(`{"brand":"ByHeart","name":"infant formula","lot":"Y%d"}`, n)
	case 3:
		path = "/api/v1/recalls/us-fda:H-0249-2026"
	case 4:
		path = "/api/v1/sources"
	}
	req, err := http.NewRequest(method, base+path, strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Sprintf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Sprintf("%s %s: reading the answer: %v", method, path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Sprintf("%s %s: %d %.300s", method, path, resp.StatusCode, answer)
	}
	if n%5 == 0 && !strings.Contains(string(answer), "us-fda:H-0249-2026") {
		return fmt.Sprintf("%s %s: the notice is missing: %.300s", method, path, answer)
	}
	return ""
}

// more waits until some more questions have been answered, so that what follows
// was seen by people.
func (tr *traffic) more(questions int64) {
	tr.t.Helper()
	until := tr.asked.Load() + questions
	testenv.Eventually(tr.t, program.Patience, fmt.Sprintf("%d more questions are asked", questions), func() bool { return tr.asked.Load() >= until })
}

// unharmed fails the test when a question failed.
func (tr *traffic) unharmed(during string) {
	tr.t.Helper()
	if n := tr.failed.Load(); n > 0 {
		tr.t.Errorf("%s: %d of %d questions failed, the first: %s", during, n, tr.asked.Load(), *tr.first.Load())
	}
}

func (tr *traffic) end() {
	select {
	case <-tr.ending:
	default:
		close(tr.ending)
	}
	tr.ended.Wait()
}
