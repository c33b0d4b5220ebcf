package program

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// scrapeWithin is how long a scrape may take: longer than it ever does, and shorter
// than any server is waited for that hangs.
const scrapeWithin = 5 * time.Second

// Scrape asks for the metrics in a format, as an operator, and returns what the
// server said.
func (s *Server) Scrape(accept string, headers ...string) (answer *http.Response, body string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), scrapeWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Base+"/metrics", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	answer, err = http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatalf("scraping: %v", err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatalf("scraping: %v", err)
	}
	return answer, string(raw)
}

// Metrics are the series of one scrape: NAME{LABELS} as the text format writes
// them, with their values.
type Metrics map[string]float64

// Metrics scrapes.
func (s *Server) Metrics(headers ...string) Metrics {
	s.t.Helper()
	answer, body := s.Scrape("text/plain", headers...)
	if answer.StatusCode != http.StatusOK {
		s.t.Fatalf("a scrape answers %d: %.500s", answer.StatusCode, body)
	}
	m := Metrics{}
	for line := range strings.Lines(body) {
		at := strings.LastIndexByte(line, ' ')
		if strings.HasPrefix(line, "#") || at < 0 {
			continue
		}
		value, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64)
		if err != nil {
			s.t.Fatalf("the metrics have a line %q", line)
		}
		m[line[:at]] = value
	}
	return m
}
