package catalogue

import (
	"cmp"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/recall"
)

const (
	// maxEvent bounds how many notices declared links join to one event, so that
	// one wrong link, repeated in a thousand notices, costs little.
	maxEvent = 1000
	// maxAlike is how many notices may share one barcode or model for them to be
	// possible aliases. What stands in more of them identifies no event. The
	// bound is on the key, so that it holds from either side.
	maxAlike = 32
)

// links are the declared links of a segment's notices, as keys of ids and
// addresses, in both directions.
type links struct {
	end   []uint32 // the links of notice i end here and begin where those of i-1 end
	keys  []uint64
	pages []uint64 // by notice: the key of its page's address; 0: none
	from  keyIndex // key of a target → the notices that declare it
	page  keyIndex // key of a page's address → the notice
}

func (l *links) of(doc uint32) []uint64 {
	from := uint32(0)
	if doc > 0 {
		from = l.end[doc-1]
	}
	return l.keys[from:l.end[doc]]
}

// linkKey is the key of a declared target, an id or an address.
func linkKey(a *recall.Alias) uint64 {
	if a.IsAddress() {
		return addressKey(a.ID)
	}
	return textKey(a.ID)
}

// addressKey never equals the key of an id: no id holds "//".
func addressKey(address string) uint64 { return textKey("//" + recall.AddressKey(address)) }

// linkWriter collects the links of a segment's notices, in their order.
type linkWriter struct {
	links
}

func (w *linkWriter) add(declared []uint64, page uint64) {
	w.keys = append(w.keys, declared...)
	w.pages = append(w.pages, page)
	w.end = append(w.end, uint32(len(w.keys)))
}

func (w *linkWriter) finish() links {
	out := links{end: slices.Clone(w.end), keys: slices.Clone(w.keys), pages: slices.Clone(w.pages)}
	var from, pages []keyed
	for doc, page := range out.pages {
		for _, key := range out.of(uint32(doc)) {
			from = append(from, keyed{key, uint32(doc)})
		}
		if page != 0 {
			pages = append(pages, keyed{page, uint32(doc)})
		}
	}
	out.from, out.page = newKeyIndex(from), newKeyIndex(pages)
	return out
}

// declaredKeys returns the keys of what a notice declares, and of its page.
func declaredKeys(n *recall.Notice) (declared []uint64, page uint64) {
	for i := range n.Aliases {
		if n.Aliases[i].Kind == recall.Declared {
			declared = append(declared, linkKey(&n.Aliases[i]))
		}
	}
	if recall.AddressKey(n.URL) != "" {
		page = addressKey(n.URL)
	}
	return declared, page
}

// resolver finds aliases. It remembers the events that it met, for the notices
// of one answer are often of one event, and of an event of hundreds each would
// be looked for hundreds of times.
type resolver struct {
	snapshot *Snapshot
	events   map[candidate][]string // by notice: the ids of its event in order
}

func (s *Snapshot) newResolver() *resolver {
	return &resolver{snapshot: s, events: map[candidate][]string{}}
}

// resolve replaces what a notice says of its aliases by what is known of them:
// every notice that declared links join it to, directly or through others,
// whichever side stated them; the ids that it declares itself although nothing
// is known of them yet; and those that are possibly of the same event.
func (r *resolver) resolve(n *recall.Notice, here candidate) {
	event := r.event(here)
	aliases := make([]recall.Alias, 0, len(event)-1)
	for _, id := range event {
		if id != n.ID {
			aliases = append(aliases, recall.Alias{ID: id, Kind: recall.Declared})
		}
	}
	known := len(aliases)
	add := func(id string, kind recall.AliasKind) {
		_, joined := slices.BinarySearch(event, id)
		if !joined && !slices.ContainsFunc(aliases[known:], func(a recall.Alias) bool { return a.ID == id }) {
			aliases = append(aliases, recall.Alias{ID: id, Kind: kind})
		}
	}
	for i := range n.Aliases {
		if a := &n.Aliases[i]; a.Kind == recall.Declared && !a.IsAddress() {
			add(a.ID, recall.Declared)
		}
	}
	if n.Status == recall.Active {
		for _, id := range r.snapshot.alike(n) {
			add(id, recall.Possible)
		}
	}
	if len(aliases) > known {
		slices.SortFunc(aliases, func(a, b recall.Alias) int {
			return cmp.Or(strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.ID, b.ID))
		})
	}
	n.Aliases = aliases
}

// event returns the ids of the notices that declared links join to one, in
// order, its own included.
func (r *resolver) event(here candidate) []string {
	if ids, ok := r.events[here]; ok {
		return ids
	}
	found := r.snapshot.event(here)
	ids := make([]string, len(found))
	for i, c := range found {
		ids[i] = c.part.id(c.doc)
	}
	slices.Sort(ids)
	if len(found) < maxEvent { // a cut event is another one from each of its notices
		for _, c := range found {
			r.events[c] = ids
		}
	}
	return ids
}

// event returns the notices that declared links join to one, itself included.
func (s *Snapshot) event(start candidate) []candidate {
	found := []candidate{start}
	var joined map[candidate]bool // made when there is a second one
	var asked map[uint64]bool
	join := func(c candidate) {
		if c == start || len(found) >= maxEvent || joined[c] || c.part.dead.has(c.doc) || c.part.traits[c.doc]&isGone != 0 {
			return
		}
		if joined == nil {
			joined, asked = map[candidate]bool{}, map[uint64]bool{}
		}
		joined[c] = true
		found = append(found, c)
	}
	look := func(key uint64, what linkOf) {
		if key == 0 || asked[key] {
			return
		}
		if asked != nil {
			asked[key] = true
		}
		s.eachLinked(key, what, join)
	}
	for i := 0; i < len(found); i++ {
		here := found[i]
		for _, key := range here.part.links.of(here.doc) {
			look(key, stated)
		}
		look(textKey(here.part.id(here.doc)), ownID)
		look(here.part.links.pages[here.doc], ownPage)
	}
	return found
}

// linkOf says what a key is to the notice that it was found at, and so what it
// can lead to: nobody else has its id.
type linkOf int

const (
	stated linkOf = iota
	ownID
	ownPage
)

// eachLinked calls join with the notices that a key stands for and with those
// that declare it.
func (s *Snapshot) eachLinked(key uint64, what linkOf, join func(candidate)) {
	for i := range s.parts {
		p := &s.parts[i]
		for _, doc := range p.links.from.find(key) {
			join(candidate{p, doc})
		}
		if what != ownID {
			for _, doc := range p.links.page.find(key) {
				join(candidate{p, doc})
			}
		}
		if what == stated {
			for _, doc := range p.ids.find(key) {
				join(candidate{p, doc})
			}
		}
	}
}

// alike returns the ids of the notices of other agencies that share a barcode,
// or brand and model, with a notice.
func (s *Snapshot) alike(n *recall.Notice) []string {
	seen := map[candidate]bool{}
	var ids []string
	look := func(key uint64, of func(*segment) *keyIndex) {
		found := s.standing(key, of)
		if len(found) > maxAlike {
			return
		}
		for _, c := range found {
			if seen[c] {
				continue
			}
			seen[c] = true
			if other := c.part.lean(c.doc); recall.Alike(n, other) {
				ids = append(ids, other.ID)
			}
		}
	}
	for i := range n.Products {
		p := &n.Products[i]
		for _, g := range p.GTINs {
			own, _ := askedKeys(g.GTIN)
			look(own, func(g *segment) *keyIndex { return &g.barcodes })
		}
		if p.Brand == "" {
			continue
		}
		for _, m := range p.Models {
			if key := recall.ModelKey(m); recall.SpecificModel(key) {
				look(textKey(key), func(g *segment) *keyIndex { return &g.models })
			}
		}
	}
	return ids
}

// standing returns the notices that stand and have a key.
func (s *Snapshot) standing(key uint64, of func(*segment) *keyIndex) []candidate {
	var found []candidate
	for i := range s.parts {
		p := &s.parts[i]
		for _, doc := range of(p.segment).find(key) {
			if p.stands(doc) {
				found = append(found, candidate{p, doc})
			}
		}
	}
	return found
}
