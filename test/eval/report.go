package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/recall"
)

// shownHits is how many hits a fault shows at least.
const shownHits = 10

type unitResult struct {
	*unitCase
	Got     recall.Outcome
	Refused string   // why the question was refused; empty: it was answered
	Named   int      // expected notices among the matches with the expected verdict
	Need    string   // the identifier that the first match asks for
	Matches []string // "id verdict"
}

// right tells whether the verdict, its notices and what it asks for are as expected.
func (u *unitResult) right() bool {
	return u.Got == u.Verdict && u.Named == len(u.Recalls) && (u.unitCase.Need == "" || u.unitCase.Need == u.Need)
}

// falselyClear tells the worst fault: an affected unit that was let pass.
func (u *unitResult) falselyClear() bool {
	return u.Verdict == recall.Affected && (u.Got == recall.NotAffected || u.Got == recall.NoMatch)
}

type searchResult struct {
	*searchCase
	FoundAt int // rank of the first expected notice, from 1; 0: not found
	Hits    []string
}

func (s *searchResult) right() bool { return s.FoundAt > 0 && s.FoundAt <= s.Rank }

// audienceResult compares "made for babies or children" with the gold set.
type audienceResult struct {
	both, missed, extra int
	faults              []string
}

func (a *audienceResult) add(number, title string, gold, got bool) {
	switch {
	case gold && got:
		a.both++
	case gold:
		a.missed++
		a.faults = append(a.faults, "missed "+number+" "+title)
	case got:
		a.extra++
		a.faults = append(a.faults, "extra "+number+" "+title)
	}
}

func (a *audienceResult) precision() float64 { return share(a.both, a.both+a.extra) }
func (a *audienceResult) recall() float64    { return share(a.both, a.both+a.missed) }

type report struct {
	Units    []unitResult
	Searches []searchResult
	Audience audienceResult
}

// share is a/b with 1 for nothing: what was not asked was not wrong.
func share(a, b int) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

type count struct{ right, of int }

func (c *count) add(right bool) {
	c.of++
	if right {
		c.right++
	}
}

// tally counts right answers by a word of each result.
func tally[T any](results []T, word func(*T) string, right func(*T) bool) map[string]*count {
	counts := map[string]*count{}
	for i := range results {
		w := word(&results[i])
		if counts[w] == nil {
			counts[w] = &count{}
		}
		counts[w].add(right(&results[i]))
	}
	return counts
}

func agencyOf(ids []string, id string) string {
	if len(ids) > 0 {
		agency, _, _ := strings.Cut(ids[0], ":")
		return agency
	}
	// A case without a notice is named after the agency whose notices it was
	// made from, and before that after its set: us-fda-012, third-us-fda-012.
	name := strings.TrimPrefix(id[:max(0, strings.LastIndexByte(id, '-'))], "s-")
	for _, set := range []string{"second-", "third-", "fourth-"} {
		name = strings.TrimPrefix(name, set)
	}
	return name
}

func (r *report) print(out io.Writer) {
	f := r.figures()
	fmt.Fprintf(out, "## Verdicts\n\n%d of %d right (%.1f %%); %d affected units falsely cleared.\n\n", f.UnitsRight, f.Units, 100*share(f.UnitsRight, f.Units), f.FalselyClear)
	r.printVerdicts(out)
	printTally(out, "question decided by", tally(r.Units, func(u *unitResult) string { return u.Kind }, (*unitResult).right))
	printTally(out, "agency", tally(r.Units, func(u *unitResult) string { return agencyOf(u.Recalls, u.ID) }, (*unitResult).right))
	fmt.Fprintf(out, "## Searches\n\n%d of %d found within the expected rank (%.1f %%).\n\n", f.SearchesRight, f.Searches, 100*share(f.SearchesRight, f.Searches))
	printTally(out, "kind of search", tally(r.Searches, func(s *searchResult) string { return s.Kind }, (*searchResult).right))
	fmt.Fprintf(out, "## Audience\n\nMade for babies or children, against the categories of cpsc.gov: precision %.3f, recall %.3f (%d notices in both, %d missed, %d extra).\n",
		r.Audience.precision(), r.Audience.recall(), r.Audience.both, r.Audience.missed, r.Audience.extra)
}

// printVerdicts gives precision and recall of each verdict.
func (r *report) printVerdicts(out io.Writer) {
	fmt.Fprintf(out, "| verdict | expected | given | precision | recall |\n|---|---|---|---|---|\n")
	for _, o := range outcomes {
		expected, given, both := 0, 0, 0
		for i := range r.Units {
			u := &r.Units[i]
			if u.Verdict == o {
				expected++
			}
			if u.Got == o {
				given++
			}
			if u.Verdict == o && u.right() {
				both++
			}
		}
		fmt.Fprintf(out, "| `%s` | %d | %d | %.3f | %.3f |\n", o, expected, given, share(both, given), share(both, expected))
	}
	fmt.Fprintln(out)
}

func printTally(out io.Writer, of string, counts map[string]*count) {
	fmt.Fprintf(out, "| %s | right | of | share |\n|---|---|---|---|\n", of)
	for _, word := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b].of, counts[a].of), cmp.Compare(a, b))
	}) {
		c := counts[word]
		fmt.Fprintf(out, "| %s | %d | %d | %.3f |\n", word, c.right, c.of, share(c.right, c.of))
	}
	fmt.Fprintln(out)
}

func (r *report) printFaults(out io.Writer) {
	fmt.Fprintln(out, "\n## Faults")
	for i := range r.Units {
		if u := &r.Units[i]; !u.right() {
			fmt.Fprintf(out, "\n%s (%s) %s\n  expected %s %v %s, got %s%s %s\n  matches %v\n  %s\n",
				u.ID, u.Kind, asked(&u.Ask), u.Verdict, u.Recalls, u.unitCase.Need, u.Got, u.Refused, u.Need, u.Matches[:min(len(u.Matches), 6)], u.Why)
		}
	}
	for i := range r.Searches {
		if s := &r.Searches[i]; !s.right() {
			fmt.Fprintf(out, "\n%s (%s) %q %v\n  expected %v within %d, found at %d\n  hits %v\n", s.ID, s.Kind, s.Words, s.Params, s.Recalls, s.Rank, s.FoundAt, s.Hits)
		}
	}
	for _, fault := range slices.Sorted(slices.Values(r.Audience.faults)) {
		fmt.Fprintln(out, fault)
	}
}

// asked words a question as it would be sent.
func asked(u *recall.Unit) string {
	body, err := json.Marshal(u)
	if err != nil {
		return err.Error()
	}
	return string(body)
}
