package ledger

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

// shelves keep in maps what an adapter keeps in tables.
type shelves struct {
	Serial    int64
	Heads     map[string]Head
	Revisions map[int64]Revision
	Former    map[string]FormerID
	Offered   map[CopyKey]int64
	Missed    map[string]int64
}

func newShelves() *shelves {
	return &shelves{
		Heads: map[string]Head{}, Revisions: map[int64]Revision{}, Former: map[string]FormerID{},
		Offered: map[CopyKey]int64{}, Missed: map[string]int64{},
	}
}

// records let a Ledger see shelves. They refuse what Records promises not to ask.
type records struct {
	t interface{ Fatalf(string, ...any) }
	s *shelves
}

func known[K comparable, V, R any](r records, asked []K, shelf map[K]V, answer func(K, V) R) (found []R) {
	once := map[K]bool{}
	for _, key := range asked {
		if once[key] {
			r.t.Fatalf("asked for %v twice at once", key)
		}
		once[key] = true
		if v, ok := shelf[key]; ok {
			found = append(found, answer(key, v))
		}
	}
	return found
}

func (r records) Heads(_ context.Context, ids []string) ([]Head, error) {
	return known(r, ids, r.s.Heads, func(_ string, h Head) Head { return h }), nil
}

func (r records) FormerIDs(_ context.Context, ids []string) ([]string, error) {
	return known(r, ids, r.s.Former, func(id string, _ FormerID) string { return id }), nil
}

func (r records) OfferedCopies(_ context.Context, copies []CopyKey) ([]OfferedCopy, error) {
	return known(r, copies, r.s.Offered, func(key CopyKey, revision int64) OfferedCopy { return OfferedCopy{key, revision} }), nil
}

func (r records) Documents(_ context.Context, ids []string) ([]Document, error) {
	return known(r, ids, r.s.Heads, func(id string, h Head) Document {
		return Document{id, r.s.Revisions[h.RevisionSerial].Document}
	}), nil
}

func (r records) Misses(_ context.Context, agency string) (misses []Miss, _ error) {
	for id, count := range r.s.Missed {
		if strings.HasPrefix(id, agency+":") {
			misses = append(misses, Miss{id, count})
		}
	}
	return misses, nil
}

func (r records) Unsourced(_ context.Context, agency string) (ids []string, _ error) {
	for _, id := range slices.Sorted(maps.Keys(r.s.Heads)) {
		if h := r.s.Heads[id]; strings.HasPrefix(id, agency+":") && !h.Superseded && h.SourceHash == "" {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// write does what an adapter does with changes, and refuses what a table would.
func (r records) write(c Changes) {
	add := func(what string, there bool) {
		if there {
			r.t.Fatalf("%s is there already", what)
		}
	}
	for _, v := range c.Revisions {
		_, there := r.s.Revisions[v.Serial]
		add(fmt.Sprintf("revision %d", v.Serial), there)
		r.s.Revisions[v.Serial] = v
	}
	for _, h := range c.Added {
		_, there := r.s.Heads[h.ID]
		add("notice "+h.ID, there)
		r.s.Heads[h.ID] = h
	}
	for _, h := range c.Moved {
		if _, there := r.s.Heads[h.ID]; !there {
			r.t.Fatalf("notice %s has moved and isn't there", h.ID)
		}
		r.s.Heads[h.ID] = h
	}
	for _, f := range c.FormerIDs {
		_, there := r.s.Former[f.ID]
		add("former id "+f.ID, there)
		r.s.Former[f.ID] = f
	}
	once := map[CopyKey]bool{}
	for _, o := range c.Offered {
		add(fmt.Sprintf("what was offered as %v", o.CopyKey), once[o.CopyKey])
		once[o.CopyKey] = true
		r.s.Offered[o.CopyKey] = o.Revision
	}
	for _, id := range c.Seen {
		delete(r.s.Missed, id)
	}
	for _, m := range c.Missed {
		r.s.Missed[m.NoticeID] = m.Count
	}
	if c.Serial != 0 {
		r.s.Serial = c.Serial
	}
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// apply applies copies in one transaction.
func (r records) apply(batch []store.Incoming) []store.Effect {
	copies, err := Receive(context.Background(), r, batch)
	if err != nil {
		r.t.Fatalf("Receive: %v", err)
	}
	l := New(r, r.s.Serial, noon)
	effects, err := l.Apply(context.Background(), copies)
	if err != nil {
		r.t.Fatalf("Apply: %v", err)
	}
	r.write(l.Changes())
	return effects
}

func drawCopies(t *rapid.T) []store.Incoming {
	id := rapid.IntRange(1, 4)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) store.Incoming {
		in := store.Incoming{
			Notice: recall.Notice{
				ID: fmt.Sprintf("us-example:%d", id.Draw(t, "notice")), Agency: "us-example", PublishedAt: noon,
				Title: fmt.Sprintf("title %d", rapid.IntRange(1, 3).Draw(t, "title")),
			},
			SourceHash:   fmt.Sprintf("record %d", rapid.IntRange(1, 4).Draw(t, "record")),
			Version:      int64(rapid.IntRange(0, 2).Draw(t, "version")),
			Completeness: rapid.IntRange(0, 2).Draw(t, "completeness"),
			Live:         rapid.Bool().Draw(t, "live"),
			Replayed:     rapid.IntRange(0, 3).Draw(t, "replayed") == 0,
		}
		for range rapid.IntRange(0, 4).Draw(t, "claims") / 3 {
			in.FormerIDs = append(in.FormerIDs, fmt.Sprintf("us-example:%d", id.Draw(t, "former")))
		}
		return in
	}), 0, 15).Draw(t, "copies")
}

// However copies are cut into batches, and whatever of them comes twice, claims
// another's id or collides within one batch: the same becomes of each as if they
// came one by one.
func TestBatchesAreAsGoodAsSingleCopies(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		copies := drawCopies(t)
		single, batched := records{t, newShelves()}, records{t, newShelves()}
		var one, all []store.Effect
		for _, in := range copies {
			one = append(one, single.apply([]store.Incoming{in})...)
		}
		for part := range slices.Chunk(copies, rapid.IntRange(1, 15).Draw(t, "size of batches")) {
			all = append(all, batched.apply(part)...)
		}
		if diff := cmp.Diff(one, all); diff != "" {
			t.Fatalf("effects (-single +batched):\n%s", diff)
		}
		if diff := cmp.Diff(single.s, batched.s); diff != "" {
			t.Fatalf("state (-single +batched):\n%s", diff)
		}
	})
}

// Whatever happens, serials have no gaps, ids resolve to an end, and nothing
// stands on a revision that isn't there.
func TestStateIsSound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := records{t, newShelves()}
		id := rapid.Custom(func(t *rapid.T) string { return fmt.Sprintf("us-example:%d", rapid.IntRange(1, 5).Draw(t, "id")) })
		t.Repeat(map[string]func(*rapid.T){
			"apply": func(t *rapid.T) { r.apply(drawCopies(t)) },
			"withdraw": func(t *rapid.T) {
				l := New(r, r.s.Serial, noon)
				if err := l.Withdraw(context.Background(), id.Draw(t, "id")); err == nil {
					r.write(l.Changes())
				}
			},
			"settle": func(t *rapid.T) {
				l := New(r, r.s.Serial, noon)
				d := store.Dump{Agency: "us-example", Present: rapid.SliceOf(id).Draw(t, "present"), Missing: rapid.SliceOf(id).Draw(t, "missing")}
				if _, err := l.Settle(context.Background(), d); err != nil {
					t.Fatal(err)
				}
				r.write(l.Changes())
			},
			"": func(t *rapid.T) { checkSound(t, r.s) },
		})
	})
}

func checkSound(t *rapid.T, s *shelves) {
	used := map[int64]bool{}
	for serial := range s.Revisions {
		used[serial] = true
	}
	for id, h := range s.Heads {
		used[h.Serial] = true
		current := s.Revisions[h.RevisionSerial]
		if current.NoticeID != id || current.Revision != h.Revision || current.ContentHash != h.ContentHash || current.SourceHash != h.SourceHash {
			t.Fatalf("%s stands on a revision of another: %+v, %+v", id, h, current)
		}
		if _, former := s.Former[id]; former != h.Superseded {
			t.Fatalf("%s is superseded: %v, given up: %v", id, h.Superseded, former)
		}
	}
	for serial := int64(1); serial <= s.Serial; serial++ {
		if !used[serial] {
			t.Fatalf("serial %d of %d was given to nothing", serial, s.Serial)
		}
	}
	for id := range s.Former {
		for steps := 0; ; steps++ {
			f, former := s.Former[id]
			if !former {
				break
			}
			if steps > len(s.Former) {
				t.Fatalf("%s resolves in a circle", id)
			}
			id = f.Heir
		}
	}
}
