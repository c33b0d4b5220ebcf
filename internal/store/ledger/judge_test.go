package ledger

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/store"
)

// shelf is the smallest store of one notice that follows the rules.
type shelf struct {
	standing  standing
	revisions []string       // content hashes
	offered   map[string]int // the last revision that each source stood for; 0: older
}

func (s *shelf) apply(in *store.Incoming, contentHash string) {
	effect := store.Added
	revision, before := s.offered[in.SourceHash]
	if len(s.revisions) > 0 {
		offered := offeredBefore
		switch {
		case !before:
			offered = neverOffered
		case revision == len(s.revisions):
			offered = offeredForNow
		}
		effect = judge(s.standing, in, contentHash, offered)
	}
	s.standing = s.standing.after(effect, in, contentHash)
	if effect == store.Added || effect == store.Revised {
		s.revisions = append(s.revisions, contentHash)
	}
	if effect != store.Older || !before {
		s.offered[in.SourceHash] = len(s.revisions)
		if effect == store.Older {
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
				in := &store.Incoming{SourceHash: fmt.Sprint(c), Completeness: 1}
				switch {
				case c.format == "starter":
					in.Completeness = 0
				case c.format == richer:
					in.Completeness = 2
				}
				if c.format == "versioned" {
					in.Version = int64(1 + c.edition/2)
				}
				s.apply(in, fmt.Sprint(c.edition%3, c.format == "starter"))
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
