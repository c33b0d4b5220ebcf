package web

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/recall"
)

// linked are notices with their aliases as a catalogue resolves them.
type linked map[string][]recall.Alias

func (l linked) aliases(id string) []recall.Alias { return l[id] }

// add links two notices from both sides.
func (l linked) add(a, b string, kind recall.AliasKind) {
	l[a] = append(l[a], recall.Alias{ID: b, Kind: kind})
	l[b] = append(l[b], recall.Alias{ID: a, Kind: kind})
}

func TestGather(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ids                []string
		declared, possible [][2]string
		want               []event
	}{
		"nothing":             {},
		"strangers":           {ids: []string{"a", "b"}, want: []event{{sure: []int{0}}, {sure: []int{1}}}},
		"declared":            {ids: []string{"a", "b", "c"}, declared: [][2]string{{"a", "c"}}, want: []event{{sure: []int{0, 2}}, {sure: []int{1}}}},
		"through an unlisted": {ids: []string{"a", "b"}, declared: [][2]string{{"a", "x"}, {"x", "b"}}, want: []event{{sure: []int{0, 1}}}},
		"possible":            {ids: []string{"a", "b"}, possible: [][2]string{{"a", "b"}}, want: []event{{sure: []int{0}, possible: []int{1}}}},
		"possible never leads further": {ids: []string{"a", "b", "c"}, possible: [][2]string{{"a", "b"}, {"b", "c"}},
			want: []event{{sure: []int{0}, possible: []int{1}}, {sure: []int{2}}}},
		"possibly an event of two": {ids: []string{"a", "b", "c"}, declared: [][2]string{{"b", "c"}}, possible: [][2]string{{"a", "c"}},
			want: []event{{sure: []int{0}, possible: []int{1, 2}}}},
		"possible to the second of an event": {ids: []string{"a", "b", "c"}, declared: [][2]string{{"a", "b"}}, possible: [][2]string{{"b", "c"}},
			want: []event{{sure: []int{0, 1}, possible: []int{2}}}},
		"two events possibly one, in the order of strength": {ids: []string{"a", "b", "c", "d"}, declared: [][2]string{{"b", "d"}}, possible: [][2]string{{"a", "c"}, {"a", "d"}},
			want: []event{{sure: []int{0}, possible: []int{1, 2, 3}}}},
		"declared is stronger than possible": {ids: []string{"a", "b"}, declared: [][2]string{{"a", "b"}}, possible: [][2]string{{"a", "b"}},
			want: []event{{sure: []int{0, 1}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			links := linked{}
			for _, pair := range closure(c.declared) {
				links.add(pair[0], pair[1], recall.Declared)
			}
			for _, pair := range c.possible {
				links.add(pair[0], pair[1], recall.Possible)
			}
			if diff := cmp.Diff(c.want, gather(c.ids, links.aliases), cmp.AllowUnexported(event{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// closure makes links transitive, each pair once.
func closure(pairs [][2]string) [][2]string {
	of := map[string]int{}
	for i, pair := range pairs {
		for _, id := range pair {
			if _, ok := of[id]; !ok {
				of[id] = -1 - i // an event of its own, until a pair joins it
			}
		}
	}
	for i, pair := range pairs {
		a, b := of[pair[0]], of[pair[1]]
		for id, e := range of {
			if e == a || e == b {
				of[id] = i
			}
		}
	}
	var ids []string
	for id := range of {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var all [][2]string
	for i, a := range ids {
		for _, b := range ids[i+1:] {
			if of[a] == of[b] {
				all = append(all, [2]string{a, b})
			}
		}
	}
	return all
}

func TestGatherLosesNothingAndKeepsTheOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "notices")
		ids, events := make([]string, n), make([]int, n)
		links := linked{}
		for i := range n {
			ids[i], events[i] = fmt.Sprint("n", i), rapid.IntRange(0, 5).Draw(t, "event")
			for j := range i {
				switch {
				case events[i] == events[j]:
					links.add(ids[i], ids[j], recall.Declared)
				case rapid.IntRange(0, 5).Draw(t, "possible") == 0:
					links.add(ids[i], ids[j], recall.Possible)
				}
			}
		}
		got := gather(ids, links.aliases)
		var all, leads []int
		for _, e := range got {
			leads = append(leads, e.sure[0])
			all = append(append(all, e.sure...), e.possible...)
			if !slices.IsSorted(e.sure) || !slices.IsSorted(e.possible) {
				t.Fatalf("not the strongest first: %+v", e)
			}
			for _, i := range e.sure {
				if events[i] != events[e.sure[0]] {
					t.Fatalf("%d is no notice of the event of %d", i, e.sure[0])
				}
			}
			for _, i := range e.possible {
				if i < e.sure[0] {
					t.Fatalf("%d stands below %d, which is weaker", i, e.sure[0])
				}
			}
		}
		slices.Sort(all)
		if len(all) != n || !slices.IsSorted(leads) || len(slices.Compact(all)) != n {
			t.Fatalf("%d notices, shown %v, led by %v", n, all, leads)
		}
	})
}

func TestLicenceAddress(t *testing.T) {
	t.Parallel()
	for licence, want := range map[string]string{
		"CC BY 4.0 (Commission Decision 2011/833/EU)": "https://creativecommons.org/licenses/by/4.0/",
		"CC-BY-4.0 (photographs excluded)":            "https://creativecommons.org/licenses/by/4.0/",
		"CC0-1.0":                                     "https://creativecommons.org/publicdomain/zero/1.0/",
		"Open Government Licence v3.0":                "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
		"Open Government Licence - Canada 2.0":        "https://open.canada.ca/en/open-government-licence-canada",
		"Licence Ouverte / Open Licence 2.0 (Etalab)": "https://www.etalab.gouv.fr/licence-ouverte-open-licence/",
		"public domain (17 U.S.C. 105)":               "",
		"none stated; all rights reserved":            "",
	} {
		if got := licenceAddress(licence); got != want {
			t.Errorf("%s leads to %q, want %q", licence, got, want)
		}
	}
}

func TestPercent(t *testing.T) {
	t.Parallel()
	for share, want := range map[float64]string{0: "0 %", 0.004: "under 1 %", 0.04: "4 %", 0.478: "48 %", 1: "100 %"} {
		if got := percent(share); got != want {
			t.Errorf("%g is %q, want %q", share, got, want)
		}
	}
}
