// Package multiply makes many notices of some: copies whose ids, brands, names,
// models and codes are new ones of the same shape, so that lengths, shares of
// notices with barcodes, models and lots, and the frequencies of ordinary words
// stay those of the original, while the vocabulary of names grows with the
// number of notices as it does in real life.
//
// The same originals, seed and index give the same copy on every machine. The
// package must not know what the copies are measured with.
package multiply

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/recall"
)

// Multiplier makes copies of notices. It is safe for concurrent use.
type Multiplier struct {
	seed      uint64
	originals []recall.Notice // in a shuffled order
	names     map[string]bool // words that name brands and product lines, folded
}

const (
	// rareIn is the share of notices, one in so many, up to which a word of a
	// brand or a product's name is taken for a name.
	rareIn = 400
	// fewBrands is up to how many brands share a word that is a name although it
	// is frequent: a large firm's, or one of its lines. What more of them share
	// is an ordinary word ("foods", "organic").
	fewBrands = 3
)

// New makes a multiplier of at least one original.
func New(seed uint64, originals []recall.Notice) *Multiplier {
	m := &Multiplier{seed: seed, originals: slices.Clone(originals), names: map[string]bool{}}
	slices.SortFunc(m.originals, func(a, b recall.Notice) int { return cmp.Compare(a.ID, b.ID) })
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(m.originals), func(i, j int) {
		m.originals[i], m.originals[j] = m.originals[j], m.originals[i]
	})
	words := map[string]*usage{}
	for i := range m.originals {
		noteNames(words, &m.originals[i])
	}
	for word, use := range words {
		rare := use.notices <= max(1, len(m.originals)/rareIn)
		owned := len(use.brands) <= fewBrands && use.unbranded*4 <= use.notices
		if (rare || owned) && !recall.Common(recall.Singular(word)) {
			m.names[word] = true
		}
	}
	return m
}

// usage is how a word is used in brands and products' names.
type usage struct {
	notices, unbranded int
	brands             map[string]bool
}

// noteNames notes the words of a notice's brands and products' names that may be
// names at all.
func noteNames(words map[string]*usage, n *recall.Notice) {
	const shortest = 4 // letters; a shorter one would become some other word too often
	seen := map[string]bool{}
	for i := range n.Products {
		p := &n.Products[i]
		for _, text := range []string{p.Brand, p.Name} {
			eachWord(text, func(from, to int) {
				word := strings.ToLower(text[from:to])
				if len(word) < shortest || hasDigit(word) {
					return
				}
				use := words[word]
				if use == nil {
					use = &usage{brands: map[string]bool{}}
					words[word] = use
				}
				if p.Brand != "" {
					use.brands[p.Brand] = true
				}
				if !seen[word] {
					seen[word] = true
					use.notices++
					if p.Brand == "" {
						use.unbranded++
					}
				}
			})
		}
	}
}

// Notice returns the notice at an index. The first ones are the originals, each
// once, in a shuffled order; then come copies, in the same order over and over.
func (m *Multiplier) Notice(index int) recall.Notice {
	n := m.originals[index%len(m.originals)]
	round := index / len(m.originals)
	if round == 0 {
		return n
	}
	c := copier{names: m.names, key: mix(m.seed + uint64(round)), codes: codesOf(&n)}
	return c.copy(&n, fmt.Sprintf("x%d", round))
}

// codesOf returns the words with digits of which a notice's models and codes
// are made, folded. Dates are none, and neither are the ends of ranges, which
// would no longer be in order.
func codesOf(n *recall.Notice) map[string]bool {
	codes := map[string]bool{}
	add := func(code string) {
		eachWord(code, func(from, to int) {
			if hasDigit(code[from:to]) {
				codes[strings.ToLower(code[from:to])] = true
			}
		})
	}
	for i := range n.Products {
		p := &n.Products[i]
		for _, model := range p.Models {
			add(model)
		}
		for j := range p.Units {
			if u := &p.Units[j]; isCode(u) {
				add(*u.From)
			}
		}
	}
	return codes
}

func isCode(u *recall.Predicate) bool {
	return u.Op == recall.OpEquals && u.From != nil && (u.Kind == recall.Lot || u.Kind == recall.Batch || u.Kind == recall.Serial)
}
