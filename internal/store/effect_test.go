package store

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// shelf is the smallest store of one notice that follows the rules.
type shelf struct {
	standing  Standing
	revisions []string       // content hashes
	offered   map[string]int // the last revision that each source stood for; 0: older
}

func (s *shelf) apply(t *rapid.T, in Incoming, contentHash string) {
	effect := Added
	if len(s.revisions) > 0 {
		var err error
		effect, err = Judge(s.standing, in, contentHash, func() (Offer, error) {
			revision, before := s.offered[in.SourceHash]
			switch {
			case !before:
				return NeverOffered, nil
			case revision == len(s.revisions):
				return OfferedForNow, nil
			}
			return OfferedBefore, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	s.standing = s.standing.After(effect, in, contentHash)
	if effect == Added || effect == Revised {
		s.revisions = append(s.revisions, contentHash)
	}
	if _, before := s.offered[in.SourceHash]; effect != Older || !before {
		s.offered[in.SourceHash] = len(s.revisions)
		if effect == Older {
			s.offered[in.SourceHash] = 0
		}
	}
}

// An agency has up to two formats, of which each has versions or has none and
// one is the richer, and there may be a starter entry. Whatever copies of a
// notice were applied in whatever order, the same again leave it as it is.
func TestJudgeIsIdempotent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		richer := rapid.SampledFrom([]string{"versioned", "unversioned"}).Draw(t, "richer")
		type copied struct {
			format  string
			edition int
		}
		copies := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) copied {
			return copied{
				rapid.SampledFrom([]string{"starter", "versioned", "unversioned"}).Draw(t, "format"),
				rapid.IntRange(1, 5).Draw(t, "edition"),
			}
		}), 1, 10).Draw(t, "copies")
		s := &shelf{offered: map[string]int{}}
		round := func() {
			for _, c := range copies {
				in := Incoming{SourceHash: fmt.Sprint(c), Completeness: 1}
				switch {
				case c.format == "starter":
					in.Completeness = 0
				case c.format == richer:
					in.Completeness = 2
				}
				if c.format == "versioned" {
					in.Version = int64(1 + c.edition/2)
				}
				s.apply(t, in, fmt.Sprint(c.edition%3, c.format == "starter"))
			}
		}
		round()
		once := fmt.Sprint(s.revisions)
		for range 3 {
			round()
			if again := fmt.Sprint(s.revisions); again != once {
				t.Fatalf("revisions %s, then %s", once, again)
			}
		}
	})
}
