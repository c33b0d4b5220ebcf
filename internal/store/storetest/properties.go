package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

// A record is one copy of a notice as its agency may give it. Its content
// follows from it, and different records of a notice may say the same.
type record struct {
	notice  int    // of a few
	format  string // starter, versioned or unversioned
	edition int
	former  int // the number of a notice that it claims was this one; 0: none
	live    bool
}

// copy makes the incoming copy, with the notices numbered from a multiple of
// ten. Of two agencies one has the richer format with versions, the other
// without.
func (r record) copy(from int) store.Incoming {
	whole := Notice(from + r.notice)
	in := Copy(recall.Notice{ID: whole.ID, Agency: whole.Agency, PublishedAt: whole.PublishedAt}) // short, for there are many
	in.Notice.Normalise()
	in.SourceHash = fmt.Sprintf("%s %d of notice %d", r.format, r.edition, r.notice)
	in.Notice.Title = fmt.Sprintf("title %d", r.edition%3)
	in.Version, in.Completeness, in.Live = 0, 1, r.live
	if versionedIsRicher := r.notice%2 == 0; (r.format == "versioned") == versionedIsRicher {
		in.Completeness = 2
	}
	switch r.format {
	case "versioned":
		in.Version = int64(1 + r.edition/2)
	case "starter":
		in.Completeness = 0
		in.Notice.Summary = "In our own words."
	}
	if r.former != 0 {
		in.FormerIDs = []string{Notice(from + r.former).ID}
	}
	return in
}

// records draws what an agency may have sent.
func records(live *rapid.Generator[bool]) *rapid.Generator[[]record] {
	one := rapid.Custom(func(t *rapid.T) record {
		r := record{
			notice:  rapid.IntRange(1, 5).Draw(t, "notice"),
			format:  rapid.SampledFrom([]string{"starter", "versioned", "unversioned"}).Draw(t, "format"),
			edition: rapid.IntRange(1, 4).Draw(t, "edition"),
			live:    live.Draw(t, "live"),
		}
		if rapid.IntRange(0, 9).Draw(t, "claims") == 9 {
			r.former = rapid.IntRange(1, 5).Draw(t, "former")
		}
		return r
	})
	return rapid.SliceOfN(one, 0, 12)
}

// applyInParts applies the copies of records in batches of a size.
func applyInParts(t *testing.T, s store.Store, now time.Time, all []record, from, size int) {
	t.Helper()
	for part := range slices.Chunk(all, size) {
		batch := make([]store.Incoming, len(part))
		for i, r := range part {
			batch[i] = r.copy(from)
		}
		apply(t, s, now, batch...)
	}
}

// appliedTwice holds the promise of an import: whatever files came in whatever
// order, the same again changes nothing, in the same batches or in others.
func appliedTwice(t *testing.T, s store.Store) {
	from := 0
	rapid.Check(t, func(rt *rapid.T) {
		from += 10 // each check has its own notices: opening a store takes longer than the check
		since := serialOf(t, s)
		all := records(rapid.Just(false)).Draw(rt, "records")
		size := rapid.IntRange(1, 6).Draw(rt, "size of batches")
		again := rapid.IntRange(1, 6).Draw(rt, "size of batches the second time")
		applyInParts(t, s, day(0), all, from, size)
		once := stateSince(t, s, since)
		applyInParts(t, s, day(1), all, from, again)
		if twice := stateSince(t, s, since); !cmp.Equal(twice, once) {
			rt.Fatalf("applied twice:\n%s\nonce:\n%s", brief(twice), brief(once))
		}
	})
}

// mirror follows the changes step by step and ends up with the whole state.
func mirror(t *testing.T, s store.Store) {
	from := 0
	rapid.Check(t, func(rt *rapid.T) {
		from += 10
		before := serialOf(t, s)
		limit := rapid.IntRange(1, 3).Draw(rt, "limit")
		copied := map[string]store.Stored{}
		since := before
		for part := range slices.Chunk(records(rapid.Bool()).Draw(rt, "records"), 3) {
			applyInParts(t, s, day(0), part, from, len(part))
			for {
				page := changes(t, s, since, limit)
				for _, c := range page {
					copied[c.Notice.ID] = c
					since = c.Serial
				}
				if len(page) < limit {
					break
				}
			}
		}
		current := stateSince(t, s, before)
		if len(current.Current) != len(copied) || current.Serial != since {
			rt.Fatalf("the mirror has %d notices up to %d, the store %s", len(copied), since, brief(current))
		}
		for _, c := range current.Current {
			if m := copied[c.Notice.ID]; m.Serial != c.Serial || m.Tombstone != c.Tombstone || m.Notice.Title != c.Notice.Title {
				rt.Fatalf("the mirror has %s as %q of %d, the store %s", c.Notice.ID, m.Notice.Title, m.Serial, brief(current))
			}
		}
	})
}

// brief shows a state in few words.
func brief(s state) string {
	text := fmt.Sprintf("serial %d", s.Serial)
	for _, c := range s.Current {
		text += fmt.Sprintf("\n  %d %s revision %d %q tombstone %v", c.Serial, c.Notice.ID, c.Notice.Revision, c.Notice.Title, c.Tombstone)
	}
	return text
}
