package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
)

// baselineFile holds the figures that must not get worse.
//
//go:embed baseline.json
var baselineFile []byte

// figures are what the baseline keeps.
type figures struct {
	Units         int `json:"units"`
	UnitsRight    int `json:"units_right"`
	FalselyClear  int `json:"falsely_clear"` // affected units answered not_affected or no_match
	Searches      int `json:"searches"`
	SearchesRight int `json:"searches_right"`
	// AudiencePrecision and AudienceRecall have three decimals.
	AudiencePrecision float64 `json:"audience_precision"`
	AudienceRecall    float64 `json:"audience_recall"`
}

func (r *report) figures() figures {
	f := figures{Units: len(r.Units), Searches: len(r.Searches),
		AudiencePrecision: thousandths(r.Audience.precision()), AudienceRecall: thousandths(r.Audience.recall())}
	for i := range r.Units {
		if r.Units[i].right() {
			f.UnitsRight++
		}
		if r.Units[i].falselyClear() {
			f.FalselyClear++
		}
	}
	for i := range r.Searches {
		if r.Searches[i].right() {
			f.SearchesRight++
		}
	}
	return f
}

func thousandths(x float64) float64 { return math.Round(x*1000) / 1000 }

// compare fails when anything is worse than the baseline. Shares are compared,
// so that the set may grow; falsely cleared units are counted.
func compare(now figures) error {
	var before figures
	if err := json.Unmarshal(baselineFile, &before); err != nil {
		return fmt.Errorf("reading the baseline: %w", err)
	}
	return now.worseThan(before)
}

func (f figures) worseThan(before figures) error {
	var faults []error
	worse := func(what string, now, then float64) {
		if now < then {
			faults = append(faults, fmt.Errorf("%s: %.3f, and %.3f before", what, now, then))
		}
	}
	worse("share of right verdicts", thousandths(share(f.UnitsRight, f.Units)), thousandths(share(before.UnitsRight, before.Units)))
	worse("share of searches found", thousandths(share(f.SearchesRight, f.Searches)), thousandths(share(before.SearchesRight, before.Searches)))
	worse("precision of the audience", f.AudiencePrecision, before.AudiencePrecision)
	worse("recall of the audience", f.AudienceRecall, before.AudienceRecall)
	if f.FalselyClear > before.FalselyClear {
		faults = append(faults, fmt.Errorf("affected units falsely cleared: %d, and %d before", f.FalselyClear, before.FalselyClear))
	}
	return errors.Join(faults...)
}

func writeBaseline(path string, f figures) error {
	content, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the baseline: %w", err)
	}
	if err := os.WriteFile(path, append(content, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the baseline: %w", err)
	}
	return nil
}
