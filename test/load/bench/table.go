package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// row is one line of the table.
type row struct {
	what, measured, goal string
	outcome              outcome
}

type outcome string

const (
	met         outcome = "met"
	missedGoal  outcome = "**missed**"
	information outcome = "" // a row without a goal
)

// atLeast and atMost judge a value by its goal.
func atLeast(value, goal float64) outcome {
	if value >= goal {
		return met
	}
	return missedGoal
}

func atMost(value, goal float64) outcome {
	if value <= goal {
		return met
	}
	return missedGoal
}

func missed(rows []row) (count int) {
	for _, r := range rows {
		if r.outcome == missedGoal {
			count++
		}
	}
	return count
}

// table writes rows as a Markdown table whose columns line up.
func table(rows []row) string {
	lines := [][]string{{"what", "measured", "goal", ""}}
	for _, r := range rows {
		lines = append(lines, []string{r.what, r.measured, r.goal, string(r.outcome)})
	}
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	rule := make([]string, len(widths))
	for i, w := range widths {
		rule[i] = strings.Repeat("-", w)
	}
	for _, line := range slices.Insert(lines, 1, rule) {
		for i, cell := range line {
			fmt.Fprintf(&b, "| %s%s ", cell, strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)))
		}
		b.WriteString("|\n")
	}
	return b.String()
}
