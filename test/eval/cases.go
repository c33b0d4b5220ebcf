package main

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/recall"
)

//go:embed cases/*.jsonl
var caseFiles embed.FS

// unitCase is a question about one unit and the answer that a careful reader of
// the notices would give.
type unitCase struct {
	ID      string         `json:"id"`
	Kind    string         `json:"kind"` // what the question is decided by
	Ask     recall.Unit    `json:"ask"`
	Verdict recall.Outcome `json:"verdict"`
	Recalls []string       `json:"recalls"` // must be among the matches with that verdict
	Need    string         `json:"need,omitempty"`
	Why     string         `json:"why"`
}

// searchCase is a search and the notices any of which must be found within rank.
type searchCase struct {
	ID      string            `json:"id"`
	Kind    string            `json:"kind"`
	Words   string            `json:"q"`
	Recalls []string          `json:"recalls"`
	Rank    int               `json:"rank"`
	Params  map[string]string `json:"params,omitempty"`
}

type caseSet struct {
	units    []unitCase
	searches []searchCase
}

// readCases reads the labelled set: files of units and of searches, one case a line.
func readCases() (caseSet, error) {
	var set caseSet
	files, err := caseFiles.ReadDir("cases")
	if err != nil {
		return set, fmt.Errorf("listing the cases: %w", err)
	}
	for _, f := range files {
		content, err := caseFiles.ReadFile(path.Join("cases", f.Name()))
		if err != nil {
			return set, fmt.Errorf("reading the cases %s: %w", f.Name(), err)
		}
		if strings.HasPrefix(f.Name(), "units") {
			err = readLines(content, &set.units)
		} else {
			err = readLines(content, &set.searches)
		}
		if err != nil {
			return set, fmt.Errorf("reading the cases %s: %w", f.Name(), err)
		}
	}
	return set, set.check()
}

func readLines[T any](content []byte, into *[]T) error {
	lines := bufio.NewScanner(bytes.NewReader(content))
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var one T
		decoder := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&one); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		*into = append(*into, one)
	}
	return lines.Err()
}

var outcomes = []recall.Outcome{recall.Affected, recall.NeedCode, recall.NotAffected, recall.NoMatch, recall.CannotTell}

// check refuses a set that could not fail: cases without an expectation.
func (s *caseSet) check() error {
	seen := map[string]bool{}
	for _, c := range s.units {
		names := c.Verdict == recall.Affected || c.Verdict == recall.NeedCode || c.Verdict == recall.NotAffected
		switch {
		case c.ID == "" || seen[c.ID]:
			return fmt.Errorf("the id %q is empty or stands twice", c.ID)
		case !slices.Contains(outcomes, c.Verdict):
			return fmt.Errorf("%s expects the unknown verdict %q", c.ID, c.Verdict)
		case names != (len(c.Recalls) > 0):
			return fmt.Errorf("%s expects %s and names %d notices", c.ID, c.Verdict, len(c.Recalls))
		case c.Kind == "" || c.Ask == recall.Unit{}:
			return fmt.Errorf("%s has no kind or asks nothing", c.ID)
		}
		seen[c.ID] = true
	}
	for _, c := range s.searches {
		if c.ID == "" || seen[c.ID] || c.Kind == "" || c.Words == "" || c.Rank < 1 || len(c.Recalls) == 0 {
			return fmt.Errorf("the search %q is incomplete or stands twice", c.ID)
		}
		seen[c.ID] = true
	}
	return nil
}
