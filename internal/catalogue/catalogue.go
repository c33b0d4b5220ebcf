// Package catalogue is the immutable in-memory index over every notice: exact
// maps for barcodes and models, an inverted index for words, columns for
// filters and facets. A Snapshot never changes; the Catalogue swaps it
// atomically as serials arrive, and lookups never touch the database.
//
// It knows nothing of HTTP, of agencies' formats, or of how the store keeps
// what it is fed from; it can always be rebuilt from the store.
package catalogue

import (
	"time"

	"github.com/crownsafe/api/internal/recall"
)

// Hit is one notice of a search's page.
type Hit struct {
	Notice  recall.Notice
	Serial  int64
	Score   float64  // 0 when there were no words to rank by
	Matched []string // the fields in which a word was found: name, brand, model, title, id, hazard, category, description, gtin
}

// Sort is the order of a search's hits. Ties are broken by id, so that the
// order is total and the same in every process.
type Sort string

// The orders.
const (
	ByRelevance Sort = "relevance"
	ByNewest    Sort = "newest"
	ByOldest    Sort = "oldest"
)

// Query is a search.
type Query struct {
	Words      string // as typed; ranked, not all required
	Agencies   []string
	Countries  []string
	Audiences  []recall.Audience
	Categories []string
	Hazards    []recall.HazardType
	Remedies   []recall.RemedyType
	Status     recall.Status // empty: active
	From, To   time.Time     // of published_at; zero: open; To is inclusive
	Sort       Sort          // empty: relevance with words, else newest
	Facets     []string      // agency, country, audience, category, hazard, remedy, status, year
	Cursor     string        // of the page before; empty: the first page
	Limit      int           // 1 to 100
}

// FacetCount is how many hits have one value.
type FacetCount struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// Page is one page of a search.
type Page struct {
	Hits   []Hit
	Next   string // cursor of the next page; empty on the last one
	Total  int    // hits over all pages
	Facets map[string][]FacetCount
}

// AgencyCounts is what the catalogue holds of one agency.
type AgencyCounts struct {
	Notices int // active and withdrawn, without starter entries
	Starter int
	// The others count notices among Notices.
	WithBarcode, WithModel, WithUnitCodes, WithImage, WithRemedy, WithContact int
	Flagged                                                                   int                       // with one flag or more
	Flags                                                                     [recall.FlagKindCount]int // by kind, in the order of recall.FlagKinds
	Score                                                                     int                       // sum of recall.Quality's scores
}

// add counts notices of one quality that are no starter entries.
func (c *AgencyCounts) add(notices int, q recall.Quality) {
	c.Notices += notices
	c.Score += notices * q.Score()
	for _, part := range []struct {
		has   bool
		count *int
	}{
		{q.Barcode, &c.WithBarcode}, {q.Model, &c.WithModel}, {q.UnitCodes, &c.WithUnitCodes},
		{q.Image, &c.WithImage}, {q.Remedy, &c.WithRemedy}, {q.Contact, &c.WithContact}, {q.Flags != 0, &c.Flagged},
	} {
		if part.has {
			*part.count += notices
		}
	}
	for i := range c.Flags {
		if q.Flags.Has(i) {
			c.Flags[i] += notices
		}
	}
}

// Change is one step of the feed that mirrors follow.
type Change struct {
	Serial    int64
	ID        string
	Tombstone bool
	Notice    *recall.Notice // nil for a tombstone
}
