package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// samples are the values of /metrics by name and labels, as the text format has them.
type samples map[string]float64

// metrics scrapes the stack's server.
func (st *stack) metrics(ctx context.Context) (samples, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+st.address+"/metrics", nil)
	if err != nil {
		return nil, fmt.Errorf("asking for metrics: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+st.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("asking for metrics: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("metrics are answered with status %d", response.StatusCode)
	}
	return readSamples(response.Body)
}

// readSamples reads the Prometheus text format as far as the program writes it: a
// sample's name with its labels, a blank, and its value.
func readSamples(in io.Reader) (samples, error) {
	found := samples{}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		end := strings.LastIndexByte(line, ' ')
		if line == "" || line[0] == '#' || end < 0 {
			continue
		}
		value, err := strconv.ParseFloat(line[end+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("reading the metric %q: %w", line, err)
		}
		found[line[:end]] = value
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading metrics: %w", err)
	}
	return found, nil
}

// queryTimes returns within what a share of the database's queries between two scrapes
// were answered, by the upper bounds of the histogram's buckets, and how many there were.
func queryTimes(before, after samples, share float64) (within time.Duration, queries float64) {
	const prefix, bound = "database_query_duration_seconds_bucket{", `le="`
	buckets := map[float64]float64{}
	for name, value := range after {
		_, labels, ok := strings.Cut(name, prefix)
		if !ok {
			continue
		}
		_, text, _ := strings.Cut(labels, bound)
		text, _, _ = strings.Cut(text, `"`)
		le, err := strconv.ParseFloat(text, 64)
		if err != nil {
			continue // no bucket
		}
		buckets[le] += value - before[name]
	}
	queries = buckets[math.Inf(1)]
	for _, le := range slices.Sorted(maps.Keys(buckets)) {
		if queries > 0 && buckets[le] >= share*queries {
			return time.Duration(min(le, 3600) * float64(time.Second)), queries
		}
	}
	return 0, queries
}
