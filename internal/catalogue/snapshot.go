package catalogue

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

// ErrBadCursor says that a cursor is none of ours, or belongs to another query.
var ErrBadCursor = errors.New("the cursor is damaged or belongs to another query")

// Snapshot is the catalogue at one serial. It never changes.
type Snapshot struct {
	entries map[string]store.Stored
	ids     []string // in order
	serial  int64
	loaded  bool
}

func emptySnapshot() *Snapshot { return &Snapshot{entries: map[string]store.Stored{}} }

// Load rebuilds the catalogue from the store and swaps once, at the end.
func (c *Catalogue) Load(ctx context.Context, notices store.Notices) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err := c.apply(ctx, notices, emptySnapshot())
	return err
}

// CatchUp applies every change above the current serial and returns how many.
func (c *Catalogue) CatchUp(ctx context.Context, notices store.Notices) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.apply(ctx, notices, c.Current())
}

func (c *Catalogue) apply(ctx context.Context, notices store.Notices, from *Snapshot) (int, error) {
	next := &Snapshot{entries: maps.Clone(from.entries), serial: from.serial, loaded: true}
	applied := 0
	err := notices.Changes(ctx, from.serial, 0, func(s store.Stored) error {
		next.entries[s.Notice.ID] = s
		next.serial = max(next.serial, s.Serial)
		applied++
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("reading changes above serial %d: %w", from.serial, err)
	}
	next.ids = slices.Sorted(maps.Keys(next.entries))
	c.current.Store(next)
	return applied, nil
}

func superseded(s store.Stored) bool { return s.Tombstone && s.Notice.Status != recall.Withdrawn }

// Serial returns the serial that the snapshot was made at; 0 is an empty one.
func (s *Snapshot) Serial() int64 { return s.serial }

// Loaded reports whether the snapshot came from a store.
func (s *Snapshot) Loaded() bool { return s.loaded }

// Len returns the number of notices, withdrawn ones included.
func (s *Snapshot) Len() int {
	n := 0
	for _, e := range s.entries {
		if !superseded(e) {
			n++
		}
	}
	return n
}

// Notice returns the notice of an id and its serial.
func (s *Snapshot) Notice(id string) (recall.Notice, int64, bool) {
	e, ok := s.entries[id]
	if !ok || superseded(e) {
		return recall.Notice{}, 0, false
	}
	return e.Notice, e.Serial, true
}

// Document returns the recall/1 JSON of an id and its serial.
func (s *Snapshot) Document(id string) ([]byte, int64, bool) {
	n, serial, ok := s.Notice(id)
	if !ok {
		return nil, 0, false
	}
	doc, err := json.Marshal(n)
	return doc, serial, err == nil
}

// Decide answers a question from the notices that could be about the product.
func (s *Snapshot) Decide(q *recall.Question) recall.Decision {
	return recall.Decide(q, s.Candidates(q))
}

// Candidates returns the notices that could be about the question's product,
// in order of id. Withdrawn notices are never among them.
func (s *Snapshot) Candidates(q *recall.Question) []*recall.Notice {
	words := map[string]bool{}
	for _, w := range q.Words() {
		words[w] = !recall.Filler(w)
	}
	models := q.ModelKeys()
	var out []*recall.Notice
	for _, id := range s.ids {
		e := s.entries[id]
		if e.Tombstone || e.Notice.Status == recall.Withdrawn {
			continue
		}
		found := slices.ContainsFunc(recall.Words(e.Notice.Title), func(w string) bool { return words[w] })
		for _, p := range e.Notice.Products {
			found = found || slices.ContainsFunc(p.GTINs, func(g recall.PrintedGTIN) bool { return slices.Contains(q.GTINs, g.GTIN) }) ||
				slices.ContainsFunc(p.Models, func(m string) bool { return slices.Contains(models, recall.ModelKey(m)) }) ||
				slices.ContainsFunc(recall.Words(p.Brand+" "+p.Name), func(w string) bool { return words[w] })
		}
		if found {
			out = append(out, &e.Notice)
		}
	}
	return out
}

// Search returns one page of the notices that a query finds.
func (s *Snapshot) Search(q Query) (Page, error) {
	var hits []Hit
	words := slices.DeleteFunc(recall.Words(q.Words), recall.Filler)
	for _, id := range s.ids {
		e := s.entries[id]
		if superseded(e) || !q.admits(&e.Notice) {
			continue
		}
		h := Hit{Notice: e.Notice, Serial: e.Serial}
		for _, w := range words {
			if slices.Contains(recall.Words(e.Notice.Title), w) {
				h.Score++
				h.Matched = []string{"title"}
			}
		}
		if len(words) == 0 || h.Score > 0 {
			hits = append(hits, h)
		}
	}
	slices.SortStableFunc(hits, func(a, b Hit) int {
		switch {
		case q.Sort == ByOldest:
			return a.Notice.PublishedAt.Compare(b.Notice.PublishedAt)
		case q.Sort == ByNewest || len(words) == 0:
			return b.Notice.PublishedAt.Compare(a.Notice.PublishedAt)
		}
		return cmp.Compare(b.Score, a.Score)
	})
	page := Page{Total: len(hits), Facets: map[string][]FacetCount{}}
	from := 0
	if q.Cursor != "" {
		raw, err := base64.RawURLEncoding.DecodeString(q.Cursor)
		if err != nil {
			return Page{}, ErrBadCursor
		}
		if from, err = strconv.Atoi(string(raw)); err != nil || from < 0 || from > len(hits) {
			return Page{}, ErrBadCursor
		}
	}
	to := min(len(hits), from+q.Limit)
	page.Hits = hits[from:to]
	if to < len(hits) {
		page.Next = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to)))
	}
	return page, nil
}

func (q *Query) admits(n *recall.Notice) bool {
	return n.Status == cmp.Or(q.Status, recall.Active) &&
		(len(q.Agencies) == 0 || slices.Contains(q.Agencies, n.Agency)) &&
		(len(q.Audiences) == 0 || slices.Contains(q.Audiences, n.Audience)) &&
		(len(q.Countries) == 0 || slices.ContainsFunc(n.Countries, func(c string) bool { return slices.Contains(q.Countries, c) }))
}

// Changes returns the latest state of every id whose serial is above since, in
// order of serial, at most limit, and whether there are more.
func (s *Snapshot) Changes(since int64, limit int) ([]Change, bool) {
	var changes []Change
	for _, e := range s.entries {
		if e.Serial <= since {
			continue
		}
		c := Change{Serial: e.Serial, ID: e.Notice.ID, Tombstone: e.Tombstone}
		if !e.Tombstone {
			c.Notice = &e.Notice
		}
		changes = append(changes, c)
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Serial, b.Serial) })
	return changes[:min(limit, len(changes))], len(changes) > limit
}

// Counts returns what the catalogue holds of each agency.
func (s *Snapshot) Counts() map[string]AgencyCounts {
	counts := map[string]AgencyCounts{}
	for _, e := range s.entries {
		if superseded(e) {
			continue
		}
		n := counts[e.Notice.Agency]
		switch {
		case e.Notice.Starter():
			n.Starter++
		default:
			n.Notices++
			if e.Notice.HasBarcode() {
				n.WithBarcode++
			}
			if slices.ContainsFunc(e.Notice.Products, func(p recall.Product) bool { return len(p.Models) > 0 }) {
				n.WithModel++
			}
		}
		counts[e.Notice.Agency] = n
	}
	return counts
}
