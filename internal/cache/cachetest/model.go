package cachetest

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/cache"
)

// model is a cache as a map: every mark has a version, and a value or a claim is
// good while the versions of its marks are those that it was made with. Of
// several good values any may be found.
type model struct {
	versions map[cache.Mark]int
	values   map[string]versioned
	claims   []claimOf
}

type versioned struct {
	values   []string
	maybe    bool // a void claim may have pushed them out: values come and go
	versions map[cache.Mark]int
}

type claimOf struct {
	key      cache.Key
	claim    cache.Claim
	versions map[cache.Mark]int
}

func (m *model) now(k cache.Key) map[cache.Mark]int {
	versions := map[cache.Mark]int{}
	for _, mark := range k.Marks() {
		versions[mark] = m.versions[mark]
	}
	return versions
}

func (m *model) good(versions map[cache.Mark]int) bool {
	for mark, version := range versions {
		if m.versions[mark] != version {
			return false
		}
	}
	return true
}

// likeMap asks, stores by any claim that was given, and invalidates, and compares
// every answer with the model's. Few names and tags meet often; those of one
// sequence are never met by another.
func likeMap(t *testing.T, s cache.Store) {
	var sequences int
	rapid.Check(t, func(rt *rapid.T) {
		sequences++
		own := func(name string) string { return fmt.Sprintf("%s of %d", name, sequences) }
		x, y := own("x"), own("y")
		keys := []cache.Key{key(own("a"), x), key(own("b"), x, y), key(own("c"), y), key(x)}
		marks := []cache.Mark{cache.All, cache.TagMark(x), cache.TagMark(y), keys[0].Mark(), keys[1].Mark(), keys[2].Mark(), keys[3].Mark()}
		m := model{versions: map[cache.Mark]int{}, values: map[string]versioned{}}
		rt.Repeat(map[string]func(*rapid.T){
			"get": func(rt *rapid.T) { m.get(t, rt, s, rapid.SampledFrom(keys).Draw(rt, "key")) },
			"set": func(rt *rapid.T) { m.set(t, rt, s) },
			"invalidate": func(rt *rapid.T) {
				chosen := rapid.SliceOfN(rapid.SampledFrom(marks), 1, 2).Draw(rt, "marks")
				invalidate(t, s, chosen...)
				for _, mark := range chosen {
					m.versions[mark]++
				}
			},
		})
	})
}

func (m *model) get(t *testing.T, rt *rapid.T, s cache.Store, k cache.Key) {
	want, ok := m.values[k.Path()]
	ok = ok && m.good(want.versions)
	answer := get(t, s, k)
	switch {
	case answer.Found && (!ok || !slices.Contains(want.values, string(answer.Value))):
		rt.Fatalf("Get(%q) finds %q, want one of %q (%t)", k, answer.Value, want.values, ok)
	case !answer.Found && ok && !want.maybe:
		rt.Fatalf("Get(%q) finds nothing, want one of %q", k, want.values)
	case !answer.Found:
		delete(m.values, k.Path())
	}
	if !answer.Found {
		m.claims = append(m.claims, claimOf{k, answer.Claim, m.now(k)})
	}
}

func (m *model) set(t *testing.T, rt *rapid.T, s cache.Store) {
	if len(m.claims) == 0 {
		rt.Skip("nothing was claimed")
	}
	c := rapid.SampledFrom(m.claims).Draw(rt, "claim")
	value := rapid.StringN(0, 8, -1).Draw(rt, "value")
	set(t, s, c.key, value, c.claim)
	kept, ok := m.values[c.key.Path()]
	ok = ok && m.good(kept.versions)
	switch {
	case m.good(c.versions) && ok:
		kept.values, kept.maybe = append(kept.values, value), false
	case m.good(c.versions):
		kept = versioned{values: []string{value}, versions: c.versions}
	case ok:
		kept.maybe = true
	default:
		return
	}
	m.values[c.key.Path()] = kept
}
